"""Pictures of the Sun made for the eye: what their names, texts and colours tell."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np
from PIL import Image

import astropy.units as u
from sunpy.coordinates import sun

from sunpy_scss._pixels import DISPLAY_SCALES

__all__ = [
    "CHANNELS",
    "SOURCES",
    "Picture",
    "colour_index",
    "date_of",
    "header_of",
    "is_calibrated",
    "read_picture",
    "source_of",
]

SOURCES = ("sdo", "helioviewer", "other")
# Wavelengths of pictures in Angstrom, and the AIA channel whose colours they have.
CHANNELS = {171: 171, 193: 193, 195: 193}

# The scales of sunpy_scss._pixels were compared with FITS files of these; before 2011 they were others.
_CALIBRATED = {("sdo", 193), ("helioviewer", 171), ("helioviewer", 193)}
_CALIBRATED_SINCE = 2011

_DATE = re.compile(r"(?<!\d)(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)[-_T. ]{1,2}(\d\d)[-_:.]?(\d\d)(?:[-_:.]?(\d\d))?(?!\d)")
_SDO_NAME = re.compile(r"\d{8}_\d{6}_(\d+_\d{4}|SDO_AIA_\d+_\d+)$")
# Brightness as JPEG keeps it, at full resolution where colour is coarser; every colour table rises in it.
_LUMA = np.array([0.299, 0.587, 0.114])
# Mean difference of the colours of an image from those of its table, of 255; JPEG makes about 2, another table 25.
_MOST_DIFFERENCE = 10


@dataclass(frozen=True)
class Picture:
    """
    What is in the file of a picture.

    Attributes
    ----------
    name : str
        Of the file, without what follows the last dot.
    kind : str
        ``"JPEG"``, ``"PNG"`` or ``"JPEG2000"``.
    pixels : numpy.ndarray
        (ny, nx) or (ny, nx, 3), uint8, from the top.
    texts : dict
        What the file tells besides.
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
    """Which of `SOURCES` a picture comes from; only what was compared with FITS files is claimed."""
    if picture.is_suvi:
        return "other"
    if picture.kind == "JPEG" and _SDO_NAME.fullmatch(picture.name):
        return "sdo"
    # Helioviewer writes PNG without naming a program, which others do.
    if picture.kind == "JPEG2000" or (picture.kind == "PNG" and "Software" not in picture.texts):
        return "helioviewer"
    return "other"


def is_calibrated(source, wavelength, date):
    """Whether the display scale of pictures of a source, a wavelength in Angstrom and a Time is known."""
    return (source, wavelength) in _CALIBRATED and date.datetime.year >= _CALIBRATED_SINCE


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
    disk : sunpy_scss._limb.Disk
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
