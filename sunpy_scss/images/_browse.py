"""Maps from pictures made for the eye."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.time import Time
from sunpy.coordinates import sun
from sunpy.map import GenericMap
from sunpy.time import parse_time
from sunpy.util import MetaDict

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._display import DISPLAY_SCALES, linearise
from sunpy_scss.canonical._limb import fit_limb
from sunpy_scss.exceptions import CalibrationWarning, InvalidMapError
from sunpy_scss.images._jp2 import read_header
from sunpy_scss.images._read import read, read_map

__all__ = [
    "CHANNELS",
    "SOURCES",
    "Picture",
    "colour_index",
    "date_of",
    "from_browse",
    "header_of",
    "is_calibrated",
    "read_picture",
    "source_of",
]


@u.quantity_input
def from_browse(
    path: str | os.PathLike,
    *,
    date: str | Time | None = None,
    wavelength: u.Quantity[u.AA] | None = None,
    source: str | None = None,
) -> GenericMap:
    """
    A Map of a picture as web sites show them: JPEG, PNG or JPEG 2000 of the whole disc, solar north up.

    The colour table is inverted and the display scale undone where it is known. The centre of the disc and its radius
    in pixels are fitted to the limb; its radius in arcsec is that from Earth at that time. Writing in the corners does
    no harm.

    Parameters
    ----------
    path : path-like
    date : str or astropy.time.Time, optional
        The time of the image, for `sunpy.time.parse_time`. By default what the file's name tells (as in
        ``20170210_165517_1024_0193.jpg``), or its text entries.
    wavelength : astropy.units.Quantity, optional
        By default as the colours tell; needed for grey pictures. 195 Å takes an image for one of SUVI, as does a
        file name with ``suvi``.
    source : str, optional
        The source of the picture, ``"sdo"``, ``"helioviewer"`` or ``"other"``. It decides if the display scale is
        known: that of browse images of sdo.gsfc.nasa.gov at 193 Å and of Helioviewer at 171 and 193 Å, measured on
        FITS files of 2017 to 2020 and taken to hold since 2011. By default told from name and format: JPEG named as
        those of sdo.gsfc.nasa.gov, JPEG 2000 and plain PNG as of Helioviewer.

    Returns
    -------
    sunpy.map.GenericMap
        An AIA or SUVI Map, float32. In DN/s where the display scale is known and the colours are those of AIA (not
        below 21 DN/s at 193 Å and 5 DN/s at 171 Å, where it clips); else, as for all grey pictures, dimensionless, with
        ``CALIB = 'relative'`` in the header and a warning, and segmentation treats it as an image of unknown
        calibration. Browse images of sdo.gsfc.nasa.gov at 171 Å from 2021 on have their contrast restored, which is
        lower than that of Helioviewer's by a power of 1.35; older ones are left as they are. Grey pictures of 16 bits
        are scaled to 8.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the file does not exist, is cut off, or is no picture.
    `~sunpy_scss.exceptions.InvalidMapError`
        If no limb is found, or the colours are not those of AIA 171 or 193 Å.
    ValueError
        If the date or the wavelength is not known.

    Warns
    -----
    `~sunpy_scss.exceptions.CalibrationWarning`
        If the display scale is unknown.

    Examples
    --------
    >>> from sunpy_scss.images import from_browse
    >>> smap = from_browse("20170210_165517_1024_0193.jpg")  # doctest: +SKIP
    """
    path = Path(path)
    if source is not None and source not in SOURCES:
        msg = f"source must be one of {', '.join(SOURCES)} (got {source!r})."
        raise ValueError(msg)
    picture = read(read_picture, path)
    if picture.kind == "JPEG2000" and read(read_header, path):
        smap = read_map(path)
        index, header, date = smap.data, smap.meta.copy(), smap.date
        is_display = smap.data.dtype == np.uint8
        angstrom = _checked_wavelength(path, smap.wavelength, None)
    else:
        index, colours = _colour_index(path, picture)
        is_display = colours is not None
        angstrom = _checked_wavelength(path, wavelength, 195 if colours == 193 and picture.is_suvi else colours)
        date = _date(path, picture, date)
        header = MetaDict(header_of(picture, _disk(path, index), date, angstrom))
    site = source or source_of(picture)
    is_aia = header["instrume"].startswith("AIA")
    # A grey picture may be of any scale.
    if is_aia and is_display and is_calibrated(site, angstrom, date):
        header["bunit"], header["calib"] = "DN / s", "display scale undone"
    else:
        header["bunit"], header["calib"] = "", "relative"
        msg = f"The display scale of {path} is unknown: its intensities are relative."
        if is_display and not source:
            msg += " If you know which site it is from, pass source."
        warn_caller(msg, CalibrationWarning)
    header["filename"] = path.name
    data = linearise(index, CHANNELS[angstrom])
    if is_display:
        data **= contrast_of(site, angstrom, date)
    return sunpy.map.Map(data, header)


def _colour_index(path, picture):
    try:
        index, colours = colour_index(picture.pixels)
    except ValueError as error:
        msg = f"{path} is no picture of AIA or SUVI: {error}."
        raise InvalidMapError(msg) from error
    return np.ascontiguousarray(index[::-1]), colours


def _checked_wavelength(path, wavelength, colours):
    """The wavelength in Angstrom, from the caller or the colours, which must agree."""
    if wavelength is None and colours is None:
        msg = f"{path} is grey: pass wavelength, 171 or 193 Angstrom."
        raise ValueError(msg)
    angstrom = colours if wavelength is None else round(wavelength.to_value(u.AA))
    if angstrom not in CHANNELS:
        known = ", ".join(map(str, CHANNELS))
        msg = f"The wavelength of {path} must be one of {known} Angstrom (got {angstrom})."
        raise ValueError(msg)
    if colours is not None and CHANNELS[angstrom] != CHANNELS[colours]:
        msg = f"The colours of {path} are those of {colours} Angstrom (wavelength is {angstrom})."
        raise ValueError(msg)
    return angstrom


def _date(path, picture, date):
    date = date or date_of(picture)
    if date is None:
        msg = f"Neither name nor texts of {path} tell when it was taken: pass date."
        raise ValueError(msg)
    return parse_time(date)


def _disk(path, index):
    disk = fit_limb(index.astype(np.float32))
    if not disk.found:
        msg = f"{path} shows no limb to find the Sun by: is it a picture of the whole disc?"
        raise InvalidMapError(msg)
    return disk


SOURCES = ("sdo", "helioviewer", "other")
# Wavelengths of pictures in Angstrom, and the AIA channel whose colours they have.
CHANNELS = {171: 171, 193: 193, 195: 193}
# The display scales above were compared with FITS files of these; before 2011 they were others.
_CALIBRATED = {("sdo", 193), ("helioviewer", 171), ("helioviewer", 193)}
_CALIBRATED_SINCE = 2011
# The year from which on the contrast of pictures is lower than that of their display scale, and by which power; their
# brightness stays relative. Pictures of June to December 2021 were compared with those of other sources of the same
# weeks. Those of 2012 have the full contrast; nothing is known of the years between.
_CONTRASTS = {("sdo", 171): (2021, 1.35)}
_DATE = re.compile(r"(?<!\d)(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)[-_T. ]{1,2}(\d\d)[-_:.]?(\d\d)(?:[-_:.]?(\d\d))?(?!\d)")
_SDO_NAME = re.compile(r"\d{8}_\d{6}_(\d+_\d{4}|SDO_AIA_\d+_\d+)$")
# Brightness as JPEG keeps it, at full resolution where colour is coarser; every colour table rises in it.
_LUMA = np.array([0.299, 0.587, 0.114])
# Mean difference of the colours of an image from those of its table, of 255; JPEG makes about 2, another table 25.
_MOST_DIFFERENCE = 10


@dataclass(frozen=True)
class Picture:
    """
    The contents of the file of a picture.

    Attributes
    ----------
    name : str
        The name of the file without its extension.
    kind : str
        ``"JPEG"``, ``"PNG"`` or ``"JPEG2000"``.
    pixels : numpy.ndarray
        (ny, nx) or (ny, nx, 3), uint8, from the top.
    texts : dict
        The other facts that the file tells.
    """

    name: str
    kind: str
    pixels: np.ndarray
    texts: dict

    @property
    def is_suvi(self):
        return "suvi" in self.name.lower()


def read_picture(path):
    """The `Picture` in a file; OSError where it is none or not whole."""
    with Image.open(path, formats=["JPEG", "PNG", "JPEG2000"]) as image:
        texts = {key: value for key, value in image.info.items() if isinstance(value, str)}
        if image.mode.startswith("I"):  # grey, of 16 bits
            pixels = (np.asarray(image) // 257).clip(0, 255).astype(np.uint8)
        else:
            pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"))
        return Picture(path.stem, image.format, pixels, texts)


def date_of(picture):
    """The date and time of day that the name of a picture or its texts tell, as datetime; None without."""
    texts = [text for key, text in picture.texts.items() if key != "Creation Time"]  # of the file
    for text in (picture.name, *texts):
        for match in _DATE.finditer(text):
            try:
                return datetime(*(int(part or 0) for part in match.groups()))
            except ValueError:  # digits that are no date
                continue
    return None


def source_of(picture):
    """Return the one of `SOURCES` that a picture comes from; only sources compared with FITS files are known."""
    if picture.is_suvi:
        return "other"
    if picture.kind == "JPEG" and _SDO_NAME.fullmatch(picture.name):
        return "sdo"
    # Helioviewer writes PNG without naming a program, which others do.
    if picture.kind == "JPEG2000" or (picture.kind == "PNG" and "Software" not in picture.texts):
        return "helioviewer"
    return "other"


def is_calibrated(source, wavelength, date):
    """Return True if the display scale is known for a source, a wavelength in Angstrom and a Time."""
    return (source, wavelength) in _CALIBRATED and date.datetime.year >= _CALIBRATED_SINCE


def contrast_of(source, wavelength, date):
    """Return the power that restores the contrast of pictures of a source, a wavelength in Angstrom and a Time."""
    since, power = _CONTRASTS.get((source, wavelength), (0, 1.0))
    return power if date.datetime.year >= since else 1.0


def colour_index(pixels):
    """
    Invert the colour table of a picture.

    Parameters
    ----------
    pixels : numpy.ndarray
        (ny, nx) of a grey picture or (ny, nx, 3) of one in colour, uint8.

    Returns
    -------
    index : numpy.ndarray
        (ny, nx) uint8, the position in the colour table.
    wavelength : int or None
        171 or 193 in Angstrom, whose colours these are; None for grey.

    Raises
    ------
    ValueError
        If the colours are those of no known table.
    """
    if pixels.ndim == 2:
        return pixels, None
    if (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all():
        return pixels[..., 0], None
    sample = pixels[:: max(1, len(pixels) // 512), :: max(1, len(pixels) // 512)]
    differences = {wavelength: _difference(sample, wavelength) for wavelength in DISPLAY_SCALES}
    wavelength = min(differences, key=differences.get)
    if differences[wavelength] > _MOST_DIFFERENCE:
        tables = " and ".join(f"AIA {known}" for known in differences)
        msg = f"its colours are those of no known table ({tables} Angstrom)"
        raise ValueError(msg)
    return _index(pixels, wavelength), wavelength


@cache
def _table(wavelength):
    from sunpy.visualization.colormaps import cmlist

    return np.round(cmlist[f"sdoaia{wavelength}"](np.arange(256))[:, :3] * 255)


def _index(pixels, wavelength):
    index = np.interp(pixels @ _LUMA.astype(np.float32), _table(wavelength) @ _LUMA, np.arange(256))
    return np.round(index).astype(np.uint8)


def _difference(pixels, wavelength):
    index = _index(pixels, wavelength)
    coloured = (index > 20) & (index < 230)  # black and white are the same in all tables
    if not coloured.any():
        return np.inf
    return np.abs(_table(wavelength)[index[coloured]] - pixels[coloured]).max(axis=-1).mean()


def header_of(picture, disk, date, wavelength):
    """
    The FITS header of a picture of the Sun from Earth, solar north up.

    Parameters
    ----------
    picture : Picture
    disk : sunpy_scss.canonical._limb.Disk
        Where the Sun is, with rows counted from the bottom.
    date : astropy.time.Time
    wavelength : int
        In Angstrom.

    Returns
    -------
    dict
    """
    radius = sun.angular_radius(date)
    scale = radius.to_value(u.arcsec) / disk.radius
    header = {
        "DATE-OBS": date.isot,
        "WAVELNTH": wavelength,
        "WAVEUNIT": "angstrom",
        "HGLN_OBS": 0.0,
        "HGLT_OBS": sun.B0(date).to_value(u.deg),
        "DSUN_OBS": sun.earth_distance(date).to_value(u.m),
        "RSUN_OBS": radius.to_value(u.arcsec),
        "CROTA2": 0.0,
    }
    for axis, centre in enumerate((disk.column, disk.row), start=1):
        header[f"CTYPE{axis}"] = ("HPLN-TAN", "HPLT-TAN")[axis - 1]
        header |= {f"CUNIT{axis}": "arcsec", f"CDELT{axis}": scale, f"CRVAL{axis}": 0.0, f"CRPIX{axis}": centre + 1}
    if picture.is_suvi or wavelength == 195:
        return header | {"TELESCOP": "GOES-R", "INSTRUME": "GOES-R Series Solar Ultraviolet Imager"}
    return header | {"TELESCOP": "SDO/AIA", "INSTRUME": {171: "AIA_3", 193: "AIA_2"}[wavelength]}
