"""Pixels without data, told apart from dark ones."""

import numpy as np
import pytest
from makers import BOUNDARY, dark_model, disk_map, sun_with_hole

import sunpy.map

from sunpy_scss import predict_probability, segment_coronal_holes
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._missing import pixels_without_data
from sunpy_scss.exceptions import MissingDataWarning, QualityWarning
from sunpy_scss.images import read_map
from sunpy_scss.masks import region_table
from sunpy_scss.models import Model
from sunpy_scss.segment import threshold_coronal_holes

# Rows and columns of a gap on the disc, outside of the hole of `sun_with_hole`.
GAP = np.s_[150:180, 90:140]


@pytest.fixture(scope="module")
def smap():
    return disk_map(sun_with_hole)


def with_gap(smap, value, gap=GAP, **meta):
    data = smap.data.copy()
    data[gap] = value
    return sunpy.map.Map(data, {**smap.meta, **meta})


def gaps_in(data, smap):
    return pixels_without_data(data, frame_of(smap))


class TestPixels:
    @pytest.mark.parametrize("value", [0, -32768])
    def test_a_block(self, smap, value):
        expected = np.zeros(smap.data.shape, dtype=bool)
        expected[GAP] = True
        np.testing.assert_array_equal(gaps_in(with_gap(smap, value).data, smap), expected)

    def test_a_lost_row(self, smap):
        data = smap.data.copy()
        data[128, 60:100] = 0
        assert gaps_in(data, smap).sum() == 40

    def test_nothing_is_missing(self, smap):
        assert gaps_in(smap.data, smap) is None

    def test_isolated_pixels_are_noise(self, smap):
        data = smap.data.copy()
        data[np.random.default_rng(0).random(data.shape) < 0.2] = -3
        assert gaps_in(data, smap) is None

    def test_noise_about_zero_is_a_gap(self, smap):
        """As on the lunar disc, or where a detector was not read: half of its pixels are above 0."""
        data = smap.data.copy()
        data[GAP] = np.random.default_rng(0).normal(0, 0.5, data[GAP].shape)
        found = gaps_in(data, smap)
        assert found[GAP].mean() > 0.98
        found[GAP] = False
        assert not found.any()

    def test_dark_but_not_empty_is_no_gap(self, smap):
        """The darkest coronal holes of AIA have a tenth of the median of the disc, of other instruments a thirtieth."""
        data = smap.data.copy()
        data[GAP] = 3
        assert gaps_in(data, smap) is None

    def test_beyond_the_limb_it_is_dark(self, smap):
        sky = np.where(smap.data == 30, 0, smap.data)
        assert gaps_in(sky, smap) is None

    def test_the_darkest_part_of_something_dark_is_no_gap(self, smap):
        """A hole that fades to 0 has no edge."""
        fading = disk_map(lambda x, y: np.clip(300 * np.hypot(x - 0.1, y) - 20, 0, 100))
        assert (fading.data[100:150, 100:150] == 0).sum() > 100
        assert gaps_in(fading.data, fading) is None

    def test_real_images_lose_nothing(self, shared_data):
        for path in [*sorted((shared_data / "fits").glob("AIA2017*"))[::6], *(shared_data / "fits").glob("swap*")]:
            smap = read_map(path)
            assert pixels_without_data(smap.data, frame_of(smap)) is None, path


