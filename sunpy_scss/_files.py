"""Whether a file is a whole image, and what to tell who has it if not."""

import warnings

from PIL import Image

import sunpy.map
from astropy.io import fits

from sunpy_scss._jp2 import is_jp2, read_jp2
from sunpy_scss.exceptions import UnreadableFileError

__all__ = ["check_image", "maps_in", "read"]

# How the files of JPEG and PNG begin.
_PICTURE = (b"\xff\xd8\xff", b"\x89PNG")
# What astropy and Pillow say of files that are not whole.
_CUT_OFF = ("truncated", "corrupt", "not multiple of 2880", "broken data stream", "end-of-stream")


def read(reader, path):
    """What a reader makes of a file; whatever it stumbles over becomes one clear error."""
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
        _check_whole(path)
    else:
        with Image.open(path) as image:
            image.load()
