"""
The solar surface that a Map shows: where its pixels are on the sphere, how large they are there, and back.

Points on the Sun are unit vectors in the heliographic Stonyhurst frame of the time of the Map, arrays of shape
(3, ...). All works alike for images from any place and for heliographic Maps.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from astropy.wcs import WCS
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst, Helioprojective

from sunpy_scss.exceptions import InvalidMapError

__all__ = ["Surface", "cell_areas", "distances", "half_turn", "longitude_latitude", "surface_of", "unit_vectors"]

# Halvings of the way between the centre of a pixel and a corner beyond the end of the projection.
_HALVINGS = 30


@dataclass(frozen=True)
class Surface:
    """
    The solar surface on the pixels of a Map.

    Attributes
    ----------
    wcs : astropy.wcs.WCS
    shape : tuple of int
        (ny, nx).
    obstime : astropy.time.Time
    observer : numpy.ndarray
        (3,), where the observer is, in solar radii.
    origin : float or None
        The Stonyhurst longitude in radians at which the longitudes of a heliographic Map begin; None in an image.
    """

    wcs: WCS
    shape: tuple
    obstime: Time
    observer: np.ndarray
    origin: float | None

    @cached_property
    def distance(self):
        """Of the observer from the centre of the Sun, in solar radii."""
        return np.linalg.norm(self.observer)

    @property
    def is_image(self):
        """Whether the Map shows the Sun as seen from somewhere, with a limb."""
        return self.origin is None

    @cached_property
    def wraps(self):
        """Whether the last column of a heliographic Map is the neighbour of the first."""
        nx = self.shape[1]
        if self.is_image or nx < 3:
            return False
        first, second, last = self.world(np.full(3, self.shape[0] // 2), np.array([0, 1, nx - 1]))[0]
        step = second - first
        return bool(abs(half_turn(first - last - step)) < abs(step) / 2)

    def _world(self, rows, columns):
        values = self.wcs.pixel_to_world_values(columns, rows)
        scales = [u.Unit(unit).to(u.rad) for unit in self.wcs.world_axis_units]
        return [np.asarray(value) * scale for value, scale in zip(values, scales, strict=True)]

    def world(self, rows, columns):
        """
        Longitudes and latitudes in radians in the frame of the Map.

        Corners of pixels beyond the poles or the end of the projection are moved inwards to it.
        """
        lon, lat = self._world(rows, columns)
        beyond = ~np.isfinite(lon)
        if beyond.any():
            lon[beyond], lat[beyond] = self._world(*self._inwards(rows[beyond], columns[beyond]))
        return lon, lat

    def _inwards(self, rows, columns):
        """From positions without coordinates towards the nearest pixel's centre, as far as the projection reaches."""
        ny, nx = self.shape
        centre = np.clip(np.rint(rows), 0, ny - 1), np.clip(np.rint(columns), 0, nx - 1)
        inner, outer = np.zeros(rows.shape), np.ones(rows.shape)
        for _ in range(_HALVINGS):
            share = (inner + outer) / 2
            there = [start + share * (end - start) for start, end in zip(centre, (rows, columns), strict=True)]
            reached = np.isfinite(self._world(*there)[0])
            inner, outer = np.where(reached, share, inner), np.where(reached, outer, share)
        return [start + inner * (end - start) for start, end in zip(centre, (rows, columns), strict=True)]

    def _sky(self, rows, columns):
        """Directions to west and north, (2, n): the sine of their angle to disc centre, in units of the limb's."""
        lon, lat = self._world(rows, columns)
        in_front = np.where(np.cos(lon) > 0, 1, np.nan)
        return np.stack([np.cos(lat) * np.sin(lon), np.sin(lat)]) * self.distance * in_front

    def on_sun(self, rows, columns):
        """Whether there is solar surface in the middle of pixels."""
        if self.is_image:
            return np.linalg.norm(self._sky(rows, columns), axis=0) <= 1
        return np.isfinite(self._world(rows, columns)[0])

    def points(self, rows, columns):
        """
        The solar surface at positions on the pixel grid.

        Off the disc it is the nearest point of the limb. So it is for a corner or side of a pixel whose neighbour has
        its middle off the disc: pixels on the disc share the visible surface among them without rest.

        Parameters
        ----------
        rows, columns : numpy.ndarray
            (n,), whole numbers in the middle of pixels, halves at their corners and sides.

        Returns
        -------
        numpy.ndarray
            (3, n).
        """
        if not self.is_image:
            lon, lat = self.world(rows, columns)
            return unit_vectors(lon + self.origin, lat)
        sky = self._sky(rows, columns)
        radius = np.linalg.norm(sky, axis=0)
        to_limb = ~(radius <= 1)
        near = np.flatnonzero((radius > 1 - 1.5 * self._diagonal) & ~to_limb)
        to_limb[near] = ~self._all_around_on_sun(rows[near], columns[near])
        sky[:, to_limb] /= radius[to_limb]
        sine = sky / self.distance
        height = np.sqrt(np.maximum(1 - (sky**2).sum(axis=0), 0))
        along = self.distance * np.sqrt(1 - (sine**2).sum(axis=0)) - height
        towards = self.distance - along * np.sqrt(1 - (sine**2).sum(axis=0))
        return self._axes.T @ np.stack([*(along * sine), towards])

    @cached_property
    def _diagonal(self):
        """Of a pixel of an image, in apparent solar radii."""
        middle = np.array(self.shape) / 2
        return np.linalg.norm(self._sky(*middle) - self._sky(*(middle + 1)))

    def _all_around_on_sun(self, rows, columns):
        sides = product((np.floor(rows), np.ceil(rows)), (np.floor(columns), np.ceil(columns)))
        return np.all([self.on_sun(row, column) for row, column in sides], axis=0)

    @cached_property
    def _axes(self):
        """(3, 3), the directions to solar west and north and to the observer."""
        towards = self.observer / self.distance
        west = np.cross([0, 0, 1], towards)
        west /= np.linalg.norm(west)
        return np.stack([west, np.cross(towards, west), towards])

    def cosine(self, points):
        """Cosine of the angle at the centre of the Sun between points and disc centre."""
        return np.tensordot(self.observer / self.distance, points, axes=1)

    def foreshortening(self, points):
        """Cosine of the angle between the line of sight and the vertical at points."""
        cosine = self.cosine(points)
        return (self.distance * cosine - 1) / np.sqrt(self.distance**2 - 2 * self.distance * cosine + 1)

    def pixels(self, points):
        """Rows and columns of points, NaN where the Map cannot show them: behind the limb, beyond the projection."""
        if self.is_image:
            x, y, z = self._axes @ points
            depth = np.where(z >= 1 / self.distance, self.distance - z, np.nan)
            lon, lat = np.arctan2(x, depth), np.arctan2(y, np.hypot(x, depth))
        else:
            lon, lat = longitude_latitude(points)
            lon = lon - self.origin
        scales = [u.rad.to(u.Unit(unit)) for unit in self.wcs.world_axis_units]
        columns, rows = self.wcs.world_to_pixel_values(lon * scales[0], lat * scales[1])
        if self.wraps:
            columns = (columns + 0.5) % self.shape[1] - 0.5
        return rows, columns

    def nearest(self, points):
        """Indices into the flattened data of the pixels in which points are; -1 where the Map does not show them."""
        ny, nx = self.shape
        rows, columns = np.floor(np.nan_to_num(self.pixels(points), nan=-9) + 0.5).astype(int)
        inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        return np.where(inside, rows * nx + columns, -1)

    def corners(self, rows, columns):
        """
        Corners of pixels.

        Parameters
        ----------
        rows, columns : numpy.ndarray
            (n,) indices of pixels, all different.

        Returns
        -------
        rows, columns : numpy.ndarray
            (m,) positions of the corners, each once.
        index : numpy.ndarray
            (4, n), which of them are around each pixel, in order.
        """
        around = ((0, 0), (0, 1), (1, 1), (1, 0))
        used = np.zeros((self.shape[0] + 1, self.shape[1] + 1), dtype=bool)
        for down, right in around:
            used[rows + down, columns + right] = True
        number = np.cumsum(used.ravel(), dtype=np.int32).reshape(used.shape) - 1
        index = np.stack([number[rows + down, columns + right] for down, right in around])
        corner_rows, corner_columns = used.nonzero()
        return corner_rows - 0.5, corner_columns - 0.5, index

    def areas(self, rows, columns):
        """Areas of pixels on the surface in squares of the solar radius."""
        corner_rows, corner_columns, index = self.corners(rows, columns)
        return cell_areas(self.points(corner_rows, corner_columns), index)


