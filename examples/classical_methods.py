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
# A real image of AIA at 193 Å. The threshold is half-way, in the logarithm, between
# the disc median and the level of dark coronal holes. Regions that do not come near
# that level anywhere are left out.

smap = example_map(193)
network, threshold = segment_coronal_holes(smap), threshold_coronal_holes(smap)
table = compare_masks([network, threshold], names=["network", "threshold"])
for name in ("iou", "dice", "area_ratio"):
    table[name].info.format = ".2f"
print(table["first", "second", "iou", "dice", "area_ratio"])

figure = plt.figure(figsize=(10, 4.5), layout="constrained")
masks = {"Network": network, "Threshold": threshold}
for place, (title, mask) in enumerate(masks.items(), start=1):
    axes = figure.add_subplot(1, 2, place, projection=smap)
    plot_masks(smap, mask, axes=axes).set_title(title)

###############################################################################
# The third method also needs images at 171 and 211 Å of the same time, which do not
# come with sunpy. Here it gets a synthetic Sun, whose true holes are known.

suns = [synthetic_sun(wavelength=wavelength) for wavelength in (171, 193, 211) * u.AA]
truth = suns[1].coronal_holes
by_threshold = threshold_coronal_holes(suns[1].image)
by_channels = three_channel_coronal_holes(*[sun.image for sun in suns])
names = ["truth", "threshold", "three channels"]
table = compare_masks([truth, by_threshold, by_channels], names=names)
for name in ("iou", "dice", "area_ratio"):
    table[name].info.format = ".2f"
print(table["first", "second", "iou", "dice", "area_ratio"])

plt.show()
