"""Figures: masks over the images that they were drawn from, and what a model is worth."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, to_rgba
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patches import Patch

import astropy.units as u
from astropy.table import Table

from sunpy_scss import metrics
from sunpy_scss.disk import limb_mask

__all__ = ["cases", "comparison", "evaluation_page", "overlay", "scores_over_time", "training_history"]

_COLORS = {"CH": "deepskyblue", "AR": "red"}
# What two masks say of a pixel.
_AGREEMENT = {"both": "deepskyblue", "labels only": "lime", "mask only": "magenta"}
_OPACITY = 0.5
# So many dates fit on a page beside each other.
_DATES = 12
_MASK = {"norm": Normalize(0, 1), "cmap": "gray", "interpolation": "nearest"}


def overlay(smap, *masks, axes=None):
    """
    A Map with the outlines of masks on it.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    *masks : sunpy.map.GenericMap
        On the WCS of ``smap``; coronal holes blue, active regions red, by the header key SCSSFEAT.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes

    Examples
    --------
    >>> from sunpy_scss import segment_coronal_holes
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.plotting import overlay
    >>> smap = example_map(193)
    >>> axes = overlay(smap, segment_coronal_holes(smap))
    """
    if axes is None:
        axes = _map_figure().add_subplot(projection=smap)
    _draw_image(axes, smap)
    for mask in masks:
        if mask.data.any():  # a level that nothing reaches would warn
            axes.contour(np.asarray(mask.data), levels=[0.5], colors=_COLORS.get(mask.meta.get("SCSSFEAT"), "white"))
    return axes


def _map_figure(**settings):
    """A figure with room for titles, which WCSAxes do not count as theirs."""
    figure = plt.figure(layout="constrained", **settings)
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.93))
    return figure


def _draw_image(axes, smap):
    # Pixels of 8 bits are scaled for display already.
    smap.plot(axes=axes, **({"norm": Normalize(0, 255)} if smap.data.dtype == np.uint8 else {}))


def comparison(smap, labels, mask):
    """
    Image, labels, mask, and where the two agree, side by side with their scores.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective.
    labels, mask : sunpy.map.GenericMap
        1 inside the feature, on the WCS of ``smap``.

    Returns
    -------
    matplotlib.figure.Figure
        Of four `~astropy.visualization.wcsaxes.WCSAxes`. Dice and IoU are those of the pixels on the disc.

    Raises
    ------
    ValueError
        If labels or mask have another shape than the image, or hold anything but 0 and 1.

    Examples
    --------
    >>> import sunpy.map
    >>> from sunpy_scss.plotting import comparison
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun(size=128)
    >>> dark = sunpy.map.Map((sun.image.data < 30).astype("int16"), sun.coronal_holes.meta)
    >>> figure = comparison(sun.image, sun.coronal_holes, dark)
    """
    if not smap.data.shape == labels.data.shape == mask.data.shape:
        msg = (
            "Image, labels and mask must be on the same pixels (got the shapes "
            f"{smap.data.shape}, {labels.data.shape} and {mask.data.shape})."
        )
        raise ValueError(msg)
    on_disk = limb_mask(smap).data == 1
    scores = _overlap(labels.data, mask.data, on_disk)
    figure = _map_figure(figsize=(14, 4.4))
    panels = [figure.add_subplot(1, 4, number, projection=smap) for number in (1, 2, 3, 4)]
    for axes, part in zip(panels, (smap, labels, mask, smap), strict=True):
        _draw_image(axes, smap) if part is smap else part.plot(axes=axes, **_MASK)
    panels[3].imshow(_agreement(labels.data * on_disk, mask.data * on_disk), origin="lower", interpolation="nearest")
    for axes, title in zip(panels, (smap.latex_name, "labels", "mask", scores), strict=True):
        axes.set_title(title)
    for axes in panels[1:]:
        axes.coords[1].set_ticklabel_visible(False)
        axes.coords[1].set_axislabel(" ")
    _agreement_legend(figure)
    return figure


def _overlap(labels, mask, where):
    dice, iou = (measure(labels, mask, where=where) for measure in (metrics.dice, metrics.iou))
    return f"Dice {dice:.3f}, IoU {iou:.3f}"


def _agreement(labels, mask):
    """An RGBA image of what two masks say, transparent where neither is."""
    labels, mask = np.asarray(labels) > 0, np.asarray(mask) > 0
    colors = [(0, 0, 0, 0), *(to_rgba(_AGREEMENT[name], _OPACITY) for name in ("labels only", "mask only", "both"))]
    return np.array(colors)[labels + 2 * mask]


def _agreement_legend(figure):
    patches = [Patch(facecolor=color, edgecolor="black", label=name) for name, color in _AGREEMENT.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False)


def cases(dataset, evaluation, *, number=4):
    """
    The images that a model did worst and best on.

    Parameters
    ----------
    dataset : sunpy_scss.train.Dataset
    evaluation : sunpy_scss.evaluation.Evaluation
        Of a model on that data set.
    number : int, optional
        Of images of each kind.

    Returns
    -------
    matplotlib.figure.Figure
        By IoU, the worst in the upper row from the left and the best in the lower one, on the canonical grid.

    Raises
    ------
    ValueError
        If the evaluation is of another data set.
    """
    if list(evaluation.images["key"]) != list(dataset.keys):
        msg = "The evaluation is not of this data set; give the one that score_model was called with."
        raise ValueError(msg)
    order = np.argsort(evaluation.images["iou"], kind="stable")
    rows = order[:number], order[::-1][:number]
    figure, panels = plt.subplots(
        2, len(rows[0]), figsize=(2.8 * len(rows[0]), 6.2), squeeze=False, layout="constrained"
    )
    for axes, index in zip(panels.flat, np.concatenate(rows), strict=True):
        _draw_case(axes, dataset, evaluation, index)
    _agreement_legend(figure)
    return figure


def _draw_case(axes, dataset, evaluation, index):
    axes.imshow(dataset.images[index], cmap="gray", vmin=0, vmax=1, origin="lower")
    labels = (dataset.labels[index] >= 0.5) & dataset.disk
    axes.imshow(_agreement(labels, evaluation.claimed[index]), origin="lower", interpolation="nearest")
    axes.set_title(f"{dataset.keys[index]}\n{_overlap(labels, evaluation.claimed[index], dataset.disk)}", fontsize=8)
    axes.set_axis_off()


def training_history(folder):
    """
    How a training went: loss and scores by epoch.

    Parameters
    ----------
    folder : path-like
        Of a model, or of a training that still runs: where ``history.csv`` is.

    Returns
    -------
    matplotlib.figure.Figure
        One Axes for each quantity, with its course on the training and the validation part; dotted, the epoch of the
        lowest validation loss, whose weights are kept.

    Raises
    ------
    FileNotFoundError
        If no epoch has ended there yet.
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


