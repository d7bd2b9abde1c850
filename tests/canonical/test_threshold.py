"""The pixels above a threshold, found with little interpolation."""

import numpy as np
import pytest
from scipy import ndimage

from sunpy_scss.canonical._frame import Frame
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._resample import from_canonical
from sunpy_scss.canonical._threshold import above_threshold

GRID = CanonicalGrid(64, 1.25)


def frame_of(*, shape=(200, 260), radius=90.0, angle=0.0, mirrored=False, centre=(128.3, 101.7)):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Frame(turn @ np.diag([-1 if mirrored else 1, 1]) * radius, np.array(centre), shape)


def image(size, smoothing, seed=0):
    return ndimage.gaussian_filter(np.random.default_rng(seed).random((size, size)), smoothing)


FRAMES = {
    "plain": frame_of(),
    "rotated": frame_of(angle=0.4),
    "upside down": frame_of(angle=np.pi),
    "mirrored": frame_of(mirrored=True),
    "fewer pixels than the grid": frame_of(shape=(40, 40), radius=15.0, centre=(19.5, 20.0)),
    "many more pixels": frame_of(shape=(900, 900), radius=400.0, centre=(440.0, 460.0), angle=0.01),
    "cut": frame_of(centre=(-30.0, 190.0)),
}


@pytest.mark.parametrize("smoothing", [0, 2])
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_same_as_interpolating_everything(frame, smoothing):
    values = image(64, smoothing)
    threshold = np.median(values)
    expected = from_canonical(values, frame, GRID) >= threshold
    assert expected.any()
    assert not expected.all()
    np.testing.assert_array_equal(above_threshold(values, frame, GRID, threshold=threshold), expected)


def test_a_straight_edge_is_where_it_should_be():
    frame = frame_of(angle=0.3)
    grid = CanonicalGrid(256, 1.25)
    ramp = np.broadcast_to(0.5 + grid.axis / 4, grid.shape)
    found = above_threshold(ramp, frame, grid, threshold=0.55)
    rows, columns = np.indices(frame.shape)
    west, north = np.tensordot(np.linalg.inv(frame.matrix), [columns - frame.centre[0], rows - frame.centre[1]], axes=1)
    sure = (np.hypot(west, north) < 0.98) & (np.abs(west - 0.2) > 1e-3)
    np.testing.assert_array_equal(found[sure], west[sure] > 0.2)


def test_all_above_is_the_disk():
    frame = frame_of()
    rows, columns = np.ogrid[:200, :260]
    found = above_threshold(np.ones((64, 64)), frame, GRID, threshold=0.5)
    np.testing.assert_array_equal(found, frame.radius(rows, columns) <= 1)


def test_disk_outside_of_the_detector():
    found = above_threshold(np.ones((64, 64)), frame_of(centre=(-500.0, 0.0)), GRID, threshold=0.5)
    assert found.shape == (200, 260)
    assert not found.any()
