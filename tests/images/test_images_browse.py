"""Pictures made for the eye become Maps whose limb fits."""

import warnings
from datetime import datetime

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from test_images_read import HEADER, write_jp2

import astropy.units as u
from astropy.tests.helper import assert_quantity_allclose
from sunpy.coordinates import sun
from sunpy.map.sources import AIAMap, SUVIMap
from sunpy.visualization.colormaps import cmlist

from sunpy_scss.canonical._display import linearise
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._limb import fit_limb
from sunpy_scss.canonical._resample import to_canonical
from sunpy_scss.exceptions import CalibrationWarning, InvalidMapError, UnreadableFileError
from sunpy_scss.images import from_browse, read_map
from sunpy_scss.images._browse import Picture, colour_index, date_of, source_of

NAME = "20170210_165517_512_0193.jpg"
RSUN = sun.angular_radius("2017-02-10T16:55:17")
RADIUS = (RSUN / (0.6 * 4096 / 512 * u.arcsec)).to_value("")


def painted_sun(size=512, centre=(255.5, 255.5), radius=RADIUS):
    """Colour index (uint8, rows from the top) of a Sun with a hole across its limb and a bright region at it."""
    rng = np.random.default_rng(1)
    row, column = np.indices((size, size))
    x, y = (column - centre[0]) / radius, (row - centre[1]) / radius
    r = np.hypot(x, y)
    disk = 60 + 60 * np.clip(r, 0, 1) ** 8
    # The emission doubles at the limb, just above the photosphere, and falls off outwards.
    image = np.where(r < 1.0057, disk, 160 * np.exp(-(r - 1.0057) / 0.12))
    image[(np.hypot(x - 0.1, y + 0.85) < 0.3) & (r < 1)] = 0
    image += 90 * np.exp(-((x + 1.05) ** 2 + y**2) / 0.02)
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def in_colour(index, wavelength=193):
    return Image.fromarray((cmlist[f"sdoaia{wavelength}"](np.arange(256))[index, :3] * 255).round().astype(np.uint8))


@pytest.fixture
def browse_file(tmp_path):
    """A browse image of 193 Angstrom with a date burnt in, off-centre."""
    picture = in_colour(painted_sun(centre=(254, 257.5)))
    ImageDraw.Draw(picture).text((5, 495), "SDO/AIA  193  2017-02-10 16:55:17 UT", fill="white")
    picture.save(tmp_path / NAME, quality=90)
    return tmp_path / NAME


@pytest.mark.parametrize("centre", [(255.5, 255.5), (250.2, 259.9), (270, 240)])
@pytest.mark.parametrize("radius", [150, 200.4])
def test_limb_of_a_painted_sun(centre, radius):
    disk = fit_limb(painted_sun(centre=centre, radius=radius).astype(float))
    assert disk.found
    assert np.hypot(disk.column - centre[0], disk.row - centre[1]) < 0.5
    assert abs(disk.radius / radius - 1) < 0.003


def test_no_limb_in_noise():
    assert not fit_limb(np.random.default_rng(0).normal(100, 20, (256, 256))).found


def test_no_limb_in_nothing():
    assert not fit_limb(np.zeros((256, 256))).found


@pytest.mark.parametrize(
    ("date", "power"),
    [
        ("20120110_001212", 1),
        ("20170210_165517", 1),
        ("20201231_235959", 1),
        ("20210101_000010", 1.35),
        ("20220301_000010", 1.35),
    ],
)
def test_contrast_of_browse_images_is_restored_where_it_is_lower(tmp_path, date, power):
    in_colour(painted_sun(), 171).save(tmp_path / f"{date}_1024_0171.png")
    smaps = {}
    for source in ("sdo", "helioviewer", "other"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CalibrationWarning)
            smaps[source] = from_browse(tmp_path / f"{date}_1024_0171.png", source=source)
    # As bright as this against the median at Helioviewer, so much brighter to that power in a browse image.
    contrasts = {name: np.log10(smap.data / np.median(smap.data)) for name, smap in smaps.items()}
    np.testing.assert_allclose(contrasts["sdo"], power * contrasts["helioviewer"], atol=1e-5)
    np.testing.assert_array_equal(contrasts["other"], contrasts["helioviewer"])
    assert smaps["sdo"].meta["calib"] == "relative"


