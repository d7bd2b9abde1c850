"""Images as Maps: from any file, from pictures made for the eye."""

import warnings
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

import astropy.units as u
import sunpy.map
from astropy.io import fits
from sunpy.map import GenericMap
from sunpy.time import parse_time
from sunpy.util import MetaDict

from sunpy_scss import _browse
from sunpy_scss._jp2 import is_jp2, read_header, read_jp2
from sunpy_scss._limb import fit_limb
from sunpy_scss._pixels import linearise
from sunpy_scss.exceptions import CalibrationWarning, InvalidMapError, UnreadableFileError, warn_caller

__all__ = ["example_map", "from_browse", "read_map"]

_EXAMPLES = {171: "aia_171_level1.fits", 193: "2013_06_24__17_31_30_84__SDO_AIA_AIA_193.jp2"}
# How the files of JPEG and PNG begin.
_PICTURE = (b"\xff\xd8\xff", b"\x89PNG")
# What astropy and Pillow say of files that are not whole.
_CUT_OFF = ("truncated", "corrupt", "not multiple of 2880", "broken data stream", "end-of-stream")


def read_map(path):
    """
    Read the one Map of a file.

    Everything that sunpy reads (FITS, ASDF), and JPEG 2000 as Helioviewer gives it, for which sunpy itself needs a
    system library. Where such an image has fewer pixels than its header says, as thumbnails do, the scale is mended.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    sunpy.map.GenericMap
        In the type and unit of the file. The pixels of JPEG 2000 images of Helioviewer are uint8, scaled for display;
        segmentation turns those of AIA 171 and 193 Å back into DN/s.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the file does not exist, is cut off, is no image (a web page saved in place of one), or holds no Map or
        several.

    Examples
    --------
    >>> from sunpy_scss.images import read_map
    >>> read_map("nowhere.fits")
    Traceback (most recent call last):
    ...
    sunpy_scss.exceptions.UnreadableFileError: nowhere.fits cannot be read: there is no such file.
    """
    path = Path(path)
    maps = _read(_maps_in, path)
    if not isinstance(maps, GenericMap):
        msg = f"{path} holds {len(maps)} images: open it by sunpy.map.Map and choose one."
        raise UnreadableFileError(msg)
    return maps


def _read(reader, path):
    """What a reader makes of a file; whatever it stumbles over becomes one clear error."""
    if not path.is_file():
        msg = f"{path} cannot be read: there is no such file."
        raise UnreadableFileError(msg)
    try:
        return reader(path)
    except Exception as error:
        msg = f"{path} cannot be read: {_reason(path, error)}."
        raise UnreadableFileError(msg) from error


def _maps_in(path):
    if is_jp2(path):
        return sunpy.map.Map(*read_jp2(path))
    _check_whole(path)
    return sunpy.map.Map(path)


