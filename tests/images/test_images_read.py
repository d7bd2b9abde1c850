"""One file, one Map; what is wrong with a file is said in one type of error."""

import bz2
import gzip
import struct

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.io import fits
from sunpy.map.sources import AIAMap

from sunpy_scss.exceptions import UnreadableFileError
from sunpy_scss.images import _read, example_map, read_map

HEADER = {
    "CTYPE1": "HPLN-TAN",
    "CTYPE2": "HPLT-TAN",
    "CUNIT1": "arcsec",
    "CUNIT2": "arcsec",
    "CDELT1": 1.5,
    "CDELT2": 1.5,
    "CRPIX1": 8.5,
    "CRPIX2": 8.5,
    "CRVAL1": 0.0,
    "CRVAL2": 0.0,
    "TELESCOP": "SDO/AIA",
    "INSTRUME": "AIA_2",
    "WAVELNTH": 193,
    "WAVEUNIT": "angstrom",
    "EXPTIME": 2.0,
    "DATE-OBS": "2020-01-01T00:00:00",
    "RSUN_OBS": 970.0,
    "DSUN_OBS": 1.49e11,
    "HGLN_OBS": 0.0,
    "HGLT_OBS": 0.0,
}


def write_jp2(path, pixels, header):
    """A JPEG 2000 file with the header in an XML box, as Helioviewer makes them."""
    Image.fromarray(pixels).save(path, irreversible=False)
    cards = "".join(f"<{key}>{value}</{key}>" for key, value in header.items())
    xml = f"<meta><fits>{cards}</fits><helioviewer><HV_ROTATION>0</HV_ROTATION></helioviewer></meta>".encode()
    box = struct.pack(">I4s", len(xml) + 8, b"xml ") + xml
    data = path.read_bytes()
    codestream = data.index(b"jp2c") - 4
    path.write_bytes(data[:codestream] + box + data[codestream:])


@pytest.fixture
def aia_fits(tmp_path):
    path = tmp_path / "aia.fits"
    fits.writeto(path, np.ones((64, 64)), fits.Header(HEADER))
    return path


def test_fits_as_sunpy_reads_it(aia_fits):
    ours, theirs = read_map(aia_fits), sunpy.map.Map(aia_fits)
    assert type(ours) is type(theirs)
    np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gz", "bz2"])
def test_packed_fits(aia_fits, pack):
    packed = aia_fits.with_suffix(".fits.packed")
    packed.write_bytes(pack(aia_fits.read_bytes()))
    ours, theirs = read_map(packed), sunpy.map.Map(aia_fits)
    assert type(ours) is type(theirs)
    assert ours.meta == theirs.meta
    np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.parametrize("damage", ["packed file", "file inside"])
def test_packed_fits_cut_off(aia_fits, damage):
    data = np.random.default_rng(0).bytes(64 * 64 * 8)
    whole = aia_fits.read_bytes()[:-36864] + data
    content = bz2.compress(whole)[:20000] if damage == "packed file" else bz2.compress(whole[:20000])
    aia_fits.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="it is cut off or damaged"):
        read_map(aia_fits)


def test_path_as_text(aia_fits):
    assert read_map(str(aia_fits)).data.shape == (64, 64)


def test_jp2_rows_start_in_the_south(tmp_path):
    pixels = np.zeros((16, 16), dtype=np.uint8)
    pixels[0, 3] = 200  # the top row of a picture is north
    write_jp2(tmp_path / "a.jp2", pixels, HEADER | {"NAXIS1": 16, "NAXIS2": 16})
    smap = read_map(tmp_path / "a.jp2")
    assert isinstance(smap, AIAMap)
    assert smap.data.dtype == np.uint8
    assert smap.data[15, 3] == 200
    north = smap.pixel_to_world(3 * u.pix, 15 * u.pix)
    assert u.isclose(north.Ty, 7.5 * 1.5 * u.arcsec, atol=1e-6 * u.arcsec)
    assert u.isclose(north.Tx, -4.5 * 1.5 * u.arcsec, atol=1e-6 * u.arcsec)


def test_jp2_header_of_a_larger_image_is_rescaled(tmp_path):
    header = HEADER | {"NAXIS1": 64, "NAXIS2": 32, "CDELT1": 1.0, "CDELT2": 1.0, "CRPIX1": 64.5, "CRPIX2": 0.5}
    write_jp2(tmp_path / "a.jp2", np.zeros((16, 16), dtype=np.uint8), header)
    smap = read_map(tmp_path / "a.jp2")
    assert u.allclose(u.Quantity(smap.scale), (4, 2) * u.arcsec / u.pix)
    # The outer right and lower edges of the image stay the outer edges.
    assert u.allclose(u.Quantity(smap.reference_pixel), (15.5, -0.5) * u.pix)


def test_jp2_is_not_stretched_a_second_time_when_it_is_plotted(tmp_path):
    write_jp2(tmp_path / "a.jp2", np.full((16, 16), 51, dtype=np.uint8), HEADER | {"NAXIS1": 16, "NAXIS2": 16})
    image = read_map(tmp_path / "a.jp2").plot()
    assert image.norm(51) == pytest.approx(51 / 255)
    plt.close("all")


