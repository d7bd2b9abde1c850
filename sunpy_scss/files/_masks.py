"""Masks in files: their regions, and how far they agree."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import astropy.units as u
from astropy.table import QTable, vstack
from astropy.time import Time
from astropy.utils.exceptions import AstropyUserWarning
from sunpy.util.exceptions import SunpyUserWarning

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._provenance import Provenance, said_by_all
from sunpy_scss._save import refuse_existing, save_map, save_table
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.hek._write import hek_records
from sunpy_scss.images._read import read_map
from sunpy_scss.masks._compare import compare_masks, consensus, disagreement
from sunpy_scss.masks._export import write_geojson
from sunpy_scss.masks._filaments import filament_score
from sunpy_scss.masks._table import region_table
from sunpy_scss.report._caveats import comparison_caveats

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from sunpy.map import GenericMap

__all__ = [
    "compare_files",
    "export_files",
    "gaps_to_images",
    "measure_files",
    "read_mask",
    "region_rows",
    "score_filaments",
]

# A mask that is farther from all images in time belongs to none of them.
LONGEST_GAP = 6 * u.hour

_FORMATS = (".ecsv", ".fits", ".csv")


def gaps_to_images(date, times):
    """How far images are from a mask in time; an error where it is too far from all of them to belong to one."""
    gaps = u.Quantity([abs(time - date).to(u.hour) for time in times])
    if gaps.min() > LONGEST_GAP:
        msg = f"The mask of {date.isot[:16]} is more than {LONGEST_GAP:g} away from any of the images."
        raise InvalidMapError(msg)
    return gaps


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
        As `~sunpy_scss.images.read_map`.
    `~sunpy_scss.exceptions.InvalidMapError`
        If it has other values than 0 and 1, or coordinates that are neither helioprojective nor heliographic; the
        message names the file.

    Examples
    --------
    >>> from sunpy_scss.files import read_mask
    >>> mask = read_mask("aia193_ch.fits")  # doctest: +SKIP
    """
    mask = read_map(path)
    with _naming(path):
        surface_of(mask)
        pixels_inside(mask)
    return mask


def measure_files(
    paths: Sequence[str | os.PathLike],
    *,
    images: Sequence[str | os.PathLike] = (),
    magnetograms: Sequence[str | os.PathLike] = (),
    probabilities: Sequence[str | os.PathLike] = (),
    target: str | os.PathLike | None = None,
    overwrite: bool = False,
) -> QTable:
    """
    Measure the regions of mask files.

    Parameters
    ----------
    paths : sequence of path-like
        One or more masks.
    images, magnetograms, probabilities : sequence of path-like, optional
        For the columns of `~sunpy_scss.masks.region_table` that need them: one file for all masks, or one for
        each, in their order.
    target : path-like, optional
        Where to write the table; the end of the name, ``.ecsv``, ``.fits`` or ``.csv``, says the format. FITS has
        times as text. CSV keeps no ``meta``, and has units in the names of columns.
    overwrite : bool, optional
        Replace a file that is there.

    Returns
    -------
    astropy.table.QTable
        A row for each region, in the order of the files: ``file``, ``time``, ``feature`` and ``method`` of the
        mask, as its header tells them, and the columns of `~sunpy_scss.masks.region_table`, in which ``lon``
        and ``lat`` in Stonyhurst coordinates stand for ``centroid``. What all headers say alike of the origin of the
        masks is in ``meta``.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If a file cannot be read.
    `~sunpy_scss.exceptions.InvalidMapError`
        As `~sunpy_scss.masks.region_table`; the message names the file.
    ValueError
        If there are no masks, neither one nor as many other files, or the format of ``target`` is none of the three.
    FileExistsError
        If ``target`` is there and is not to be replaced.

    Examples
    --------
    >>> from sunpy_scss.files import measure_files
    >>> table = measure_files(["day1_ch.fits", "day2_ch.fits"], target="holes.ecsv")  # doctest: +SKIP
    """
    if target is not None:
        _check_table_name(target)
        refuse_existing(target, overwrite=overwrite)
    if not paths:
        msg = "There must be a mask to measure (got none)."
        raise ValueError(msg)
    others = {
        name: _for_each(paths, files, name)
        for name, files in (("image", images), ("magnetogram", magnetograms), ("probability", probabilities))
        if files
    }
    tables = [
        _measure(Path(path), {name: files[number] for name, files in others.items()})
        for number, path in enumerate(paths)
    ]
    table = vstack(tables, metadata_conflicts="silent")
    table.meta = said_by_all([one.meta for one in tables])
    if target is not None:
        _save_regions(table, Path(target))
    return table