def test_map_of_a_browse_image(browse_file):
    smap = from_browse(browse_file)
    assert isinstance(smap, AIAMap)
    assert smap.unit == u.DN / u.s
    assert smap.date.isot == "2017-02-10T16:55:17.000"
    assert smap.wavelength == 193 * u.AA
    assert smap.meta["filename"] == NAME
    assert smap.data.dtype == np.float32
    assert_quantity_allclose(smap.rsun_obs, RSUN, rtol=1e-6)
    assert_quantity_allclose(smap.scale.axis1, 4.8 * u.arcsec / u.pix, rtol=3e-3)
    # The rows of a Map begin at the bottom.
    np.testing.assert_allclose(frame_of(smap).centre, (254, 511 - 257.5), atol=0.5)


def test_intensities_are_those_of_the_colours(tmp_path):
    index = painted_sun()
    in_colour(index).save(tmp_path / "2017-02-10T16_55_17.png")
    smap = from_browse(tmp_path / "2017-02-10T16_55_17.png")
    np.testing.assert_array_equal(smap.data, linearise(index[::-1], 193))


def test_size_of_the_sun_follows_its_distance(browse_file):
    january, july = (from_browse(browse_file, date=date) for date in ("2017-01-04", "2017-07-04"))
    assert january.rsun_obs / july.rsun_obs > 1.03
    for smap in (january, july):  # the limb stays where the picture has it
        assert_quantity_allclose(smap.rsun_obs / smap.scale.axis1, RADIUS * u.pix, rtol=3e-3)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_grey_picture_claims_no_calibration(tmp_path, bits):
    index = painted_sun()
    picture = Image.fromarray(index if bits == 8 else index.astype(np.uint16) * 257)
    picture.save(tmp_path / "2017-02-10T16_55_17.png")
    with pytest.warns(CalibrationWarning, match="intensities are relative"):
        smap = from_browse(tmp_path / "2017-02-10T16_55_17.png", wavelength=193 * u.AA)
    assert smap.unit == u.dimensionless_unscaled
    np.testing.assert_array_equal(smap.data, linearise(index[::-1], 193))


def test_date_may_be_a_text_in_the_file(tmp_path):
    texts = PngInfo()
    texts.add_text("Creation Time", "2024-01-01 00:00:00")
    texts.add_text("Description", "AIA 193, 2015-03-04T05:06:07 UT")
    in_colour(painted_sun()).save(tmp_path / "sun.png", pnginfo=texts)
    assert from_browse(tmp_path / "sun.png").date.isot == "2015-03-04T05:06:07.000"


def test_caller_goes_before_the_name(browse_file):
    assert from_browse(browse_file, date=datetime(2017, 2, 11)).date.isot == "2017-02-11T00:00:00.000"


def test_unknown_date(tmp_path):
    in_colour(painted_sun()).save(tmp_path / "latest.png")
    with pytest.raises(ValueError, match=r"latest\.png tell when it was taken: pass date"):
        from_browse(tmp_path / "latest.png")


def test_grey_picture_needs_a_wavelength(tmp_path):
    index = painted_sun()
    Image.fromarray(index).save(tmp_path / NAME, quality=95)
    with pytest.raises(ValueError, match="is grey: pass wavelength"):
        from_browse(tmp_path / NAME)
    with pytest.warns(CalibrationWarning):
        smap = from_browse(tmp_path / NAME, wavelength=193 * u.AA)
    assert np.corrcoef(np.log(smap.data.ravel()), index[::-1].ravel())[0, 1] > 0.99


def test_wavelength_against_the_colours(browse_file):
    with pytest.raises(ValueError, match=r"those of 193 Angstrom \(wavelength is 171\)"):
        from_browse(browse_file, wavelength=17.1 * u.nm)


