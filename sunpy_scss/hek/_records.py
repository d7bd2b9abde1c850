"""Records of the HEK, in whatever form they come, as one table of what is needed to draw them."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Row, Table
from astropy.time import Time
from sunpy.net.fido_factory import UnifiedResponse
from sunpy.net.hek import HEKClient, HEKTable

from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import HEKError, HEKWarning

__all__ = ["FRM_NAME", "TIME_RULES", "parse_polygon", "read_events"]

# This package, among the methods of the HEK.
FRM_NAME = "sunpy_scss"
# Which of its times a method means by the polygon. SPoCA writes its previous run as the start and the image as the
# end; the identifiers of the other methods, which contain the time of the image, show their start.
TIME_RULES = {
    "SPoCA": "event_endtime",
    "AAFDCC": "event_starttime",
    "EGSO_SFC": "event_starttime",
    "Emerging flux region module": "event_starttime",
    "NOAA SWPC Observer": "event_starttime",
    FRM_NAME: "event_endtime",
}
_TEXTS = ("kb_archivid", "event_type", "frm_name", "frm_specificid", "hpc_boundcc")
_TIMES = ("obstime", "event_starttime", "event_endtime", "frm_daterun")
_AREAS = ("area_raw", "area_atdiskcenter")
_POSITIONS = ("hpc_x", "hpc_y")
_FLAGS = {"active": bool, "event_testflag": bool, "revision": int}
_NEEDED = {*_TEXTS, *_TIMES, *_POSITIONS, *_AREAS, "area_unit", *_FLAGS}
_IMAGE_IN_ID = re.compile(r"_(\d{8}T\d{6})(?:_\d+)?$")
_RING = re.compile(r"\(([^()]*)\)")
_POLYGON = re.compile(r"POLYGON\(R(,R)*\)|MULTIPOLYGON\(\(R(,R)*\)(,\(R(,R)*\))*\)")


def parse_polygon(text):
    """
    The rings of a polygon in the text form of the HEK.

    Parameters
    ----------
    text : str
        ``POLYGON((x y,x y,...),(...))`` or ``MULTIPOLYGON(((...)),((...)))``.

    Returns
    -------
    list of list of numpy.ndarray
        For each polygon its rings, each (n, 2).

    Raises
    ------
    ValueError
        The text is no such polygon.

    Examples
    --------
    >>> from sunpy_scss.hek._records import parse_polygon
    >>> [[ring]] = parse_polygon("POLYGON((0 0,10 0,10 5,0 0))")
    >>> ring.shape
    (4, 2)
    """
    text = text.strip()
    outline = _RING.sub("R", text).upper().replace(" ", "")
    if not _POLYGON.fullmatch(outline):
        msg = f"A polygon reads POLYGON((x y,x y,...)) or MULTIPOLYGON(((...)),((...))) (got {text[:60]!r})."
        raise ValueError(msg)
    rings = iter([_parse_ring(ring) for ring in _RING.findall(text)])
    return [[next(rings) for _ in range(part.count("R"))] for part in re.findall(r"\([R,]*\)", outline)]


def _parse_ring(text):
    # Unequal numbers of coordinates, and what is no number, are a ValueError already.
    ring = np.array([vertex.split() for vertex in text.split(",")], dtype=float)
    if ring.ndim != 2 or ring.shape[1] < 2 or len(ring) < 3 or not np.isfinite(ring).all():
        msg = f"A ring is of three vertices or more, each of two finite numbers (got {text[:60]!r})."
        raise ValueError(msg)
    return ring[:, :2]


def read_events(events):
    """
    The table of `sunpy_scss.hek.hek_table`, and how many records had no usable polygon or time.

    Does not warn of the latter; the caller knows whether they matter.
    """
    if isinstance(events, QTable) and "obstime" in events.colnames:
        return events, 0
    records = list(_records(events))
    rows, doubtful = [], 0
    for record in records:
        try:
            row, agrees = _read(record)
        except ValueError:
            continue
        rows.append(row)
        doubtful += not agrees
    if doubtful:
        msg = (
            f"The time in kb_archivid of {doubtful} of {len(rows)} events is not the one that their method means; "
            "it was taken. Pass time_from to decide otherwise."
        )
        warn_caller(msg, HEKWarning)
    return _table(rows), len(records) - len(rows)


def _table(rows):
    table = QTable()
    for name in _TEXTS:
        table[name] = np.array([row[name] for row in rows], dtype=str)
    for name in _TIMES:
        times = np.array([row[name] for row in rows], dtype="datetime64[ms]")
        table[name] = Time(times.astype(str), format="isot", scale="utc")
    for names, unit in ((_POSITIONS, u.arcsec), (_AREAS, u.km**2)):
        for name in names:
            table[name] = np.array([row[name] for row in rows], dtype=float) * unit
    for name, kind in _FLAGS.items():
        table[name] = np.array([row[name] for row in rows], dtype=kind)
    return table


def _read(record):
    """The values of one row, and whether the times of the record agree with each other."""
    row = {name: _text(record.get(name)) for name in _TEXTS}
    parse_polygon(row["hpc_boundcc"])
    row |= {name: _time(record.get(name)) for name in ("event_starttime", "event_endtime")}
    meant = row[TIME_RULES.get(row["frm_name"], "event_starttime")]
    image = _time_of_image(row)
    row["obstime"] = image or meant
    row["frm_daterun"] = _time(record.get("frm_daterun") or row["event_endtime"])
    row |= {name: _number(record.get(name)) for name in _POSITIONS}
    unit = _square_km(_text(record.get("area_unit")) or "km2")
    row |= {name: _number(record.get(name)) * unit for name in _AREAS}
    row["active"] = _flag(record.get("active", True))
    row["event_testflag"] = _flag(record.get("event_testflag", False))
    row["revision"] = int(record.get("revision") or 1)
    return row, image is None or abs((image - meant).total_seconds()) < 60


def _time_of_image(row):
    """The time of the image in the identifier of SPoCA, in whose place other methods write other things."""
    found = _IMAGE_IN_ID.search(row["kb_archivid"]) if row["frm_name"] == "SPoCA" else None
    return datetime.strptime(found[1], "%Y%m%dT%H%M%S") if found else None


def _text(value):
    return "" if value is None or np.ma.is_masked(value) else str(value)


def _time(value):
    return value.datetime if isinstance(value, Time) else datetime.fromisoformat(_text(value))


def _flag(value):
    return str(value).lower() in ("true", "t", "1")


def _number(value):
    if value is None or np.ma.is_masked(value) or value == "":
        return np.nan
    return float(getattr(value, "value", value))


@lru_cache
def _square_km(unit):
    """How many square kilometres an area of 1 is; NaN where the unit is none of an area."""
    try:
        return u.Unit(unit).to(u.km**2)
    except (ValueError, u.UnitConversionError):
        return np.nan


def _records(events):
    """Mappings from the names of the HEK, from any form that its events take."""
    if isinstance(events, UnifiedResponse):
        for table in events:
            _check_answered(table)
            if isinstance(table, HEKTable):
                yield from _records(table)
    elif isinstance(events, Mapping):
        yield events
    elif isinstance(events, Row):
        yield _row_record(events)
    elif isinstance(events, Table):
        _check_answered(events)
        raw = getattr(events, "raw", None)
        # What sunpy keeps of the answer is whole only as long as no row has been taken out of the table.
        table = raw if raw is not None and len(raw) == len(events) else events
        yield from (_row_record(row) for row in table)
    elif isinstance(events, list | tuple):
        for event in events:
            yield from _records(event)
    else:
        msg = (
            "Events of the HEK come from search_hek, from Fido or HEKClient as a table or rows of it, or as raw "
            f"records (dict) (got {type(events).__name__})."
        )
        raise TypeError(msg)


def _check_answered(table):
    """Fido of sunpy 8 puts the error of a client beside an empty table, where an outage looks like no events."""
    asked_hek = isinstance(getattr(table, "client", None), HEKClient)
    error = getattr(table, "errors", None) if asked_hek else None
    if error:
        msg = f"The search itself failed: {error}. Repeat it; this is an outage, not an absence of events."
        raise HEKError(msg)


def _row_record(row):
    record = {name: row[name] for name in _NEEDED.intersection(row.colnames)}
    polygon = record.get("hpc_boundcc")
    if isinstance(polygon, SkyCoord):
        record["hpc_boundcc"] = _polygon_text(polygon)
    return record


def _polygon_text(polygon):
    """The text form of vertices that sunpy has made coordinates of."""
    vertices = np.column_stack([np.ma.filled(_plain(axis), np.nan) for axis in (polygon.Tx, polygon.Ty)])
    # Angles lose their last bits on the way through degrees; the HEK gives six digits after the point.
    return f"POLYGON(({','.join(f'{x:.6f} {y:.6f}' for x, y in vertices)}))"


def _plain(axis):
    value = axis.to_value(u.arcsec)
    return np.ma.array(getattr(value, "unmasked", value), mask=getattr(value, "mask", False))
