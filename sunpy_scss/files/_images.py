"""Reports, scores and the demo: image files to pages and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from tqdm.auto import tqdm

from sunpy_scss._features import FEATURES
from sunpy_scss._save import refuse_existing, save_figure, save_map, save_text
from sunpy_scss.files._masks import LONGEST_GAP, gaps_to_images, read_mask
from sunpy_scss.files._outcome import Outcome
from sunpy_scss.files._segment import SEGMENT, feature_shown
from sunpy_scss.images._read import example_map, read_map
from sunpy_scss.masks._table import area_fraction
from sunpy_scss.plotting._maps import plot_cases, plot_masks
from sunpy_scss.plotting._scores import plot_evaluation
from sunpy_scss.report._page import write_report

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from sunpy_scss.train._datasets import Dataset
    from sunpy_scss.train._evaluation import Evaluation

__all__ = ["demo", "report_files", "write_evaluation"]


def report_files(
    paths: Sequence[str | os.PathLike],
    target: str | os.PathLike,
    *,
    masks: Sequence[str | os.PathLike] = (),
    features: Sequence[str] = tuple(FEATURES),
    title: str | None = None,
    overwrite: bool = False,
) -> list[Outcome]:
    """
    Write a report of image files, with masks that are there or new ones.

    Parameters
    ----------
    paths : sequence of path-like
        Files that `sunpy_scss.images.read_map` reads.
    target : path-like
        The page.
    masks : sequence of path-like, optional
        Each goes with the image that is nearest in time, of those of its wavelength if there are any. By default the
        images are segmented.
    features : sequence of str, optional
        What to look for, as for `segment_files`.
    title, overwrite
        As for `sunpy_scss.report.write_report`.

    Returns
    -------
    list of Outcome
        One for each image and mask; what failed has its error there, and the report is on the others. There is none
        if all images failed.

    Raises
    ------
    FileExistsError
        If the page is there and is not to be replaced.
    """
    refuse_existing(target, overwrite=overwrite)
    outcomes, smaps, found = [], [], []
    for path in tqdm([Path(path) for path in paths], unit="file", disable=None):
        try:
            smap = read_map(path)
            smap.meta["filename"] = path.name  # which neither Map nor mask would know
            some = [] if masks else [SEGMENT[feature_shown(smap, features)](smap)]
        except Exception as error:
            outcomes.append(Outcome(path, error=error))
        else:
            outcomes.append(Outcome(path, (target,)))
            smaps.append(smap)
            found.append(some)
    for path in map(Path, masks if smaps else ()):
        try:
            mask = read_mask(path)
            found[_image_of(mask, smaps)].append(mask)
        except (OSError, ValueError) as error:
            outcomes.append(Outcome(path, error=error))
    if smaps:
        write_report(smaps, found, target, title=title, overwrite=overwrite)
    return outcomes


def _image_of(mask, smaps):
    """Index of the image that a mask belongs to."""
    gaps = gaps_to_images(mask.date, [smap.date for smap in smaps])
    others = [smap.wavelength != mask.wavelength for smap in smaps]
    return min(range(len(smaps)), key=lambda number: (gaps[number] > LONGEST_GAP, others[number], gaps[number]))


def demo(folder: str | os.PathLike) -> Iterator[str]:
    """
    Segment the two real images that come with sunpy, and write the masks and one picture.

    Parameters
    ----------
    folder : path-like
        Made where missing; files of an earlier demo are replaced.

    Yields
    ------
    str
        What was found and written, a line each.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figure = plt.figure(figsize=(12, 6), layout="constrained")
    for position, (feature, facts) in enumerate(FEATURES.items(), start=1):
        smap = example_map(facts.wavelength)
        mask = SEGMENT[feature](smap)
        path = folder / f"aia{facts.wavelength}_{feature.lower()}.fits"
        save_map(mask, path)
        plot_masks(smap, mask, axes=figure.add_subplot(1, 2, position, projection=smap))
        yield (
            f"AIA {facts.wavelength}, {smap.date.isot[:16]}: {facts.name}s cover "
            f"{area_fraction(mask):.1f} of the visible hemisphere -> {path}"
        )
    picture = folder / "demo.png"
    save_figure(figure, picture)
    yield f"picture -> {picture}"


def write_evaluation(evaluation: Evaluation, dataset: Dataset, folder: str | os.PathLike) -> list[Path]:
    """
    Write the scores of a model as JSON and as plots; what is there is replaced.

    Parameters
    ----------
    evaluation : sunpy_scss.train.Evaluation
    dataset : sunpy_scss.train.Dataset
        What was scored.
    folder : path-like
        Made where missing.

    Returns
    -------
    list of pathlib.Path
        ``scores.json``, ``scores.png`` and ``cases.png``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.to_dict(), indent=2)
    paths = [folder / name for name in ("scores.json", "scores.png", "cases.png")]
    save_text(text, paths[0])
    save_figure(plot_evaluation(evaluation), paths[1])
    save_figure(plot_cases(dataset, evaluation), paths[2])
    return paths
