"""Figures of Maps: masks over the images that they were drawn from."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, to_rgba
from matplotlib.patches import Patch

from sunpy_scss import metrics
from sunpy_scss.disk import limb_mask

__all__ = ["cases", "comparison", "overlay"]

_COLORS = {"CH": "deepskyblue", "AR": "red"}
# What two masks say of a pixel.
_AGREEMENT = {"both": "deepskyblue", "labels only": "lime", "mask only": "magenta"}
_OPACITY = 0.5
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
