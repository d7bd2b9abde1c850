"""What is beyond the limb was set to something: pixels without data, that change no mask."""

import warnings

import numpy as np
import pytest
from makers import dark_model, disk_map, sun_with_hole

import astropy.units as u
import sunpy.map

from sunpy_scss import segment_active_regions, segment_coronal_holes
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._sky import sky_without_data
from sunpy_scss.images import example_map, from_browse, read_map
from sunpy_scss.synthetic import synthetic_sun


def radii(smap):
    return frame_of(smap).radius(*np.ogrid[tuple(map(slice, smap.data.shape))])


def cut(smap, radius, value):
    """As preparation does it; a value of None is the least one."""
    value = np.asarray(smap.data.min() if value is None else value).astype(smap.data.dtype)
    return sunpy.map.Map(np.where(radii(smap) > radius, value, smap.data), smap.meta)


def corona(x, y):
    """A Sun whose corona fades as real ones do."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    beyond = 120 * (1 + 0.6 * np.cos(2 * angle)) * np.exp(-8 * (radius - 1))
    return np.where(radius <= 1, sun_with_hole(x, y), beyond)


@pytest.mark.parametrize("value", [0, 1, 30, 500, -7])
@pytest.mark.parametrize("radius", [1.0, 1.02, 1.05])
def test_one_level_is_found_whatever_it_is(radius, value):
    smap = cut(disk_map(corona), radius, value)
    found = sky_without_data(smap.data, frame_of(smap))
    np.testing.assert_array_equal(found, radii(smap) > radius)


@pytest.mark.parametrize("radius", [0.95, 0.985])
def test_also_where_it_begins_inside_the_limb(radius):
    smap = cut(disk_map(corona, size=512, radius=200), radius, 0)
    found = sky_without_data(smap.data, frame_of(smap))
    assert (found != (radii(smap) > radius)).mean() < 0.005


def test_a_hole_at_the_limb_of_that_value_stays():
    """Display scales are clipped at what the sky was set to."""
    smap = disk_map(lambda x, y: np.where(np.hypot(x, y - 0.9) < 0.2, 0, corona(x, y)))
    found = sky_without_data(cut(smap, 1.01, 0).data, frame_of(smap))
    assert not found[radii(smap) <= 1].any()
    assert found[radii(smap) > 1.01].all()


@pytest.mark.parametrize("radius", [1.1, 2])
def test_a_corona_is_data(radius):
    smap = cut(disk_map(corona), radius, 0)
    assert sky_without_data(smap.data, frame_of(smap)) is None


def test_noise_and_cutouts_are_left_alone():
    smap = disk_map(corona)
    noisy = np.where(radii(smap) > 1.03, np.random.default_rng(0).normal(0, 5, smap.data.shape), smap.data)
    assert sky_without_data(noisy, frame_of(smap)) is None
    inner = smap.submap([90, 90] * u.pix, top_right=[160, 160] * u.pix)
    assert sky_without_data(inner.data, frame_of(inner)) is None


@pytest.mark.parametrize("value", [0, 1, None])
def test_masks_are_those_of_nan(value):
    smap = disk_map(corona)
    masks = [segment_coronal_holes(cut(smap, 1.02, one), model=dark_model()).data for one in (value, np.nan)]
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("value", [0, 1, None])
@pytest.mark.parametrize("radius", [1.0, 1.03, 1.05])
def test_active_regions_of_a_real_image(radius, value):
    smap = example_map(171)
    whole = segment_active_regions(smap).data
    found = segment_active_regions(cut(smap, radius, value)).data
    assert (found != whole)[radii(smap) <= 0.96].mean() < 0.02


@pytest.mark.parametrize("name", ["AIA20170118_2300_0193.fits", "swap_lv1_20110607_063329.fits"])
def test_real_images_of_other_instruments(shared_data, name):
    smap = read_map(shared_data / "fits" / name)
    segment = segment_coronal_holes if "AIA" in name else segment_active_regions
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SWAP: another wavelength than the card's
        whole, found = segment(smap).data, segment(cut(smap, 1.03, 0)).data
    disk = radii(smap) <= 1
    assert (found != whole)[disk].mean() < 0.01
    assert found[disk].mean() == pytest.approx(whole[disk].mean(), rel=0.1)


def test_no_real_image_loses_its_corona(shared_data):
    paths = [
        *(shared_data / "fits").glob("AIA*"),
        *(shared_data / "fits").glob("swap*"),
        *(shared_data / "jp2").glob("*"),
    ]
    for path in paths:
        smap = read_map(path)
        assert sky_without_data(smap.data, frame_of(smap)) is None, path.name
    for path in (shared_data / "browse").glob("*1024*.jpg"):
        smap = from_browse(path)
        assert sky_without_data(smap.data, frame_of(smap)) is None, path.name


def test_synthetic_sun_has_a_corona():
    sun = synthetic_sun(size=128)
    assert sky_without_data(sun.image.data, frame_of(sun.image)) is None
