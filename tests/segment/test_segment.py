"""The Map layer with a model that needs no Keras."""

import warnings

import numpy as np
import pytest
from makers import BOUNDARY, DATE, dark_model, disk_map, sun_with_hole

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from sunpy.util.exceptions import SunpyMetadataWarning

from sunpy_scss import predict_probability, predict_spread, segment_active_regions, segment_coronal_holes
from sunpy_scss._mask_map import ResultMap
from sunpy_scss.exceptions import (
    CalibrationWarning,
    InvalidMapError,
    ModelError,
    PartialDiskError,
    QualityWarning,
    WavelengthWarning,
)
from sunpy_scss.masks import iou
from sunpy_scss.models import Model


@pytest.fixture(scope="module")
def smap():
    return disk_map(sun_with_hole)


@pytest.fixture(scope="module")
def mask(smap):
    return segment_coronal_holes(smap, model=dark_model())


def truth(smap):
    return smap.data == 40


def with_data(smap, data, **meta):
    return sunpy.map.Map(data, {**smap.meta, **meta})


class TestMask:
    def test_finds_the_hole(self, smap, mask):
        assert iou(truth(smap), mask.data) > 0.93

    def test_form(self, smap, mask):
        assert type(mask) is ResultMap
        assert mask.data.dtype == np.int16
        assert mask.data.shape == smap.data.shape
        assert mask.unit == u.dimensionless_unscaled

    def test_same_coordinates(self, smap, mask):
        corners = [0, 255] * u.pix, [3, 200] * u.pix
        separation = smap.pixel_to_world(*corners).separation(mask.pixel_to_world(*corners))
        assert (separation < 1e-6 * u.arcsec).all()
        assert mask.observer_coordinate.separation_3d(smap.observer_coordinate) < 1 * u.km
        assert mask.rsun_obs == smap.rsun_obs
        assert mask.date == smap.date

    def test_provenance(self, mask):
        expected = {"SCSSFEAT": "CH", "SCSSMOD": "test-ch", "SCSSTHR": 0.5, "SCSSLAB": "none", "WAVELNTH": 193.0}
        assert {key: mask.meta[key] for key in expected} == expected
        assert "SCSSCAL" not in mask.meta
        assert "instrume" not in mask.meta
        assert "coronal holes" in mask.meta["HISTORY"]

    def test_header_survives_saving(self, mask, tmp_path):
        mask.save(tmp_path / "mask.fits")
        again = sunpy.map.Map(tmp_path / "mask.fits")
        assert type(again) is ResultMap
        np.testing.assert_array_equal(again.data, mask.data)
        assert again.wavelength == mask.wavelength
        for key, value in mask.meta.items():
            if key not in ("bunit", "waveunit"):  # spelt otherwise
                assert again.meta[key] == value, key
        assert all(len(key) <= 8 for key in mask.meta)

    def test_input_is_not_changed(self):
        smap = disk_map(sun_with_hole)
        data, meta = smap.data.copy(), smap.meta.copy()
        segment_coronal_holes(smap, model=dark_model())
        np.testing.assert_array_equal(smap.data, data)
        assert smap.meta == meta
        assert not smap.meta.modified_items

    def test_empty_mask_can_be_plotted(self):
        empty = segment_coronal_holes(disk_map(lambda x, y: 100 + 10 * x), model=dark_model())
        assert not empty.data.any()
        assert empty.plot().get_clim() == (0, 1)

    def test_empty_mask_has_a_preview_in_notebooks(self):
        empty = segment_coronal_holes(disk_map(lambda x, y: 100 + 10 * x), model=dark_model())
        text = "coronal hole mask of 2017-06-01T12:00:00.000, 256 x 256 pixels, all of which are 0"
        assert text in empty._repr_html_()

    def test_empty_mask_that_was_saved_or_cut_has_a_preview(self, tmp_path):
        mask = segment_coronal_holes(disk_map(sun_with_hole), model=dark_model())
        mask.save(tmp_path / "mask.fits")
        corner = sunpy.map.Map(tmp_path / "mask.fits").submap([0, 0] * u.pix, top_right=[20, 9] * u.pix)
        assert "10 x 21 pixels, all of which are 0" in corner._repr_html_()
        assert "<img" in mask._repr_html_()


