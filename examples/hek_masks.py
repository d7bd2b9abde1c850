"""
=================================
Regions of the HEK on an AIA Map
=================================

An active region in the Heliophysics Events Knowledgebase has a start, an end and a polygon. The method that writes
most of them, SPoCA, draws the polygon on the image of the *end*. This example shows what a difference that makes.

The image is one that comes with sunpy. The events are synthetic: they have the form of SPoCA's and lie around what is
bright here, so that the example needs no network. With one, the events of that day are
``search_hek(("2011-02-14", "2011-02-16"), "AR")``.
"""

import matplotlib.pyplot as plt

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from sunpy.data.test import get_test_filepath

from sunpy_scss.hek import drawn_events, events_to_regions, hek_to_mask

smap = sunpy.map.Map(get_test_filepath("aia_171_level1.fits"))

###############################################################################
# A record says that its event lasted from 19 to 23 h; the identifier holds the time of the image, 23 h. The Map is of
# an hour later.

outlines = {
    1: "88 -214,148 -188,228 -176,348 -168,318 -222,250 -262,196 -340,128 -392,78 -330,88 -214",
    2: "560 -224,640 -196,722 -158,790 -178,818 -298,768 -376,690 -322,610 -308,560 -224",
    3: "-610 -214,-558 -158,-486 -146,-466 -198,-520 -270,-588 -268,-610 -214",
    4: "-884 352,-818 392,-760 330,-690 262,-736 222,-800 196,-884 190,-918 262,-884 352",
}
events = [
    {
        "kb_archivid": f"ivo://helio-informatics.org/AR_SPoCA_20110214_232500_20110214T230000_{number}",
        "event_type": "AR",
        "frm_name": "SPoCA",
        "frm_specificid": f"synthetic {number}",
        "event_starttime": "2011-02-14T19:00:00",
        "event_endtime": "2011-02-14T23:00:00",
        "hpc_boundcc": f"POLYGON(({vertices}))",
    }
    for number, vertices in outlines.items()
]

###############################################################################
# `~sunpy_scss.hek.hek_to_mask` takes the right time, rotates the polygons with the Sun for the one hour that is left,
# and gives a mask on the pixels of the Map.

mask = hek_to_mask(events, smap)
print(mask.meta["hektime"], mask.meta["hekrot"], "h")
print(mask.meta["history"])

###############################################################################
# What has been drawn, with the areas on the surface.

table = drawn_events(events, smap)
print(table["label", "obstime", "n_pixels", "area_drawn"])

###############################################################################
# The borders at the time of the Map are coordinates to plot. Dashed: where they would be if the polygons were of the
# start of the event, as `sunpy.net.hek.HEKClient` has it. They have been turned four hours too far.

corners = SkyCoord([-50, 950] * u.arcsec, [-500, -50] * u.arcsec, frame=smap.coordinate_frame)
cutout = smap.submap(corners[0], top_right=corners[1])

figure = plt.figure(figsize=(9, 5))
axes = figure.add_subplot(projection=cutout)
cutout.plot(axes=axes, clip_interval=(1, 99.7) * u.percent, cmap="gray")
for time_from, style in (("auto", "c-"), ("event_starttime", "r--")):
    for rings in events_to_regions(events, smap, time_from=time_from).values():
        for ring in rings:
            axes.plot_coord(ring, style, linewidth=2)
axes.set(title="Right time (solid) and time of the start (dashed)", xlim=(-0.5, cutout.data.shape[1] - 0.5))
axes.set(ylim=(-0.5, cutout.data.shape[0] - 0.5))

plt.show()
