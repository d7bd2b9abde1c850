"""Stretch and clean-up on arrays small enough to check by eye."""

import numpy as np
import pytest

from sunpy_scss._sun.canonical import Frame, pixel_areas, remove_small_regions
from sunpy_scss.images._browse import linearise
from sunpy_scss.models._card import stretch

STRETCH = {"floor": 10, "limits": (0, 2), "exponent": 0.5}


def test_stretch_by_hand():
    image = np.array([[1000.0, 100.0, 10.0, 1.0]])
    result = stretch(image, np.zeros((1, 4)), 100.0, **STRETCH)
    np.testing.assert_allclose(result, [[1, 0.5, 0, 0]])  # log10(I) - 1, in units of 2
    assert result.dtype == np.float32


def test_stretch_is_monotone_and_in_range():
    image = np.geomspace(0.1, 1e6, 50)[np.newaxis]
    result = stretch(image, np.zeros_like(image), 100.0, **STRETCH)
    assert (np.diff(result) >= 0).all()
    assert result.min() == 0
    assert result.max() == 1


def test_what_is_missing_becomes_quiet_sun():
    result = stretch(np.array([[np.nan, 100.0]]), np.zeros((1, 2)), 100.0, **STRETCH)
    assert result[0, 0] == result[0, 1]


def test_negative_values_are_dark():
    assert stretch(np.array([[-5.0]]), np.zeros((1, 1)), 100.0, **STRETCH) == 0


def test_nothing_beyond_the_outer_radius():
    result = stretch(np.full((1, 2), 500.0), np.array([[1.07, 1.09]]), 100.0, **STRETCH)
    assert result[0, 0] > 0
    assert result[0, 1] == 0


@pytest.mark.parametrize(("wavelength", "low"), [(171, 2.2**2), (193, 10**1.33)])
def test_linearise_is_increasing(wavelength, low):
    values = linearise(np.arange(256, dtype=np.uint8), wavelength)
    assert values[0] == pytest.approx(low)
    assert (np.diff(values) > 0).all()


def test_small_regions_go_by_area_on_the_sphere():
    frame = Frame(np.diag([50.0, 50.0]), np.array([60.0, 60.0]), (121, 121), 215.0)
    mask = np.zeros(frame.shape, dtype=bool)
    # The same sixteen pixels, in the middle and where the surface is seen under 76 degrees: four times the area.
    mask[59:63, 59:63] = mask[59:63, 106:110] = True
    areas = [pixel_areas(frame, *part.nonzero()).sum() for part in (mask & (np.arange(121) < 90), mask)]
    kept = remove_small_regions(mask, frame, 2 * areas[0])
    assert areas[1] == pytest.approx(5 * areas[0], rel=0.2)
    np.testing.assert_array_equal(kept, mask & (np.arange(121) > 90))
    np.testing.assert_array_equal(remove_small_regions(mask, frame, 0.99 * areas[0]), mask)


def test_pixels_that_touch_by_a_corner_are_one_region():
    frame = Frame(np.diag([5.0, 5.0]), np.array([5.0, 5.0]), (11, 11), 215.0)
    mask = np.zeros(frame.shape, dtype=bool)
    mask[4, 4] = mask[5, 5] = mask[7, 7] = True
    kept = remove_small_regions(mask, frame, 1.5 / 25)
    assert kept[4, 4]
    assert kept[5, 5]
    assert not kept[7, 7]
    assert mask[7, 7], "the mask given is not changed"


def test_no_regions_at_all():
    frame = Frame(np.diag([5.0, 5.0]), np.array([5.0, 5.0]), (11, 11), 215.0)
    assert not remove_small_regions(np.zeros(frame.shape, dtype=bool), frame, 1.0).any()
