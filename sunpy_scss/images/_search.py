"""Images from archives."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import astropy.units as u
from astropy.table import QTable, Row, vstack
from astropy.time import Time
from sunpy.time import parse_time

from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import MissingImageWarning

__all__ = ["fetch", "search_aia"]


@u.quantity_input
def search_aia(
    time: str | Time | Sequence[str | Time],
    wavelength: u.Quantity[u.AA] = (171, 193) * u.AA,
    *,
    source: str = "synoptic",
    max_gap: u.Quantity[u.s] = 30 * u.min,
    timeout: u.Quantity[u.s] = 60 * u.s,
    attempts: int = 3,
) -> QTable:
    """
    Find the AIA images nearest to some times.

    Parameters
    ----------
    time : str, astropy.time.Time or list
        One time as `sunpy.time.parse_time` reads it, or many.
    wavelength : astropy.units.Quantity, optional
        One or many; by default those of active regions and coronal holes.
    source : str, optional
        The archive. ``"synoptic"``: level 1.5 FITS of 1024 x 1024 pixels, every two minutes, from the JSOC;
        what the bundled models need. ``"vso"``: level 1 FITS of 4096 x 4096 pixels, through the Virtual Solar
        Observatory. ``"helioviewer"``: JPEG 2000 of 4096 x 4096 pixels, scaled for display.
    max_gap : astropy.units.Quantity, optional
        Images farther from the time asked for do not count.
    timeout : astropy.units.Quantity, optional
        How long an archive may take to answer for one of the times.
    attempts : int, optional
        How often to ask an archive that fails.

    Returns
    -------
    astropy.table.QTable
        A row for each time and wavelength that has an image, in that order: ``time`` as asked for, ``obstime``,
        ``wavelength`` in Å, ``source``, ``file`` (the name it will have) and ``url`` (empty for ``"vso"``).
        Rows can be selected before they are given to `fetch`.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If the archive does not answer, or not as it should: never taken for an absence of images.
    ValueError
        If there is no such source or channel of AIA.

    Warns
    -----
    `~sunpy_scss.exceptions.MissingImageWarning`
        If there is no image near some times; they are left out.

    Examples
    --------
    >>> from sunpy_scss.images import fetch, read_map, search_aia
    >>> found = search_aia(["2017-01-03", "2017-01-04"])  # doctest: +REMOTE_DATA
    >>> maps = [read_map(path) for path in fetch(found, path="images")]  # doctest: +SKIP
    """
    from sunpy_scss.images import _archives

    if source not in _archives.ARCHIVES:
        msg = f"source must be one of {', '.join(_archives.ARCHIVES)} (got {source!r})."
        raise ValueError(msg)
    channels = [round(value) for value in np.atleast_1d(wavelength.to_value(u.AA))]
    if unknown := [channel for channel in channels if channel not in _archives.CHANNELS]:
        msg = (
            f"AIA has no channel of {unknown[0]} Angstrom; its channels are {', '.join(map(str, _archives.CHANNELS))}."
        )
        raise ValueError(msg)
    moments = Time([parse_time(moment) for moment in _as_list(time)])
    settings = {"max_gap": max_gap, "timeout": timeout.to_value(u.s), "attempts": attempts}
    rows = []
    for moment in moments:
        found = _archives.ask(source, moment, channels, **settings)
        rows += [(moment, found[channel]) for channel in channels if channel in found]
    if missing := len(moments) * len(channels) - len(rows):
        msg = f"{source} has no image within {max_gap} of the time asked for, {missing} times; these are left out."
        warn_caller(msg, MissingImageWarning)
    return _table(rows, source)


def _as_list(time):
    if isinstance(time, str) or np.ndim(time) == 0:
        return [time]
    return list(time)


def _table(rows, source):
    """Files found as a table; what has no URL is kept in its ``meta``, by name."""
    moments, found = [row[0] for row in rows], [row[1] for row in rows]
    columns = {
        "time": _times(moments),
        "obstime": _times([file.obstime for file in found]),
        "wavelength": u.Quantity([file.wavelength for file in found], u.AA),
        "source": np.array([source] * len(found), dtype=str),
        "file": np.array([file.name for file in found], dtype=str),
        "url": np.array([file.url or "" for file in found], dtype=str),
    }
    return QTable(columns, meta={"records": {file.name: file.record for file in found if file.record is not None}})


def _times(times):
    return Time(np.array([time.isot for time in times], dtype="U23"), format="isot")


@u.quantity_input
def fetch(
    results: QTable | Row | Sequence[Row],
    path: str | os.PathLike = ".",
    *,
    overwrite: bool = False,
    progress: bool = True,
    timeout: u.Quantity[u.s] = 60 * u.s,
    attempts: int = 3,
) -> list[Path]:
    """
    Download what `search_aia` found.

    Several files at a time, by parfive. A file appears when all of it is there and it is an image; what fails is
    tried again.

    Parameters
    ----------
    results : astropy.table.QTable, astropy.table.Row or list of astropy.table.Row
        From `search_aia`, or some of its rows.
    path : path-like, optional
        Folder, made if it does not exist.
    overwrite : bool, optional
        By default a file that exists is kept and not downloaded.
    progress : bool, optional
        Show progress bars if True.
    timeout : astropy.units.Quantity, optional
        How long an archive may be silent.
    attempts : int, optional
        How often to try each file.

    Returns
    -------
    list of pathlib.Path
        One for each row, in that order.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If some files could not be had at any attempt; the others are in the folder.

    Examples
    --------
    >>> from sunpy_scss.images import fetch, search_aia
    >>> fetch(search_aia("2017-01-03"), path="images")  # doctest: +SKIP
    """
    from sunpy_scss.images import _archives

    results = _as_table(results)
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    names = [str(name) for name in results["file"]]
    records = results.meta["records"]
    files = [
        _archives.AIAFile(row["obstime"], row["wavelength"], name, str(row["url"]), records.get(name))
        for row, name in zip(results, names, strict=True)
        if overwrite or not (folder / name).exists()
    ]
    _archives.download(files, folder, timeout=timeout.to_value(u.s), attempts=attempts, progress=progress)
    return [folder / name for name in names]


def _as_table(results):
    """Results, a row of them or a list of rows, as a table."""
    if isinstance(results, QTable):
        return results
    rows = [results] if isinstance(results, Row) else list(results)
    if not rows or not all(isinstance(row, Row) for row in rows):
        msg = f"Expected what search_aia returns, or rows of it (got {type(results).__name__})."
        raise TypeError(msg)
    tables = [row.table[row.index : row.index + 1] for row in rows]
    records = {name: record for table in tables for name, record in table.meta["records"].items()}
    table = vstack(tables, metadata_conflicts="silent")
    table.meta["records"] = records
    return table