class TestMask:
    @pytest.mark.parametrize("value", [0, -32768, np.nan])
    def test_a_gap_is_no_hole_and_is_told(self, smap, value):
        with pytest.warns(MissingDataWarning, match=r"4\.[789]% of the disc has no data"):
            mask = segment_coronal_holes(with_gap(smap, value), model=dark_model())
        assert not mask.data[GAP].any()
        area = 1 - 1500 / (np.pi * 100**2)
        assert mask.meta["SCSSSEEN"] == pytest.approx(area, abs=2e-3)

    def test_the_rest_is_as_before(self, smap):
        with pytest.warns(MissingDataWarning):
            mask = segment_coronal_holes(with_gap(smap, 0), model=dark_model())
        whole = segment_coronal_holes(smap, model=dark_model())
        assert whole.meta["SCSSSEEN"] == 1
        np.testing.assert_array_equal(mask.data, whole.data)

    def test_a_gap_across_the_hole_belongs_to_none(self, smap):
        across = np.s_[100:108, 20:236]
        with pytest.warns(MissingDataWarning):
            mask = segment_coronal_holes(with_gap(smap, 0, across), model=dark_model())
        assert not mask.data[across].any()
        assert mask.data[92:100].any()
        assert mask.data[108:116].any()

    def test_the_lunar_disc_is_no_hole(self, shared_data):
        """The Moon is not quite 0, but darker than any hole."""
        smap = read_map(shared_data / "fits" / "aia_ch_2019_09_01T00_00_17.fits")
        rows, columns = np.ogrid[:1024, :1024]
        moon = np.hypot(rows - 900, columns - 850) < 390
        data = np.where(moon, np.random.default_rng(0).normal(0.2, 1, moon.shape), smap.data)
        whole = threshold_coronal_holes(smap).data
        with pytest.warns(MissingDataWarning, match="of the disc has no data"):
            mask = threshold_coronal_holes(sunpy.map.Map(data, smap.meta))
        assert mask.data[moon].mean() < 1e-3
        assert (mask.data != whole)[~moon].mean() < 0.02

    def test_by_threshold(self, smap):
        with pytest.warns(MissingDataWarning):
            mask = threshold_coronal_holes(with_gap(smap, 0), threshold=0.6)
        assert not mask.data[GAP].any()
        assert mask.data.any()
        assert mask.meta["SCSSSEEN"] < 0.96

    def test_blank_integers(self, smap):
        data = (smap.data * 2).astype(np.int16)
        data[GAP] = 7777
        blank = sunpy.map.Map(data, {**smap.meta, "bunit": "DN", "blank": 7777})
        with pytest.warns(MissingDataWarning):
            mask = segment_coronal_holes(blank, model=dark_model())
        assert mask.meta["SCSSSEEN"] < 0.96

    @pytest.mark.parametrize(("key", "value"), [("acs_eclp", "YES"), ("percentd", 50.0), ("nmissing", 3)])
    def test_the_header_tells(self, smap, key, value):
        told = sunpy.map.Map(smap.data, {**smap.meta, key: value})
        with pytest.warns(MissingDataWarning, match=key.upper()):
            segment_coronal_holes(told, model=dark_model())

    def test_dark_frame(self, smap):
        dark = sunpy.map.Map(smap.data, {**smap.meta, "img_type": "DARK"})
        with pytest.warns(QualityWarning, match=r"a dark frame \(IMG_TYPE = DARK\)"):
            segment_coronal_holes(dark, model=dark_model())

    def test_real_image_with_a_quarter_blanked(self, shared_data):
        """The hole in what is left is found as in the whole, whatever the gap was filled with."""
        smap = read_map(shared_data / "fits" / "AIA20170118_2300_0193.fits")
        left = np.ones(smap.data.shape, dtype=bool)
        left[300:700, 300:570] = False
        whole = threshold_coronal_holes(smap).data
        for value in (0, np.nan, -1):
            with pytest.warns(MissingDataWarning):
                mask = threshold_coronal_holes(sunpy.map.Map(np.where(left, smap.data, value), smap.meta))
            assert not mask.data[~left].any()
            assert (mask.data != whole)[left].mean() < 0.02


class TestProbability:
    def test_is_not_known_there(self, smap):
        with pytest.warns(MissingDataWarning):
            probability = predict_probability(with_gap(smap, 0), model=dark_model())
        assert np.isnan(probability.data[GAP]).all()
        assert np.isnan(probability.data).sum() == 1500

    def test_the_interval_of_an_area_reaches_into_the_gap(self, smap):
        """What is next to a region and not seen may belong to it."""
        soft = Model(dark_model().card, lambda images: 1 / (1 + np.exp(40 * (images - BOUNDARY))))
        beside = np.s_[100:116, 150:170]
        with pytest.warns(MissingDataWarning):
            mask, probability = (
                call(with_gap(smap, 0, beside), model=soft) for call in (segment_coronal_holes, predict_probability)
            )
        (region,) = region_table(mask, probability=probability)
        (whole,) = region_table(segment_coronal_holes(smap, model=soft))
        assert region["area"] < 0.95 * whole["area"]
        assert region["area_low"] <= region["area"]
        assert region["area_high"] > 0.98 * whole["area"]
        assert np.isfinite(region["confidence"])


def test_intensities_of_a_table_are_those_of_the_segmentation(smap):
    """AIA synoptic files tell no unit: counts over two seconds, as the disc median in the header has them."""
    mask = segment_coronal_holes(smap, model=dark_model())
    counts = sunpy.map.Map(smap.data * 2, {key: value for key, value in smap.meta.items() if key != "bunit"})
    for image in (smap, counts):
        (region,) = region_table(mask, image=image)
        assert region["intensity_median"].unit == "DN / s"
        assert region["intensity_median"].value == 40
