"""Records of the HEK, in whatever form they come, as one table of what is needed to draw them."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
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

__all__ = ["FRM_NAME", "FULL_NAMES", "LASTING", "TIME_RULES", "Events", "hek_table", "parse_polygon"]

# All forms in which events come.
Events = Table | Row | UnifiedResponse | Mapping | list | tuple
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
    "CACTus (Computer Aided CME Tracking)": "event_starttime",
    FRM_NAME: "event_endtime",
}
# Methods whose events begin and end each at a time of its own, where those of others come image by image.
LASTING = {"Emerging flux region module"}
# Methods that nobody calls by the name that the HEK has for them.
FULL_NAMES = {"CACTus": "CACTus (Computer Aided CME Tracking)"}
_TEXTS = ("kb_archivid", "event_type", "frm_name", "frm_specificid", "hpc_boundcc")
_TIMES = ("obstime", "event_starttime", "event_endtime", "frm_daterun")
_AREAS = ("area_raw", "area_atdiskcenter")
_POSITIONS = ("hpc_x", "hpc_y")
_FLAGS = {"active": bool, "event_testflag": bool, "revision": int}
_NEEDED = {*_TEXTS, *_TIMES, *_POSITIONS, *_AREAS, "area_unit", *_FLAGS}
_IMAGE_IN_ID = re.compile(r"_(\d{8}T\d{6})(?:_\d+)?$")
# Text of some databases begins with the number of a system of coordinates, which says nothing of those of the Sun.
_SRID = re.compile(r"SRID\s*=\s*\d+\s*;", re.IGNORECASE)
_RING = re.compile(r"\(([^()]*)\)")
_POLYGON = re.compile(r"POLYGON(Z|M|ZM)?\(R(,R)*\)|MULTIPOLYGON(Z|M|ZM)?\(\(R(,R)*\)(,\(R(,R)*\))*\)")
# More than any method writes. A polygon beyond it is damaged, and drawing it would take minutes.
_MAX_VERTICES = 100_000
_MAX_ARCSEC = 50_000  # from disc centre: more than the field of any coronagraph
_MAX_LENGTH = 1e6  # of the whole outline, in arcsec
_YEARS = range(1900, 2101)


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
    text = _SRID.sub("", text.strip(), count=1)
    if text.count(",") >= _MAX_VERTICES:
        msg = f"A polygon has at most {_MAX_VERTICES} vertices (got {text.count(',') + 1})."
        raise ValueError(msg)
    outline = "".join(_RING.sub("R", text).upper().split())
    if not _POLYGON.fullmatch(outline):
        msg = f"A polygon reads POLYGON((x y,x y,...)) or MULTIPOLYGON(((...)),((...))) (got {text[:60]!r})."
        raise ValueError(msg)
    rings = [_parse_ring(ring) for ring in _RING.findall(text)]
    length = sum(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum() for ring in rings)
    if length > _MAX_LENGTH:
        msg = f"The outline of an event is at most {_MAX_LENGTH:g} arcsec long (got {length:.3g})."
        raise ValueError(msg)
    following = iter(rings)
    return [[next(following) for _ in range(part.count("R"))] for part in re.findall(r"\([R,]*\)", outline)]


def _parse_ring(text):
    # Unequal numbers of coordinates, and what is no number, are a ValueError already.
    ring = np.array([vertex.split() for vertex in text.split(",")], dtype=float)
    if ring.ndim != 2 or ring.shape[1] < 2 or len(ring) < 3 or not (abs(ring[:, :2]) <= _MAX_ARCSEC).all():
        msg = (
            f"A ring is of three vertices or more, each of two numbers of at most {_MAX_ARCSEC} arcsec "
            f"(got {text[:60]!r})."
        )
        raise ValueError(msg)
    return ring[:, :2]


class _UnusableError(Exception):
    """An event that cannot be drawn, and why, as it follows a number of events."""


def hek_table(events: Events) -> QTable:
    """
    Events of the HEK in whatever form they come, as a table of what is needed to draw them.

    Parameters
    ----------
    events : astropy.table.Table, astropy.table.Row, sunpy.net.fido_factory.UnifiedResponse, dict or list
        The result of `~sunpy_scss.hek.search_hek`, `sunpy.net.Fido` or `sunpy.net.hek.HEKClient`, rows of it, raw
        records, a whole answer of the HEK (a dict with the records as ``result``), or a list of these.

    Returns
    -------
    astropy.table.QTable
        With the columns of the HEK ``kb_archivid``, ``event_type``, ``frm_name``, ``frm_specificid`` (the track),
        ``hpc_boundcc`` (the polygon as text, in arcsec), ``event_starttime``, ``event_endtime``, ``frm_daterun``,
        ``hpc_x``, ``hpc_y``, ``area_raw``, ``area_atdiskcenter``, ``active``, ``event_testflag``, ``revision``;
        and ``obstime``, the time of the image that the polygon was drawn on. Only the polygon, the start and the end
        have to be readable; what else is missing or odd is NaN, or as the HEK has it by default (active, no test,
        revision 1).

        Its ``meta`` says what the answer was about even where no event is left: the ``event_types`` and
        ``frm_names`` in it, and in ``left_out`` for each event that could not be used the reason.

    Raises
    ------
    TypeError
        These are no events of the HEK.
    sunpy_scss.exceptions.HEKError
        The search whose result this is had failed.

    Warns
    -----
    `~sunpy_scss.exceptions.HEKWarning`
        Records without a readable polygon or time are left out, two times of a record contradict each other, or the
        answer is only the first page of several.

    Examples
    --------
    >>> from sunpy_scss.hek import hek_table
    >>> record = {
    ...     "kb_archivid": "ivo://helio-informatics.org/AR_SPoCA_20180317_035624_20180317T033146_0",
    ...     "event_type": "AR", "frm_name": "SPoCA",
    ...     "event_starttime": "2018-03-16T23:31:46",
    ...     "event_endtime": "2018-03-17T03:31:46",
    ...     "hpc_boundcc": "POLYGON((493 418,513 453,532 414,493 418))",
    ... }
    >>> hek_table(record)["obstime"][0].isot
    '2018-03-17T03:31:46.000'
    """
    if isinstance(events, QTable) and "obstime" in events.colnames:
        return events
    rows, lost, doubtful, seen = [], [], 0, {"event_type": set(), "frm_name": set()}
    for record in _list_records(events):
        for name, values in seen.items():
            values.add(_text(record.get(name)))
        try:
            row, agrees = _read(record)
        except _UnusableError as error:
            lost.append(str(error))
            continue
        # Each has a name of its own, so that none is taken for a repetition of another one.
        row["kb_archivid"] = row["kb_archivid"] or f"unnamed_{len(rows) + 1}"
        rows.append(row)
        doubtful += not agrees
    _warn_of_losses(len(rows), lost, doubtful)
    table = _table(rows)
    table.meta = {f"{name}s": sorted(values - {""}) for name, values in seen.items()} | {"left_out": lost}
    return table


def _warn_of_losses(kept, lost, doubtful):
    if lost:
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(lost).items())
        msg = f"{len(lost)} of {len(lost) + kept} events of the HEK are left out: {reasons}."
        warn_caller(msg, HEKWarning)
    if doubtful:
        msg = (
            f"The time in kb_archivid of {doubtful} of {kept} events is not the one that their method means; "
            "it was taken. Pass time_from to decide otherwise."
        )
        warn_caller(msg, HEKWarning)


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
    _check_polygon(row["hpc_boundcc"])
    start, end = (_time(record.get(name)) for name in ("event_starttime", "event_endtime"))
    if start is None or end is None:
        msg = "with an unreadable time"
        raise _UnusableError(msg)
    row |= {"event_starttime": start, "event_endtime": end}
    meant = row[TIME_RULES.get(row["frm_name"], "event_starttime")]
    image = _time_of_image(row)
    row["obstime"] = image or meant
    row["frm_daterun"] = _time(record.get("frm_daterun")) or end
    row |= {name: _number(record.get(name)) for name in _POSITIONS}
    unit = _square_km(_text(record.get("area_unit")) or "km2")
    row |= {name: _number(record.get(name), u.km**2) * unit for name in _AREAS}
    row["active"] = _flag(record.get("active"), default=True)
    row["event_testflag"] = _flag(record.get("event_testflag"), default=False)
    revision = _number(record.get("revision"))
    row["revision"] = int(revision) if 1 <= revision < 1e9 else 1
    return row, image is None or abs((image - meant).total_seconds()) < 60


def _check_polygon(text):
    if not text.strip():
        msg = "without a polygon"
        raise _UnusableError(msg)
    try:
        parse_polygon(text)
    except ValueError as error:
        msg = "with an unreadable polygon"
        raise _UnusableError(msg) from error


def _time_of_image(row):
    """The time of the image in the identifier of SPoCA, in whose place other methods write other things."""
    found = _IMAGE_IN_ID.search(row["kb_archivid"]) if row["frm_name"] == "SPoCA" else None
    return _time(found[1]) if found else None


def _text(value):
    return "" if value is None or np.ma.is_masked(value) else str(value)


def _time(value):
    """Return a time of the HEK, which is in UTC; None if it cannot be read."""
    try:
        moment = value.utc.datetime if isinstance(value, Time) else datetime.fromisoformat(_text(value).strip())
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError, AttributeError):
        return None
    return moment if moment.year in _YEARS else None


def _flag(value, *, default):
    """Return a flag, or its default where the value is no flag (also for None and an empty text)."""
    known = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    return known.get(_text(value).strip().lower(), default)


def _number(value, unit=None):
    """A finite number, of a quantity in a unit if there is one; NaN for everything else."""
    try:
        if isinstance(value, u.Quantity):
            value = value.to_value(unit or value.unit)
        number = float(value) if np.ndim(value) == 0 and not np.ma.is_masked(value) else np.nan
    except (ValueError, TypeError, OverflowError):
        return np.nan
    return number if np.isfinite(number) else np.nan


@lru_cache
def _square_km(unit):
    """Return the square kilometres in one unit of area; NaN if the unit is not an area."""
    try:
        return u.Unit(unit).to(u.km**2)
    except (ValueError, u.UnitConversionError):
        return np.nan


def _list_records(events):
    try:
        return list(_records(events))
    except RecursionError as error:
        msg = "The lists of events are nested too deeply."
        raise TypeError(msg) from error


def _records(events):
    """Mappings from the names of the HEK, from any form that its events take."""
    if isinstance(events, UnifiedResponse):
        for table in events:
            _check_answered(table)
            if isinstance(table, HEKTable):
                yield from _records(table)
    elif isinstance(events, Mapping) and isinstance(events.get("result"), list | tuple):
        if events.get("overmax"):
            msg = "The answer of the HEK is one page of several, and the other events are not drawn: use search_hek."
            warn_caller(msg, HEKWarning)
        yield from _records(events["result"])
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
