"""
=======================
Do two methods agree?
=======================

Masks by several methods, compared by the area on the Sun that they share.
"""

import matplotlib.pyplot as plt

from sunpy_scss import segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.masks import compare_masks, consensus, disagreement, match_regions
from sunpy_scss.plotting import plot_disagreement
from sunpy_scss.segment import threshold_coronal_holes

###############################################################################
# Three masks of one real image: by the network, by a threshold half-way between the
# quiet Sun and dark coronal holes, and by a stricter threshold.

smap = example_map(193)
names = ["network", "threshold", "strict threshold"]
masks = [
    segment_coronal_holes(smap),
    threshold_coronal_holes(smap),
    threshold_coronal_holes(smap, threshold=0.35),
]

###############################################################################
# Each mask is compared with each other one. Areas are those on the Sun, corrected for
# foreshortening.

table = compare_masks(masks, names=names)
for name in ("iou", "dice", "area_ratio"):
    table[name].info.format = ".2f"
print(table["first", "second", "iou", "dice", "area_ratio"])

###############################################################################
# The vote map counts the masks that have a pixel inside. The disagreement counts those
# that differ from the majority.

counts = {"Masks inside": consensus(masks), "Masks against": disagreement(masks)}

figure = plt.figure(figsize=(11, 4.5), layout="constrained")
for place, (title, count) in enumerate(counts.items(), start=1):
    axes = figure.add_subplot(1, 2, place, projection=smap)
    plot_disagreement(smap, count, axes=axes).set_title(title)

###############################################################################
# The regions are compared one by one. A threshold may break a hole into pieces or miss
# it; 0 stands for a region without a partner.

regions = match_regions(masks[0], masks[2])
for name, digits in (("overlap", 0), ("share_first", 2), ("iou", 2)):
    regions[name].info.format = f".{digits}f"
print(regions["first", "second", "overlap", "share_first", "iou"])

plt.show()
