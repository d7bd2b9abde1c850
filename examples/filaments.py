"""
=================
Filament or hole?
=================

Filaments are dark at 193 Å like coronal holes, but they are thin, have less contrast
and softer borders, and show fewer bright points.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

import astropy.units as u
import sunpy.map
from sunpy.map.maputils import all_coordinates_from_map, coordinate_is_on_solar_disk

from sunpy_scss.images import example_map
from sunpy_scss.masks import filament_score, label_regions, region_table
from sunpy_scss.plotting import plot_masks

###############################################################################
# A real image, and everything dark in it that is larger than 3000 Mm2: coronal holes
# and filaments.

smap = example_map(193)
on_disk = coordinate_is_on_solar_disk(all_coordinates_from_map(smap))
smooth = ndimage.gaussian_filter(smap.data.astype(float), 2)
dark = on_disk & (smooth < np.median(smap.data[on_disk]) - 30)
mask = sunpy.map.Map(dark.astype(np.int16), smap.meta)

table = region_table(mask)
large = np.isin(label_regions(mask).data, table["id"][table["area"] > 3000 * u.Mm**2])
mask = sunpy.map.Map(large.astype(np.int16), smap.meta)

###############################################################################
# A score for each region, and the reasons for it. The score is no proof: the channel
# right of disc centre is as wide as a coronal hole, and passes for one.

table = filament_score(mask, smap)
table["score"].info.format = ".2f"
print(table["id", "score", "filament", "reasons"])

axes = plot_masks(smap, mask)
for row, centroid in zip(table, region_table(mask)["centroid"], strict=True):
    x, y = smap.wcs.world_to_pixel(centroid)
    colour = "orange" if row["filament"] else "white"
    axes.text(x, y, f"{row['score']:.2f}", color=colour, ha="center", va="center")

###############################################################################
# The parts of the score. Bars to the right speak for a filament, bars to the left for a
# coronal hole.

names = ["by_width", "by_contrast", "by_bright_points", "by_sharpness"]
figure, axes = plt.subplots(layout="constrained")
for number, name in enumerate(names):
    axes.barh(table["id"] + 0.2 * (number - 1.5), table[name], height=0.18, label=name)
axes.axvline(0, color="black", linewidth=0.8)
axes.set(yticks=table["id"], ylabel="region")
axes.set_xlabel("contribution to the logit of the score")
axes.invert_yaxis()
axes.legend()

plt.show()
