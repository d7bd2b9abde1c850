"""Figures of Maps with masks, regions and probabilities drawn over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import BoundaryNorm, Normalize, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from scipy import ndimage

from sunpy.map import GenericMap

from sunpy_scss._arguments import check_type
from sunpy_scss._features import FEATURES
from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import same_grid
from sunpy_scss._sun.view import longitude_latitude
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._disk import disk_mask
from sunpy_scss.masks._metrics import dice, iou

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from astropy.visualization.wcsaxes import WCSAxes

    from sunpy_scss.train import Dataset, Evaluation

__all__ = ["plot_cases", "plot_comparison", "plot_disagreement", "plot_masks", "plot_probability", "plot_regions"]

# These colours differ from each other and from those of AIA images; a dark rim makes them visible on any background.
_REGION_COLORS = ("deepskyblue", "lime", "magenta", "orange", "white", "red", "yellow", "cyan")
_RIM = [withStroke(linewidth=2.5, foreground="black")]
# The probabilities at the border of a mask, and at the borders that give the ends of the area interval in region_table.
_LEVELS = {0.16: "dotted", 0.5: "solid", 0.84: "dashed"}
# The possible answers of two masks for a pixel.
_AGREEMENT = {"both": "deepskyblue", "labels only": "lime", "mask only": "magenta"}
_OPACITY = 0.5
_MASK = {"norm": Normalize(0, 1), "cmap": "gray", "interpolation": "nearest"}


def plot_masks(smap: GenericMap, *masks: GenericMap, axes: WCSAxes | None = None) -> WCSAxes:
    """
    Draw a Map with the outlines of masks.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    *masks : sunpy.map.GenericMap
        On the WCS of ``smap``. Coronal holes are blue and active regions red: the header of a mask tells its feature.
        Several masks of one feature get colours of their own, and a legend names their methods and boundaries.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes
        The image is in ``axes.images``, the outlines are in ``axes.collections``.

    Raises
    ------
    TypeError
        If one of them is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If a mask is on other pixels than the image, of another time or seen by another observer, or has other values
        than 0 and 1.

    Examples
    --------
    >>> from sunpy_scss import segment_coronal_holes
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.plotting import plot_masks
    >>> smap = example_map(193)
    >>> axes = plot_masks(smap, segment_coronal_holes(smap))
    """
    for smap_or_mask in (smap, *masks):
        if not isinstance(smap_or_mask, GenericMap):
            msg = f"Expected sunpy Maps (got {type(smap_or_mask).__name__}); a list of masks is given as *masks."
            raise TypeError(msg)
    inside = [pixels_inside(mask) for mask in masks]
    axes = _axes_with(smap, axes, *masks)
    told = [Provenance.of(mask) for mask in masks]
    features = [one.feature for one in told]
    colors = [FEATURES[feature].color if feature in FEATURES else "white" for feature in features]
    if len(set(features)) < len(features):
        colors = [_REGION_COLORS[number % len(_REGION_COLORS)] for number in range(len(masks))]
        lines = [Line2D([], [], color=color) for color in colors]
        axes.legend(lines, [str(one) for one in told], fontsize="small")
    for pixels, color in zip(inside, colors, strict=True):
        if pixels.any():  # matplotlib warns of a level that no pixel reaches
            axes.contour(pixels.astype(float), levels=[0.5], colors=color)
    return axes


def plot_regions(smap: GenericMap, labels: GenericMap, *, axes: WCSAxes | None = None) -> WCSAxes:
    """
    Draw a Map with the outlines of regions and their numbers.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective or heliographic.
    labels : sunpy.map.GenericMap
        0 outside and the number of the region inside, on the WCS of ``smap``: the result of
        `~sunpy_scss.masks.label_regions`.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes
        In the order of the numbers, the outlines are in ``axes.collections`` and the numbers in ``axes.texts``, each
        at the centroid of its region on the sphere.

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidMapError`
        If the labels are on other pixels than the image, of another time or seen by another observer, or are not a
        helioprojective or heliographic Map.
    TypeError
        If one of them is not a Map.

    Examples
    --------
    >>> from sunpy_scss.plotting import plot_regions
    >>> from sunpy_scss.masks import label_regions
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun(size=128)
    >>> axes = plot_regions(sun.image, label_regions(sun.coronal_holes))
    """
    axes = _axes_with(smap, axes, labels)
    boxes = ndimage.find_objects(labels.data.astype(np.int32))
    for number, place in _middles(labels):
        color = _REGION_COLORS[(number - 1) % len(_REGION_COLORS)]
        _outline(axes, labels.data, number, boxes[number - 1], color)
        axes.text(*place, str(number), color=color, ha="center", va="center", weight="bold", path_effects=_RIM)
    return axes


def _outline(axes, labels, number, box, color):
    # Each outline is drawn in a box: contours of the whole image for each of many regions would take long.
    rows, columns = (
        np.arange(max(0, side.start - 1), min(size, side.stop + 1))
        for size, side in zip(labels.shape, box, strict=True)
    )
    inside = labels[np.ix_(rows, columns)] == number
    if not inside.all():  # matplotlib warns of a level that nothing crosses
        axes.contour(columns, rows, inside, levels=[0.5], colors=color).set_path_effects(_RIM)


def _middles(labels):
    """Return the number of each region, and the column and row of the centroid of its area on the sphere."""
    surface = surface_of(labels)
    rows, columns = np.nonzero(labels.data)
    on_sun = surface.on_sun(rows, columns)
    rows, columns = rows[on_sun], columns[on_sun]
    numbers, index = np.unique(labels.data[rows, columns], return_inverse=True)
    weighted = np.multiply(*surface.cells(rows, columns))
    middles = np.stack([np.bincount(index, weights=axis, minlength=len(numbers)) for axis in weighted])
    row, column = surface.pixels(middles / np.linalg.norm(middles, axis=0))
    return zip(numbers.tolist(), np.transpose([column, row]), strict=True)


def plot_probability(smap: GenericMap, probability: GenericMap, *, axes: WCSAxes | None = None) -> WCSAxes:
    """
    Draw a Map with the probability of a feature, or the standard deviation of it, over the image.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    probability : sunpy.map.GenericMap
        In [0, 1], on the WCS of ``smap``: the result of `~sunpy_scss.segment.predict_probability` or
        `~sunpy_scss.segment.predict_spread`.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes
        The probability is ``axes.images[-1]``, the more opaque the higher, with a colour bar in its ``colorbar``.
        Contours at 0.16 (dotted), 0.5 and 0.84 (dashed) are in ``axes.collections``, where these values are reached.
        A standard deviation is shown up to its highest value, without contours.

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidMapError`
        If the probability is on other pixels than the image, of another time or seen by another observer.

    Examples
    --------
    >>> from sunpy_scss import predict_probability
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.plotting import plot_probability
    >>> smap = example_map(193)
    >>> axes = plot_probability(smap, predict_probability(smap, model="scss-ch-193-5"))
    """
    axes = _axes_with(smap, axes, probability)
    values = np.nan_to_num(np.asarray(probability.data, dtype=float))
    is_spread = str(probability.meta.get("CONTENT", "")).endswith("spread")
    highest = (values.max() if is_spread else 1) or 1
    opacity = _OPACITY * values / highest
    image = axes.imshow(values, cmap="cool", norm=Normalize(0, highest), alpha=opacity, origin="lower")
    reached = [level for level in _LEVELS if values.min() < level <= values.max()]
    if reached and not is_spread:
        styles = [_LEVELS[level] for level in reached]
        axes.contour(values, levels=reached, colors="white", linestyles=styles, linewidths=1)
    _color_bar(axes, image, "spread of the probability" if is_spread else "probability")
    return axes


def plot_disagreement(smap: GenericMap, votes: GenericMap, *, axes: WCSAxes | None = None) -> WCSAxes:
    """
    Draw a Map with a vote map over it.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    votes : sunpy.map.GenericMap
        Whole numbers from 0, on the WCS of ``smap``: the result of `sunpy_scss.masks.disagreement` or
        `sunpy_scss.masks.consensus`.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes
        The count is ``axes.images[-1]``, transparent where it is 0, with a colour bar in its ``colorbar``.

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidMapError`
        If the votes are on other pixels than the image, of another time or seen by another observer.

    Examples
    --------
    >>> from sunpy_scss.masks import disagreement
    >>> from sunpy_scss.plotting import plot_disagreement
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> suns = [synthetic_sun(size=64, seed=seed) for seed in range(3)]
    >>> votes = disagreement(sun.coronal_holes for sun in suns)
    >>> axes = plot_disagreement(suns[0].image, votes)
    """
    axes = _axes_with(smap, axes, votes)
    counts = np.arange(1, max(1, votes.data.max(initial=0)) + 1)
    colors = plt.get_cmap("plasma", len(counts))
    norm = BoundaryNorm([*(counts - 0.5), counts[-1] + 0.5], len(counts))
    shown = np.ma.masked_equal(votes.data, 0)
    image = axes.imshow(shown, cmap=colors, norm=norm, alpha=0.7, origin="lower", interpolation="nearest")
    _color_bar(axes, image, f"masks: {votes.meta.get('CONTENT', 'votes')}").set_ticks(counts)
    return axes


def _color_bar(axes, image, label):
    return axes.figure.colorbar(image, ax=axes, label=label, shrink=0.8)


def _axes_with(smap, axes, *layers):
    """Return the given axes or new ones with the image drawn; raise an error if a layer is on other pixels."""
    _check_pixels(smap, *layers)
    if axes is None:
        axes = _map_figure().add_subplot(projection=smap)
    _draw_image(axes, smap)
    return axes


def _check_pixels(smap, *layers):
    """Raise an error unless all layers are on the pixels of an image, of its time and seen by its observer."""
    for layer in (smap, *layers):
        check_type(layer, GenericMap, "a sunpy Map to draw")
    image, *others = map(surface_of, (smap, *layers))
    for other in others:
        if not same_grid(image, other):
            problem = (
                "What is drawn over an image must be on the pixels of the image, of its time and seen by its observer "
                f"(got {_told(other)} over {_told(image)})."
            )
            raise InvalidMapError(problem, "Bring a mask there with sunpy_scss.masks.reproject_mask(mask, smap).")


def _told(surface):
    """Return the shape, the time and the observer of a Map in words."""
    lon, lat = np.degrees(longitude_latitude(surface.observer[:, np.newaxis])).ravel()
    return f"{surface.shape} of {surface.obstime.isot[:19]} from Stonyhurst {lon:.1f}, {lat:.1f} degrees"


def _map_figure(**settings):
    """Return a figure with room for titles, for which WCSAxes leave none."""
    figure = plt.figure(layout="constrained", **settings)
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.93))
    return figure


def _draw_image(axes, smap):
    # Images of 8 bits are already scaled for display.
    smap.plot(axes=axes, **({"norm": Normalize(0, 255)} if smap.data.dtype == np.uint8 else {}))


def plot_comparison(smap: GenericMap, labels: GenericMap, mask: GenericMap) -> Figure:
    """
    Draw an image, its labels, its mask and their agreement side by side, with the scores.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective.
    labels, mask : sunpy.map.GenericMap
        1 inside the feature, on the WCS of ``smap``.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of four `~astropy.visualization.wcsaxes.WCSAxes`. Dice and IoU are taken over the pixels on the disc.

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidMapError`
        If labels or mask are on other pixels than the image, of another time or seen by another observer.
    ValueError
        If they hold values other than 0 and 1.

    Examples
    --------
    >>> import sunpy.map
    >>> from sunpy_scss.plotting import plot_comparison
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun(size=128)
    >>> dark = sunpy.map.Map((sun.image.data < 30).astype("int16"), sun.coronal_holes.meta)
    >>> figure = plot_comparison(sun.image, sun.coronal_holes, dark)
    """
    _check_pixels(smap, labels, mask)
    on_disk = disk_mask(smap).data == 1
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
    return f"Dice {dice(labels, mask, where=where):.3f}, IoU {iou(labels, mask, where=where):.3f}"


def _agreement(labels, mask):
    """Return an RGBA image of the agreement of two masks, transparent outside both."""
    labels, mask = np.asarray(labels) > 0, np.asarray(mask) > 0
    colors = [(0, 0, 0, 0), *(to_rgba(_AGREEMENT[name], _OPACITY) for name in ("labels only", "mask only", "both"))]
    return np.array(colors)[labels + 2 * mask]


def _agreement_legend(figure):
    patches = [Patch(facecolor=color, edgecolor="black", label=name) for name, color in _AGREEMENT.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False)


def plot_cases(dataset: Dataset, evaluation: Evaluation, *, number: int = 4) -> Figure:
    """
    Draw the images on which a model has its worst and its best scores.

    Parameters
    ----------
    dataset : sunpy_scss.train.Dataset
    evaluation : sunpy_scss.train.Evaluation
        The evaluation of a model on that data set.
    number : int, optional
        The number of worst cases, and of best ones.

    Returns
    -------
    matplotlib.figure.Figure
        The cases on the canonical grid, in order of IoU: the worst in the upper row, from the left, the best in the
        lower one.

    Raises
    ------
    ValueError
        If the evaluation is of another data set.
    """
    if list(evaluation.images["key"]) != list(dataset.keys):
        msg = "The evaluation is not of this data set; give the one that evaluate was called with."
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
    image = dataset.images[index]
    axes.imshow(image if image.ndim == 2 else image[..., 0], cmap="gray", vmin=0, vmax=1, origin="lower")
    labels = (dataset.labels[index] >= 0.5) & dataset.disk
    axes.imshow(_agreement(labels, evaluation.predicted[index]), origin="lower", interpolation="nearest")
    axes.set_title(f"{dataset.keys[index]}\n{_overlap(labels, evaluation.predicted[index], dataset.disk)}", fontsize=8)
    axes.set_axis_off()
