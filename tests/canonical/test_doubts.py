"""Values and lengths that are not what a header says: right, told or refused."""

import numpy as np
import pytest
from makers import dark_model, disk_map, sun_with_hole

import astropy.units as u
import sunpy.map
from astropy.io import fits
from sunpy.data.test import get_dummy_map_from_header, get_test_filepath

from sunpy_scss import segment_coronal_holes
from sunpy_scss.canonical._calibration import unit_of
from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._mend import mended
from sunpy_scss.canonical._quality import quality_caveats
from sunpy_scss.exceptions import (
    CalibrationWarning,
    InvalidMapError,
    MissingDataWarning,
    PartialDiskError,
    QualityWarning,
)
from sunpy_scss.images import read_map
from sunpy_scss.masks import disk_mask, region_table


def textured(x, y):
    """A Sun with a corona, whose values are many, as on a photograph."""
    noise = np.random.default_rng(0).normal(1, 0.05, np.shape(x))
    radius = np.hypot(x, y)
    return noise * np.where(radius <= 1, sun_with_hole(x, y), 90 * np.exp(-9 * (radius - 1)))


@pytest.fixture(scope="module")
def smap():
    sun = disk_map(textured)
    return changed(sun, datamean=float(sun.data.mean()), datamax=float(sun.data.max()))


def changed(smap, data=None, **meta):
    header = {key: value for key, value in (smap.meta | meta).items() if value is not None}
    return sunpy.map.Map(smap.data if data is None else data, header)


def segmented(smap, **settings):
    return segment_coronal_holes(smap, model=dark_model(), **settings)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("DN/sec", u.DN / u.s),
        ("DN/s/px", u.DN / u.s / u.pix),
        ("dn / second / pixel", u.DN / u.s / u.pix),
        ("counts/s", u.ct / u.s),
        ("electrons/s", u.electron / u.s),
        ("kDN", 1000 * u.DN),
        ("2e-1 DN", 0.2 * u.DN),
    ],
)
def test_units_as_people_spell_them(smap, text, unit):
    found, unread = unit_of(changed(smap, bunit=text))
    assert not unread
    assert found == u.Unit(unit)


@pytest.mark.parametrize("text", ["DN/sec", "DN/s/px", "DN / seconds"])
def test_a_rate_is_not_divided_by_the_exposure(smap, text):
    np.testing.assert_array_equal(segmented(changed(smap, bunit=text)).data, segmented(smap).data)


@pytest.mark.parametrize(
    ("text", "said"), [("electron/s", "electron / s"), ("units of mine", "BUNIT = 'units of mine'")]
)
def test_other_units_are_guessed_and_told(smap, text, said):
    with pytest.warns(CalibrationWarning, match=said):
        segmented(changed(smap, bunit=text))


@pytest.mark.parametrize("factor", [4, 0.25, 1 / 5000])
def test_a_scale_that_datamean_contradicts(smap, factor):
    with pytest.warns(CalibrationWarning, match="times DATAMEAN"):
        segmented(changed(smap, factor * smap.data))


@pytest.mark.parametrize("factor", [16, 0.1])
def test_a_brightness_that_no_image_has(smap, factor):
    with pytest.warns(CalibrationWarning, match="the median of its disc"):
        segmented(changed(smap, factor * smap.data, datamean=None, datamax=None))


def test_averages_and_padding_are_no_other_scale(smap):
    for image in (
        smap.superpixel([2, 2] * u.pix, func=np.mean),
        smap.rotate(30 * u.deg, order=1, missing=0),
        changed(smap, np.clip(smap.data, 0, 115)),
    ):
        segmented(image)


def test_a_root_is_no_intensity(smap):
    bright = changed(smap, np.where(smap.data == smap.data.max(), 10000, smap.data), datamax=10000.0)
    with pytest.raises(InvalidMapError, match="no intensities"):
        segmented(changed(bright, np.sqrt(bright.data)))


def test_images_about_zero_are_no_intensities(smap):
    with pytest.raises(InvalidMapError, match="enhanced, standardised"):
        segmented(changed(smap, (smap.data - 100) / smap.data.std()))


@pytest.mark.parametrize("bits", [np.int8])
def test_signed_bytes_are_refused(smap, bits):
    with pytest.raises(InvalidMapError, match="8 bits"):
        segmented(changed(smap, smap.data.astype(bits)))


def test_display_values_that_became_floats(shared_data):
    image = read_map(shared_data / "jp2" / "2022_01_01__00_03_52_835__SDO_AIA_AIA_193.jp2")
    with pytest.raises(InvalidMapError, match="from_browse"):
        segment_coronal_holes(image.resample([512, 512] * u.pix))
    with pytest.raises(InvalidMapError, match="from_browse"):
        segment_coronal_holes(image.superpixel([8, 8] * u.pix))


def test_a_pedestal_is_seen_in_the_sky(smap):
    with pytest.warns(CalibrationWarning, match="pedestal"):
        segmented(changed(smap, smap.data / 10 + 100, datamean=None, datamax=None))


