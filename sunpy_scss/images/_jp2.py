"""JPEG 2000 without the system library that sunpy's own reader needs: pixels by Pillow, header from the XML box."""

from xml.etree import ElementTree

import numpy as np
from PIL import Image

__all__ = ["is_jp2", "read_header", "read_jp2"]

_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
# Cards about the pixels of the FITS file that the image was made of.
_STALE = {"SIMPLE", "EXTEND", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "BLANK", "BSCALE", "BZERO", "CHECKSUM", "DATASUM"}


def is_jp2(path):
    """Return True if a file begins like a JPEG 2000 file."""
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def read_jp2(path):
    """
    Data (rows from south to north, as in FITS) and header of a JPEG 2000 file.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    data : numpy.ndarray
        (ny, nx), of the type of the file; uint8 in those of Helioviewer.
    header : dict
        Describes the pixels that are there: thumbnails carry the header of the full image, which is rescaled.

    Raises
    ------
    ValueError
        If the file is of several channels, or has no FITS header in an XML box.
    """
    with Image.open(path) as image:
        pixels = np.asarray(image)
    header = read_header(path)
    if pixels.ndim != 2 or not header:
        msg = "it is a picture without coordinates; use sunpy_scss.images.from_browse"
        raise ValueError(msg)
    return np.ascontiguousarray(pixels[::-1]), _mended(header, pixels.shape[::-1])


def read_header(path):
    """Return the FITS header in a JPEG 2000 file, as it stands there; empty without."""
    for text in _xml_boxes(path):
        try:
            cards = ElementTree.fromstring(text).findall(".//fits/*")
        except ElementTree.ParseError:
            continue
        return {card.tag: _number(card.text.strip()) for card in cards if card.text}
    return {}


def _xml_boxes(path):
    """The contents of the XML boxes; a box is its length, its kind and its content (ISO/IEC 15444-1, annex I)."""
    end = path.stat().st_size
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            begin, length, kind = file.tell() - 8, int.from_bytes(head[:4]), head[4:]
            if length == 1:
                length = int.from_bytes(file.read(8))
            length = length or end - begin  # 0: up to the end of the file
            if begin + length < file.tell():
                return
            if kind == b"xml ":
                yield file.read(begin + length - file.tell()).strip(b"\0 \r\n\t")
            file.seek(begin + length)


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _mended(header, shape):
    """The header for the ``shape`` (nx, ny) that the image has: its outer edges stay where they are."""
    # NaN equals nothing, not itself either; FITS cannot hold it.
    mended = {key: value for key, value in header.items() if key not in _STALE and value == value}
    for axis, size in enumerate(shape, start=1):
        factor = header.get(f"NAXIS{axis}", size) / size
        if f"CDELT{axis}" in mended:
            mended[f"CDELT{axis}"] *= factor
        if f"CRPIX{axis}" in mended:
            # Counted from the outer edge, which lies half a pixel before the centre of pixel 1.
            mended[f"CRPIX{axis}"] = (mended[f"CRPIX{axis}"] - 0.5) / factor + 0.5
    return mended
