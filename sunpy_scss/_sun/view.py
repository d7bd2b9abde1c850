"""
The Sun as it is seen from somewhere.

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
        (3,), where the observer is, in solar radii.
    """

    observer: np.ndarray

    @cached_property
    def distance(self):
        """Of the observer from the centre of the Sun, in solar radii."""
        return np.linalg.norm(self.observer)

    @cached_property
    def limb(self):
        """The apparent radius of the Sun in radians."""
        return np.arcsin(1 / self.distance)

    @cached_property
    def axes(self):
        """(3, 3), the directions to solar west and north and to the observer."""
        towards = self.observer / self.distance
        west = np.cross([0, 0, 1], towards)
        west /= np.linalg.norm(west)
        return np.stack([west, np.cross(towards, west), towards])

    def cosine(self, points):
        """Cosine of the angle at the centre of the Sun between points and disc centre."""
        return _product("i,i...->...", self.observer / self.distance, points)

    def foreshortening(self, points):
        """Cosine of the angle between the line of sight and the vertical at points."""
        cosine = self.cosine(points)
        return (self.distance * cosine - 1) / np.sqrt(self.distance**2 - 2 * self.distance * cosine + 1)

    def is_visible(self, points):
        """Whether points are on this side of the limb."""
        return self.cosine(points) >= 1 / self.distance

    def sky(self, points):
        """
        Where points are in the sky, those hidden behind the limb as if the Sun were transparent.

        Returns
        -------
        numpy.ndarray
            (2, ...), helioprojective longitude and latitude in radians.
        """
        x, y, z = _product("ij,j...->i...", self.axes, points)
        depth = self.distance - z
        return np.stack([np.arctan2(x, depth), np.arctan2(y, np.hypot(x, depth))])

    def drawn_sky(self, points):
        """As `sky`, those hidden moved outwards to the limb."""
        sky = self.sky(points)
        outwards = self.limb / np.maximum(np.linalg.norm(sky, axis=0), 1e-12)
        return np.where(self.is_visible(points), sky, sky * outwards)

    def directions(self, lon, lat):
        """
        Directions in the sky given by helioprojective longitude and latitude in radians.

        Returns
        -------
        numpy.ndarray
            (2, n), to west and north: the sine of their angle to disc centre, in units of that of the limb; NaN of
            those away from the Sun.
        """
        in_front = np.where(np.cos(lon) > 0, 1, np.nan)
        return np.stack([np.cos(lat) * np.sin(lon), np.sin(lat)]) * self.distance * in_front

    def surface_at(self, directions):
        """The points of the Sun in `directions` of length 1 and less, (3, n)."""
        sine = directions / self.distance
        cosine = np.sqrt(1 - (sine**2).sum(axis=0))
        along = self.distance * cosine - np.sqrt(np.maximum(1 - (directions**2).sum(axis=0), 0))
        return _product("ji,j...->i...", self.axes, np.stack([*(along * sine), self.distance - along * cosine]))

    def circle(self, count):
        """Points just inside the limb, evenly around it; (3, count)."""
        angles = np.arange(count) / count * 2 * np.pi
        towards = (1 + 1e-6) / self.distance
        across = np.sqrt(1 - towards**2)
        vectors = np.stack([across * np.cos(angles), across * np.sin(angles), np.full(count, towards)])
        return _product("ji,j...->i...", self.axes, vectors)


def _product(indices, first, second):
    # Not "@" or tensordot: for so small a matrix the threads that these start spin longer than they work.
    return np.einsum(indices, first, second)


def view_of(observer, rsun):
    """
    The `View` of an observer.

    Parameters
    ----------
    observer : astropy.coordinates.SkyCoord
        With a time.
    rsun : astropy.units.Quantity
        The solar radius.
    """
    there = observer.transform_to(HeliographicStonyhurst(obstime=observer.obstime))
    radii = (there.radius / rsun).to_value(u.dimensionless_unscaled)
    return View(radii * unit_vectors(there.lon.to_value(u.rad), there.lat.to_value(u.rad)))


def carrington_frame(obstime):
    """
    The Carrington coordinates of all tables and files: as seen from Earth.

    They take into account the time that light takes to Earth, whoever observed. Where an observer at 0.3 au looks at
    the same moment, Carrington's longitudes would be 0.06 degrees larger by its own light.
    """
    return HeliographicCarrington(observer="earth", obstime=obstime)


def longitude_origin(frame):
    """The Stonyhurst longitude in radians at which the longitudes of a heliographic frame begin."""
    begin = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.R_sun, frame=frame)
    return begin.transform_to(HeliographicStonyhurst(obstime=frame.obstime)).lon.to_value(u.rad)


def unit_vectors(lon, lat):
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def longitude_latitude(points):
    """In radians, of vectors (3, ...) of any length; longitudes from -pi to pi."""
    x, y, z = points
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


def half_turn(angles):
    """Angles in radians brought to the range from -pi to pi."""
    return (angles + np.pi) % (2 * np.pi) - np.pi


def distances(first, second):
    """Along great circles between points, in solar radii."""
    return 2 * np.arcsin(np.minimum(np.linalg.norm(second - first, axis=0) / 2, 1))
