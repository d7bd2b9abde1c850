"""Figures of the scores of a model and of its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

import astropy.units as u
from astropy.table import Table

from sunpy_scss.plotting._dates import label_dates

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from sunpy_scss.train import Evaluation

__all__ = ["plot_evaluation", "plot_scores", "plot_training"]

# The number of dates that fit beside each other on a page.
_DATES = 12


def plot_training(folder: str | os.PathLike) -> Figure:
    """
    Draw the loss and the scores of a training by epoch.

    Parameters
    ----------
    folder : path-like
        The folder of a model, or of a training that is still running, with ``history.csv`` in it.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each quantity, for the training and the validation part. The dotted line marks the epoch of the
        lowest validation loss, whose weights are kept.

    Raises
    ------
    FileNotFoundError
        If no epoch has ended yet.
    """
    history = Table.read(Path(folder) / "history.csv", format="ascii.csv")
    names = [name for name in history.colnames if f"val_{name}" in history.colnames]
    figure, panels = plt.subplots(1, len(names), figsize=(5 * len(names), 3.5), squeeze=False, layout="constrained")
    for axes, name in zip(panels.flat, names, strict=True):
        axes.plot(history[name], label="training")
        axes.plot(history[f"val_{name}"], label="validation")
        axes.axvline(np.argmin(history["val_loss"]), color="gray", linestyle=":", label="kept")
        axes.set(xlabel="epoch", ylabel=name)
    panels[0, 0].legend()
    return figure


def plot_scores(images: Table) -> Figure:
    """
    Draw Dice, IoU and areas by date.

    Parameters
    ----------
    images : astropy.table.Table
        One row for each image, with the columns ``date`` (`~astropy.time.Time`), ``dice``, ``iou``,
        ``labelled_area`` and ``predicted_area``: the ``images`` of a
        `sunpy_scss.train.Evaluation`, or a table of your own.

    Returns
    -------
    matplotlib.figure.Figure
        The scores above the areas.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.table import QTable
    >>> from astropy.time import Time
    >>> from sunpy_scss.plotting import plot_scores
    >>> images = QTable({"dice": [0.9, 0.8], "iou": [0.82, 0.67]})
    >>> images["date"] = Time(["2017-06-01", "2017-06-15"])
    >>> images["labelled_area"] = [5, 6] * u.percent
    >>> images["predicted_area"] = [6, 5] * u.percent
    >>> figure = plot_scores(images)
    """
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
    dates = images["date"].datetime64
    _draw_scores(upper, dates, images)
    _draw_areas(lower, dates, images)
    label_dates(lower)
    return figure


def _draw_scores(axes, places, images):
    for name, label in (("dice", "Dice"), ("iou", "IoU")):
        axes.plot(places, images[name], ".", label=label)
    axes.set(ylim=(0, 1.02))
    axes.legend()


def _draw_areas(axes, places, images):
    for name, marker in (("labelled", "+"), ("predicted", "x")):
        axes.plot(places, images[f"{name}_area"].to_value(u.percent), marker, label=name)
    axes.set(ylabel="% of the hemisphere")
    axes.legend()


def plot_evaluation(evaluation: Evaluation) -> Figure:
    """
    Draw the scores of a model on one page.

    Parameters
    ----------
    evaluation : sunpy_scss.train.Evaluation

    Returns
    -------
    matplotlib.figure.Figure
        Pooled IoU with its interval, precision and recall by latitude, by distance from disc centre and by year;
        reliability of the probabilities, IoU by threshold, predicted against labelled area; scores and areas of the
        images in order of time, with the first dates of blocks.
    """
    figure = plt.figure(figsize=(12, 11), layout="constrained")
    panels = figure.subplot_mosaic(
        [["latitude", "radius", "year"], ["reliability", "threshold", "area"], ["scores"] * 3, ["areas"] * 3]
    )
    for by in ("latitude", "radius", "year"):
        _draw_zones(panels[by], evaluation.scores, by)
    panels["latitude"].legend()
    _draw_reliability(panels["reliability"], evaluation)
    _draw_thresholds(panels["threshold"], evaluation)
    _draw_area_pairs(panels["area"], evaluation.images)
    images = evaluation.images[np.argsort(evaluation.images["date"])]
    for name, draw in (("scores", _draw_scores), ("areas", _draw_areas)):
        draw(panels[name], np.arange(len(images)), images)
        _mark_blocks(panels[name], images)
    disk = evaluation.scores[0]
    figure.suptitle(
        f"{evaluation.model} on {disk['images']} images in {disk['blocks']} blocks of time: "
        f"IoU {disk['iou']:.3f}{_in_words(disk)}, Dice {disk['dice']:.3f}"
    )
    return figure


def _in_words(row):
    """Return the interval of an IoU in words; nothing where there are too few blocks for one."""
    return f" ({row['iou_low']:.3f} to {row['iou_high']:.3f})" if np.isfinite(row["iou_low"]) else ""


def _mark_blocks(axes, images):
    """Draw a line before the first image of each block, with its date; of some blocks only, if there are many."""
    _, first = np.unique(images["block"], return_index=True)
    first = first[:: -(-len(first) // _DATES)]
    axes.set_xticks(first - 0.5, images["date"][first].strftime("%Y-%m-%d"), ha="left")
    axes.grid(axis="x", linestyle=":")


def _draw_zones(axes, scores, by):
    rows = scores[scores["by"] == by]
    places = np.arange(len(rows))
    reach = np.abs([rows["iou"] - rows["iou_low"], rows["iou_high"] - rows["iou"]])
    axes.errorbar(places, rows["iou"], yerr=reach, fmt="o", capsize=3, label="IoU")
    axes.plot(places - 0.2, rows["precision"], "^", fillstyle="none", label="precision")
    axes.plot(places + 0.2, rows["recall"], "v", fillstyle="none", label="recall")
    axes.set_xticks(places, rows["zone"], rotation=30, ha="right")
    axes.set(xlim=(-0.5, len(rows) - 0.5), ylim=(0, 1.02), title=f"by {by}")


def _draw_reliability(axes, evaluation):
    bins = evaluation.reliability
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":")
    axes.plot(bins["probability"], bins["labelled"], "o-")
    axes.set(xlabel="probability", ylabel="labelled share")
    axes.set_title(f"calibration error {evaluation.calibration_error:.4f}")


def _draw_thresholds(axes, evaluation):
    axes.plot(evaluation.thresholds["threshold"], evaluation.thresholds["iou"])
    axes.axvline(evaluation.threshold, color="gray", linestyle=":", label=f"used {evaluation.threshold:g}")
    axes.axvline(evaluation.best_threshold, color="C1", linestyle="--", label=f"best {evaluation.best_threshold:g}")
    axes.set(xlabel="threshold", ylabel="IoU", ylim=(0, 1.02))
    axes.legend()


def _draw_area_pairs(axes, images):
    labelled, predicted = (images[f"{name}_area"].to_value(u.percent) for name in ("labelled", "predicted"))
    largest = max(labelled.max(), predicted.max())
    axes.plot([0, largest], [0, largest], color="gray", linestyle=":")
    axes.plot(labelled, predicted, ".")
    axes.set(xlabel="labelled area in % of the hemisphere", ylabel="predicted area")
