import numpy as np
import pytest
from makers import disk_map

import astropy.units as u

from sunpy_scss._sun import canonical
from sunpy_scss.images import limb_crop, limb_mask


@pytest.fixture
def smap():
    return disk_map(lambda x, y: x + 10, radius=70, centre=(100, 150), rotation=25 * u.deg)


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.2])
def test_disk_is_a_circle_round_the_centre_that_the_header_tells(smap, radius):
    rows, columns = np.indices(smap.data.shape)
    expected = np.hypot(columns - 100, rows - 150) <= 70 * radius
    mask = limb_mask(smap, radius=radius)
    assert mask.data.dtype == np.int16
    assert np.count_nonzero((mask.data == 1) != expected) <= 2
    np.testing.assert_allclose(canonical.frame_of(mask).matrix, canonical.frame_of(smap).matrix)


def test_crop_leaves_the_disk_and_the_header(smap):
    crop = limb_crop(smap)
    inside = limb_mask(smap).data == 1
    np.testing.assert_array_equal(crop.data[inside], smap.data[inside])
    assert np.isnan(crop.data[~inside]).all()
    assert crop.meta == smap.meta
    assert type(crop) is type(smap)
    assert np.isfinite(smap.data).all()


def test_crop_of_integers_is_zero_outside():
    smap = disk_map(lambda x, y: np.full(x.shape, 7, dtype=np.int16))
    crop = limb_crop(smap)
    assert crop.data.dtype == np.int16
    np.testing.assert_array_equal(crop.data, 7 * limb_mask(smap).data)


def test_what_cannot_be_cropped(smap):
    with pytest.raises(ValueError, match=r"positive, in solar radii \(got 0\)"):
        limb_crop(smap, radius=0)
    with pytest.raises(TypeError, match="sunpy Map"):
        limb_mask(smap.data)
