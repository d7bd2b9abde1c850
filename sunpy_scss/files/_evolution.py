"""Masks of days to years in files: what became of their regions, and their Carrington map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from astropy.table import vstack

from sunpy_scss._save import refuse_existing, save_figure, save_map, save_table
from sunpy_scss.evolution._carrington import carrington_map
from sunpy_scss.evolution._meridian import central_meridian_fraction
from sunpy_scss.evolution._tracks import track_regions
from sunpy_scss.images._read import read_map
from sunpy_scss.plotting._evolution import plot_tracks

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sunpy.map import GenericMap

__all__ = ["carrington_file", "track_files"]


def track_files(
    paths: Sequence[str | os.PathLike], folder: str | os.PathLike, *, overwrite: bool = False
) -> list[Path]:
    """
    Follow the regions of mask files and write what became of them.

    Parameters
    ----------
    paths : sequence of path-like
        Masks of one feature, in any order.
    folder : path-like
        Made where missing.
    overwrite : bool, optional
        Replace files that are there.

    Returns
    -------
    list of pathlib.Path
        ``regions.ecsv`` and ``events.ecsv``, the tables of `sunpy_scss.evolution.track_regions`; ``meridian.ecsv``,
        that of `sunpy_scss.evolution.central_meridian_fraction`; ``tracks.png``.

    Raises
    ------
    FileExistsError
        If one of them is there and is not to be replaced.
    """
    folder = Path(folder)
    targets = [folder / name for name in ("regions.ecsv", "events.ecsv", "meridian.ecsv", "tracks.png")]
    refuse_existing(*targets, overwrite=overwrite)
    paths = sorted(paths, key=lambda path: read_map(path).coordinate_frame.obstime)
    meridian = []
    tracks = track_regions(_masks(paths, meridian))
    for table, target in zip(
        (tracks.regions, tracks.events, vstack(meridian, metadata_conflicts="silent")), targets[:3], strict=True
    ):
        save_table(table, target)
    save_figure(plot_tracks(tracks), targets[3])
    return targets


def _masks(paths, meridian):
    """The masks of files, each read once; what is on their central meridians is appended to a list."""
    for path in tqdm(paths, unit="mask", disable=None):
        mask = read_map(path)
        meridian.append(central_meridian_fraction([mask]))
        yield mask


def carrington_file(
    paths: Sequence[str | os.PathLike], target: str | os.PathLike, *, overwrite: bool = False, **options: Any
) -> GenericMap:
    """
    Write the Carrington map of mask files.

    Parameters
    ----------
    paths : sequence of path-like
        Masks of one feature, in any order.
    target : path-like
    overwrite : bool, optional
        Replace it if it is there.
    **options
        For `sunpy_scss.evolution.carrington_map`.

    Returns
    -------
    sunpy.map.GenericMap

    Raises
    ------
    FileExistsError
        If it is there and is not to be replaced.
    """
    refuse_existing(target, overwrite=overwrite)
    smap = carrington_map((read_map(path) for path in tqdm(paths, unit="mask", disable=None)), **options)
    save_map(smap, target)
    return smap
