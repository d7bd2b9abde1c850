"""Where points of the turning Sun are some days later, for an observer far away; pure arrays."""

import numpy as np

import astropy.units as u
from sunpy.sun.models import differential_rotation

__all__ = ["latitude_longitude", "seen_later"]


def latitude_longitude(x, y, tilt):
    """
    Heliographic latitude, and longitude from the central meridian, of points of the disc.

    Parameters
    ----------
    x, y : numpy.ndarray
        In solar radii to west and north, of one shape.
    tilt : float
        Latitude of disc centre in radians.

    Returns
    -------
    latitude, longitude : numpy.ndarray
        In radians; NaN off the disc.
    """
    with np.errstate(invalid="ignore"):
        z = np.sqrt(1 - x**2 - y**2)
    sine = np.clip(y * np.cos(tilt) + z * np.sin(tilt), -1, 1)
    return np.arcsin(sine), np.arctan2(x, z * np.cos(tilt) - y * np.sin(tilt))


def seen_later(latitude, longitude, days, tilt):
    """
    Where points of the Sun are after some days, as seen from the Earth.

    The Sun turns as in `sunpy_scss._sun.transfer.drift`, by the law of Howard et al. (1990) [1]_. The Earth follows at
    its mean speed, which is right to 0.02 degrees a day.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray
        In radians, of one shape; the longitude from the central meridian of the first day.
    days : float
        Negative for the past.
    tilt : float
        Latitude of disc centre on the other day, in radians.

    Returns
    -------
    x, y, z : numpy.ndarray
        In solar radii to west, north and the observer; hidden where z is negative.

    References
    ----------
    .. [1] Howard, Harvey & Forgach (1990), https://doi.org/10.1007/BF00156795
    """
    turned = differential_rotation(days * u.day, latitude * u.rad, model="howard", frame_time="synodic")
    east = longitude + turned.to_value(u.rad)
    towards = np.cos(latitude) * np.cos(east)
    return (
        np.cos(latitude) * np.sin(east),
        np.sin(latitude) * np.cos(tilt) - towards * np.sin(tilt),
        np.sin(latitude) * np.sin(tilt) + towards * np.cos(tilt),
    )
