"""
==========================
Coronal holes in numbers
==========================

A table of the holes on the Sun: the area, place and brightness of each, how sure its
outline is, and its magnetic flux.
"""

import matplotlib.pyplot as plt
import numpy as np

import astropy.units as u
import sunpy.map
from sunpy.coordinates import HeliographicStonyhurst
from sunpy.map.maputils import all_coordinates_from_map

from sunpy_scss import predict_probability, segment_coronal_holes
from sunpy_scss.images import example_map
from sunpy_scss.masks import label_regions, region_table
from sunpy_scss.plotting import plot_regions
from sunpy_scss.synthetic import Cap, synthetic_sun

###############################################################################
# The coronal holes of a real image, numbered as in the tables below.

smap = example_map(193)
mask = segment_coronal_holes(smap)
axes = plot_regions(smap, label_regions(mask))

###############################################################################
# A row for each region. Areas and lengths are those on the Sun. ``beyond_60`` is the
# share of the area that lies more than 60 degrees from disc centre.

table = region_table(mask, image=smap)
for name, digits in (("area", 0), ("area_msh", 0), ("beyond_60", 2), ("perimeter", 0)):
    table[name].info.format = f".{digits}f"
print(table["id", "area", "area_msh", "beyond_60", "perimeter", "touches_limb"])

###############################################################################
# How sure each outline is: the area where the network is rather sure, and the area that
# it does not exclude.

probability = predict_probability(smap, model=mask.meta["scssmod"])
table = region_table(mask, probability=probability)
for name in ("area_low", "area", "area_high"):
    table[name].info.format = ".0f"
table["confidence"].info.format = ".2f"
print(table["id", "area_low", "area", "area_high", "confidence"])

figure, axes = plt.subplots(layout="constrained")
low, middle, high = (1e-3 * table[name] for name in ("area_low", "area", "area_high"))
bounds = u.Quantity([middle - low, high - middle]).value
axes.errorbar(table["id"], middle.value, bounds, fmt="o", capsize=6)
axes.set(xticks=table["id"], xlabel="region", ylabel=r"area in 1000 Mm$^2$", ylim=0)

###############################################################################
# With a magnetogram there are fluxes. None of this day comes with sunpy, so this one is
# synthetic: 5 G in the north and -3 G in the south, as the line of sight shows them,
# and noise of 10 G.

seen = all_coordinates_from_map(smap)
there = seen.transform_to(HeliographicStonyhurst(obstime=smap.date))
distance = (np.hypot(seen.Tx, seen.Ty) / smap.rsun_obs).value
towards_us = np.sqrt(np.maximum(1 - distance**2, 0))
noise = np.random.default_rng(0).normal(0, 10, distance.shape)
field = np.where(there.lat > 0, 5, -3) * towards_us + noise
magnetogram = sunpy.map.Map(field, {**smap.meta, "bunit": "G"})

table = region_table(mask, magnetogram=magnetogram)
table["flux_signed"].info.format = ".2g"
for name in ("field_mean", "unipolarity", "field_coverage"):
    table[name].info.format = ".2f"
print(table["id", "field_mean", "flux_signed", "polarity", "unipolarity"])

###############################################################################
# Are the areas right? On a synthetic Sun that is known: two round holes of equal size,
# at disc centre and towards the limb, and an irregular one.

holes = [
    Cap(0 * u.deg, 5 * u.deg, 12 * u.deg),
    Cap(52 * u.deg, -12 * u.deg, 12 * u.deg),
    Cap(-35 * u.deg, -25 * u.deg, 12 * u.deg, roughness=0.25),
]
sun = synthetic_sun("2017-06-01T12:00", coronal_holes=holes, active_regions=[])
table = region_table(sun.coronal_holes)
for name in ("area", "lon_min", "lon_max"):
    table[name].info.format = ".0f"
print(table["id", "area", "lon_min", "lon_max"])
print(f"In truth {2 * np.pi * (695.7 * u.Mm) ** 2 * (1 - np.cos(12 * u.deg)):.0f}")

plt.show()