def score_filaments(
    paths: Sequence[str | os.PathLike],
    *,
    images: Sequence[str | os.PathLike],
    magnetograms: Sequence[str | os.PathLike] = (),
    target: str | os.PathLike | None = None,
    overwrite: bool = False,
) -> QTable:
    """
    How much each region of coronal-hole mask files looks like a filament.

    Parameters
    ----------
    paths : sequence of path-like
        One or more masks.
    images, magnetograms : sequence of path-like
        As for `measure_files`; the images are needed.
    target, overwrite
        As for `measure_files`.

    Returns
    -------
    astropy.table.QTable
        The rows of `~sunpy_scss.masks.filament_score` of each mask, with its file.

    Raises
    ------
    FileExistsError, ValueError, `~sunpy_scss.exceptions.UnreadableFileError`
        As `measure_files`.

    Examples
    --------
    >>> from sunpy_scss.files import score_filaments
    >>> table = score_filaments(["day_ch.fits"], images=["day.fits"])  # doctest: +SKIP
    """
    if target is not None:
        _check_table_name(target)
        refuse_existing(target, overwrite=overwrite)
    images = _for_each(paths, images, "image")
    magnetograms = _for_each(paths, magnetograms, "magnetogram") if magnetograms else [None] * len(paths)
    tables = []
    for path, image, magnetogram in zip(paths, images, magnetograms, strict=True):
        field = None if magnetogram is None else read_map(magnetogram)
        with _naming(path):
            scores = filament_score(read_map(path), read_map(image), magnetogram=field)
        scores.add_column(np.full(len(scores), str(path)), index=0, name="file")
        tables.append(scores)
    table = vstack(tables, metadata_conflicts="silent")
    if target is not None:
        save_table(table, target)
    return table


def export_files(
    paths: Sequence[str | os.PathLike],
    folder: str | os.PathLike,
    *,
    form: str = "geojson",
    frame: str = "heliographic_stonyhurst",
    overwrite: bool = False,
) -> Iterator[Path]:
    """
    Write the regions of mask files for other programs.

    Parameters
    ----------
    paths : sequence of path-like
        One or more masks.
    folder : path-like
        Made where missing; ``NAME.fits`` becomes ``NAME.geojson`` or ``NAME.csv``.
    form : str, optional
        ``"geojson"``, as `~sunpy_scss.masks.write_geojson`, or ``"hek"``, as `~sunpy_scss.hek.hek_records`.
    frame : str, optional
        Of the coordinates of GeoJSON.
    overwrite : bool, optional
        Replace files that are there.

    Yields
    ------
    pathlib.Path
        What has been written.

    Raises
    ------
    FileExistsError
        If a file is there and is not to be replaced, before anything is written.

    Examples
    --------
    >>> from sunpy_scss.files import export_files
    >>> files = list(export_files(["day_ch.fits"], "exports"))  # doctest: +SKIP
    """
    ending = {"geojson": ".geojson", "hek": ".csv"}[form]
    targets = [Path(folder, Path(path).stem + ending) for path in paths]
    refuse_existing(*targets, overwrite=overwrite)
    for path, target in zip(paths, targets, strict=True):
        mask = read_mask(path)
        if form == "geojson":
            target.parent.mkdir(parents=True, exist_ok=True)
            write_geojson(mask, target, frame=frame, overwrite=overwrite)
        else:
            save_table(hek_records(mask), target)
        yield target


def _check_table_name(path):
    if Path(path).suffix not in _FORMATS:
        msg = f"The name of the table must end with {', '.join(_FORMATS)} (got {path})."
        raise ValueError(msg)


def _for_each(paths, files, name):
    if len(files) not in (1, len(paths)):
        msg = f"There must be one {name} for all masks, or one for each (got {len(files)} for {len(paths)} masks)."
        raise ValueError(msg)
    return list(files) * len(paths) if len(files) == 1 else files


