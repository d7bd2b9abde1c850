"""Pictures and movies of masks in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from sunpy_scss._save import refuse_existing, save_figure
from sunpy_scss.evolution._tracks import track_regions
from sunpy_scss.files._masks import gaps_to_images, read_mask
from sunpy_scss.images._read import read_map
from sunpy_scss.plotting._evolution import plot_tracked_regions
from sunpy_scss.plotting._maps import plot_masks
from sunpy_scss.plotting._movie import save_movie

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["movie_files", "plot_file"]


def plot_file(
    image: str | os.PathLike,
    masks: Sequence[str | os.PathLike],
    target: str | os.PathLike,
    *,
    dpi: float | None = None,
    overwrite: bool = False,
) -> None:
    """
    Draw the outlines of mask files on their image.

    Parameters
    ----------
    image : path-like
    masks : sequence of path-like
        On the pixels of the image.
    target : path-like
        The picture; the end of its name says the format, such as ``.png``, ``.pdf`` or ``.svg``.
    dpi : float, optional
        Pixels for each inch.
    overwrite : bool, optional
        Replace a picture that is there.

    Raises
    ------
    FileExistsError
        If the picture is there and is not to be replaced.
    `~sunpy_scss.exceptions.InvalidMapError`
        If a mask is of another time than the image, by more than six hours.
    ValueError, `~sunpy_scss.exceptions.UnreadableFileError`
        As `~sunpy_scss.plotting.plot_masks` and `read_mask`.

    Examples
    --------
    >>> from sunpy_scss.files import plot_file
    >>> plot_file("day.fits", ["day_ch.fits"], "day.pdf")  # doctest: +SKIP
    """
    refuse_existing(target, overwrite=overwrite)
    smap, drawn = read_map(image), [read_mask(path) for path in masks]
    for mask in drawn:
        gaps_to_images(mask.date, [smap.date])
    axes = plot_masks(smap, *drawn)
    save_figure(axes.figure, target, dpi=dpi)


def movie_files(
    masks: Sequence[str | os.PathLike],
    images: Sequence[str | os.PathLike],
    target: str | os.PathLike,
    *,
    track: bool = False,
    rate: float = 4,
    dpi: float | None = None,
    overwrite: bool = False,
) -> Path:
    """
    Draw mask files on their images, as a movie in order of time.

    Parameters
    ----------
    masks : sequence of path-like
        A picture for each.
    images : sequence of path-like
        Each mask is drawn on the one nearest in time, of the same pixels.
    target : path-like
        As for `~sunpy_scss.plotting.save_movie`.
    track : bool, optional
        Follow the regions, each in a colour of its own, by `~sunpy_scss.evolution.track_regions`.
    rate : float, optional
        Pictures in a second.
    dpi : float, optional
        Pixels for each inch.
    overwrite : bool, optional
        Replace what is there.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    FileExistsError
        If it is there and is not to be replaced.
    `~sunpy_scss.exceptions.InvalidMapError`
        If a mask is more than six hours from any image.

    Examples
    --------
    >>> from sunpy_scss.files import movie_files
    >>> masks, images = ["day1_ch.fits", "day2_ch.fits"], ["day1.fits", "day2.fits"]
    >>> movie_files(masks, images, "days.mp4")  # doctest: +SKIP
    """
    dates, times = ([read_map(path).date for path in paths] for paths in (masks, images))
    order = np.argsort([date.unix for date in dates])
    masks = [masks[number] for number in order]
    nearest = [images[gaps_to_images(dates[number], times).argmin()] for number in order]
    regions = track_regions(read_mask(path) for path in masks).regions if track else None

    def figures():
        pairs = zip(nearest, masks, strict=True)
        for number, (image, path) in enumerate(tqdm(pairs, total=len(masks), unit="picture", disable=None)):
            smap, mask = read_map(image), read_mask(path)
            if track:
                axes = plot_tracked_regions(smap, mask, regions[regions["mask"] == number])
            else:
                axes = plot_masks(smap, mask)
            if dpi:
                axes.figure.set_dpi(dpi)
            yield axes.figure

    return save_movie(figures(), target, rate=rate, overwrite=overwrite)
