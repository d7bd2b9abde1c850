"""
The masks of HEK polygons, checked on recorded answers of the HEK.

Run ``python benchmarks/hek.py FILE.json`` with an answer of the HEK for SPoCA's active regions (``cosec=2``).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.table import Table
from sunpy.coordinates import get_earth
from sunpy.map.header_helper import make_fitswcs_header
from sunpy.net.hek import HEKTable
from sunpy.util import dict_keys_same

from sunpy_scss.hek import drawn_events, hek_table, hek_to_mask
from sunpy_scss.hek._records import read_events

_SIZE = 2048
_HALF_WIDTH = 1250 * u.arcsec


def sun_at(date):
    centre = SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame="helioprojective", observer=get_earth(date), obstime=date)
    scale = u.Quantity([2 * _HALF_WIDTH / (_SIZE * u.pix)] * 2)
    return sunpy.map.Map(np.zeros((_SIZE, _SIZE)), make_fitswcs_header((_SIZE, _SIZE), centre, scale=scale))


def seconds(function, repeat):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def print_quantiles(name, values):
    low, middle, high = np.nanpercentile(values, [16, 50, 84])
    print(f"{name}: median {middle:.3f}, 16 to 84 % {low:.3f} to {high:.3f} ({np.isfinite(values).sum()} regions)")


def time_rule(records):
    table = hek_table(records)
    in_id = np.array([identifier.rsplit("_", 2)[1] for identifier in table["kb_archivid"]])
    start, end = (
        (table[name].strftime("%Y%m%dT%H%M%S") == in_id).sum() for name in ("event_starttime", "event_endtime")
    )
    gap = (table["event_endtime"] - table["event_starttime"]).to_value(u.hour)
    print(f"time in kb_archivid equals event_endtime in {end} of {len(table)} records, event_starttime in {start};")
    print(f"    these two are {gap.min():.2f} to {gap.max():.2f} h apart")


def speed(records):
    ours = seconds(lambda: read_events(records), 5)
    theirs = seconds(lambda: HEKTable._from_search(Table(dict_keys_same([dict(r) for r in records])), client=None), 1)
    print(f"parsing {len(records)} records: {ours:.4f} s, sunpy {theirs:.2f} s, {theirs / ours:.0f} times faster")


def masks(records, every):
    """Measure each region alone on an image of its own time."""
    overlap, projected, corrected, total = [], [], [], np.zeros(2)
    for record in records[::every]:
        table = hek_table(record)
        smap = sun_at(table["obstime"][0])
        ours = hek_to_mask(table, smap).data.astype(bool)
        theirs = hek_to_mask(table, smap, time_from="event_starttime", max_gap=12 * u.hour).data.astype(bool)
        overlap.append((ours & theirs).sum() / max(1, (ours | theirs).sum()))
        for row in drawn_events(table, smap):
            pixel = (smap.scale[0] * 1 * u.pix).to_value(u.rad) * smap.dsun.to_value(u.km)
            projected.append(row["n_pixels"] * pixel**2 / row["area_raw"].value)
            surface = [row[name].to_value(u.km**2) for name in ("area_drawn", "area_atdiskcenter")]
            corrected.append(surface[0] / surface[1])
            total += surface
    print_quantiles("IoU of the mask by sunpy's time (event_starttime) with the right one", overlap)
    print_quantiles("area as drawn on the sky / area_raw", projected)
    print_quantiles("area as drawn on the surface / area_atdiskcenter", corrected)
    print(f"    of all regions together: {total[0] / total[1]:.3f}")


def speed_of_drawing(records):
    table = hek_table(records)
    smap = sun_at(table["obstime"][len(table) // 2])
    taken = seconds(lambda: hek_to_mask(table, smap), 3)
    print(f"one mask of {_SIZE} x {_SIZE} from {len(records)} events: {taken:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0].strip())
    parser.add_argument("answer", type=Path)
    parser.add_argument("--every", type=int, default=1, help="draw only each n-th region")
    options = parser.parse_args()
    records = json.loads(options.answer.read_text(encoding="utf-8"))["result"]
    time_rule(records)
    speed(records)
    masks(records, options.every)
    speed_of_drawing(records)


if __name__ == "__main__":
    main()
