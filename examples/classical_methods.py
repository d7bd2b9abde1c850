"""
===================================
A network and two classical methods
===================================

Coronal holes by the bundled model, by a threshold and by three channels.
"""

import matplotlib.pyplot as plt

import astropy.units as u

from sunpy_scss import segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.masks import compare_masks
from sunpy_scss.plotting import plot_masks
from sunpy_scss.segment import three_channel_coronal_holes, threshold_coronal_holes
from sunpy_scss.synthetic import synthetic_sun

###############################################################################
# A real image of AIA at 193 Å. The threshold is half-way, in the logarithm, between the disc median and the dark level
# of holes; regions that nowhere come near that level are left out.

smap = example_map(193)
network, threshold = segment_coronal_holes(smap), threshold_coronal_holes(smap)
table = compare_masks([network, threshold], names=["network", "threshold"])
for name in ("iou", "dice", "area_ratio"):
    table[name].info.format = ".2f"
print(table["first", "second", "iou", "dice", "area_ratio"])

figure = plt.figure(figsize=(10, 4.5), layout="constrained")
for place, (mask, title) in enumerate(((network, "network"), (threshold, "threshold")), start=1):
    axes = plot_masks(smap, mask, axes=figure.add_subplot(1, 2, place, projection=smap))
    axes.set_title(title)

###############################################################################
# The third method needs images at 171 and 211 Å too. On a synthetic Sun the truth is known.

suns = [synthetic_sun(wavelength=wavelength) for wavelength in (171, 193, 211) * u.AA]
truth = suns[1].coronal_holes
masks = [truth, threshold_coronal_holes(suns[1].image), three_channel_coronal_holes(*[sun.image for sun in suns])]
table = compare_masks(masks, names=["truth", "threshold", "three channels"])
for name in ("iou", "dice", "area_ratio"):
    table[name].info.format = ".2f"
print(table["first", "second", "iou", "dice", "area_ratio"])

plt.show()
