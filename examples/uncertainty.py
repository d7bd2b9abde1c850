"""
==================
How sure a mask is
==================

A mask says yes or no. What is behind it says more: a calibrated probability, how far that changes when the network is
shown the same Sun in another way, and an interval for each area.
"""

import matplotlib.pyplot as plt

from sunpy_scss import predict_probability, predict_spread, segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.masks import region_table
from sunpy_scss.plotting import plot_masks

smap = example_map(193)
model = "scss-ch-193-3"

mask = segment_coronal_holes(smap, model=model)
probability = predict_probability(smap, model=model)
spread = predict_spread(smap, model=model)

###############################################################################
# The spread is the standard deviation over eight variants of the image, mirrored and shifted. It is large along
# outlines and in faint regions, where the answer is a matter of chance.

figure = plt.figure(figsize=(12, 4), layout="constrained")
plot_masks(smap, mask, axes=figure.add_subplot(1, 3, 1, projection=smap.wcs))
panels = ((probability, "Probability", "viridis", 1), (spread, "Spread", "magma", 0.15))
for number, (one, title, colours, highest) in enumerate(panels, start=2):
    axes = figure.add_subplot(1, 3, number, projection=one.wcs)
    image = one.plot(axes=axes, title=title, cmap=colours, norm=plt.Normalize(0, highest))
    figure.colorbar(image, shrink=0.6)

###############################################################################
# The table gives an interval for the area of each region and its mean probability; taken for an image, the spread gives
# its own mean there.

table = region_table(mask, probability=probability)["id", "area_low", "area", "area_high", "confidence"]
table["spread"] = region_table(mask, image=spread)["intensity_mean"]
for name, digits in (("area_low", 0), ("area", 0), ("area_high", 0), ("confidence", 2), ("spread", 2)):
    table[name].info.format = f".{digits}f"
print(table)

plt.show()