class TestInvariance:
    @pytest.mark.parametrize(
        "changes",
        [
            {"rotation": 40 * u.deg},
            {"centre": (118.0, 139.5)},
            {"size": 512, "radius": 210},
            {"size": 128, "radius": 45},
            {"observer": SkyCoord(-60 * u.deg, 4 * u.deg, 0.4 * u.au, frame="heliographic_stonyhurst", obstime=DATE)},
        ],
        ids=["rotated", "shifted", "finer", "coarser", "elsewhere"],
    )
    def test_geometry(self, changes):
        smap = disk_map(sun_with_hole, **changes)
        assert iou(truth(smap), segment_coronal_holes(smap, model=dark_model()).data) > 0.9

    def test_unit(self, smap, mask):
        counts = with_data(smap, smap.data * 2.0, bunit="DN")
        np.testing.assert_array_equal(segment_coronal_holes(counts, model=dark_model()).data, mask.data)

    def test_no_unit_is_counts(self, smap, mask):
        header = {key: value for key, value in smap.meta.items() if key != "bunit"}
        counts = sunpy.map.Map(smap.data * 2.0, header)
        np.testing.assert_array_equal(segment_coronal_holes(counts, model=dark_model()).data, mask.data)

    def test_divided_by_hand(self, smap, mask):
        counts = with_data(smap, smap.data * 2.0, bunit="DN")
        rate = counts / counts.exposure_time
        np.testing.assert_array_equal(segment_coronal_holes(rate, model=dark_model()).data, mask.data)

    def test_display_values(self, smap):
        index = np.clip((np.log10(smap.data) - 1.33) / 0.00785, 0, 255).round().astype(np.uint8)
        image = with_data(smap, index, bunit="DN")
        assert iou(truth(smap), segment_coronal_holes(image, model=dark_model()).data) > 0.93

    def test_missing_pixels(self, smap, mask):
        data = smap.data.copy()
        data[::37, ::41] = np.nan
        data[5, 5] = np.inf
        found = segment_coronal_holes(with_data(smap, data), model=dark_model())
        assert iou(found.data, mask.data) > 0.97
        assert not found.data[np.isnan(data)].any()

    def test_masked_pixels_are_missing(self, smap, mask):
        data = smap.data.copy()
        data[100:104, 100:104] = 1e6
        masked = sunpy.map.Map(data, smap.meta, mask=data == 1e6)
        assert iou(segment_coronal_holes(masked, model=dark_model()).data, mask.data) > 0.97


class TestCalibration:
    def test_another_instrument_is_scaled_and_says_so(self, smap, mask):
        other = with_data(smap, smap.data * 7.5, instrume="OTHER", telescop="OTHER")
        with pytest.warns(CalibrationWarning, match="70 DN/s"):
            found = segment_coronal_holes(other, model=dark_model())
        assert found.meta["SCSSCAL"] == pytest.approx(70 / 750)

    def test_gain_of_another_instrument_is_of_no_matter(self, smap):
        masks = []
        for gain in (0.01, 300):
            other = with_data(smap, smap.data * gain, instrume="OTHER", telescop="OTHER")
            with pytest.warns(CalibrationWarning):
                masks.append(segment_coronal_holes(other, model=dark_model()).data)
        np.testing.assert_array_equal(*masks)

    def test_contrast_needs_no_calibration(self, smap):
        stretch = {"floor": 1, "limits": (-1, 1), "exponent": 1, "reference_median": 110}
        model = dark_model(feature="AR", stretch=stretch)
        other = with_data(smap, smap.data * 7.5, instrume="OTHER", telescop="OTHER")
        found = segment_active_regions(other, model=model)
        assert "SCSSCAL" not in found.meta

    def test_counts_without_exposure(self, smap):
        header = {key: value for key, value in smap.meta.items() if key not in ("bunit", "exptime")}
        with pytest.warns(CalibrationWarning):
            segment_coronal_holes(sunpy.map.Map(smap.data, header), model=dark_model())


