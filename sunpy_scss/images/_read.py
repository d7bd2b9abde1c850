"""Maps from any file that holds one image of the Sun."""

import bz2
import os
import re
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.io import fits
from sunpy.map import GenericMap

from sunpy_scss.canonical._mend import mended
from sunpy_scss.exceptions import UnreadableFileError
from sunpy_scss.images._jp2 import is_jp2, read_jp2

__all__ = ["check_image", "example_map", "maps_in", "read", "read_map"]

_EXAMPLES = {171: "aia_171_level1.fits", 193: "2013_06_24__17_31_30_84__SDO_AIA_AIA_193.jp2"}


def read_map(path: str | os.PathLike) -> GenericMap:
    """
    Read the one Map of a file.

    Everything that sunpy reads (FITS, ASDF), FITS packed by bzip2, and JPEG 2000 as Helioviewer gives it, for which
    sunpy itself needs a system library. Where such an image has fewer pixels than its header says, as thumbnails do,
    the scale is mended.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    sunpy.map.GenericMap
        In the type and unit of the file. The pixels of JPEG 2000 images of Helioviewer are uint8, scaled for display,
        and plotted as they are; segmentation turns those of AIA 171 and 193 Å back into DN/s.

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
    maps = read(maps_in, path)
    if not isinstance(maps, GenericMap):
        msg = f"{path} holds {len(maps)} images: open it by sunpy.map.Map and choose one."
        raise UnreadableFileError(msg)
    return mended(maps)


def example_map(wavelength: u.Quantity | int) -> GenericMap:
    """
    A real full-disc AIA image that comes with sunpy, for examples and tests without network.

    Parameters
    ----------
    wavelength : astropy.units.Quantity or int
        In Angstrom without a unit. 193: of 2013-06-24 with two large coronal holes, 410 x 410 pixels scaled for
        display (uint8); 171: of 2011-02-15 with active regions, 128 x 128 pixels in DN.

    Returns
    -------
    sunpy.map.GenericMap

    Raises
    ------
    ValueError
        If there is no example of that wavelength.
    `~sunpy_scss.exceptions.UnreadableFileError`
        If sunpy was installed without its test images.

    Examples
    --------
    >>> from sunpy_scss.images import example_map
    >>> smap = example_map(193)
    >>> smap.data.shape, str(smap.wavelength)
    ((410, 410), '193.0 Angstrom')
    """
    wavelength = u.Quantity(wavelength, u.AA).value
    if wavelength not in _EXAMPLES:
        msg = f"There are examples of {' and '.join(map(str, _EXAMPLES))} Angstrom only (got {wavelength:g})."
        raise ValueError(msg)
    with as_file(files("sunpy") / "data" / "test" / _EXAMPLES[wavelength]) as path:
        if not path.exists():
            msg = f"This installation of sunpy lacks its test images ({path}): give a file of your own to read_map."
            raise UnreadableFileError(msg)
        return read_map(path)


# Names of the parts of FITS files that hold flags of pixels.
_FLAGS = re.compile(r"DQF?|FLAGS?|(DATA_?)?QUALITY(_?FLAGS?)?|(BAD)?_?(PIX)?_?MASK", re.IGNORECASE)
_FITS = (b"SIMPLE", b"\x1f\x8b")
# How FITS files that bzip2 has packed begin, and those of JPEG and PNG.
_BZIP2 = b"BZh"
_PICTURE = (b"\xff\xd8\xff", b"\x89PNG")
# What astropy and Pillow say of files that are not whole.
_CUT_OFF = ("truncated", "corrupt", "not multiple of 2880", "broken data stream", "end-of-stream")


def read(reader, path):
    """Return the result of a reader for a file; turn any failure into one clear error."""
    if not path.is_file():
        msg = f"{path} cannot be read: there is no such file."
        raise UnreadableFileError(msg)
    try:
        return reader(path)
    except Exception as error:
        msg = f"{path} cannot be read: {_reason(path, error)}."
        raise UnreadableFileError(msg) from error


def maps_in(path):
    """The Map in a file, or a list of several; any error where it is cut off, also where sunpy would only warn."""
    if is_jp2(path):
        return _shown_as_scaled(sunpy.map.Map(*read_jp2(path)))
    if _start(path).startswith(_BZIP2):
        return _unpacked(path)
    with _whole():
        return _without_flags(path) or sunpy.map.Map(path)


def _without_flags(path):
    """The Maps of a FITS file beside its quality flags, as of SUVI, which are none; None where it has no flags."""
    if not _start(path).startswith(_FITS):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # which sunpy does not tell either
        with fits.open(path, memmap=False) as units:
            images = [unit for unit in units if unit.is_image and unit.shape] if len(units) > 1 else []
            if not any(map(_is_flags, images)):
                return None
            return sunpy.map.Map([(unit.data, unit.header) for unit in images if not _is_flags(unit)])


def _is_flags(unit):
    return bool(_FLAGS.fullmatch(unit.name))


def _shown_as_scaled(smap):
    """A Map whose pixels, if they are scaled for display already, are plotted as they are."""
    if smap.data.dtype == np.uint8:
        smap.plot_settings["norm"] = Normalize(0, 255)
    return smap


def _unpacked(path):
    """Return the result of `maps_in` for a file packed by bzip2, a format that sunpy does not recognise."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, path.stem)
        with bz2.open(path) as packed, file.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        with _whole():
            return sunpy.map.Map(file, memmap=False)


@contextmanager
def _whole():
    """Raise an error where astropy would warn and go on with what there is of the data."""
    # Recorded and not made errors, for which astropy would leave the file open.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            if any("truncated" in str(one.message) for one in caught):
                msg = "truncated"
                raise OSError(msg)
    for one in caught:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _start(path):
    with path.open("rb") as file:
        return file.read(512).lstrip()


def _reason(path, error):
    """Return the reason why a file cannot be read, as far as it is known."""
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


def check_image(path):
    """
    Raise an error unless a file is a whole image: FITS, JPEG 2000, JPEG or PNG.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
    """
    read(_check_image, path)


def _check_image(path):
    if _start(path).startswith(b"SIMPLE"):
        with _whole(), fits.open(path) as units:
            len(units)  # which reads them all
    else:
        with Image.open(path) as image:
            image.load()
