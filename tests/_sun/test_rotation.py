"""The Sun turns by one law, whoever asks."""

import numpy as np
import pytest

import astropy.units as u
from astropy.time import Time
from sunpy.coordinates import get_earth
from sunpy.coordinates.sun import B0

from sunpy_scss._sun.rotation import latitude_longitude, seen_later
from sunpy_scss._sun.transfer import drift
from sunpy_scss._sun.view import View, longitude_latitude, unit_vectors


@pytest.mark.parametrize("days", [-3, 1, 5])
def test_seen_later_is_drift(days):
    start = Time("2017-06-01")
    end = start + days * u.day
    lat, lon = (grid.ravel() for grid in np.radians(np.meshgrid([-60, -30, 0, 45, 70], [-50, 0, 40])))
    x, y, z = seen_later(lat, lon, days, B0(end).to_value(u.rad))
    points = drift(unit_vectors(lon + get_earth(start).lon.to_value(u.rad), lat), start, end)
    earth = get_earth(end)
    there = View(215 * unit_vectors(earth.lon.to_value(u.rad), earth.lat.to_value(u.rad))).axes @ points
    # A fifth of a pixel of the grid on which labels are made, 512 pixels wide, in a day.
    assert np.abs(np.stack([x, y, z]) - there).max() < 0.001 * abs(days)


def test_latitude_and_longitude_of_the_disk():
    x, y = np.array([0, 0.5, -0.3]), np.array([0, 0.2, 0.7])
    tilt = np.radians(7)
    towards = unit_vectors(0, tilt)
    lat, lon = latitude_longitude(x, y, tilt)
    back = View(1e6 * towards).axes @ unit_vectors(lon, lat)
    np.testing.assert_allclose(back[:2], [x, y], atol=1e-6)
    assert np.isnan(latitude_longitude(np.array([1.1]), np.array([0]), tilt)[0]).all()
    np.testing.assert_allclose(longitude_latitude(towards)[1], tilt)