class TestRegions:
    def test_min_area(self, smap, mask):
        """The hole is a disc of 0.25 radii, of a surface of about 0.2 squared radii."""
        area = 0.2 * smap.rsun_meters**2
        assert segment_coronal_holes(smap, model=dark_model(), min_area=0.5 * area).data.any()
        assert not segment_coronal_holes(smap, model=dark_model(), min_area=2 * area).data.any()

    def test_min_area_needs_a_unit(self, smap):
        with pytest.raises(TypeError, match="min_area"):
            segment_coronal_holes(smap, model=dark_model(), min_area=5)

    def test_lower_threshold_more_pixels(self, smap):
        soft = Model(dark_model().card, lambda images: 1 / (1 + np.exp(20 * (images - BOUNDARY))))
        areas = [segment_coronal_holes(smap, model=soft, threshold=level).data.sum() for level in (0.2, 0.5, 0.8)]
        assert areas == sorted(areas, reverse=True)
        assert areas[0] > areas[-1] > 0

    @pytest.mark.parametrize("threshold", [0, 1, -0.5, 7])
    def test_threshold_is_a_probability(self, smap, threshold):
        with pytest.raises(ValueError, match="between 0 and 1"):
            segment_coronal_holes(smap, model=dark_model(), threshold=threshold)


class TestProbability:
    def test_form(self, smap):
        found = predict_probability(smap, model=dark_model())
        assert found.data.dtype == np.float32
        assert 0 <= found.data.min() <= found.data.max() <= 1
        assert found.meta["CONTENT"] == "coronal hole probability"

    @pytest.mark.parametrize("samples", [2, 4, 8])
    def test_variants_are_brought_back(self, smap, samples):
        """A model that works pixel by pixel gives the same for each variant."""
        one, many = (predict_probability(smap, model=dark_model(), samples=n).data for n in (1, samples))
        np.testing.assert_allclose(one, many, atol=1e-6)

    @pytest.mark.parametrize("samples", [0, 9])
    def test_number_of_samples(self, smap, samples):
        with pytest.raises(ValueError, match="between 1 and 8"):
            predict_probability(smap, model=dark_model(), samples=samples)


class TestSpread:
    def leaning(self, images):
        """A model that sees more on the side where its image begins: variants that are mirrored disagree."""
        return np.broadcast_to(np.linspace(0.2, 0.8, images.shape[2], dtype=np.float32)[:, np.newaxis], images.shape)

    def test_form(self, smap):
        spread = predict_spread(smap, model=Model(dark_model().card, self.leaning))
        assert type(spread) is ResultMap
        assert spread.data.dtype == np.float32
        assert spread.data.shape == smap.data.shape
        assert 0 <= spread.min() < spread.max() <= 0.5
        assert spread.data[0, 0] == 0
        assert spread.meta["CONTENT"] == "coronal hole probability spread"
        assert spread.meta["SCSSMOD"] == "test-ch"
        assert "samples=8" in spread.meta["HISTORY"]

    def test_by_hand(self, smap):
        """Mirrored east-west, p becomes 1 - p: half of their distance is the standard deviation of the two."""
        model = Model(dark_model().card, self.leaning)
        one, both = (predict_probability(smap, model=model, samples=samples).data for samples in (1, 2))
        spread = predict_spread(smap, model=model, samples=2).data
        # In the middle, where they cross, spread is interpolated and not the two.
        np.testing.assert_allclose(spread, np.abs(one - both), atol=3e-3)
        assert spread.max() > 0.2

    def test_of_what_is_calibrated(self, smap):
        raw = Model(dark_model().card, self.leaning)
        sharp = Model(dark_model(temperature=0.5).card, self.leaning)
        one = predict_probability(smap, model=sharp).data
        spread = predict_spread(smap, model=sharp, samples=2).data
        np.testing.assert_allclose(spread, np.abs(one - 0.5) * (one > 0), atol=5e-3)
        assert spread.max() > predict_spread(smap, model=raw, samples=2).max()

    def test_where_the_variants_agree_there_is_none(self, smap):
        model = Model(dark_model().card, lambda images: np.full_like(images, 0.3))
        assert predict_spread(smap, model=model).max() < 1e-6

    def test_list(self, smap):
        assert len(predict_spread([smap, smap], model=dark_model(), samples=2)) == 2

    @pytest.mark.parametrize("samples", [0, 1, 9])
    def test_number_of_samples(self, smap, samples):
        with pytest.raises(ValueError, match=f"samples.*{samples}"):
            predict_spread(smap, model=dark_model(), samples=samples)


