"""
=================================
Coronal holes for other programs
=================================

The outlines of a mask as coordinates, as GeoJSON and as records like those of the HEK, and back.
"""

import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord

from sunpy_scss.annotations import geojson_to_mask
from sunpy_scss.hek import hek_records, hek_to_mask
from sunpy_scss.masks import label_regions, region_outlines, write_geojson
from sunpy_scss.plotting import plot_masks, plot_regions
from sunpy_scss.synthetic import Cap, synthetic_sun

###############################################################################
# A synthetic Sun in March, when the south pole is in sight: a hole around the pole, one that the limb cuts, and a rough
# one.

holes = [
    Cap(0 * u.deg, -90 * u.deg, 25 * u.deg, roughness=0.2),
    Cap(80 * u.deg, 15 * u.deg, 18 * u.deg),
    Cap(-20 * u.deg, 20 * u.deg, 16 * u.deg, roughness=0.3),
]
sun = synthetic_sun("2017-03-01T12:00", coronal_holes=holes, active_regions=[])
mask = sun.coronal_holes

plot_regions(sun.image, label_regions(mask))

###############################################################################
# GeoJSON says where each hole is on the Sun, and how large.

path = Path(tempfile.mkdtemp()) / "holes.geojson"
write_geojson(mask, path)

document = json.loads(path.read_text(encoding="utf-8"))
print(document["frame"], document["date"], document["units"]["area"])
for feature in document["features"]:
    vertices = np.array(feature["geometry"]["coordinates"][0])
    print(feature["id"], f"{feature['properties']['area']:.0f}", vertices.min(axis=0), vertices.max(axis=0))

###############################################################################
# In longitude and latitude, the hole around the pole is led to the pole and back.

figure, axes = plt.subplots(layout="constrained")
for feature in document["features"]:
    for ring in feature["geometry"]["coordinates"]:
        axes.plot(*np.transpose(ring), label=feature["id"])
axes.set(xlabel="Stonyhurst longitude in degrees", ylabel="latitude in degrees")
axes.legend()

###############################################################################
# The file gives the same mask again.

again = geojson_to_mask(path, mask, feature="CH")
print(f"{np.count_nonzero(again.data != mask.data)} of {mask.data.sum()} pixels differ")

###############################################################################
# And it can be drawn on any other image, here as a spacecraft 40 degrees further west saw the Sun. What is out of sight
# in the first image is not in the file: the hole at the limb goes on in the second one.

west = SkyCoord(40 * u.deg, 0 * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime="2017-03-01T12:00")
there = synthetic_sun("2017-03-01T12:00", coronal_holes=holes, active_regions=[], observer=west)
plot_masks(there.image, geojson_to_mask(path, there.image, feature="CH"))

###############################################################################
# Records with the names of the HEK go wherever its events go.

records = hek_records(mask)
for name in ("hpc_x", "hpc_y", "area_atdiskcenter"):
    records[name].info.format = ".3g"
print(records["event_type", "event_endtime", "hpc_x", "hpc_y", "area_atdiskcenter"])
drawn = hek_to_mask(records, mask)
print(f"{np.count_nonzero(drawn.data != mask.data)} pixels differ")

###############################################################################
# The outlines as coordinates plot on any axes that know the sky.

axes = plt.figure().add_subplot(projection=sun.image)
sun.image.plot(axes=axes)
for polygons in region_outlines(mask).values():
    for rings in polygons:
        for ring in rings:
            axes.plot_coord(ring, color="deepskyblue")

plt.show()
