"""
The Sun as an observer sees it.

Points on the Sun are unit vectors in the heliographic Stonyhurst frame of one time, arrays of shape (3, ...).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst

__all__ = [
    "View",
    "carrington_frame",
    "distances",
    "half_turn",
    "longitude_latitude",
    "longitude_origin",
    "unit_vectors",
    "view_of",
]


@dataclass(frozen=True)
class View:
    """
    The Sun as an observer sees it.

    Attributes
    ----------
    observer : numpy.ndarray
        (3,), the position of the observer in solar radii.
    """

    observer: np.ndarray

    @cached_property
    def distance(self):
        """The distance of the observer from the centre of the Sun, in solar radii."""
        return np.linalg.norm(self.observer)

    @cached_property
    def limb(self):
        """The apparent radius of the Sun in radians."""
        return np.arcsin(1 / self.distance)

    @cached_property
    def axes(self):
        """The directions to solar west and north and to the observer, (3, 3)."""
        towards = self.observer / self.distance
        west = np.cross([0, 0, 1], towards)
        west /= np.linalg.norm(west)
        return np.stack([west, np.cross(towards, west), towards])

    def cosine(self, points):
        """Return the cosine of the angle between points and disc centre, at the centre of the Sun."""
        return _product("i,i...->...", self.observer / self.distance, points)

    def foreshortening(self, points):
        """Return the cosine of the angle between the line of sight and the vertical at points."""
        cosine = self.cosine(points)
        return (self.distance * cosine - 1) / np.sqrt(self.distance**2 - 2 * self.distance * cosine + 1)

    def is_visible(self, points):
        """Return True for points on this side of the limb."""
        return self.cosine(points) >= 1 / self.distance

    def sky(self, points):
        """
        Return the positions of points in the sky, as if the Sun were transparent.

        Returns
        -------
        numpy.ndarray
            (2, ...), helioprojective longitude and latitude in radians.
        """
        x, y, z = _product("ij,j...->i...", self.axes, points)
        depth = self.distance - z
        return np.stack([np.arctan2(x, depth), np.arctan2(y, np.hypot(x, depth))])

    def drawn_sky(self, points):
        """Return the positions of `sky`, with hidden points moved outwards to the limb."""
        sky = self.sky(points)
        outwards = self.limb / np.maximum(np.linalg.norm(sky, axis=0), 1e-12)
        return np.where(self.is_visible(points), sky, sky * outwards)

    def directions(self, lon, lat):
        """
        Return directions in the sky for helioprojective longitudes and latitudes in radians.

        Returns
        -------
        numpy.ndarray
            (2, n), to west and north: the sine of their angle to disc centre, in units of that of the limb; NaN for
            directions away from the Sun.
        """
        in_front = np.where(np.cos(lon) > 0, 1, np.nan)
        return np.stack([np.cos(lat) * np.sin(lon), np.sin(lat)]) * self.distance * in_front

    def surface_at(self, directions):
        """Return the points of the Sun in `directions` of length 1 and less, (3, n)."""
        sine = directions / self.distance
        cosine = np.sqrt(1 - (sine**2).sum(axis=0))
        along = self.distance * cosine - np.sqrt(np.maximum(1 - (directions**2).sum(axis=0), 0))
        return _product("ji,j...->i...", self.axes, np.stack([*(along * sine), self.distance - along * cosine]))

    def circle(self, count):
        """Return points evenly around the Sun, just inside the limb; (3, count)."""
        angles = np.arange(count) / count * 2 * np.pi
        towards = (1 + 1e-6) / self.distance
        across = np.sqrt(1 - towards**2)
        vectors = np.stack([across * np.cos(angles), across * np.sin(angles), np.full(count, towards)])
        return _product("ji,j...->i...", self.axes, vectors)


def _product(indices, first, second):
    # Not "@" or tensordot: for so small a matrix their threads spin longer than they work.
    return np.einsum(indices, first, second)


def view_of(observer, rsun):
    """
    Return the `View` of an observer.

    Parameters
    ----------
    observer : astropy.coordinates.SkyCoord
        The observer, with a time.
    rsun : astropy.units.Quantity
        The solar radius.
    """
    there = observer.transform_to(HeliographicStonyhurst(obstime=observer.obstime))
    radii = (there.radius / rsun).to_value(u.dimensionless_unscaled)
    return View(radii * unit_vectors(there.lon.to_value(u.rad), there.lat.to_value(u.rad)))


def carrington_frame(obstime):
    """
    Return the Carrington frame of all tables and files, as seen from Earth.

    It includes the light travel time to Earth, for every observer. With its own light travel time an observer at 0.3 au
    would see Carrington longitudes larger by 0.06 degrees at the same moment.
    """
    return HeliographicCarrington(observer="earth", obstime=obstime)


def longitude_origin(frame):
    """Return the Stonyhurst longitude in radians at which the longitudes of a heliographic frame begin."""
    begin = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.R_sun, frame=frame)
    return begin.transform_to(HeliographicStonyhurst(obstime=frame.obstime)).lon.to_value(u.rad)


def unit_vectors(lon, lat):
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def longitude_latitude(points):
    """Return longitudes, from -pi to pi, and latitudes of vectors (3, ...) of any length, in radians."""
    x, y, z = points
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


def half_turn(angles):
    """Return angles in radians in the range from -pi to pi."""
    return (angles + np.pi) % (2 * np.pi) - np.pi


def distances(first, second):
    """Return the distances between points along great circles, in solar radii."""
    return 2 * np.arcsin(np.minimum(np.linalg.norm(second - first, axis=0) / 2, 1))
