"""Even-odd filling of polygons."""

import numpy as np
import pytest
from makers import fill_polygon
from skimage.draw import polygon2mask

SHAPE = (40, 50)


def box(left, bottom, right, top):
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])


@pytest.mark.parametrize("seed", range(20))
def test_equals_skimage_for_one_ring(seed):
    ring = np.random.default_rng(seed).uniform(-10, 60, (7, 2))
    np.testing.assert_array_equal(fill_polygon([ring], SHAPE), polygon2mask(SHAPE, ring[:, ::-1]))


def test_hole_and_island():
    rings = [box(-0.5, -0.5, 20.5, 20.5), box(4.5, 4.5, 15.5, 15.5), box(8.5, 8.5, 11.5, 11.5)]
    for order in (rings, rings[::-1], [ring[::-1] for ring in rings]):
        mask = fill_polygon(order, SHAPE)
        assert mask.sum() == 21**2 - 11**2 + 3**2
        assert mask[10, 10]
        assert not mask[6, 6]


def test_neighbours_share_no_pixel_and_leave_none():
    left, right = box(0, 0, 10, 10), box(10, 0, 20, 10)
    total = fill_polygon([left], SHAPE).astype(int) + fill_polygon([right], SHAPE)
    assert total.max() == 1
    np.testing.assert_array_equal(total == 1, fill_polygon([box(0, 0, 20, 10)], SHAPE))


def test_closing_vertex_changes_nothing():
    ring = box(2.3, 3.1, 17.8, 9.9)
    np.testing.assert_array_equal(fill_polygon([ring], SHAPE), fill_polygon([[*ring, ring[0]]], SHAPE))


@pytest.mark.parametrize(
    "rings",
    [[], [np.empty((0, 2))], [[[3, 3]]], [[[3, 3], [9, 9]]], [box(60, 0, 90, 20)], [box(-90, -20, -60, -3)]],
    ids=["no ring", "no vertex", "a point", "a line", "right of the image", "left below the image"],
)
def test_nothing_inside(rings):
    mask = fill_polygon(rings, SHAPE)
    assert mask.dtype == bool
    assert mask.shape == SHAPE
    assert not mask.any()


def test_polygon_around_the_image():
    assert fill_polygon([box(-100, -100, 100, 100)], SHAPE).all()