def test_jp2_can_be_saved_as_fits(tmp_path):
    header = HEADER | {"NAXIS1": 16, "NAXIS2": 16, "BITPIX": 16, "BLANK": -32768, "history": "first\nsecond"}
    write_jp2(tmp_path / "a.jp2", np.full((16, 16), 7, dtype=np.uint8), header)
    read_map(tmp_path / "a.jp2").save(tmp_path / "a.fits")
    assert (read_map(tmp_path / "a.fits").data == 7).all()


def test_missing_file(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"nowhere\.fits cannot be read: there is no such file"):
        read_map(tmp_path / "nowhere.fits")


def test_empty_file(tmp_path):
    (tmp_path / "a.fits").touch()
    with pytest.raises(UnreadableFileError, match=r"a\.fits cannot be read: it is empty; download it again"):
        read_map(tmp_path / "a.fits")


def test_web_page_saved_as_fits(tmp_path):
    (tmp_path / "a.fits").write_text("\n<!DOCTYPE html><html><body>503</body></html>")
    with pytest.raises(UnreadableFileError, match=r"a\.fits cannot be read: it is a web page"):
        read_map(tmp_path / "a.fits")


def test_picture(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UnreadableFileError, match=r"use sunpy_scss\.images\.from_browse"):
        read_map(tmp_path / "a.png")


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_fits_cut_off(aia_fits, kept):
    data = aia_fits.read_bytes()
    aia_fits.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(UnreadableFileError, match=r"aia\.fits cannot be read: it is cut off"):
        read_map(aia_fits)


def test_compressed_fits_cut_off(aia_fits, tmp_path):
    packed = gzip.compress(aia_fits.read_bytes())
    (tmp_path / "a.fits.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        read_map(tmp_path / "a.fits.gz")


def test_jp2_cut_off(tmp_path):
    rng = np.random.default_rng(0)
    write_jp2(tmp_path / "a.jp2", rng.integers(0, 255, (64, 64), dtype=np.uint8), HEADER)
    data = (tmp_path / "a.jp2").read_bytes()
    (tmp_path / "a.jp2").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableFileError, match=r"a\.jp2 cannot be read: it is cut off"):
        read_map(tmp_path / "a.jp2")


def test_jp2_without_header(tmp_path):
    Image.fromarray(np.zeros((16, 16), dtype=np.uint8)).save(tmp_path / "a.jp2")
    with pytest.raises(UnreadableFileError, match=r"a picture without coordinates; .*from_browse"):
        read_map(tmp_path / "a.jp2")


def test_jp2_in_colour(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "a.jp2")
    with pytest.raises(UnreadableFileError, match=r"a picture without coordinates; .*from_browse"):
        read_map(tmp_path / "a.jp2")


def test_several_maps(tmp_path):
    image = fits.ImageHDU(np.ones((8, 8)), fits.Header(HEADER))
    fits.HDUList([fits.PrimaryHDU(), image, image.copy()]).writeto(tmp_path / "a.fits")
    with pytest.raises(UnreadableFileError, match=r"a\.fits holds 2 images: .* choose one"):
        read_map(tmp_path / "a.fits")


def test_no_map(tmp_path):
    fits.PrimaryHDU(np.ones(8)).writeto(tmp_path / "a.fits")
    with pytest.raises(UnreadableFileError, match=r"a\.fits cannot be read: Found no HDUs"):
        read_map(tmp_path / "a.fits")


def test_no_coordinates(tmp_path):
    fits.PrimaryHDU(np.ones((8, 8))).writeto(tmp_path / "a.fits")
    with pytest.raises(UnreadableFileError, match=r"a\.fits cannot be read: Image coordinate units"):
        read_map(tmp_path / "a.fits")


@pytest.mark.parametrize("wavelength", [171, 193])
def test_examples_show_the_disk_where_their_headers_say(wavelength):
    smap = example_map(wavelength)
    ny, nx = smap.data.shape
    radius = smap.rsun_obs / smap.scale.axis1
    assert smap.wavelength == wavelength * u.AA
    # The disc fills three quarters of the field of view, centred.
    assert 0.37 < (radius / (nx * u.pix)).to_value("") < 0.42
    assert u.allclose(u.Quantity(smap.reference_pixel), ((nx - 1) / 2, (ny - 1) / 2) * u.pix)


def test_sunpy_without_its_test_images(tmp_path, monkeypatch):
    monkeypatch.setattr(_read, "files", lambda package: tmp_path)
    with pytest.raises(UnreadableFileError, match=r"lacks its test images .* read_map"):
        example_map(193)


def test_no_such_example():
    with pytest.raises(ValueError, match=r"171 and 193 Angstrom only \(got 304\)"):
        example_map(304)


@pytest.mark.parametrize("name", ["html_page_named.fits", "truncated_AIA20170205_2300_0193.fits"])
def test_real_broken_files(shared_data, name):
    with pytest.raises(UnreadableFileError, match=f"{name} cannot be read: .*download it again"):
        read_map(shared_data / "bad" / name)


def test_real_files(shared_data):
    for path in [*sorted((shared_data / "jp2").iterdir()), *sorted((shared_data / "fits").iterdir())]:
        smap = read_map(path)
        assert smap.data.ndim == 2, path
        assert smap.data.dtype.kind == ("u" if path.suffix == ".jp2" else "f"), path
