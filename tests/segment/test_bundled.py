"""The bundled weights on real images."""

import numpy as np
import pytest

import astropy.units as u
import sunpy.map

from sunpy_scss import load_model, predict_probability, segment_active_regions, segment_coronal_holes
from sunpy_scss.canonical._image import canonical_image
from sunpy_scss.images import example_map, read_map
from sunpy_scss.masks import area_fraction, iou

SEGMENT = {193: segment_coronal_holes, 171: segment_active_regions}


@pytest.fixture(scope="module")
def hole():
    smap = example_map(193)
    return smap, segment_coronal_holes(smap)


def at(smap, x, y):
    """Row and column of a point in arcsec."""
    from astropy.coordinates import SkyCoord

    pixel = smap.world_to_pixel(SkyCoord(x * u.arcsec, y * u.arcsec, frame=smap.coordinate_frame))
    return round(pixel.y.value), round(pixel.x.value)


class TestExamples:
    def test_the_two_holes_of_june_2013(self, hole):
        """The great hole of the north-west and the one east of the centre; not the bright belt between them."""
        smap, mask = hole
        assert mask.data[at(smap, -280, 120)] == 1
        assert mask.data[at(smap, 500, 550)] == 1
        assert mask.data[at(smap, 100, -400)] == 0
        assert 2 * u.percent < area_fraction(mask) < 12 * u.percent

    def test_active_regions_of_february_2011(self):
        """NOAA 11158 stands just south-west of the centre."""
        smap = example_map(171)
        mask = segment_active_regions(smap)
        assert mask.data[at(smap, 180, -220)] == 1
        assert mask.data[at(smap, 0, 850)] == 0
        assert 0.5 * u.percent < area_fraction(mask) < 10 * u.percent

    def test_the_boundary_of_volunteers_has_a_model_of_its_own(self):
        smap = example_map(171)
        mask = segment_active_regions(smap, boundary="volunteers")
        assert (mask.meta["scssmod"], mask.meta["scssbnd"]) == ("scss-ar-171-4", "volunteers")
        assert mask.data[at(smap, 180, -220)] == 1
        assert mask.data[at(smap, 0, 850)] == 0
        # About the same regions as everybody's, with other outlines.
        assert 0.3 < iou(mask.data, segment_active_regions(smap).data) < 0.95

    def test_holes_are_dark_and_regions_bright(self, hole):
        smap, mask = hole
        inside = mask.data.astype(bool)
        frame_disk = predict_probability(smap, model="scss-ch-193-5").data > 0
        assert np.median(smap.data[inside]) < np.median(smap.data[frame_disk & ~inside])


@pytest.mark.parametrize("wavelength", [193, 171])
class TestInvariance:
    """On the small examples; the figures for full images come with the real files below."""

    def test_list_as_one_by_one(self, wavelength):
        smap = example_map(wavelength)
        one = SEGMENT[wavelength](smap)
        for several in SEGMENT[wavelength]([smap, smap]):
            assert iou(one.data, several.data) > 0.9999

    def test_empty_sun(self, wavelength):
        """Noise about a constant: nothing to find."""
        smap = example_map(wavelength)
        noise = np.random.default_rng(0).normal(100, 3, smap.data.shape)
        header = {**smap.meta, "bunit": "DN / s"}
        assert area_fraction(SEGMENT[wavelength](sunpy.map.Map(noise, header))) < 0.5 * u.percent


FILES = {
    193: ["fits/AIA20170118_2300_0193.fits", "fits/AIA20170215_2300_0193.fits", "fits/aia_ch_2019_09_01T00_00_17.fits"],
    171: ["fits/aia_ar_2020_09_25T23_59_57.fits"],
}
PAIRS = [(wavelength, name) for wavelength, names in FILES.items() for name in names]


@pytest.mark.parametrize(("wavelength", "name"), PAIRS, ids=[name for _, name in PAIRS])
class TestRealFiles:
    @pytest.fixture
    def smap(self, shared_data, name):
        return read_map(shared_data / name)

    @pytest.fixture
    def mask(self, smap, wavelength):
        return SEGMENT[wavelength](smap)

    def test_counts_and_rates(self, smap, mask, wavelength):
        seconds = smap.exposure_time.to_value(u.s)
        rate = sunpy.map.Map(smap.data / seconds, {**smap.meta, "bunit": "DN / s"})
        differ = np.count_nonzero(SEGMENT[wavelength](rate).data != mask.data)
        assert differ < mask.data.size / 10_000

    def test_rotated(self, smap, mask, wavelength):
        rotated = smap.rotate(30 * u.deg, order=1, missing=0)
        found = SEGMENT[wavelength](rotated)
        expected = mask.rotate(30 * u.deg, order=0, missing=0)
        assert iou(expected.data, found.data) > 0.95

    def test_shifted(self, smap, mask, wavelength):
        data = np.roll(smap.data, (31, -17), axis=(0, 1))
        header = {**smap.meta, "crpix1": smap.meta["crpix1"] - 17, "crpix2": smap.meta["crpix2"] + 31}
        found = SEGMENT[wavelength](sunpy.map.Map(data, header))
        assert iou(np.roll(mask.data, (31, -17), axis=(0, 1)), found.data) > 0.95

    def test_rescaled(self, smap, mask, wavelength):
        half = smap.superpixel([2, 2] * u.pix, func=np.mean)
        found = SEGMENT[wavelength](half)
        expected = mask.superpixel([2, 2] * u.pix, func=np.mean).data >= 0.5
        assert iou(expected, found.data) > 0.95


class TestOtherRealFiles:
    # Its unit, DN/s/pixel, is not as FITS spells it, and sunpy says so.
    @pytest.mark.filterwarnings("ignore:Could not parse unit string")
    def test_swap(self, shared_data):
        smap = read_map(shared_data / "fits/swap_lv1_20110607_063329.fits")
        assert 0.1 * u.percent < area_fraction(segment_active_regions(smap)) < 15 * u.percent

    def test_scale_of_the_header_is_wrong(self, shared_data):
        from sunpy_scss.exceptions import PartialDiskError

        with pytest.raises(PartialDiskError, match="CDELT"):
            segment_coronal_holes(read_map(shared_data / "fits/efz20040301.000010_s.fits"))

    def test_cutout(self, shared_data):
        from sunpy_scss.exceptions import PartialDiskError

        smap = read_map(shared_data / "fits/aia_171_cutout.fits")
        with pytest.raises(PartialDiskError, match="disk_median"):
            segment_active_regions(smap)
        assert segment_active_regions(smap, disk_median=300 * u.DN / u.s).data.shape == smap.data.shape


def test_the_small_model_is_not_misled_by_one_value_beyond_the_limb():
    """A common step of preparation; `scss-ch-193-6` was shown such images."""
    model = load_model("scss-ch-193-6")
    grid, stretch = model.card.grid, model.card.stretch
    found = canonical_image(example_map(193), grid)

    def inside(image):
        seen = stretch.apply(image, grid.radius, found.disk_median)
        return model.at("middle").predict(seen[np.newaxis, ..., np.newaxis])[0, ..., 0][grid.disk] >= 0.5

    before = inside(found.image)
    assert 0.02 < before.mean() < 0.2
    for beyond in (1.0, 1.03):
        after = inside(np.where(grid.radius > beyond, 0, found.image))
        assert (after ^ before).mean() < 0.01