def test_other_wavelength(browse_file):
    with pytest.raises(ValueError, match=r"one of 171, 193, 195 Angstrom \(got 304\)"):
        from_browse(browse_file, wavelength=304 * u.AA)


def test_other_colours(tmp_path):
    in_colour(painted_sun(), 304).save(tmp_path / NAME)
    with pytest.raises(InvalidMapError, match="its colours are those of no known table"):
        from_browse(tmp_path / NAME)


@pytest.mark.parametrize("wavelength", [171, 193])
def test_colour_table_is_inverted(wavelength):
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found, channel = colour_index(np.asarray(in_colour(index, wavelength)))
    assert channel == wavelength
    np.testing.assert_array_equal(found, index)


def test_unknown_scale_is_relative(tmp_path):
    in_colour(painted_sun(), 171).save(tmp_path / "20170210_165517_512_0171.jpg", quality=90)
    with pytest.warns(CalibrationWarning, match="intensities are relative") as record:
        smap = from_browse(tmp_path / "20170210_165517_512_0171.jpg")
    assert record[0].filename == __file__
    assert smap.unit == u.dimensionless_unscaled
    assert smap.meta["calib"] == "relative"
    smap = from_browse(tmp_path / "20170210_165517_512_0171.jpg", source="helioviewer")
    assert smap.unit == u.DN / u.s


def test_washed_out_images_before_2011_are_relative(browse_file):
    with pytest.warns(CalibrationWarning):
        assert from_browse(browse_file, date="2010-06-01").unit == u.dimensionless_unscaled


def test_suvi(tmp_path):
    in_colour(painted_sun(radius=150)).save(tmp_path / "suvi_2021_10_09T12_00_00.png")
    with pytest.warns(CalibrationWarning):
        smap = from_browse(tmp_path / "suvi_2021_10_09T12_00_00.png")
    assert isinstance(smap, SUVIMap)
    assert smap.wavelength == 195 * u.AA
    assert_quantity_allclose(smap.rsun_obs / smap.scale.axis1, 150 * u.pix, rtol=3e-3)


def test_jpeg_2000_keeps_its_coordinates(tmp_path):
    path = tmp_path / "a.jp2"
    write_jp2(path, painted_sun(size=64, radius=25), HEADER)
    smap, plain = from_browse(path), read_map(path)
    assert smap.wcs.to_header() == plain.wcs.to_header()
    assert smap.unit == u.DN / u.s
    np.testing.assert_array_equal(smap.data, linearise(plain.data, 193))


def test_jpeg_2000_without_header_is_a_picture(tmp_path):
    in_colour(painted_sun()).save(tmp_path / "2017-02-10T16_55_17.jp2", irreversible=False)
    assert_quantity_allclose(
        from_browse(tmp_path / "2017-02-10T16_55_17.jp2").scale.axis1, 4.8 * u.arcsec / u.pix, rtol=3e-3
    )


def test_no_disk(tmp_path):
    in_colour(painted_sun(radius=600)).save(tmp_path / NAME)
    with pytest.raises(InvalidMapError, match="shows no limb to find the Sun by"):
        from_browse(tmp_path / NAME)


def test_cut_off(browse_file):
    browse_file.write_bytes(browse_file.read_bytes()[:9000])
    with pytest.raises(UnreadableFileError, match=rf"{NAME} cannot be read: it is cut off"):
        from_browse(browse_file)


def test_web_page(tmp_path):
    (tmp_path / NAME).write_text("<html>404</html>")
    with pytest.raises(UnreadableFileError, match=rf"{NAME} cannot be read: it is a web page"):
        from_browse(tmp_path / NAME)