def test_saturation_is_told(smap):
    with pytest.warns(QualityWarning, match="saturated"):
        segmented(changed(smap, np.minimum(smap.data, np.percentile(smap.data, 85)), datamean=None, datamax=None))


def test_a_smooth_eclipse_is_told(smap):
    row = np.arange(256)[:, np.newaxis]
    with pytest.warns(MissingDataWarning, match="Earth"):
        segmented(changed(smap, smap.data / (1 + np.exp((120 - row) / 6)), datamean=None, datamax=None))


@pytest.mark.parametrize("seconds", [1e30, 1e-9])
def test_exposures_beyond_sense(smap, seconds):
    with pytest.raises(InvalidMapError, match="EXPTIME"):
        segmented(changed(smap, exptime=seconds))


@pytest.mark.parametrize("median", [1e30, 1e-9])
def test_medians_beyond_sense(smap, median):
    with pytest.raises(ValueError, match="disk_median"):
        segmented(smap, disk_median=median * u.DN / u.s)


def test_reprojected_images_have_lost_their_unit(smap):
    with pytest.warns(CalibrationWarning, match="reproject_to"):
        segmented(changed(smap, **dict.fromkeys(("instrume", "telescop", "bunit", "exptime"))))


class TestLengths:
    def test_kilometres_are_mended(self, smap):
        meta = {"rsun_ref": 695700.0, "dsun_obs": smap.dsun.to_value(u.km), "rsun_obs": smap.rsun_obs.value}
        mask, expected = segmented(changed(smap, **meta)), segmented(smap)
        np.testing.assert_array_equal(mask.data, expected.data)
        areas = [region_table(one)["area"] for one in (mask, expected)]
        assert u.allclose(*areas, rtol=1e-3)

    @pytest.mark.filterwarnings("ignore:Missing metadata for observer")
    def test_eit_made_smaller(self):
        smap = get_dummy_map_from_header(get_test_filepath("seit_00171_fd_19961211_1900.header"))
        assert mended(smap).rsun_meters.to_value(u.Mm) == pytest.approx(695.7, rel=1e-3)

    @pytest.mark.parametrize("key", ["rsun_ref"])
    @pytest.mark.parametrize("factor", [0.5, 2, 1e-6])
    def test_others_are_refused(self, smap, key, factor):
        wrong = changed(smap, **{key: factor * 6.957e8})
        for call in (check_map, disk_mask, lambda one: region_table(changed(one, (one.data < 60).astype(np.int16)))):
            with pytest.raises(InvalidMapError, match="RSUN_REF"):
                call(wrong)


@pytest.mark.parametrize("key", ["sc_roll", "crota", "crota1"])
def test_rolls_that_are_not_read(smap, key):
    matrix = {name: None for name in smap.meta if name.startswith("pc") or name == "crota2"}
    [(message, category)] = quality_caveats(changed(smap, **matrix, **{key: 180.0}))
    assert category is QualityWarning
    assert key.upper() in message
    assert not quality_caveats(changed(smap, **matrix, **{key: 0.1}))
    assert not quality_caveats(changed(smap, **{key: 180.0}))


def test_dask_works(smap):
    dask = pytest.importorskip("dask.array")
    lazy = sunpy.map.Map(dask.from_array(smap.data), smap.meta)
    np.testing.assert_array_equal(segmented(lazy).data, segmented(smap).data)


@pytest.mark.parametrize("size", [1, 2, 5, 10, 20])
def test_maps_of_few_pixels(smap, size):
    with pytest.raises(PartialDiskError):
        segmented(smap.submap([120, 120] * u.pix, top_right=[119 + size, 119 + size] * u.pix))


def test_beyond_the_limb(smap):
    with pytest.raises(PartialDiskError, match="outside"):
        segmented(smap.submap([0, 0] * u.pix, top_right=[40, 40] * u.pix))


@pytest.mark.filterwarnings("ignore:Missing")
@pytest.mark.parametrize("header", ["YohkohSXT.header", "lasco_c3.header", "gong_halpha.header"])
def test_what_sunpy_reads_has_a_disk(header):
    """Where the wavelength does not matter, a filter's name is none, and no error."""
    smap = get_dummy_map_from_header(get_test_filepath(header))
    if "lasco" in header:  # whose header tells no observer
        smap.meta["rsun_obs"] = 960.0
    assert disk_mask(smap).data.any()


def test_flags_beside_an_image(smap, tmp_path):
    header = fits.Header([(key, value) for key, value in smap.meta.items() if isinstance(value, str | int | float)])
    flags = fits.ImageHDU(np.zeros(smap.data.shape, np.uint8), name="DQF")
    fits.HDUList([fits.PrimaryHDU(smap.data, header), flags]).writeto(tmp_path / "suvi.fits")
    np.testing.assert_array_equal(read_map(tmp_path / "suvi.fits").data, smap.data)
