"""Results to files, whole or not at all, in folders that are made where missing."""

import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time

from sunpy_scss.exceptions import OutputExistsError

__all__ = [
    "plain",
    "plain_rows",
    "refuse_existing",
    "save_figure",
    "save_map",
    "save_table",
    "save_text",
    "save_whole",
    "scratch_folder",
]

# How a cell begins that spreadsheets compute; numbers that are written as text may begin with a sign.
_FORMULA = ("=", "@")

# The field of a picture that takes any text.
_SIGNED = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}

_SCRATCH = ".sunpy-scss-"
# A scratch folder is locked within microseconds of its making; where nothing can be locked, only age tells.
_YOUNG, _OLD = 10, 86400


def refuse_existing(*paths, overwrite):
    """
    Raise an error where results would replace files; better before they are worked out than after.

    Parameters
    ----------
    *paths : path-like
    overwrite : bool
        Whether to replace them, so that there is no error.

    Raises
    ------
    sunpy_scss.exceptions.OutputExistsError
        If one of them exists.
    """
    there = [str(path) for path in paths if Path(path).exists()]
    if there and not overwrite:
        problem = f"There already: {', '.join(there)}."
        raise OutputExistsError(problem, "To replace, pass overwrite=True.", in_shell="To replace, pass --overwrite.")


def save_map(smap, path):
    """
    Save a Map as FITS, whole or not at all; what is there is replaced.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    path : path-like
    """
    save_whole(path, lambda scratch: smap.save(scratch))


def save_figure(figure, path, *, dpi=None, sign=None):
    """
    Save a figure and close it, whole or not at all; what is there is replaced.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        The end of its name says the format, such as ``.png``, ``.pdf`` or ``.svg``.
    dpi : float, optional
        Pixels for each inch; those of the figure by default.
    sign : str, optional
        A text in ASCII to find again among the bytes of the file, which says what it was made of.
    """
    import matplotlib.pyplot as plt  # a heavy import that other files do without

    try:
        # Tight: the layout of a figure does not know of the titles of WCSAxes.
        metadata = {_SIGNED[Path(path).suffix]: sign} if sign else None
        save_whole(
            path,
            lambda scratch: figure.savefig(scratch, bbox_inches="tight", dpi=dpi or "figure", metadata=metadata),
        )
    finally:
        plt.close(figure)


def save_table(table, path):
    """
    Save a table in the format that the name ends with, whole or not at all; what is there is replaced.

    In CSV a text that spreadsheets would take for a formula, as the name of a file may be one, gets an apostrophe
    before it.

    Parameters
    ----------
    table : astropy.table.Table
    path : path-like
    """
    if Path(path).suffix == ".csv":
        table = _without_formulas(table)
    save_whole(path, lambda scratch: table.write(scratch))


def _without_formulas(table):
    safe = table.copy(copy_data=False)
    for name in table.colnames:
        if any(map(_is_formula, table[name])):
            safe[name] = [f"'{cell}" if _is_formula(cell) else cell for cell in table[name]]
    return safe


def _is_formula(cell):
    return isinstance(cell, str) and cell.startswith(_FORMULA)


def save_text(text, path):
    """
    Save a text as UTF-8, whole or not at all; what is there is replaced.

    Parameters
    ----------
    text : str
    path : path-like
    """
    save_whole(path, lambda scratch: scratch.write_text(text, encoding="utf-8", newline=""))


def plain(value):
    """A number, text or array as JSON has it, which knows no NaN."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def plain_rows(table):
    """
    A table as JSON has it.

    Parameters
    ----------
    table : astropy.table.Table
        A column of coordinates becomes two, of longitudes and latitudes.

    Returns
    -------
    rows : list of dict
    units : dict
        Of the columns that have one.
    """
    columns, units = {}, {}
    for name, column in table.columns.items():
        parts = {name: column}
        if isinstance(column, SkyCoord):
            parts = {f"{name}_lon": column.spherical.lon, f"{name}_lat": column.spherical.lat}
        for key, part in parts.items():
            if isinstance(part, u.Quantity):
                units[key] = part.unit.to_string()
            columns[key] = plain(part.isot if isinstance(part, Time) else np.asarray(getattr(part, "value", part)))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], units


def save_whole(path, write):
    """
    Write a file under another name and move it into place, so that it appears whole or not at all.

    Parameters
    ----------
    path : path-like
        What is there is replaced; its folder is made where missing.
    write : callable
        Of the path to write to, which ends like ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(path.parent) as folder:
        scratch = folder / path.name
        write(scratch)
        scratch.replace(path)


@contextmanager
def scratch_folder(parent):
    """
    A folder for files in the making, on the disk where they will be.

    It is removed at the end. What a killed program left is removed when the next one begins to write there.

    Parameters
    ----------
    parent : path-like
        Where it is made.

    Yields
    ------
    pathlib.Path
    """
    _sweep(Path(parent).resolve())
    with tempfile.TemporaryDirectory(dir=parent, prefix=_SCRATCH) as folder:
        lock = FileLock(Path(folder, ".lock"))
        with suppress(OSError, NotImplementedError):  # some file systems of clusters know no locks
            lock.acquire(timeout=0)
        try:
            yield Path(folder)
        finally:
            lock.release()


@lru_cache(maxsize=1024)  # once for each folder: listing a large one takes time
def _sweep(parent):
    for folder in parent.glob(f"{_SCRATCH}*"):
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder):
    """Tell whether the program that made a scratch folder has ended without removing it."""
    try:
        age = time.time() - folder.stat().st_mtime
        if age < _YOUNG:
            return False
        with FileLock(folder / ".lock", timeout=0):
            return True
    except (Timeout, FileNotFoundError):  # its owner is at work, or has removed it a moment ago
        return False
    except (OSError, NotImplementedError):  # nothing can be locked here
        return age > _OLD