def surface_of(smap):
    """
    The `Surface` of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective or heliographic, in any projection.

    Raises
    ------
    TypeError
        If ``smap`` is not a Map.
    sunpy_scss.exceptions.InvalidMapError
        If its coordinates are neither.
    """
    frame = getattr(smap, "coordinate_frame", None)
    if frame is None:
        msg = f"Expected a sunpy Map (got {type(smap).__name__}); sunpy.map.Map(file) reads one."
        raise TypeError(msg)
    if not isinstance(frame, Helioprojective | HeliographicStonyhurst | HeliographicCarrington):
        msg = f"The Map must be helioprojective or heliographic (got {frame.name}); bring it to such a grid first."
        raise InvalidMapError(msg)
    stonyhurst = HeliographicStonyhurst(obstime=frame.obstime)
    observer = smap.observer_coordinate.transform_to(stonyhurst)
    radii = (observer.radius / smap.rsun_meters).to_value(u.dimensionless_unscaled)
    origin = None
    if not isinstance(frame, Helioprojective):
        begin = SkyCoord(0 * u.deg, 0 * u.deg, smap.rsun_meters, frame=frame)
        origin = begin.transform_to(stonyhurst).lon.to_value(u.rad)
    place = radii * unit_vectors(observer.lon.to_value(u.rad), observer.lat.to_value(u.rad))
    return Surface(smap.wcs, smap.data.shape, frame.obstime, place, origin)


def unit_vectors(lon, lat):
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def longitude_latitude(points):
    """In radians, of vectors (3, ...) of any length; longitudes from -pi to pi."""
    x, y, z = points
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


def half_turn(angles):
    """Angles in radians brought to the range from -pi to pi."""
    return (angles + np.pi) % (2 * np.pi) - np.pi


def cell_areas(points, index):
    """
    Areas of spherical quadrangles.

    Parameters
    ----------
    points : numpy.ndarray
        (3, m) unit vectors.
    index : numpy.ndarray
        (4, n), the corners of each in order.

    Returns
    -------
    numpy.ndarray
        (n,) in squares of the radius.
    """
    a, b, c, d = (points[:, corner] for corner in index)
    return np.abs(_excess(a, b, c) + _excess(a, c, d))


def _excess(a, b, c):
    """Signed area of spherical triangles (Van Oosterom & Strackee 1983, https://doi.org/10.1109/TBME.1983.325207)."""
    volume = (a * np.cross(b - a, c - a, axis=0)).sum(axis=0)
    return 2 * np.arctan2(volume, 1 + (a * b + b * c + c * a).sum(axis=0))


def distances(first, second):
    """Along great circles between points, in solar radii."""
    return 2 * np.arcsin(np.minimum(np.linalg.norm(second - first, axis=0) / 2, 1))