class TestMany:
    def test_list_and_sequence(self, smap, mask):
        for several in ([smap, smap, smap], sunpy.map.Map(smap, smap, sequence=True)):
            masks = segment_coronal_holes(several, model=dark_model())
            assert len(masks) == len(list(several))
            for one in masks:
                np.testing.assert_array_equal(one.data, mask.data)

    def test_empty_list(self):
        assert segment_coronal_holes([], model=dark_model()) == []

    def test_in_batches(self, smap):
        sizes = []
        model = dark_model()

        def predict(images):
            sizes.append(len(images))
            return model.predict(images)

        segment_coronal_holes([smap] * 11, model=Model(model.card, predict))
        assert sum(sizes) == 11
        assert max(sizes) > 1


class TestBadInput:
    @pytest.mark.parametrize("value", ["file.fits", np.zeros((4, 4)), None])
    def test_not_a_map(self, value):
        with pytest.raises(TypeError, match="sunpy Map"):
            segment_coronal_holes(value, model=dark_model())

    def test_one_bad_map_in_a_list(self, smap):
        with pytest.raises(TypeError, match="sunpy Map"):
            segment_coronal_holes([smap, "file.fits"], model=dark_model())

    @pytest.mark.parametrize(
        "data",
        [np.full((256, 256), np.nan), np.zeros((256, 256)), np.full((256, 256), 7.0), np.full((256, 256), -3.0)],
        ids=["NaN", "zero", "constant", "negative"],
    )
    def test_no_image(self, smap, data):
        with pytest.raises(InvalidMapError, match=r"no (data|image|intensities)"):
            segment_coronal_holes(with_data(smap, data), model=dark_model())

    def test_a_magnetogram_is_no_image(self, smap):
        magnetogram = sunpy.map.Map(smap.data - 50, {**smap.meta, "bunit": "Gauss"})
        with pytest.raises(InvalidMapError, match="The Map is a magnetogram, in G"):
            segment_coronal_holes(magnetogram, model=dark_model())

    @pytest.mark.parametrize("logarithm", [np.log10, np.log])
    @pytest.mark.parametrize("unit", [None, ""])
    def test_logarithms_without_a_unit(self, smap, logarithm, unit):
        header = {key: value for key, value in smap.meta.items() if key != "bunit"}
        header |= {} if unit is None else {"bunit": unit}
        with pytest.raises(InvalidMapError, match="look like logarithms"):
            segment_coronal_holes(sunpy.map.Map(logarithm(smap.data), header), model=dark_model())

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (lambda images: np.full_like(images, np.nan), "from 0 to 1 .got values from nan"),
            (lambda images: np.full_like(images, 7), "from 0 to 1 .got values from 7"),
            (lambda images: -images, "from 0 to 1"),
            (lambda images: images[:, ::2], r"of the shape \(1, 128, 128, 1\)"),
            (lambda images: 0.5, r"of the shape \(1, 128, 128, 1\)"),
        ],
        ids=["NaN", "7", "negative", "half", "number"],
    )
    def test_what_a_model_says_are_probabilities(self, smap, answer, message):
        with pytest.raises(ModelError, match=message):
            segment_coronal_holes(smap, model=Model(dark_model().card, answer))

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"samples": 2.5}, TypeError, "samples must be a whole number"),
            ({"samples": np.ones(2)}, TypeError, "samples must be a whole number"),
            ({"samples": True}, TypeError, "samples must be a whole number"),
            ({"threshold": np.array([0.5, 0.6])}, TypeError, "threshold must be one number"),
            ({"threshold": "0.5"}, TypeError, "threshold must be one number"),
            ({"threshold": np.nan}, ValueError, "threshold must be between 0 and 1"),
            ({"min_area": np.nan * u.Mm**2}, ValueError, "min_area must be one area"),
            ({"min_area": -1 * u.Mm**2}, ValueError, "min_area must be one area"),
            ({"min_area": [1, 2] * u.Mm**2}, ValueError, "min_area must be one area"),
            ({"model": np.ones(2)}, TypeError, "A model is a name"),
        ],
    )
    def test_arguments(self, smap, arguments, error, message):
        with pytest.raises(error, match=message):
            segment_coronal_holes(smap, **{"model": dark_model(), **arguments})

    def test_complex_data(self, smap):
        with pytest.raises(InvalidMapError, match="real numbers"):
            segment_coronal_holes(with_data(smap, smap.data.astype(complex)), model=dark_model())

    def test_eight_bits_of_unknown_scale(self, smap):
        image = with_data(smap, np.full((256, 256), 9, np.uint8), wavelnth=211)
        with pytest.warns(WavelengthWarning), pytest.raises(InvalidMapError, match="8 bits"):
            segment_coronal_holes(image, model=dark_model())

    def test_cutout(self, smap):
        cutout = smap.submap([60, 60] * u.pix, top_right=[150, 150] * u.pix)
        with pytest.raises(PartialDiskError, match="disk_median"):
            segment_coronal_holes(cutout, model=dark_model())

    def test_cutout_with_the_level_of_the_disk(self, smap, mask):
        lower, upper = [80, 40] * u.pix, [200, 150] * u.pix
        cutout = smap.submap(lower, top_right=upper)
        expected = mask.submap(lower, top_right=upper)
        for level in (100 * u.DN / u.s, 100 * cutout.unit):
            found = segment_coronal_holes(cutout, model=dark_model(), disk_median=level)
            assert iou(found.data, expected.data) > 0.97

    @pytest.mark.parametrize("level", [-1, 0, np.nan, [1, 2]])
    def test_level_is_one_positive_number(self, smap, level):
        with pytest.raises(ValueError, match="positive"):
            segment_coronal_holes(smap, model=dark_model(), disk_median=level * u.DN / u.s)

    def test_unit_of_the_level(self, smap):
        with pytest.raises(u.UnitsError, match="disk_median"):
            segment_coronal_holes(smap, model=dark_model(), disk_median=5 * u.m)

    def test_half_the_disk_missing(self, smap):
        data = smap.data.copy()
        data[:, :128] = np.nan
        with pytest.raises(PartialDiskError, match="50%"):
            segment_coronal_holes(with_data(smap, data), model=dark_model())

    def test_no_size_of_the_sun(self, smap):
        keys = ("rsun_ref", "rsun_obs", "dsun_obs", "hgln_obs", "hglt_obs")
        header = {key: value for key, value in smap.meta.items() if key not in keys}
        with pytest.raises(InvalidMapError, match="RSUN_OBS"):
            segment_coronal_holes(sunpy.map.Map(smap.data, header), model=dark_model())

    def test_radius_in_the_header_is_enough(self, smap, mask):
        keys = ("rsun_ref", "dsun_obs", "hgln_obs", "hglt_obs")
        header = {key: value for key, value in smap.meta.items() if key not in keys}
        header["rsun_obs"] = smap.rsun_obs.value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SunpyMetadataWarning)  # sunpy says that it assumes Earth
            found = segment_coronal_holes(sunpy.map.Map(smap.data, header), model=dark_model())
        assert iou(found.data, mask.data) > 0.99

    def test_heliographic(self, smap):
        header = {**smap.meta, "ctype1": "HGLN-CAR", "ctype2": "HGLT-CAR", "cunit1": "deg", "cunit2": "deg"}
        with pytest.raises(InvalidMapError, match="helioprojective"):
            segment_coronal_holes(sunpy.map.Map(smap.data, header), model=dark_model())

    def test_model_of_the_other_feature(self, smap):
        with pytest.raises(ModelError, match="finds coronal holes, not active regions"):
            segment_active_regions(smap, model=dark_model())


class TestWarnings:
    def test_other_wavelength(self):
        smap = disk_map(sun_with_hole, wavelength=211)
        with pytest.warns(WavelengthWarning, match="193/195"):
            segment_coronal_holes(smap, model=dark_model())

    def test_accepted_wavelengths_are_silent(self):
        segment_coronal_holes(disk_map(sun_with_hole, wavelength=195), model=dark_model())

    def test_flagged_image(self, smap):
        with pytest.warns(QualityWarning, match=r"not in science mode \(bit 12 of QUALITY"):
            segment_coronal_holes(with_data(smap, smap.data, quality=(1 << 30) + 4096), model=dark_model())

    def test_near_real_time_is_no_fault(self, smap):
        segment_coronal_holes(with_data(smap, smap.data, quality=1 << 30), model=dark_model())

    def test_they_point_at_the_caller(self):
        smap = disk_map(sun_with_hole, wavelength=211)
        with pytest.warns(WavelengthWarning) as record:
            segment_coronal_holes(smap, model=dark_model())
        assert record[0].filename == __file__
