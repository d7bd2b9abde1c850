"""Synthetic records of the HEK, in the shape of its answers, and Maps to draw them on."""

import json
from pathlib import Path

import numpy as np

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.time import Time
from sunpy.coordinates import get_earth
from sunpy.map.header_helper import make_fitswcs_header, make_heliographic_header

SYNTHETIC = Path(__file__).parent / "data" / "hek_synthetic.json"

DATE = Time("2018-03-17T04:00:00")


def synthetic_records():
    """The records of the fixture: two steps of three SPoCA-like active regions."""
    return json.loads(SYNTHETIC.read_text(encoding="utf-8"))["result"]


def record(polygon, *, end=DATE, number=0, run=None, **changes):
    """A record as SPoCA writes it: the start four hours before the image, the end at its time."""
    end = Time(end)
    run = Time(run or end + 25 * u.min)
    run_stamp, image_stamp = (time.strftime(form) for time, form in ((run, "%Y%m%d_%H%M%S"), (end, "%Y%m%dT%H%M%S")))
    kind = changes.get("event_type", "AR")
    return {
        "kb_archivid": f"ivo://helio-informatics.org/{kind}_SPoCA_{run_stamp}_{image_stamp}_{number}",
        "event_type": kind,
        "frm_name": "SPoCA",
        "frm_specificid": f"SPoCA_v1.0_{kind}_{number:010d}",
        "frm_daterun": run.isot[:19],
        "event_starttime": (end - 4 * u.hour).isot[:19],
        "event_endtime": end.isot[:19],
        "hpc_boundcc": polygon,
        "area_raw": 1e9,
        "area_atdiskcenter": 1.2e9,
        "area_unit": "km2",
        "active": "true",
        "event_testflag": "false",
        "revision": "1",
        **changes,
    }


def polygon_text(*rings):
    parts = [",".join(f"{x:.4f} {y:.4f}" for x, y in [*ring, ring[0]]) for ring in rings]
    return f"POLYGON({','.join(f'({part})' for part in parts)})"


def box(left, bottom, right, top):
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def sun(date=DATE, size=256, *, observer=None, half_width=1250):
    """An empty image of the Sun."""
    observer = get_earth(date) if observer is None else observer
    centre = SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame="helioprojective", observer=observer, obstime=date)
    scale = [2 * half_width / size] * 2 * u.arcsec / u.pix
    return sunpy.map.Map(np.zeros((size, size)), make_fitswcs_header((size, size), centre, scale=scale))


def heliographic(date=DATE, shape=(180, 360), *, frame="stonyhurst", projection="CAR"):
    """An empty Map of the whole surface."""
    header = make_heliographic_header(date, get_earth(date), shape, frame=frame, projection_code=projection)
    return sunpy.map.Map(np.zeros(shape), header)


def iou(one, other):
    """Intersection over union of two masks; 1 where both are empty."""
    one, other = np.asarray(one, dtype=bool), np.asarray(other, dtype=bool)
    return (one & other).sum() / (one | other).sum() if (one | other).any() else 1.0
