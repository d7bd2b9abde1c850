import numpy as np
import pytest
from makers import disk_map, sun_with_hole

import astropy.units as u
import sunpy.map
from astropy.time import Time
from sunpy.coordinates import get_earth

from sunpy_scss.exceptions import (
    CalibrationWarning,
    InvalidMapError,
    MissingDataWarning,
    PartialDiskError,
    WavelengthWarning,
)
from sunpy_scss.images import example_map
from sunpy_scss.masks import compare_masks, iou, region_table
from sunpy_scss.segment import three_channel_coronal_holes, threshold_coronal_holes
from sunpy_scss.synthetic import Cap, synthetic_sun

DATE = "2017-06-01T12:00:00"
HOLE = Cap(20 * u.deg, 10 * u.deg, 14 * u.deg)


def deep_hole(x, y, **place):
    """`sun_with_hole`, down to the dark level."""
    image = sun_with_hole(x, y, **place)
    return np.where(image == 40, 20, image)


@pytest.fixture(scope="module")
def smap():
    return disk_map(deep_hole)


@pytest.fixture(scope="module")
def suns():
    return {wavelength: synthetic_sun(DATE, wavelength=wavelength * u.AA, size=256) for wavelength in (171, 193, 211)}


@pytest.fixture(scope="module")
def channels(suns):
    return [sun.image for sun in suns.values()]


def scaled(smap, factor, **meta):
    return sunpy.map.Map(smap.data * factor, {**smap.meta, **meta})


def truth(smap, at=(0.3, -0.2), radius=0.25):
    return disk_map(lambda x, y: np.hypot(x - at[0], y - at[1]) <= radius).data == 1