def scores_over_time(images):
    """
    Dice, IoU and areas by date.

    Parameters
    ----------
    images : astropy.table.Table
        One row for each image, with the columns ``date`` (`~astropy.time.Time`), ``dice``, ``iou``,
        ``labelled_area`` and ``claimed_area``: that of `sunpy_scss.evaluation.Evaluation`, or one of your own.

    Returns
    -------
    matplotlib.figure.Figure
        The scores above the areas.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.table import QTable
    >>> from astropy.time import Time
    >>> from sunpy_scss.plotting import scores_over_time
    >>> images = QTable({"date": Time(["2017-06-01", "2017-06-15"]), "dice": [0.9, 0.8], "iou": [0.82, 0.67]})
    >>> images["labelled_area"], images["claimed_area"] = [5, 6] * u.percent, [6, 5] * u.percent
    >>> figure = scores_over_time(images)
    """
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
    dates = images["date"].datetime64
    _draw_scores(upper, dates, images)
    _draw_areas(lower, dates, images)
    locator = AutoDateLocator()
    lower.xaxis.set(major_locator=locator, major_formatter=ConciseDateFormatter(locator))
    return figure


def _draw_scores(axes, places, images):
    for name, label in (("dice", "Dice"), ("iou", "IoU")):
        axes.plot(places, images[name], ".", label=label)
    axes.set(ylim=(0, 1.02))
    axes.legend()


def _draw_areas(axes, places, images):
    for name, marker in (("labelled", "+"), ("claimed", "x")):
        axes.plot(places, images[f"{name}_area"].to_value(u.percent), marker, label=name)
    axes.set(ylabel="% of the hemisphere")
    axes.legend()


def evaluation_page(evaluation):
    """
    The scores of a model on one page.

    Parameters
    ----------
    evaluation : sunpy_scss.evaluation.Evaluation

    Returns
    -------
    matplotlib.figure.Figure
        Pooled IoU with its interval, precision and recall by latitude, by distance from disc centre and by year;
        reliability of the probabilities, IoU by threshold, claimed against labelled area; scores and areas of the
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
        f"IoU {disk['iou']:.3f} ({disk['iou_low']:.3f} to {disk['iou_high']:.3f}), Dice {disk['dice']:.3f}"
    )
    return figure


def _mark_blocks(axes, images):
    """Lines before the first images of blocks, named by their dates; of all blocks, if they are few."""
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
    labelled, claimed = (images[f"{name}_area"].to_value(u.percent) for name in ("labelled", "claimed"))
    largest = max(labelled.max(), claimed.max())
    axes.plot([0, largest], [0, largest], color="gray", linestyle=":")
    axes.plot(labelled, claimed, ".")
    axes.set(xlabel="labelled area in % of the hemisphere", ylabel="claimed area")
