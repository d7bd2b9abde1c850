"""
Other instruments: their true headers, which ship with sunpy, around a synthetic Sun; real pixels where they ship.
"""

import warnings

import numpy as np
import pytest
from makers import dark_model, sun_with_hole

import astropy.units as u
import sunpy.map
from astropy.io import fits
from sunpy.data.test import get_test_filepath
from sunpy.util.exceptions import SunpyMetadataWarning

from sunpy_scss import segment_coronal_holes
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.exceptions import CalibrationWarning, WavelengthWarning
from sunpy_scss.images import read_map
from sunpy_scss.masks import iou

# Each header as it ships, most of them of thumbnails, and the factor to a size at which the Sun is worth looking at.
# That of EIT has the scale and centre of no image at all: those of the detector, binned twice, stand in.
HEADERS = {
    "SUVI 195": ("dr_suvi-l2-ci195_g16_s20190403T093200Z_e20190403T093600Z_v1-0-0_rebinned.header", 16, {}),
    "EUVI A": ("euvi_20090615_000900_n4euA_s.header", 4, {}),
    "SWAP 174": ("swap_lv1_20140606_000113.header", 16, {}),
    "EIT 171": (
        "seit_00171_fd_19961211_1900.header",
        1,
        {"CDELT1": 5.24, "CDELT2": 5.24, "CRPIX1": 250, "CRPIX2": 262, "NAXIS1": 512, "NAXIS2": 512},
    ),
    "EUI FSI": ("solo_L1_eui-fsi304-image_20201021T145510206_V03.header", 1, {}),
}

# The quiet Sun of 100 is brought to 70: the limits move along.
SHIFT = 0.5 * np.log10(0.7)
STRETCH = {"floor": 10, "limits": (0.2 + SHIFT, 2.2 + SHIFT), "exponent": 0.5, "reference_median": 70}


def header_of(name):
    path, factor, changes = HEADERS[name]
    header = fits.Header.fromtextfile(get_test_filepath(path))
    for axis in "12":
        header[f"CDELT{axis}"] /= factor
        header[f"CRPIX{axis}"] = (header[f"CRPIX{axis}"] - 0.5) * factor + 0.5
        header[f"NAXIS{axis}"] *= factor
        if "CD1_1" in header:
            header[f"CD{axis}_{axis}"] /= factor
    header.update(changes)
    return header


def with_synthetic_sun(header):
    shape = header["NAXIS2"], header["NAXIS1"]
    blank = sunpy.map.Map(np.zeros(shape), header)
    world = blank.wcs.pixel_to_world(*np.meshgrid(np.arange(shape[1]), np.arange(shape[0])))
    x, y = ((axis / blank.rsun_obs).to_value(u.dimensionless_unscaled) for axis in (world.Tx, world.Ty))
    return sunpy.map.Map(sun_with_hole(x, y), header), np.hypot(x - 0.3, y + 0.2) <= 0.25


@pytest.mark.parametrize("name", HEADERS)
def test_geometry_of_the_header(name):
    with warnings.catch_warnings():
        # Headers that are not quite as the standard has them are what this is about.
        for category in (fits.verify.VerifyWarning, SunpyMetadataWarning, CalibrationWarning, WavelengthWarning):
            warnings.simplefilter("ignore", category)
        smap, hole = with_synthetic_sun(header_of(name))
        mask = segment_coronal_holes(smap, model=dark_model(stretch=STRETCH))
    assert hole.sum() > 500
    assert iou(hole, mask.data) > 0.9
    assert mask.meta["SCSSCAL"] > 0


def test_real_image_from_solar_orbiter():
    """EUI-FSI 174, 3040 x 3072, at 0.35 au: the limb is where the header says."""
    smap = read_map(get_test_filepath("2022_04_01__00_00_45__SOLO-EUI-FSI_EUI_FSI_174.jp2"))
    radius = frame_of(smap).radius(*np.ogrid[: smap.data.shape[0], : smap.data.shape[1]])
    rings = [np.median(smap.data[(radius > low) & (radius < low + 0.05)]) for low in (0.9, 0.97, 1.15)]
    assert rings[1] > rings[0] > rings[2]
