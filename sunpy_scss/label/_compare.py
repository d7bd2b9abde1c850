"""The labels of two people, image by image."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import sunpy.map
from astropy.table import QTable, vstack

from sunpy_scss.annotations._index import read_index
from sunpy_scss.exceptions import AnnotationError
from sunpy_scss.images._read import read_map
from sunpy_scss.label._folder import fitted
from sunpy_scss.masks._compare import compare_masks

__all__ = ["compare_folders"]


def compare_folders(first: str | os.PathLike, second: str | os.PathLike) -> QTable:
    """
    Compare the labels that two people drew of the same images.

    Parameters
    ----------
    first, second : path-like
        Folders of labels, as the page of `label_images` and `sunpy_scss.train.write_folder` write them.

    Returns
    -------
    astropy.table.QTable
        A row for each image that both folders list, in the order of the first, with its ``key`` and the columns of
        `sunpy_scss.masks.compare_masks`: ``iou``, ``dice``, ``area_first``, ``area_second``, ``overlap``,
        ``area_ratio``. Pixels that one of them left open, -1 in the mask, are not compared.

    Raises
    ------
    FileNotFoundError
        If a folder has no index, or a mask is missing.
    `~sunpy_scss.exceptions.AnnotationError`
        If the folders have no image in common, or two masks are of different times.

    Examples
    --------
    >>> import tempfile
    >>> from sunpy_scss.label import compare_folders
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> from sunpy_scss.train import LabelledMap, write_folder
    >>> sun = synthetic_sun(size=64)
    >>> anna, ben = tempfile.mkdtemp(), tempfile.mkdtemp()
    >>> for folder in (anna, ben):
    ...     write_folder([LabelledMap("sun", sun.image, sun.coronal_holes)], folder)
    >>> compare_folders(anna, ben)["key", "iou"].pprint()
    key iou
    --- ---
    sun 1.0
    """
    folders = [Path(folder) for folder in (first, second)]
    listed = [[row["key"] for row in read_index(folder / "index.csv")] for folder in folders]
    keys = [key for key in listed[0] if key in set(listed[1])]
    if not keys:
        msg = f"{first} and {second} have no image in common: the keys in their index.csv are all different."
        raise AnnotationError(msg)
    tables = [_compared(key, *(read_map(folder / "masks" / f"{key}.fits") for folder in folders)) for key in keys]
    table = vstack(tables, metadata_conflicts="silent")
    table.add_column(keys, name="key", index=0)
    return table


def _compared(key, mask, other):
    try:
        other = fitted(other, mask)
    except AnnotationError as error:
        msg = f"{key}: {error}"
        raise AnnotationError(msg) from error
    known = (mask.data >= 0) & (other.data >= 0)
    both = [sunpy.map.Map(np.where(known, one.data, 0).astype(np.int16), one.meta) for one in (mask, other)]
    table = compare_masks(both)
    table.remove_columns(["first", "second"])
    return table