class TestThreshold:
    def test_finds_the_hole(self, smap):
        mask = threshold_coronal_holes(smap)
        assert iou(truth(smap), mask.data) > 0.95

    def test_mask_says_what_it_is(self, smap):
        mask = threshold_coronal_holes(smap)
        assert mask.data.dtype == np.int16
        np.testing.assert_allclose(mask.wcs.wcs.crpix, smap.wcs.wcs.crpix)
        assert (mask.meta["SCSSFEAT"], mask.meta["SCSSMOD"]) == ("CH", "threshold")
        assert mask.meta["SCSSMED"] == pytest.approx(100)
        assert mask.meta["SCSSTHR"] == pytest.approx(np.sqrt(21.4 * 100))
        assert "SCSSCAL" not in mask.meta

    @pytest.mark.parametrize("threshold", [0.6, 60 * u.percent, 60 * u.DN / u.s, 3600 * u.DN / u.min])
    def test_fraction_and_intensity_are_the_same(self, smap, threshold):
        mask = threshold_coronal_holes(smap, threshold=threshold)
        assert mask.meta["SCSSTHR"] == pytest.approx(60)
        np.testing.assert_array_equal(mask.data, threshold_coronal_holes(smap, threshold=0.6).data)

    def test_higher_threshold_takes_more(self, suns):
        areas = [threshold_coronal_holes(suns[193].image, threshold=level).data.sum() for level in (0.3, 0.4, 0.5)]
        assert areas == sorted(areas)
        assert 0 < areas[0] < areas[-1]

    def test_exposure_and_unit_do_not_matter(self, smap):
        counts = scaled(smap, 2, bunit="DN")
        difference = threshold_coronal_holes(smap).data != threshold_coronal_holes(counts).data
        assert difference.mean() < 1e-4

    def test_brighter_quiet_sun_moves_the_border_half_as_much(self, smap):
        border, brighter = (threshold_coronal_holes(scaled(smap, factor)).meta["SCSSTHR"] for factor in (1, 4))
        assert brighter / border == pytest.approx(2)

    def test_pose_of_the_sun_does_not_matter(self):
        turned = disk_map(deep_hole, 300, radius=90, centre=(170, 140), rotation=40 * u.deg)
        upright = threshold_coronal_holes(disk_map(deep_hole))
        assert compare_masks([upright, threshold_coronal_holes(turned)])["iou"][0] > 0.95

    @pytest.mark.parametrize("at", [0, 0.8])
    def test_limb_brightening_is_none_of_the_border(self, at):
        radii, trend = (0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0), (-0.07, -0.02, 0.04, 0.10, 0.17, 0.30, 0.45)

        def sun(x, y):
            image = deep_hole(x, y, at=(at, 0), radius=0.1)
            return image * 10 ** np.interp(np.hypot(x, y), radii, trend)

        found = threshold_coronal_holes(disk_map(sun, 512, radius=200)).data
        expected = disk_map(lambda x, y: np.hypot(x - at, y) <= 0.1, 512, radius=200).data
        assert iou(expected, found) > 0.9

    def test_shallow_region_is_no_hole(self):
        # Just across the border, 46 DN/s, and far from the dark level.
        mask = threshold_coronal_holes(disk_map(lambda x, y: np.where(np.hypot(x, y) < 0.2, 43.0, 100.0)))
        assert not mask.data.any()

    def test_thin_filament_is_no_hole(self):
        mask = threshold_coronal_holes(
            disk_map(lambda x, y: np.where((np.abs(y) < 0.008) & (np.abs(x) < 0.3), 20.0, 100.0), 512, radius=200)
        )
        assert not mask.data.any()

    def test_small_region_counts_by_its_area_on_the_sphere(self):
        image = synthetic_sun(DATE, size=256, coronal_holes=[HOLE], active_regions=[]).image
        area = region_table(threshold_coronal_holes(image))["area"].sum()
        assert area.to_value(u.Mm**2) == pytest.approx(2 * np.pi * 695.7**2 * (1 - np.cos(HOLE.radius).value), rel=0.07)
        assert threshold_coronal_holes(image, min_area=0.98 * area).data.any()
        assert not threshold_coronal_holes(image, min_area=1.02 * area).data.any()

    def test_unknown_calibration_is_scaled_with_a_warning(self, smap):
        other = scaled(smap, 0.01, instrume="other", bunit=None)
        with pytest.warns(CalibrationWarning, match="70 DN/s"):
            mask = threshold_coronal_holes(other)
        assert mask.meta["SCSSCAL"] == pytest.approx(70)
        assert mask.meta["SCSSTHR"] / mask.meta["SCSSMED"] == pytest.approx(np.sqrt(21.4 / 70))

    def test_fraction_needs_no_calibration_and_no_wavelength(self, smap):
        other = scaled(smap, 0.01, instrume="other", bunit=None, wavelnth=284)
        np.testing.assert_array_equal(
            threshold_coronal_holes(other, threshold=0.6).data, threshold_coronal_holes(smap, threshold=0.6).data
        )

    def test_default_holds_for_193_only(self):
        with pytest.warns(WavelengthWarning, match="193/195 Angstrom"):
            threshold_coronal_holes(disk_map(deep_hole, wavelength=304))

    def test_cutout_needs_the_median(self, smap):
        cutout = smap.submap([120, 60] * u.pix, width=100 * u.pix, height=100 * u.pix)
        with pytest.raises(PartialDiskError, match="disk_median"):
            threshold_coronal_holes(cutout)
        found = threshold_coronal_holes(cutout, disk_median=100 * u.DN / u.s)
        whole = threshold_coronal_holes(smap, disk_median=100 * u.DN / u.s).data[60:161, 120:221]
        assert iou(whole, found.data) > 0.99

    def test_missing_data_are_no_hole(self, smap):
        data = smap.data.copy()
        data[150:200, 100:150] = np.nan
        with pytest.warns(MissingDataWarning):
            mask = threshold_coronal_holes(sunpy.map.Map(data, smap.meta))
        assert not mask.data[150:200, 100:150].any()

    @pytest.mark.parametrize("threshold", [0, 1.2, -0.1, 150 * u.DN / u.s])
    def test_threshold_outside_its_range(self, smap, threshold):
        with pytest.raises(ValueError, match="between 0 and the disc median, 100"):
            threshold_coronal_holes(smap, threshold=threshold)

    def test_threshold_of_another_kind(self, smap):
        with pytest.raises(u.UnitsError, match="threshold must be in DN/s"):
            threshold_coronal_holes(smap, threshold=3 * u.arcsec)

    def test_no_map(self):
        with pytest.raises(TypeError, match="sunpy Map"):
            threshold_coronal_holes(np.ones((4, 4)))

    def test_real_image(self):
        table = region_table(threshold_coronal_holes(example_map(193), min_area=10_000 * u.Mm**2))
        assert len(table) == 2