def _measure(path, others):
    mask, others = read_map(path), {name: read_map(file) for name, file in others.items()}
    with _naming(path):
        return region_rows(mask, path, **others)


def region_rows(mask, file, **others):
    """
    The regions of a mask as rows of a table of many masks.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
    file : path-like
        What the rows call the mask.
    **others
        For `~sunpy_scss.masks.region_table`.

    Returns
    -------
    astropy.table.QTable
    """
    table = region_table(mask, **others)
    told = Provenance.of(mask)
    origin = {
        "file": str(file),
        "time": table.meta["DATE-OBS"],
        "feature": told.feature or "",
        "method": told.method or "",
    }
    columns = {name: np.full(len(table), value) for name, value in origin.items()}
    columns["time"] = Time(columns["time"], format="isot")
    for name in table.colnames:
        if name == "centroid":
            columns |= {"lon": u.Quantity(table[name].lon, u.deg), "lat": u.Quantity(table[name].lat, u.deg)}
        else:
            columns[name] = table[name]
    return QTable(columns, meta=table.meta)


def _save_regions(table, path):
    plain = table.copy()
    if path.suffix == ".fits":
        # As two parts of a Julian date, which only astropy would put together, otherwise.
        plain["time"] = table["time"].isot
    if path.suffix == ".csv":
        for name in table.colnames:
            if getattr(table[name], "unit", None):
                plain.rename_column(name, f"{name} [{table[name].unit}]")
    with warnings.catch_warnings():
        # FITS does not know DN, which is what AIA counts; astropy does, and reads it back.
        warnings.filterwarnings("ignore", "The unit .* could not be saved", AstropyUserWarning)
        save_table(plain, path)


def compare_files(
    paths: Sequence[str | os.PathLike],
    *,
    names: Sequence[str] | None = None,
    folder: str | os.PathLike | None = None,
    overwrite: bool = False,
) -> QTable:
    """
    How far mask files agree, and where.

    Parameters
    ----------
    paths : sequence of path-like
        Two or more.
    names : sequence of str, optional
        What to call them; by default as the files, without folders and suffix where that is enough to tell them apart.
    folder : path-like, optional
        Where to write ``agreement.ecsv``, the table, and ``consensus.fits`` and ``disagreement.fits``, the Maps of
        `~sunpy_scss.masks.consensus` and `~sunpy_scss.masks.disagreement`. Made where missing.
    overwrite : bool, optional
        Replace files that are there.

    Returns
    -------
    astropy.table.QTable
        That of `~sunpy_scss.masks.compare_masks`.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If a file cannot be read.
    ValueError, `~sunpy_scss.exceptions.InvalidMapError`
        As `~sunpy_scss.masks.compare_masks`.
    FileExistsError
        If a file is there and is not to be replaced.

    Warns
    -----
    `~sunpy.util.exceptions.SunpyUserWarning`
        If masks are of different features, or of times so far apart that the Sun is not the same.

    Examples
    --------
    >>> from sunpy_scss.files import compare_files
    >>> table = compare_files(["network.fits", "spoca.fits"], folder="agreement")  # doctest: +SKIP
    """
    targets = {}
    if folder is not None:
        targets = {name: Path(folder) / name for name in ("agreement.ecsv", "consensus.fits", "disagreement.fits")}
        refuse_existing(*targets.values(), overwrite=overwrite)
    paths = [Path(path) for path in paths]
    masks = [read_mask(path) for path in paths]
    table = compare_masks(masks, names=names or _names(paths))
    for caveat in comparison_caveats(masks):
        warn_caller(caveat, SunpyUserWarning)
    if targets:
        save_table(table, targets["agreement.ecsv"])
        save_map(consensus(masks), targets["consensus.fits"])
        save_map(disagreement(masks), targets["disagreement.fits"])
    return table


@contextmanager
def _naming(path):
    """Name the file in errors that tell of a Map only."""
    try:
        yield
    except InvalidMapError as error:
        msg = f"{path}: {error}"
        raise InvalidMapError(msg) from error


def _names(paths):
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
