"""
=======================
Do two methods agree?
=======================

Masks by several methods, compared by the area on the Sun that they share.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord

from sunpy_scss.masks import compare_masks, consensus, disagreement, match_regions
from sunpy_scss.synthetic import Cap, synthetic_sun

###############################################################################
# Three methods look at the same synthetic Sun: a threshold on the smoothed image, a stricter one, and somebody who
# knows the truth but sees the Sun from 30 degrees further west. Of the first two, specks are left out.

holes = [
    Cap(10 * u.deg, 25 * u.deg, 14 * u.deg, roughness=0.25),
    Cap(-30 * u.deg, -20 * u.deg, 10 * u.deg, roughness=0.25),
    Cap(0 * u.deg, 90 * u.deg, 24 * u.deg, roughness=0.25),
]
sun = synthetic_sun("2017-06-01T12:00", coronal_holes=holes)
west = SkyCoord(30 * u.deg, 0 * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime=sun.image.date)
from_west = synthetic_sun("2017-06-01T12:00", coronal_holes=holes, observer=west)


def darker_than(share):
    smooth = ndimage.gaussian_filter(sun.image.data, 3)
    disk = np.hypot(*(np.indices(smooth.shape) - 255.5)) < 195
    dark = disk & (smooth < share * np.median(smooth[disk]))
    dark = ndimage.binary_opening(dark, iterations=3)
    return sunpy.map.Map(dark.astype(np.int16), sun.coronal_holes.meta)


names = ["threshold", "strict", "from the west"]
masks = [darker_than(0.6), darker_than(0.3), from_west.coronal_holes]

###############################################################################
# Each with each. The last mask has been brought to the pixels of the first, and only what all of them can see counts.

table = compare_masks(masks, names=names)
for name in ("iou", "dice", "area_ratio"):
    table[name].info.format = ".2f"
print(table["first", "second", "iou", "dice", "area_ratio"])

###############################################################################
# How many have a pixel inside, and where they are at odds.

votes, odds = consensus(masks), disagreement(masks)

figure = plt.figure(figsize=(10, 4.5), layout="constrained")
for place, (result, title) in enumerate(((votes, "masks that agree"), (odds, "masks that differ")), start=1):
    axes = figure.add_subplot(1, 2, place, projection=result)
    image = result.plot(axes=axes, cmap="viridis", title=title)
    figure.colorbar(image, ax=axes, ticks=range(len(masks) + 1), shrink=0.8)

###############################################################################
# Region by region: the strict threshold may break a hole into pieces, or miss it, where 0 stands for no partner.

regions = match_regions(masks[0], masks[1])
for name in ("overlap", "share_first", "iou"):
    regions[name].info.format = ".0f" if name == "overlap" else ".2f"
print(regions["first", "second", "overlap", "share_first", "iou"])

plt.show()