class TestThreeChannels:
    def test_finds_the_holes(self, suns, channels):
        mask = three_channel_coronal_holes(*channels)
        assert iou(suns[193].coronal_holes.data, mask.data) > 0.85
        assert (mask.meta["SCSSFEAT"], mask.meta["SCSSMOD"]) == ("CH", "three-channel")
        assert mask.wavelength == 193 * u.AA

    def test_absorption_is_no_hole(self, channels):
        rows, columns = np.indices(channels[1].data.shape)
        cloud = np.hypot(rows - 128, columns - 128) < 25
        darker = [sunpy.map.Map(np.where(cloud, one.data * 0.2, one.data), one.meta) for one in channels]
        found = three_channel_coronal_holes(*darker).data
        assert threshold_coronal_holes(darker[1]).data[cloud].mean() > 0.8
        assert found[cloud].mean() < 0.2

    def test_gain_of_a_channel_does_not_matter(self, channels):
        first, second, third = channels
        other = three_channel_coronal_holes(first, second, scaled(third, 7))
        assert (other.data != three_channel_coronal_holes(*channels).data).mean() < 1e-4

    def test_channels_on_other_pixels(self, channels):
        first, second, third = channels
        moved = first.rotate(20 * u.deg, missing=np.nan).resample([400, 400] * u.pix)
        expected = three_channel_coronal_holes(*channels).data
        assert iou(expected, three_channel_coronal_holes(moved, second, third).data) > 0.95

    def test_the_sun_turns_between_the_images(self):
        def image(wavelength, date):
            # Places are relative to the Earth of each date: the hole moves with the surface, 13.2 degrees in a day.
            lon = HOLE.lon + 13.2 * u.deg * (Time(date) - Time(DATE)).to_value(u.day)
            hole = Cap(lon, HOLE.lat, HOLE.radius)
            return synthetic_sun(date, wavelength=wavelength * u.AA, size=256, coronal_holes=[hole], active_regions=[])

        later = "2017-06-02T12:00:00"
        suns = [image(171, later), image(193, DATE), image(211, later)]
        with pytest.raises(ValueError, match="171 and 193 Angstrom are 1440 min apart"):
            three_channel_coronal_holes(*[sun.image for sun in suns])
        mask = three_channel_coronal_holes(*[sun.image for sun in suns], max_gap=2 * u.day)
        assert iou(suns[1].coronal_holes.data, mask.data) > 0.85

    def test_order_of_the_channels(self, channels):
        with pytest.raises(InvalidMapError, match="Expected a Map of 171 Angstrom"):
            three_channel_coronal_holes(*channels[::-1])

    def test_of_no_wavelength(self, channels):
        meta = {key: value for key, value in channels[0].meta.items() if key not in ("wavelnth", "instrume")}
        with pytest.raises(InvalidMapError, match=r"171 Angstrom \(got None\)"):
            three_channel_coronal_holes(sunpy.map.Map(channels[0].data, meta), *channels[1:])

    def test_cutout(self, channels):
        first, second, third = channels
        cutout = third.submap([0, 0] * u.pix, width=100 * u.pix, height=255 * u.pix)
        with pytest.raises(PartialDiskError, match="of the disc"):
            three_channel_coronal_holes(first, second, cutout)

    def test_small_regions(self, channels):
        assert not three_channel_coronal_holes(*channels, min_area=1e7 * u.Mm**2).data.any()


def test_real_images_agree_with_their_labels(shared_data):
    folder = shared_data / "train" / "ch"
    key = "jpg_20171110_214117"
    found = threshold_coronal_holes(sunpy.map.Map(folder / "images" / f"{key}.fits"))
    assert iou(sunpy.map.Map(folder / "masks" / f"{key}.fits").data, found.data) > 0.7


def test_observer_elsewhere_sees_the_same_holes():
    far = get_earth(DATE)
    near = type(far)(far.lon, far.lat, 0.5 * far.radius, frame=far.frame)
    masks = [
        threshold_coronal_holes(synthetic_sun(DATE, size=256, observer=observer).image) for observer in (far, near)
    ]
    assert compare_masks(masks)["iou"][0] > 0.9
