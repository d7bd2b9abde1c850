"""
=================================
A rotation of coronal holes
=================================

Holes followed from day to day, the events of their lives, one map of the whole Sun, and
the share of the central meridian from which the solar wind to Earth comes.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import astropy.units as u
from astropy.time import Time

from sunpy_scss.evolution import (
    carrington_coverage,
    carrington_map,
    central_meridian_fraction,
    track_regions,
    track_series,
)
from sunpy_scss.plotting import (
    plot_carrington_map,
    plot_tracked_regions,
    plot_tracks,
    save_movie,
)
from sunpy_scss.synthetic import Cap, synthetic_sun

###############################################################################
# A synthetic Sun every second day for a month, so that the truth is known. Two holes
# turn with the Sun the whole time. A third grows, touches one of them and becomes a
# part of it. A fourth is born in full view and dies in full view.


def sun_on(day):
    turn = 13.2 * day
    holes = [
        Cap((turn - 45) * u.deg, 20 * u.deg, 14 * u.deg),
        Cap((turn + 45) * u.deg, -25 * u.deg, 12 * u.deg),
    ]
    if day <= 6:
        holes.append(Cap((turn - 72) * u.deg, 20 * u.deg, (2 * day + 5) * u.deg))
    if 8 <= day <= 12:
        holes.append(Cap((turn - 130) * u.deg, -10 * u.deg, 8 * u.deg))
    date = Time("2017-06-01T12:00") + day * u.day
    return synthetic_sun(
        date, size=256, coronal_holes=holes, active_regions=[], seed=day
    )


suns = [sun_on(day) for day in range(0, 30, 2)]
masks = [sun.coronal_holes for sun in suns]

###############################################################################
# Each hole keeps its number, also when it comes back after half a rotation behind the
# Sun. Regions that come and go at the limb do not count as born or dead. If a hole
# breaks into pieces there, the pieces keep its number.

tracks = track_regions(masks)
tracks.events["time"].format = "iso"
tracks.events["time"].out_subfmt = "date"
print(tracks.events)

figure = plot_tracks(tracks)

###############################################################################
# The same as a movie. Where ffmpeg is installed, the name may end in ``.mp4``.


def frames():
    for number, (sun, mask) in enumerate(zip(suns, masks, strict=True)):
        rows = tracks.regions[tracks.regions["mask"] == number]
        figure = plt.figure(figsize=(4.5, 4.5), layout="constrained")
        axes = figure.add_subplot(projection=sun.image)
        plot_tracked_regions(sun.image, mask, rows, axes=axes)
        axes.set_title(sun.image.date.iso[:10])
        yield figure


movie = save_movie(frames(), Path(tempfile.mkdtemp()) / "holes.gif", rate=2)

###############################################################################
# Area and place of one hole over time.

series = track_series(tracks, 1)
series["area"].info.format = series["carrington_lon"].info.format = ".0f"
print(series["time", "area", "carrington_lon", "touches_limb"])

###############################################################################
# One map of the whole Sun, and how well each part of it was seen.

figure = plot_carrington_map(carrington_map(masks), carrington_coverage(masks))

###############################################################################
# The share of coronal holes around the central meridian. The fast wind from a peak
# arrives at Earth some days later.

meridian = central_meridian_fraction(masks, latitudes=(-60, 60) * u.deg)
figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
axes.plot(meridian["time"].datetime64, 100 * np.asarray(meridian["fraction"]), "o-")
axes.set(ylabel="% of the slice")

plt.show()