def test_no_such_source(browse_file):
    with pytest.raises(ValueError, match=r"one of sdo, helioviewer, other \(got 'soho'\)"):
        from_browse(browse_file, source="soho")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20170210_165517_1024_0193", datetime(2017, 2, 10, 16, 55, 17)),
        ("20110408_000007_SDO_AIA_193_512", datetime(2011, 4, 8, 0, 0, 7)),
        ("2013_06_24__17_31_30_84__SDO_AIA_AIA_193", datetime(2013, 6, 24, 17, 31, 30)),
        ("aia_ch_2019_09_01T00_00_00", datetime(2019, 9, 1)),
        ("aia 2019-09-01 12:30", datetime(2019, 9, 1, 12, 30)),
        ("20171399_996199_1024_0193", None),
        ("latest_1024_0193", None),
    ],
)
def test_dates_in_names(name, expected):
    assert date_of(Picture(name, "JPEG", np.zeros((2, 2)), {})) == expected


@pytest.mark.parametrize(
    ("name", "kind", "texts", "expected"),
    [
        ("20170210_165517_1024_0193", "JPEG", {}, "sdo"),
        ("f_193_1024", "JPEG", {}, "other"),
        ("2020_01_01T00_00_00", "PNG", {}, "helioviewer"),
        ("2020_01_01T00_00_00", "PNG", {"Software": "a plotting program"}, "other"),
        ("suvi_2020_01_01T00_00_00", "PNG", {}, "other"),
        ("2020_01_01T00_00_00", "JPEG2000", {}, "helioviewer"),
    ],
)
def test_sources(name, kind, texts, expected):
    assert source_of(Picture(name, kind, np.zeros((2, 2)), texts)) == expected


# Centre (column, row from the top) from the middle of the image, as two different estimates of the limb agree on.
CENTRES = {
    "20110408_000007_SDO_AIA_193_512.jpg": (0.1, 0.0),
    "20170210_165517_1024_0193.jpg": (-1.4, 1.8),
    "20170829_221017_1024_0193.jpg": (-1.4, 0.4),
    "20210602_000010_4096_0171.jpg": (-0.9, 0.7),
    "aia_ch_2019_09_01T00_00_00.png": (0.2, 0.35),
}
# Of images that Helioviewer scales to one size of the Sun.
HELIOVIEWER_RADIUS = 396.5


def test_real_pictures(shared_data):
    for path in sorted((shared_data / "browse").iterdir()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CalibrationWarning)
            smap = from_browse(path)
        frame = frame_of(smap)
        size = len(smap.data)
        if path.name in CENTRES:
            dx, dy = CENTRES[path.name]
            middle = (size - 1) / 2
            np.testing.assert_allclose(frame.centre, (middle + dx, middle - dy), atol=1, err_msg=path.name)
        if path.suffix == ".jpg":
            nominal = smap.rsun_obs.to_value("arcsec") / (0.6 * 4096 / size)
            assert abs(frame.pixels_per_radius / nominal - 1) < 0.005, path.name
        elif path.name.startswith("aia"):
            assert abs(frame.pixels_per_radius / HELIOVIEWER_RADIUS - 1) < 0.005, path.name


@pytest.mark.parametrize(
    ("picture", "image"),
    [
        ("aia_ch_2019_09_01T00_00_00.png", "aia_ch_2019_09_01T00_00_17.fits"),
        ("aia_ar_2020_09_25T23_59_57.png", "aia_ar_2020_09_25T23_59_57.fits"),
    ],
)
def test_picture_and_fits_of_one_time(shared_data, picture, image):
    ours = from_browse(shared_data / "browse" / picture)
    truth = read_map(shared_data / "fits" / image)
    seen, true = (_canonical_disk(smap) for smap in (ours, truth))
    true = np.maximum(true / truth.exposure_time.to_value("s"), seen.min())
    seen, true = np.log10(seen), np.log10(true)
    assert np.corrcoef(seen, true)[0, 1] > 0.99
    assert abs(np.polyfit(true, seen, 1)[0] - 1) < 0.1


def _canonical_disk(smap):
    grid = CanonicalGrid(512, 1.25)
    image = to_canonical(smap.data, frame_of(smap), grid)
    return image[grid.radius < 1]
