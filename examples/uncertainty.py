"""
==================
How sure a mask is
==================

A mask says yes or no. Three more quantities tell how sure it is: a calibrated
probability, its change when the network gets the same Sun in a different way, and an
interval for each area.
"""

import matplotlib.pyplot as plt

from sunpy_scss import predict_probability, predict_spread, segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.masks import region_table
from sunpy_scss.plotting import plot_masks

smap = example_map(193)
model = "scss-ch-193-5"

mask = segment_coronal_holes(smap, model=model)
probability = predict_probability(smap, model=model)
spread = predict_spread(smap, model=model)

###############################################################################
# The standard deviation is taken over eight variants of the image, mirrored and
# shifted. It is large along outlines and in faint regions, where the answer depends on
# chance.

figure = plt.figure(figsize=(12, 4), layout="constrained")
plot_masks(smap, mask, axes=figure.add_subplot(1, 3, 1, projection=smap.wcs))
panels = [
    (probability, "Probability", "viridis", 1),
    (spread, "Spread", "magma", 0.15),
]
for number, (one, title, colours, highest) in enumerate(panels, start=2):
    axes = figure.add_subplot(1, 3, number, projection=one.wcs)
    norm = plt.Normalize(0, highest)
    image = one.plot(axes=axes, title=title, cmap=colours, norm=norm)
    figure.colorbar(image, shrink=0.6)

###############################################################################
# The table gives an interval for the area of each region, and its mean probability.
# With the standard deviation as the image, it gives its mean too.

columns = ["id", "area_low", "area", "area_high", "confidence"]
table = region_table(mask, probability=probability)[columns]
table["spread"] = region_table(mask, image=spread)["intensity_mean"]
for name in columns[1:4]:
    table[name].info.format = ".0f"
table["confidence"].info.format = table["spread"].info.format = ".2f"
print(table)

plt.show()
