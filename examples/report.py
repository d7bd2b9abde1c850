"""
==================
A day on one page
==================

A report holds pictures, tables, agreement and provenance in one HTML file that any browser opens, without a network.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

import astropy.units as u
import sunpy.map

from sunpy_scss.plotting import plot_masks
from sunpy_scss.report import write_report
from sunpy_scss.synthetic import Cap, synthetic_sun

###############################################################################
# Three images of a synthetic day. The Sun turns by half a degree in an hour, and the hole in the north grows.

suns = [
    synthetic_sun(
        f"2017-06-01T{hour:02}:00",
        coronal_holes=[
            Cap((hour / 2 - 30) * u.deg, 40 * u.deg, (12 + hour / 3) * u.deg, roughness=0.2),
            Cap((hour / 2 + 20) * u.deg, -10 * u.deg, 10 * u.deg),
        ],
        active_regions=[Cap(hour / 2 * u.deg, -25 * u.deg, 6 * u.deg)],
    )
    for hour in (0, 9, 18)
]

###############################################################################
# For the last image there is a second method, a threshold on the smoothed image. Whoever wrote it noted in the header
# what it is.

last = suns[-1]
smooth = ndimage.gaussian_filter(last.image.data, 3)
disk = np.hypot(*(np.indices(smooth.shape) - 255.5)) < 195
dark = ndimage.binary_opening(disk & (smooth < 0.6 * np.median(smooth[disk])), iterations=3)
threshold = sunpy.map.Map(dark.astype(np.int16), {**last.coronal_holes.meta, "scssmod": "threshold"})

###############################################################################
# Each image with its masks: one, or a list of any features and methods.

images = [sun.image for sun in suns]
masks = [[sun.coronal_holes, sun.active_regions] for sun in suns]
masks[-1].append(threshold)

with tempfile.TemporaryDirectory() as folder:
    page = write_report(images, masks, Path(folder) / "day.html", title="A synthetic day")
    text = page.read_text(encoding="utf-8")

print(f"{len(text) / 1e6:.1f} MB, {text.count('<img')} pictures, {text.count('<table')} tables")

###############################################################################
# One of its pictures, without the numbers of the regions:

plot_masks(last.image, last.coronal_holes)

plt.show()
