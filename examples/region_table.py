"""
==========================
Coronal holes in numbers
==========================

How large is each hole on the Sun, where is it, how dark, how sure is its outline, and how much magnetic flux is in it?
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

import astropy.units as u
import sunpy.map
from sunpy.coordinates import HeliographicStonyhurst
from sunpy.map.maputils import all_coordinates_from_map

from sunpy_scss.masks import label_regions, region_table
from sunpy_scss.plotting import plot_masks
from sunpy_scss.synthetic import Cap, synthetic_sun

###############################################################################
# The Sun is a synthetic one, so that the truth is known: two round holes of equal size, at disc centre and towards the
# limb, a rough one, and one in the north that the limb cuts.

holes = [
    Cap(0 * u.deg, 5 * u.deg, 12 * u.deg),
    Cap(52 * u.deg, -12 * u.deg, 12 * u.deg),
    Cap(-35 * u.deg, -25 * u.deg, 12 * u.deg, roughness=0.25),
    Cap(0 * u.deg, 75 * u.deg, 20 * u.deg),
]
sun = synthetic_sun("2017-06-01T12:00", coronal_holes=holes, active_regions=[])

###############################################################################
# A row for each region. Areas are those on the sphere: the two round holes have the same, however foreshortened one of
# them is.

table = region_table(sun.coronal_holes, image=sun.image)
for name in ("area", "area_msh", "perimeter", "intensity_median"):
    table[name].info.format = ".0f"
table["beyond_60"].info.format = ".2f"
print(table["id", "area", "area_msh", "beyond_60", "touches_limb", "perimeter", "intensity_median"])

print(f"In truth {2 * np.pi * (695.7 * u.Mm) ** 2 * (1 - np.cos(12 * u.deg)):.0f}")

###############################################################################
# The label Map has the same numbers. Centroids are coordinates, to plot wherever you like; boxes make cutouts.

labels = label_regions(sun.coronal_holes)
print(f"{(labels.data == 1).sum()} pixels in the first region")

axes = plot_masks(sun.image, sun.coronal_holes)
for row in table:
    column, line = sun.image.wcs.world_to_pixel(row["centroid"])
    axes.text(column, line, row["id"], color="white", ha="center", va="center", fontsize=14)

###############################################################################
# A probability that falls off more slowly leaves more doubt about the area. Here it goes down from the edge over some
# pixels.

probability = sun.coronal_holes.data.astype(float)
probability = sunpy.map.Map(ndimage.gaussian_filter(probability, 4), sun.coronal_holes.meta)
sure = region_table(sun.coronal_holes, probability=probability)
for name in ("area_low", "area", "area_high"):
    sure[name].info.format = ".0f"
sure["confidence"].info.format = ".2f"
print(sure["id", "area_low", "area", "area_high", "confidence"])

figure, axes = plt.subplots(layout="constrained")
middle = 1e-3 * sure["area"].value
bounds = np.abs(1e-3 * np.stack([sure["area_low"].value, sure["area_high"].value]) - middle)
axes.errorbar(sure["id"], middle, bounds, fmt="o", capsize=6)
axes.set(xticks=sure["id"], xlabel="region", ylabel=r"area in 1000 Mm$^2$", ylim=0)

###############################################################################
# With a magnetogram there are fluxes. This one is synthetic as well: 5 G in the north and -3 G in the south, as the
# line of sight shows them, and noise of 10 G.

seen = all_coordinates_from_map(sun.image)
there = seen.transform_to(HeliographicStonyhurst(obstime=sun.image.date))
cosine = np.sqrt(np.maximum(1 - (np.hypot(seen.Tx, seen.Ty) / sun.image.rsun_obs).value ** 2, 0))
field = np.where(there.lat > 0, 5, -3) * cosine + np.random.default_rng(0).normal(0, 10, cosine.shape)
magnetogram = sunpy.map.Map(field, {**sun.image.meta, "bunit": "G"})

magnetic = region_table(sun.coronal_holes, magnetogram=magnetogram)
for name in ("flux_signed", "flux_unsigned"):
    magnetic[name].info.format = ".2g"
for name in ("field_mean", "unipolarity", "field_coverage"):
    magnetic[name].info.format = ".2f"
print(magnetic["id", "field_mean", "flux_signed", "flux_unsigned", "polarity", "unipolarity", "field_coverage"])

plt.show()
