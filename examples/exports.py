"""
=================================
Coronal holes for other programs
=================================

The outlines of a mask as coordinates, as GeoJSON and as records like those of the HEK,
and back.
"""

import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord

from sunpy_scss import segment_coronal_holes
from sunpy_scss.annotations import geojson_to_mask
from sunpy_scss.hek import hek_records, hek_to_mask
from sunpy_scss.images import example_map
from sunpy_scss.masks import label_regions, region_outlines, write_geojson
from sunpy_scss.plotting import plot_masks, plot_regions
from sunpy_scss.synthetic import synthetic_sun

###############################################################################
# The coronal holes of a real image, with the numbers of the table of regions.

smap = example_map(193)
mask = segment_coronal_holes(smap)

axes = plot_regions(smap, label_regions(mask))

###############################################################################
# GeoJSON says where each hole is on the Sun, and how large.

path = Path(tempfile.mkdtemp()) / "holes.geojson"
write_geojson(mask, path)

document = json.loads(path.read_text(encoding="utf-8"))
print(document["frame"], document["date"], document["units"]["area"])
for feature in document["features"]:
    outline = np.array(feature["geometry"]["coordinates"][0])
    (west, south), (east, north) = outline.min(axis=0), outline.max(axis=0)
    print(
        f"{feature['id']}: {feature['properties']['area']:.0f},"
        f" longitudes {west:.0f} to {east:.0f}, latitudes {south:.0f} to {north:.0f}"
    )

###############################################################################
# In longitude and latitude the holes have their true shape, the one at the limb too.

figure, axes = plt.subplots(layout="constrained")
for feature in document["features"]:
    for ring in feature["geometry"]["coordinates"]:
        axes.plot(*np.transpose(ring), color=f"C{feature['id']}")
axes.set(xlabel="Stonyhurst longitude in degrees", ylabel="latitude in degrees")
axes.set_aspect("equal")

###############################################################################
# The file gives the same mask again.

again = geojson_to_mask(path, mask, feature="CH")
print(f"{np.count_nonzero(again.data != mask.data)} of {mask.data.sum()} pixels differ")

###############################################################################
# It can be drawn on any other image too. Here the Sun, a synthetic one, is seen by a
# spacecraft 40 degrees further west.

place = {"frame": "heliographic_stonyhurst", "obstime": smap.date}
west = SkyCoord(40 * u.deg, 0 * u.deg, 1 * u.AU, **place)
there = synthetic_sun(smap.date, coronal_holes=[], observer=west).image
axes = plot_masks(there, geojson_to_mask(path, there, feature="CH"))

###############################################################################
# Records with the names of the HEK go wherever its events go.

records = hek_records(mask)
for name in ("hpc_x", "hpc_y", "area_atdiskcenter"):
    records[name].info.format = ".3g"
print(records["event_type", "hpc_x", "hpc_y", "area_atdiskcenter"])
drawn = hek_to_mask(records, mask)
print(f"{np.count_nonzero(drawn.data != mask.data)} pixels differ")

###############################################################################
# The outlines themselves are coordinates, which any axes of sunpy Maps can plot.

axes = plt.figure().add_subplot(projection=smap)
smap.plot(axes=axes)
for polygons in region_outlines(mask).values():
    for rings in polygons:
        for ring in rings:
            axes.plot_coord(ring, color="deepskyblue")

plt.show()
