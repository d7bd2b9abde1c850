"""Masks from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._sun.surface import surface_of
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.images._read import read_map

if TYPE_CHECKING:
    import os

    from sunpy.map import GenericMap

__all__ = ["read_mask"]


def read_mask(path: str | os.PathLike) -> GenericMap:
    """
    Read the one mask of a file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    sunpy.map.GenericMap

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the file is missing, cut off, no image, or has several.
    `~sunpy_scss.exceptions.InvalidMapError`
        If it has other values than 0 and 1, or coordinates that are neither helioprojective nor heliographic; the
        message names the file.

    Examples
    --------
    >>> from sunpy_scss.masks import read_mask
    >>> mask = read_mask("aia193_ch.fits")  # doctest: +SKIP
    """
    mask = read_map(path)
    try:
        surface_of(mask)
        pixels_inside(mask)
    except InvalidMapError as error:
        msg = f"{path}: {error}"
        raise InvalidMapError(msg) from error
    return mask
