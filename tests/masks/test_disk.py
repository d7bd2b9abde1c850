import numpy as np
import pytest
from makers import disk_map

import astropy.units as u

from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.masks import disk_mask


@pytest.fixture
def smap():
    return disk_map(lambda x, y: x + 10, radius=70, centre=(100, 150), rotation=25 * u.deg)


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.2])
def test_disk_is_a_circle_round_the_centre_that_the_header_tells(smap, radius):
    rows, columns = np.indices(smap.data.shape)
    expected = np.hypot(columns - 100, rows - 150) <= 70 * radius
    mask = disk_mask(smap, radius=radius)
    assert mask.data.dtype == np.int16
    assert np.count_nonzero((mask.data == 1) != expected) <= 2
    np.testing.assert_allclose(frame_of(mask).matrix, frame_of(smap).matrix)


def test_what_has_no_disk(smap):
    with pytest.raises(ValueError, match=r"positive, in solar radii \(got 0\)"):
        disk_mask(smap, radius=0)
    with pytest.raises(TypeError, match="sunpy Map"):
        disk_mask(smap.data)
