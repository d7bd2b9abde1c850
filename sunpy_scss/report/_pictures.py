"""The pictures of a report, as elements of its page."""

from collections import defaultdict
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke
from PIL import Image
from scipy import ndimage

import sunpy.map

from sunpy_scss.plotting._dates import label_dates
from sunpy_scss.plotting._maps import plot_masks
from sunpy_scss.report._html import picture

__all__ = ["area_over_time", "image", "outlines"]

# A dark rim, so that the text can be read on bright loops too.
_NUMBER = {
    **{"color": "white", "ha": "center", "va": "center", "fontweight": "bold"},
    "path_effects": [withStroke(linewidth=2.5, foreground="black")],
}


def _axes(smap):
    return plt.figure(figsize=(6.5, 6.5)).add_subplot(projection=smap)


def image(scene):
    axes = plot_masks(scene.smap, axes=_axes(scene.smap))
    return picture(_png(axes.figure), text=f"The Sun, {scene.name}", caption="The image alone")


def outlines(scene, finding):
    labels = finding.labels
    outlines = sunpy.map.Map((labels.data > 0).astype(np.int16), labels.meta)
    axes = plot_masks(scene.smap, outlines, axes=_axes(scene.smap))
    numbers = np.intersect1d(finding.regions["id"], labels.data)
    for number, (row, column) in zip(
        numbers, ndimage.center_of_mass(labels.data > 0, labels.data, numbers), strict=True
    ):
        # The number is beside the middle, so that it hides no small region.
        axes.annotate(number, (column, row), (8, 8), textcoords="offset points", **_NUMBER)
    caption = f"{finding.feature.capitalize()} by {finding.name}"
    text = f"{caption} on the image: {len(numbers)} outlines with the numbers of the table"
    return picture(_png(axes.figure), text=text, caption=caption)


def area_over_time(scenes):
    """Yield a plot of areas over time, with a line for each feature and method, if one of them was seen twice."""
    lines = defaultdict(list)
    for scene in scenes:
        for finding in scene.findings:
            lines[f"{finding.feature}, {finding.name}"].append((scene.smap.date.datetime64, finding.percent.value))
    if all(len(points) < 2 for points in lines.values()):
        return
    figure, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), ".-", label=name)
    label_dates(axes)
    axes.set(xlabel="time (UTC)", ylabel="% of the hemisphere", ylim=(0, None))
    axes.legend()
    text = "Area against time; the values are those of the table above."
    yield picture(_png(figure), text=text, caption="Area in the visible hemisphere against time", wide=True)


def _png(figure):
    """Return a figure as PNG with a palette, a third of the size of one without, and close it."""
    whole, small = BytesIO(), BytesIO()
    figure.savefig(whole, format="png", dpi=100, bbox_inches="tight")
    plt.close(figure)
    Image.open(whole).convert("RGB").quantize(256).save(small, format="png", optimize=True)
    return small.getvalue()
