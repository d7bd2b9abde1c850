"""
========================
Coronal holes of a Map
========================

A mask, the probabilities behind it, and the effect of the threshold.
"""

import matplotlib.pyplot as plt

from sunpy_scss import predict_probability, segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.masks import area_fraction
from sunpy_scss.plotting import plot_masks, plot_probability

###############################################################################
# The image is a real one that comes with sunpy: AIA 193 Å of June 2013, as Helioviewer
# gives it. For a file of your own it would be ``smap = sunpy.map.Map("file.fits")``.

smap = example_map(193)

###############################################################################
# One call gives a mask Map on the same WCS.

mask = segment_coronal_holes(smap)
print(f"{area_fraction(mask):.1f} of the visible hemisphere, by {mask.meta['SCSSMOD']}")
axes = plot_masks(smap, mask)

###############################################################################
# The network gives a probability for each pixel. Where it falls off steeply the outline
# is sure; where it is flat, another threshold gives another hole.

probability = predict_probability(smap, model="scss-ch-193-5")
axes = plot_probability(smap, probability)

for threshold in (0.3, 0.5, 0.7):
    fraction = area_fraction(segment_coronal_holes(smap, threshold=threshold))
    print(f"threshold {threshold}: {fraction:.1f}")

plt.show()