def _check_whole(path):
    """Raise an error where astropy would warn and go on with what there is of the data."""
    if _start(path).startswith(b"SIMPLE"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with fits.open(path) as units:
                units.info(output=False)
        if any("truncated" in str(warning.message) for warning in caught):
            msg = "truncated"
            raise OSError(msg)


def _start(path):
    with path.open("rb") as file:
        return file.read(512).lstrip()


def _reason(path, error):
    """Why a file cannot be read, in words of use to who has it, as far as they are known."""
    start = _start(path)
    if not start:
        return "it is empty; download it again"
    if start.startswith(b"<"):
        return "it is a web page, likely an error message saved in place of the image; download it again"
    reason = str(error.__cause__ or error)
    if any(sign in reason for sign in _CUT_OFF):
        return "it is cut off or damaged; download it again"
    if start.startswith(_PICTURE):
        return "it is a picture without coordinates; use sunpy_scss.images.from_browse"
    return reason.partition("\n")[0].rstrip(".")


def example_map(wavelength):
    """
    A real full-disc AIA image that comes with sunpy, for examples and tests without network.

    Parameters
    ----------
    wavelength : {171, 193}
        In Angstrom: 193, of 2013-06-24 with two large coronal holes, 410 x 410 pixels scaled for display (uint8);
        171, of 2011-02-15 with active regions, 128 x 128 pixels in DN.

    Returns
    -------
    sunpy.map.GenericMap

    Raises
    ------
    ValueError
        If there is no example of that wavelength.

    Examples
    --------
    >>> from sunpy_scss.images import example_map
    >>> smap = example_map(193)
    >>> smap.data.shape, str(smap.wavelength)
    ((410, 410), '193.0 Angstrom')
    """
    if wavelength not in _EXAMPLES:
        msg = f"There are examples of {' and '.join(map(str, _EXAMPLES))} Angstrom only (got {wavelength})."
        raise ValueError(msg)
    with as_file(files("sunpy") / "data" / "test" / _EXAMPLES[wavelength]) as path:
        return read_map(path)


@u.quantity_input
def from_browse(path, *, date=None, wavelength: u.AA = None, source=None):
    """
    A Map of a picture as web sites show them: JPEG, PNG or JPEG 2000 of the whole disc, solar north up.

    The colour table is inverted and the display scale undone where it is known. The centre of the disc and its radius
    in pixels are fitted to the limb; its radius in arcsec is that from Earth at that time. Writing in the corners does
    no harm.

    Parameters
    ----------
    path : path-like
    date : str, datetime or astropy.time.Time, optional
        When the image was taken. By default what the file's name tells (as in ``20170210_165517_1024_0193.jpg``), or
        its text entries.
    wavelength : astropy.units.Quantity, optional
        By default as the colours tell; needed for grey pictures. 195 Å takes an image for one of SUVI, as does a
        file name with ``suvi``.
    source : {"sdo", "helioviewer", "other"}, optional
        What made the picture, which decides whether its display scale is known: browse images of sdo.gsfc.nasa.gov at
        193 Å and images of Helioviewer at 171 and 193 Å, from 2011 on, were compared with FITS files. By default told
        from name and format: JPEG named as those of sdo.gsfc.nasa.gov, JPEG 2000 and plain PNG as of Helioviewer.

    Returns
    -------
    sunpy.map.GenericMap
        An AIA or SUVI Map, float32. In DN/s where the display scale is known (not below 21 DN/s at 193 Å and 5 DN/s at
        171 Å, where it clips); else dimensionless, with ``CALIB = 'relative'`` in the header and a warning, and
        segmentation treats it as an image of unknown calibration.

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
    if source is not None and source not in _browse.SOURCES:
        msg = f"source must be one of {', '.join(_browse.SOURCES)} (got {source!r})."
        raise ValueError(msg)
    picture = _read(_browse.read_picture, path)
    if picture.kind == "JPEG2000" and _read(read_header, path):
        smap = read_map(path)
        index, header, date = smap.data, smap.meta.copy(), smap.date
        angstrom = _checked_wavelength(path, smap.wavelength, None)
    else:
        index, colours = _colour_index(path, picture)
        angstrom = _checked_wavelength(path, wavelength, 195 if colours == 193 and picture.is_suvi else colours)
        date = _date(path, picture, date)
        header = MetaDict(_browse.header_of(picture, _disk(path, index), date, angstrom))
    is_aia = header["instrume"].startswith("AIA")
    if is_aia and _browse.is_calibrated(source or _browse.source_of(picture), angstrom, date):
        header["bunit"], header["calib"] = "DN / s", "display scale undone"
    else:
        header["bunit"], header["calib"] = "", "relative"
        msg = f"The display scale of {path} is unknown: its intensities are relative. If you know it, pass source."
        warn_caller(msg, CalibrationWarning)
    header["filename"] = path.name
    return sunpy.map.Map(linearise(index, _browse.CHANNELS[angstrom]), header)


def _colour_index(path, picture):
    try:
        index, colours = _browse.colour_index(picture.pixels)
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
    if angstrom not in _browse.CHANNELS:
        known = ", ".join(map(str, _browse.CHANNELS))
        msg = f"The wavelength of {path} must be one of {known} Angstrom (got {angstrom})."
        raise ValueError(msg)
    if colours is not None and _browse.CHANNELS[angstrom] != _browse.CHANNELS[colours]:
        msg = f"The colours of {path} are those of {colours} Angstrom (wavelength is {angstrom})."
        raise ValueError(msg)
    return angstrom


def _date(path, picture, date):
    date = date or _browse.date_of(picture)
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
