"""Files of results, written whole or not at all; missing folders are made."""

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

# The beginnings of cells that spreadsheets compute. Numbers that are written as text may begin with a sign.
_FORMULA = ("=", "@")

# The field of a picture that takes any text.
_SIGNED = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}

_SCRATCH = ".sunpy-scss-"
# A scratch folder is locked microseconds after it is made. Where locks do not work, only its age tells.
_YOUNG, _OLD = 10, 86400


def refuse_existing(*paths, overwrite):
    """
    Raise an error if results would replace files; call it before they are computed.

    Parameters
    ----------
    *paths : path-like
    overwrite : bool
        Replace them, without an error.

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
    Save a Map as FITS, whole or not at all; an existing file is replaced.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    path : path-like
    """
    save_whole(path, lambda scratch: smap.save(scratch))


def save_figure(figure, path, *, dpi=None, sign=None):
    """
    Save a figure, whole or not at all, and close it; an existing file is replaced.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Its suffix is the format, such as ``.png``, ``.pdf`` or ``.svg``.
    dpi : float, optional
        Pixels per inch; the default is that of the figure.
    sign : str, optional
        A text in ASCII that tells the origin of the figure; it can be found among the bytes of the file.
    """
    import matplotlib.pyplot as plt  # a heavy import that other files do not need

    try:
        # Tight, because the layout of a figure does not know the titles of WCSAxes.
        metadata = {_SIGNED[Path(path).suffix]: sign} if sign else None
        save_whole(
            path,
            lambda scratch: figure.savefig(scratch, bbox_inches="tight", dpi=dpi or "figure", metadata=metadata),
        )
    finally:
        plt.close(figure)


def save_table(table, path):
    """
    Save a table in the format of its suffix, whole or not at all; an existing file is replaced.

    In CSV a text that spreadsheets would read as a formula gets an apostrophe before it. The name of a file may be such
    a text.

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
    Save a text as UTF-8, whole or not at all; an existing file is replaced.

    Parameters
    ----------
    text : str
    path : path-like
    """
    save_whole(path, lambda scratch: scratch.write_text(text, encoding="utf-8", newline=""))


def plain(value):
    """Return a number, text or array in the types of JSON, which has no NaN."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def plain_rows(table):
    """
    Return a table in the types of JSON.

    Parameters
    ----------
    table : astropy.table.Table
        A column of coordinates becomes two, of longitudes and latitudes.

    Returns
    -------
    rows : list of dict
    units : dict
        The units of the columns that have one.
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
        An existing file is replaced; a missing folder is made.
    write : callable
        A function of the path to write to, which has the suffix of ``path``.
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
    Yield a folder for unfinished files, on the disk of their final place.

    It is removed at the end. A folder that a killed program left is removed when the next one begins to write there.

    Parameters
    ----------
    parent : path-like
        The folder in which it is made.

    Yields
    ------
    pathlib.Path
    """
    _sweep(Path(parent).resolve())
    with tempfile.TemporaryDirectory(dir=parent, prefix=_SCRATCH) as folder:
        lock = FileLock(Path(folder, ".lock"))
        with suppress(OSError, NotImplementedError):  # some file systems of clusters have no locks
            lock.acquire(timeout=0)
        try:
            yield Path(folder)
        finally:
            lock.release()


@lru_cache(maxsize=1024)  # once for each folder: to list a large one takes time
def _sweep(parent):
    for folder in parent.glob(f"{_SCRATCH}*"):
        if _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder):
    """Return True if the program that made a scratch folder has ended without removing it."""
    try:
        age = time.time() - folder.stat().st_mtime
        if age < _YOUNG:
            return False
        with FileLock(folder / ".lock", timeout=0):
            return True
    except (Timeout, FileNotFoundError):  # its owner is at work, or has just removed it
        return False
    except (OSError, NotImplementedError):  # nothing can be locked here
        return age > _OLD
