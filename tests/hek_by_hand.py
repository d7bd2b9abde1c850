"""
The same polygons drawn in another, slow and obvious way, from formulas and without the coordinates of the package.

Of sunpy only the positions of Earth and the axis of inertial longitude are used.
"""

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliocentricInertial, HeliographicStonyhurst, get_earth
from sunpy.sun.models import differential_rotation

RSUN = 695700 * u.km


def unit_vector(longitude, latitude):
    return np.array(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude) + 0 * longitude]
    )


def view(observer):
    """Unit vectors to west, to north and to the observer, in heliographic Stonyhurst, and the distance in radii."""
    longitude, latitude = observer.lon.to_value(u.rad), observer.lat.to_value(u.rad)
    towards = unit_vector(longitude, latitude)
    west = np.array([-np.sin(longitude), np.cos(longitude), 0])
    return west, np.cross(towards, west), towards, (observer.radius / RSUN).to_value(u.dimensionless_unscaled)


def to_sky(surface, observer):
    """Helioprojective arcsec of points of the surface (3, n), and which of them can be seen."""
    west, north, towards, distance = view(observer)
    x, y, z = west @ surface, north @ surface, towards @ surface
    tx = np.arctan2(x, distance - z)
    ty = np.arcsin(y / np.sqrt(x**2 + y**2 + (distance - z) ** 2))
    return np.rad2deg(np.array([tx, ty])) * 3600, z >= 1 / distance


def from_sky(tx, ty, observer):
    """The points of the surface (3, n) where lines of sight meet it; NaN where they miss."""
    west, north, towards, distance = view(observer)
    tx, ty = np.deg2rad(np.array([tx, ty]) / 3600)
    ray = np.array([np.cos(ty) * np.sin(tx), np.sin(ty), -np.cos(ty) * np.cos(tx)])
    # |distance * towards + length * ray| = 1
    half_b = distance * ray[2]
    with np.errstate(invalid="ignore"):
        length = -half_b - np.sqrt(half_b**2 - distance**2 + 1)
    x, y, z = ray * length + np.array([[0], [0], [distance]])
    return np.outer(west, x) + np.outer(north, y) + np.outer(towards, z)


def inertial_offset(time):
    """Inertial longitude less Stonyhurst longitude."""
    zero = SkyCoord(0 * u.deg, 0 * u.deg, RSUN, frame=HeliographicStonyhurst(obstime=time))
    return zero.transform_to(HeliocentricInertial(obstime=time)).lon.to_value(u.rad)


def rotate(surface, before, after):
    """Points of the surface carried by it from one time to another, each in Stonyhurst of its own time."""
    longitude, latitude = np.arctan2(surface[1], surface[0]), np.arcsin(np.clip(surface[2], -1, 1))
    turn = differential_rotation((after - before).to(u.s), latitude * u.rad, model="howard").to_value(u.rad)
    return unit_vector(longitude + inertial_offset(before) + turn - inertial_offset(after), latitude)


def is_inside(points, ring):
    """Whether the ring goes around each point, by the sum of the angles under which its edges are seen."""
    total = np.zeros(points.shape[1])
    for start, end in zip(ring, [*ring[1:], ring[0]], strict=True):
        (ax, ay), (bx, by) = (np.reshape(vertex, (2, 1)) - points for vertex in (start, end))
        total += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
    return np.abs(total) > np.pi


def draw(rings, obstime, smap):
    """A mask of the pixels whose surface lay inside an odd number of the rings, as seen from Earth at their time."""
    rows, columns = np.indices(smap.data.shape).reshape(2, -1)
    tx, ty = (axis * u.deg.to(u.arcsec) for axis in smap.wcs.wcs_pix2world(columns, rows, 0))
    tx = np.where(tx > 180 * 3600, tx - 360 * 3600, tx)
    now = from_sky(tx, ty, smap.observer_coordinate.transform_to(HeliographicStonyhurst(obstime=smap.date)))
    then, seen = to_sky(rotate(now, smap.date, obstime), get_earth(obstime))
    pixels = np.flatnonzero(seen & np.isfinite(then).all(axis=0))
    count = sum(is_inside(then[:, pixels], ring).astype(int) for ring in rings)
    mask = np.zeros(smap.data.size, dtype=bool)
    mask[pixels[count % 2 == 1]] = True
    return mask.reshape(smap.data.shape)
