"""
The solar surface that a Map shows: where its pixels are on the sphere, how large they are there, and back.

Points on the Sun are unit vectors in the heliographic Stonyhurst frame of the time of the Map, arrays of shape
(3, ...). All works alike for images from any place and for heliographic Maps.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy import ndimage

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from astropy.wcs import WCS
from sunpy.coordinates import (
    HeliographicCarrington,
    HeliographicStonyhurst,
    Helioprojective,
    propagate_with_solar_surface,
)

from sunpy_scss.exceptions import InvalidMapError

__all__ = [
    "Surface",
    "cell_areas",
    "distances",
    "drift",
    "half_turn",
    "longitude_latitude",
    "nearest_pixels",
    "same_grid",
    "sample",
    "surface_of",
]

# Halvings of the way between the centre of a pixel and a corner beyond the end of the projection.
_HALVINGS = 30
# Pixels that are worked on together, to keep memory low.
_AT_ONCE = 1_000_000
# Maps that are closer in time than this, in seconds, show the same Sun.
_SAME_TIME = 1


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
            return _unit_vectors(lon + self.origin, lat)
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
    place = radii * _unit_vectors(observer.lon.to_value(u.rad), observer.lat.to_value(u.rad))
    return Surface(smap.wcs, smap.data.shape, frame.obstime, place, origin)


def _unit_vectors(lon, lat):
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


def drift(points, start, end):
    """Points carried from one time to another by the differential rotation of the Sun, Howard et al. (1990)."""
    if abs((end - start).to_value(u.s)) < _SAME_TIME:
        return points
    latitudes = np.arange(-89, 90) * u.deg
    meridian = SkyCoord(0 * u.deg, latitudes, 1 * u.R_sun, frame=HeliographicStonyhurst(obstime=start))
    with propagate_with_solar_surface():
        after = meridian.transform_to(HeliographicStonyhurst(obstime=end))
    lon, lat = longitude_latitude(points)
    turned = np.interp(lat, latitudes.to_value(u.rad), np.unwrap(after.lon.to_value(u.rad)))
    return _unit_vectors(lon + turned, lat)


def same_grid(first, second):
    """Whether two Maps show the same surface, from the same place and time, on the same pixels."""
    one, other = surface_of(first), surface_of(second)
    if (one.shape, one.is_image) != (other.shape, other.is_image) or _apart(one, other):
        return False
    some = [np.linspace(0, size - 1, 7).astype(int) for size in one.shape]
    rows, columns = (grid.ravel() for grid in np.meshgrid(*some, indexing="ij"))
    shown = one.on_sun(rows, columns)
    there = other.pixels(one.points(rows[shown], columns[shown]))
    return np.allclose(there, (rows[shown], columns[shown]), rtol=0, atol=0.05)


def _apart(one, other):
    seconds = abs((other.obstime - one.obstime).to_value(u.s))
    return seconds >= _SAME_TIME or np.linalg.norm(other.observer - one.observer) > 1e-3 * one.distance


def nearest_pixels(surface, target):
    """
    For each pixel of a Map the one of another that is nearest on the Sun, as it was there then.

    Parameters
    ----------
    surface : Surface
        Of the other Map.
    target : Surface

    Returns
    -------
    numpy.ndarray
        Of the shape of ``target``, integers: indices into the flattened data of the other Map, -1 off the disc and
        where the other Map does not show the surface.
    """
    found = np.full(target.shape, -1)
    ny, nx = surface.shape
    for rows, columns in _strips(target.shape):
        shown = target.on_sun(rows, columns)
        rows, columns = rows[shown], columns[shown]
        there = np.stack(surface.pixels(drift(target.points(rows, columns), target.obstime, surface.obstime)))
        shown = np.isfinite(there).all(axis=0)
        row, column = _round(_off_the_limb(surface, there[:, shown]))
        inside = (row >= 0) & (row < ny) & (column >= 0) & (column < nx)
        found[rows[shown][inside], columns[shown][inside]] = row[inside] * nx + column[inside]
    return found


def _round(positions):
    return np.floor(positions + 0.5).astype(int)


def _off_the_limb(surface, positions):
    """Positions (2, n) of points on the disc, moved inwards by a pixel where that in which they are is off the disc."""
    if not surface.is_image:
        return positions
    outside = ~surface.on_sun(*_round(positions))
    inwards = np.stack(surface.pixels((surface.observer / surface.distance)[:, np.newaxis])) - positions
    return np.where(outside, positions + inwards / np.linalg.norm(inwards, axis=0), positions)


def _strips(shape):
    """Indices of the pixels of an array, some rows at a time."""
    height = max(1, _AT_ONCE // shape[1])
    for start in range(0, shape[0], height):
        stop = min(start + height, shape[0])
        yield (grid.ravel() for grid in np.mgrid[start:stop, : shape[1]])


def sample(smap, surface, rows, columns):
    """
    Values of another Map in the pixels of a Map, on the surface as it was there then.

    Interpolated linearly; where the pixels of the other Map are the smaller ones, they are averaged first.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        The other Map.
    surface : Surface
        Of the Map whose pixels they are.
    rows, columns : numpy.ndarray
        (n,) indices of pixels.

    Returns
    -------
    values : numpy.ndarray
        (n,), NaN where the other Map does not show the surface.
    foreshortening : numpy.ndarray
        (n,), `Surface.foreshortening` for the observer of the other Map.
    """
    other = surface_of(smap)
    factor = _pixels_in_a_pixel(other, surface, rows, columns)
    if factor > 1:
        smap = smap.superpixel([factor, factor] * u.pix, func=np.mean)
        other = surface_of(smap)
    points = drift(surface.points(rows, columns), surface.obstime, other.obstime)
    # Beyond the edge of the data there is none.
    there = np.nan_to_num(other.pixels(points), nan=-9)
    values = ndimage.map_coordinates(smap.data.astype(float), there, order=1, cval=np.nan)
    return values, other.foreshortening(points)


def _pixels_in_a_pixel(other, surface, rows, columns):
    """How many pixels of the other Map are along the side of a pixel, in the median."""
    some = slice(None, None, len(rows) // 1000 + 1)
    diagonals = []
    for sign in (1, -1):
        ends = [
            other.pixels(surface.points(rows[some] + half, columns[some] + sign * half))
            for half in (-0.5, 0.5)
        ]
        diagonals.append(np.subtract(*ends))
    (row, column), (other_row, other_column) = diagonals
    areas = np.abs(row * other_column - column * other_row) / 2
    areas = areas[np.isfinite(areas)]
    return max(1, round(np.sqrt(np.median(areas)))) if areas.size else 1
