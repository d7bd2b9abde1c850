"""Many masks as one: summed over Carrington coordinates, and along central meridians."""

from dataclasses import dataclass, replace

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst, get_earth
from sunpy.coordinates.sun import carrington_rotation_number
from sunpy.map import GenericMap
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss import _grid
from sunpy_scss._regions import pixels_inside
from sunpy_scss._surface import half_turn, longitude_latitude, surface_of, unit_vectors
from sunpy_scss._transfer import nearest_pixels

__all__ = ["Views", "add_views", "blank_map", "share_near_meridian"]

# Views weigh as this power of the cosine of the angle to the central meridian.
_POWER = 4
# The least that this cosine counts as: a pole tilted to the observer is in sight on all longitudes.
_LEAST = 0.1
# Points along and across a strip of the Sun at which a mask is read.
_ALONG, _ACROSS = 1000, 60


@dataclass(frozen=True)
class Views:
    """
    What masks show at the pixels of a Carrington map.

    Attributes
    ----------
    total, inside : numpy.ndarray
        (ny, nx), the sum of the weights of all views, and of those inside the masks.
    times : astropy.time.Time
        Of the masks that took part.
    rsun : astropy.units.Quantity
        The solar radius of the masks.
    keywords : dict
        What all of them say alike of their origin.
    """

    total: np.ndarray
    inside: np.ndarray
    times: Time
    rsun: u.Quantity
    keywords: dict


def blank_map(shape, projection, time, rsun):
    """A Carrington map of nothing, longitudes 0 to 360 degrees from the left, as Earth at a time defines them."""
    header = make_heliographic_header(
        time, get_earth(time), shape, frame="carrington", projection_code=projection, map_center_longitude=180 * u.deg
    )
    header["rsun_ref"] = rsun.to_value(u.m)
    return GenericMap(np.zeros(shape, dtype=np.float32), header)


def add_views(masks, shape, projection, rotation):
    """
    The `Views` of masks, one after the other.

    Returns
    -------
    Views or None
        None if no mask takes part.
    """
    total, inside, times, origins, rsun = np.zeros(shape), np.zeros(shape), [], [], None
    for mask in masks:
        surface, flat = surface_of(mask), pixels_inside(mask).ravel()
        if rsun is None:
            rsun = mask.rsun_meters
            grid = surface_of(blank_map(shape, projection, surface.obstime, rsun))
        here = replace(grid, obstime=surface.obstime, origin=_prime_meridian(mask))
        weights = _weights(here, surface, rotation)
        nearest = nearest_pixels(surface, here)
        weights[nearest < 0] = 0
        if weights.any():
            total += weights
            inside += weights * flat[nearest]
            times.append(surface.obstime)
            origins.append(_grid.provenance(mask))
    return Views(total, inside, Time(times), rsun, _grid.said_by_all(origins)) if times else None


def _prime_meridian(mask):
    """Where Carrington longitudes begin at the time of a mask, in Stonyhurst longitude and radians."""
    obstime = mask.coordinate_frame.obstime
    frame = HeliographicCarrington(obstime=obstime, observer=mask.observer_coordinate)
    begin = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.R_sun, frame=frame)
    return begin.transform_to(HeliographicStonyhurst(obstime=obstime)).lon.to_value(u.rad)


def _weights(here, surface, rotation):
    """How much the view of each pixel counts, (ny, nx)."""
    rows, columns = np.indices(here.shape).reshape(2, -1)
    lon, _ = here.world(rows, columns)
    angle = half_turn(lon + here.origin - _meridian(surface))
    weights = np.maximum(np.cos(angle), _LEAST) ** _POWER
    if rotation is not None:
        passage = rotation + 1 - lon % (2 * np.pi) / (2 * np.pi)
        weights[np.abs(carrington_rotation_number(surface.obstime) - passage) > 0.5] = 0
    return weights.reshape(here.shape)


def _meridian(surface):
    """The longitude of the central meridian in radians."""
    return longitude_latitude(surface.observer)[0]


def share_near_meridian(mask, width, latitudes):
    """
    The share of a strip along the central meridian that is inside a mask, and the share of it that is in sight.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
    width : float
        Of the strip, in radians of longitude.
    latitudes : tuple of float
        Its ends in radians.
    """
    surface, inside = surface_of(mask), pixels_inside(mask)
    across = _middles(-width / 2, width / 2, _ACROSS) + _meridian(surface)
    along = np.arcsin(_middles(*np.sin(latitudes), _ALONG))
    points = unit_vectors(*(grid.ravel() for grid in np.meshgrid(across, along)))
    pixels = surface.nearest(points)
    shown = pixels >= 0
    share = inside.ravel()[pixels[shown]].mean() if shown.any() else np.nan
    return share, shown.mean()


def _middles(start, stop, count):
    """Of equal parts of a range."""
    return start + (np.arange(count) + 0.5) / count * (stop - start)
