"""
A Sun with known coronal holes
==============================

`~sunpy_scss.synthetic.synthetic_sun` draws a simple Sun whose coronal holes and active
regions are known exactly. Use it to try things without any download, and to test
methods: the area of a spherical cap, for one, is not a matter of opinion.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

import astropy.units as u
from astropy.coordinates import SkyCoord

from sunpy_scss.masks import area_fraction
from sunpy_scss.synthetic import Cap, synthetic_sun

# %%
# The same seed gives the same Sun. Holes and active regions come as mask Maps on the
# WCS of the image.

sun = synthetic_sun("2017-06-01T12:00", seed=2)

fig = plt.figure(figsize=(6, 6), layout="constrained")
ax = fig.add_subplot(projection=sun.image)
sun.image.plot(axes=ax, norm=LogNorm(5, 1500))
ax.contour(sun.coronal_holes.data, [0.5], colors="cyan", linewidths=1)
ax.contour(sun.active_regions.data, [0.5], colors="white", linewidths=1)

# %%
# Regions can be placed. A cap without roughness has a known area, and the area of its
# mask agrees with it from disc centre to near the limb.

for longitude in (0, 30, 60) * u.deg:
    hole = Cap(longitude, 10 * u.deg, 15 * u.deg)
    mask = synthetic_sun(coronal_holes=[hole], active_regions=[]).coronal_holes
    truth = 100 * (1 - np.cos(hole.radius))
    fraction = area_fraction(mask)
    print(f"{longitude:3.0f}: {fraction:.2f} of the hemisphere, {truth:.2f} % in truth")

# %%
# Another observer, here 60 degrees further west, sees the same Sun from the side.

place = {"frame": "heliographic_stonyhurst", "obstime": "2017-06-01T12:00"}
west = SkyCoord(60 * u.deg, 0 * u.deg, 1 * u.AU, **place)
from_the_west = synthetic_sun("2017-06-01T12:00", seed=2, observer=west)

fig = plt.figure(figsize=(6, 6), layout="constrained")
ax = fig.add_subplot(projection=from_the_west.image)
from_the_west.image.plot(axes=ax, norm=LogNorm(5, 1500))
ax.contour(from_the_west.coronal_holes.data, [0.5], colors="cyan", linewidths=1)
ax.contour(from_the_west.active_regions.data, [0.5], colors="white", linewidths=1)

plt.show()
