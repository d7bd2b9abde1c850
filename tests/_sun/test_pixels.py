"""Stretch and clean-up on arrays small enough to check by eye."""

import numpy as np
import pytest

from sunpy_scss.canonical._display import linearise
from sunpy_scss.models import Stretch

STRETCH = Stretch(floor=10, limits=(0, 2), exponent=0.5, reference_median=100)


def test_stretch_by_hand():
    image = np.array([[1000.0, 100.0, 10.0, 1.0]])
    result = STRETCH.apply(image, np.zeros((1, 4)), 100.0)
    np.testing.assert_allclose(result, [[1, 0.5, 0, 0]])  # log10(I) - 1, in units of 2
    assert result.dtype == np.float32


def test_stretch_is_monotone_and_in_range():
    image = np.geomspace(0.1, 1e6, 50)[np.newaxis]
    result = STRETCH.apply(image, np.zeros_like(image), 100.0)
    assert (np.diff(result) >= 0).all()
    assert result.min() == 0
    assert result.max() == 1


def test_what_is_missing_becomes_quiet_sun():
    result = STRETCH.apply(np.array([[np.nan, 100.0]]), np.zeros((1, 2)), 100.0)
    assert result[0, 0] == result[0, 1]


def test_negative_values_are_dark():
    assert STRETCH.apply(np.array([[-5.0]]), np.zeros((1, 1)), 100.0) == 0


def test_nothing_beyond_the_outer_radius():
    result = STRETCH.apply(np.full((1, 2), 500.0), np.array([[1.07, 1.09]]), 100.0)
    assert result[0, 0] > 0
    assert result[0, 1] == 0


@pytest.mark.parametrize(("wavelength", "low"), [(171, 2.2**2), (193, 10**1.33)])
def test_linearise_is_increasing(wavelength, low):
    values = linearise(np.arange(256, dtype=np.uint8), wavelength)
    assert values[0] == pytest.approx(low)
    assert (np.diff(values) > 0).all()
