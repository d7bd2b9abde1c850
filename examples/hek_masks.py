"""
=================================
Regions of the HEK on an AIA Map
=================================

An active region in the Heliophysics Events Knowledgebase has a start, an end and a
polygon. The method that writes most of them, SPoCA, draws the polygon on the image of
the *end*. This example shows what a difference that makes.

The image is a real one that comes with sunpy. The events are synthetic, so that the
example needs no network: they have the form of SPoCA's and lie around what is bright in
the image. The real events of that day are what
``search_hek(("2011-02-14", "2011-02-16"), "AR")`` finds.
"""

import matplotlib.pyplot as plt

import astropy.units as u
from astropy.coordinates import SkyCoord

from sunpy_scss.hek import drawn_events, events_to_regions, hek_to_mask
from sunpy_scss.images import example_map

smap = example_map(171)

###############################################################################
# The records say that these events lasted from 19 to 23 h. Their identifiers hold the
# time of the image that SPoCA saw, 23 h. The Map is of an hour later.

outlines = {
    1: "88 -214,148 -188,228 -176,348 -168,318 -222,250 -262,196 -340,128 -392,88 -214",
    2: "560 -224,640 -196,722 -158,790 -178,818 -298,768 -376,690 -322,560 -224",
    3: "-610 -214,-558 -158,-486 -146,-466 -198,-520 -270,-588 -268,-610 -214",
    4: "-884 352,-818 392,-760 330,-690 262,-736 222,-800 196,-918 262,-884 352",
}
identifier = "ivo://synthetic/AR_SPoCA_20110214_232500_20110214T230000"
events = [
    {
        "kb_archivid": f"{identifier}_{number}",
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
# `~sunpy_scss.hek.hek_to_mask` takes the right time, rotates the polygons with the Sun
# for the one hour that is left, and gives a mask on the pixels of the Map.

mask = hek_to_mask(events, smap)
print(f"seen at {mask.meta['hektime']}, rotated by {mask.meta['hekrot']:.1f} h")
print(mask.meta["history"])

###############################################################################
# The table lists the events that were drawn, with the areas on the surface.

table = drawn_events(events, smap)
table["area_drawn"] = table["area_drawn"].to(u.Mm**2)
table["area_drawn"].info.format = ".0f"
print(table["label", "obstime", "n_pixels", "area_drawn"])

###############################################################################
# The borders at the time of the Map are coordinates to plot. The dashed lines show them
# if the polygons were those of the start of the event, as `sunpy.net.hek.HEKClient`
# has it: turned four hours too far.

x, y = [-50, 950] * u.arcsec, [-500, -50] * u.arcsec
corners = SkyCoord(x, y, frame=smap.coordinate_frame)
cutout = smap.submap(corners[0], top_right=corners[1])

figure = plt.figure(figsize=(9, 5))
axes = figure.add_subplot(projection=cutout)
cutout.plot(axes=axes, clip_interval=(1, 99.7) * u.percent, cmap="gray")
for time_from, style in (("auto", "c-"), ("event_starttime", "r--")):
    regions = events_to_regions(events, smap, time_from=time_from)
    for rings in regions.values():
        for ring in rings:
            axes.plot_coord(ring, style, linewidth=2)
height, width = cutout.data.shape
axes.set(xlim=(-0.5, width - 0.5), ylim=(-0.5, height - 0.5))
axes.set_title("Right time (solid) and time of the start (dashed)")

plt.show()
