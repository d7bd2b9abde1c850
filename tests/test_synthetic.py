import numpy as np
import pytest
from makers import CARD

import astropy.units as u
from astropy.coordinates import SkyCoord

from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.masks import area_fraction
from sunpy_scss.segment._input import network_input
from sunpy_scss.synthetic import Cap, synthetic_sun

DATE = "2017-06-01T12:00:00"


@pytest.fixture(scope="module")
def sun():
    return synthetic_sun(DATE, size=256)


def cap(lon, lat, radius, **changes):
    return Cap(lon * u.deg, lat * u.deg, radius * u.deg, **changes)


def only(*holes, size=256, **changes):
    return synthetic_sun(DATE, size=size, coronal_holes=holes, active_regions=[], **changes)


@pytest.mark.parametrize(("lon", "lat"), [(0, 0), (30, -20), (-50, 25)])
def test_area_of_a_spherical_cap(lon, lat):
    share = area_fraction(only(cap(lon, lat, 14)).coronal_holes)
    assert share.to_value(u.one) == pytest.approx(1 - np.cos(np.radians(14)), rel=0.005)


def test_edge_of_the_mask_is_at_the_angle_asked_for():
    middle = cap(-20, 35, 12)
    mask = only(middle).coronal_holes
    there = SkyCoord(middle.lon, middle.lat, frame="heliographic_stonyhurst", obstime=DATE)
    rows, columns = np.indices(mask.data.shape)
    seen = mask.pixel_to_world(columns * u.pix, rows * u.pix)
    disk = frame_of(mask).radius(rows, columns) < 0.999
    angle = there.separation(seen[disk].transform_to(there.frame)).deg
    np.testing.assert_array_equal(mask.data[disk] == 1, angle < 12)


def test_image_is_taken_for_calibrated_aia(sun):
    # Any doubt about wavelength, calibration or quality would be a warning, hence an error.
    prepared = network_input((sun.image,), CARD)
    (channel,) = prepared.channels
    assert channel.scale == 1
    assert 50 < channel.disk_median < 100
    assert sun.image.instrument == "AIA 2"


def test_masks_share_the_wcs_of_the_image_and_say_what_they_are(sun):
    for mask, feature in ((sun.coronal_holes, "CH"), (sun.active_regions, "AR")):
        assert mask.data.dtype == np.int16
        assert set(np.unique(mask.data)) == {0, 1}
        assert mask.meta["SCSSFEAT"] == feature
        assert mask.meta["SCSSLAB"] == "exact"
        np.testing.assert_allclose(frame_of(mask).matrix, frame_of(sun.image).matrix)


def test_holes_are_dark_and_active_regions_bright(sun):
    frame = frame_of(sun.image)
    data = np.where(frame.radius(*np.indices(frame.shape)) < 0.9, sun.image.data, np.nan)
    quiet = np.nanmedian(data)
    assert np.nanmedian(data[sun.coronal_holes.data == 1]) < 0.4 * quiet
    assert np.nanmedian(data[sun.active_regions.data == 1]) > 3 * quiet


def test_nothing_beyond_the_limb(sun):
    frame = frame_of(sun.image)
    outside = frame.radius(*np.indices(frame.shape)) > 1
    assert not sun.coronal_holes.data[outside].any()
    assert not sun.active_regions.data[outside].any()


@pytest.mark.parametrize("seed", range(12))
def test_random_holes_and_active_regions_never_overlap(seed):
    sun = synthetic_sun(DATE, size=96, seed=seed)
    assert sun.coronal_holes.data.any()
    assert sun.active_regions.data.any()
    assert not (sun.coronal_holes.data & sun.active_regions.data).any()


def test_same_seed_same_sun_and_another_one_for_another():
    first, again, other = (synthetic_sun(DATE, size=64, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.image.data, again.image.data)
    assert np.corrcoef(first.image.data.ravel(), other.image.data.ravel())[0, 1] < 0.99
    assert (first.coronal_holes.data != other.coronal_holes.data).any()


def test_size_changes_the_sampling_only():
    small, large = (synthetic_sun(DATE, size=size).image.data for size in (64, 320))
    blocks = large.reshape(64, 5, 64, 5).mean(axis=(1, 3))
    assert np.corrcoef(np.log(small).ravel(), np.log(blocks).ravel())[0, 1] > 0.97


def test_another_observer_sees_the_same_region_elsewhere():
    east = SkyCoord(-60 * u.deg, 0 * u.deg, 0.5 * u.AU, frame="heliographic_stonyhurst", obstime=DATE)
    sun = only(cap(-60, 0, 15), observer=east)
    frame = frame_of(sun.coronal_holes)
    rows, columns = sun.coronal_holes.data.nonzero()
    np.testing.assert_allclose([columns.mean(), rows.mean()], frame.centre, atol=0.1)
    # The apparent radius of the Sun is twice as large, and so is the field of view.
    assert frame.pixels_per_radius == pytest.approx(256 / 2.56, rel=1e-4)


def test_roughness_moves_the_edge_by_a_bounded_share():
    smooth, rough = (only(cap(0, 0, 20, roughness=value), size=128).coronal_holes.data for value in (0, 0.2))
    inner, outer = (only(cap(0, 0, 20 * share), size=128).coronal_holes.data for share in (0.69, 1.31))
    assert (smooth != rough).any()
    assert (inner <= rough).all()
    assert (rough <= outer).all()


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"171, 193, 211 Angstrom \(got 304"):
        synthetic_sun(wavelength=304 * u.AA)
    with pytest.raises(ValueError, match=r"at least 16 pixels \(got 8\)"):
        synthetic_sun(size=8)
    with pytest.raises(u.UnitsError, match="wavelength"):
        synthetic_sun(wavelength=193 * u.s)
