"""Headers whose disc is not that of the image."""

import time
import warnings

import numpy as np
import pytest
from makers import dark_model, disk_map

import sunpy.map

from sunpy_scss import segment_coronal_holes
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._limb_check import check_limb, limb_of, mismatch
from sunpy_scss.exceptions import InvalidMapError, LimbWarning, PartialDiskError
from sunpy_scss.images import example_map, read_map
from sunpy_scss.masks import disk_mask
from sunpy_scss.segment import threshold_coronal_holes


def real_sun(x, y):
    """Brightening to the limb, and a corona that falls off beyond, as EUV images have them."""
    radius = np.hypot(x, y)
    brightening = (-0.07, -0.02, 0.04, 0.1, 0.17, 0.3, 0.5)
    disk = 10 ** (2 + np.interp(radius, (0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.006), brightening))
    corona = 10 ** (2.5 - 3.5 * (radius - 1.006))
    return np.where(radius <= 1.006, disk, np.maximum(corona, 5))


def changed(smap, **changes):
    return sunpy.map.Map(smap.data, {**smap.meta, **changes})


def scaled(smap, factor):
    keys = [key for key in smap.meta if key.startswith(("cdelt", "cd1_", "cd2_"))]
    return changed(smap, **{key: smap.meta[key] * factor for key in keys})


def shifted(smap, pixels):
    return changed(smap, crpix1=smap.meta["crpix1"] + pixels)


@pytest.fixture(scope="module")
def smap():
    return disk_map(real_sun)


class TestWrongHeaders:
    @pytest.mark.parametrize("factor", [0.5, 0.8, 0.9, 1.1, 1.3, 2])
    def test_scale(self, smap, factor):
        with pytest.raises(InvalidMapError, match=r"not where the header has it.*CDELT1"):
            segment_coronal_holes(scaled(smap, factor), model=dark_model())

    @pytest.mark.parametrize("pixels", [-25, 12, 25])
    def test_centre(self, smap, pixels):
        with pytest.raises(InvalidMapError, match=rf"{127.5 + pixels:.1f}, 127.5\), so that the limb is off by up to"):
            segment_coronal_holes(shifted(smap, pixels), model=dark_model())

    def test_degrees_with_values_in_arcsec(self, smap):
        with pytest.raises(InvalidMapError, match="CUNIT1"):
            segment_coronal_holes(changed(smap, cunit1="deg", cunit2="deg"), model=dark_model())

    @pytest.mark.parametrize("wrong", [lambda smap: scaled(smap, 1.045), lambda smap: shifted(smap, 4.5)])
    def test_a_little_wrong_is_a_warning(self, smap, wrong):
        with pytest.warns(LimbWarning, match=r"[45]% of a solar radius"):
            segment_coronal_holes(wrong(smap), model=dark_model())

    def test_the_message_is_true(self, smap):
        with pytest.raises(InvalidMapError, match=r"(99|100)\.\d pixels .* by the header 90\.9 pixels"):
            threshold_coronal_holes(scaled(smap, 1.1))


class TestRightHeaders:
    def test_nothing_is_said(self, smap):
        segment_coronal_holes(smap, model=dark_model())

    def test_units_may_be_mixed(self, smap):
        mixed = changed(
            smap, cunit1="deg", cdelt1=smap.meta["cdelt1"] / 3600, crval1=smap.meta["crval1"] / 3600, cunit2="arcsec"
        )
        masks = [segment_coronal_holes(one, model=dark_model()).data for one in (smap, mixed)]
        np.testing.assert_array_equal(*masks)

    def test_a_cutout_is_not_looked_at(self, smap):
        corner = changed(smap, crpix1=smap.meta["crpix1"] - 100)
        piece = sunpy.map.Map(smap.data[:, 100:], corner.meta)
        assert limb_of(piece.data, frame_of(piece)) is None

    @pytest.mark.parametrize("radius", [0.9, 0.95, 1.0])
    def test_nor_is_what_was_cut_at_the_limb(self, radius):
        smap = example_map(171)
        inside = disk_mask(smap, radius=radius).data == 1
        for beyond in (np.nan, 0):
            check_limb(np.where(inside, smap.data, beyond), frame_of(smap))

    def test_an_image_of_nothing(self, smap):
        flat = sunpy.map.Map(np.full(smap.data.shape, 7.0), smap.meta)
        assert limb_of(flat.data, frame_of(flat)) is None


class TestRealImages:
    def test_the_limb_is_where_the_header_has_it(self, shared_data):
        """The figures from which the tolerances are taken."""
        for path in [*(shared_data / "fits").glob("[as]*_1*.fits"), *(shared_data / "fits").glob("AIA201702*.fits")]:
            smap = read_map(path)
            disk = limb_of(smap.data, frame_of(smap))
            assert disk is None or mismatch(disk, frame_of(smap)) < 0.01, path

    @pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2])
    @pytest.mark.parametrize("name", ["AIA20170203_2300_0193.fits", "swap_lv1_20140331_061734.fits"])
    def test_wrong_scales(self, shared_data, name, factor):
        smap = read_map(shared_data / "fits" / name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sunpy, on what the header of SWAP lacks
            wrong = scaled(smap, factor)
            with pytest.raises(InvalidMapError, match="not where the header has it"):
                threshold_coronal_holes(wrong, threshold=0.5)

    def test_wrong_centre(self, shared_data):
        smap = read_map(shared_data / "fits" / "AIA20170203_2300_0193.fits")
        with pytest.raises(InvalidMapError, match="not where the header has it"):
            threshold_coronal_holes(shifted(smap, 100))

    def test_eit_of_the_wrong_scale(self, shared_data):
        """A disc that is said to be eight times as large as the image."""
        smap = read_map(shared_data / "fits" / "efz20040301.000010_s.fits")
        with pytest.raises(PartialDiskError, match="CDELT1"):
            threshold_coronal_holes(smap, threshold=0.5)

    def test_it_takes_no_time(self, shared_data):
        smap = read_map(shared_data / "fits" / "AIA20170203_2300_0193.fits")
        frame, times = frame_of(smap), []
        for _ in range(5):
            start = time.process_time()
            check_limb(smap.data, frame)
            times.append(time.process_time() - start)
        assert min(times) < 0.03
