"""The choice of the events to draw on a Map."""

from collections import Counter

import numpy as np

import astropy.units as u
from sunpy.map import GenericMap

from sunpy_scss._arguments import check_type
from sunpy_scss._sun.polygons import inside_rings
from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import HEKWarning
from sunpy_scss.hek._records import FULL_NAMES, LASTING, TIME_RULES, hek_table, parse_polygon

__all__ = ["choose", "warn_if_nothing"]

_TIMES_FROM = ("auto", "event_starttime", "event_endtime")
# Seconds within which two times are those of one image, or two runs of a method are one run.
_SAME = 60
# Two outlines are of one region from this share of the smaller one on, found on so many points a side.
_SHARE, _POINTS = 0.5, 40


def choose(events, smap, time_from, max_gap, frm_name):
    """
    The events to draw, and how many others there are by reason.

    Parameters
    ----------
    events, smap, time_from, max_gap, frm_name
        The same as for `sunpy_scss.hek.hek_to_mask`.

    Returns
    -------
    chosen : astropy.table.QTable
        The table of `hek_table`, with the time of the polygon as ``obstime``, and in ``meta`` the type of the
        events (``event_type``) and the name of the method (``method``), also where no event is left.
    left : collections.Counter
        By reason, in the order in which they are asked for.
    """
    check_type(smap, GenericMap, "a sunpy Map to draw on")
    if time_from not in _TIMES_FROM:
        msg = f"time_from must be one of {', '.join(_TIMES_FROM)} (got {time_from!r})."
        raise ValueError(msg)
    everything = hek_table(events)
    left = Counter(everything.meta.get("left_out", []))
    names = _methods(frm_name, everything)
    table = _keep(everything, np.isin(everything["frm_name"], names), "of other methods", left)
    table.meta |= {"event_type": _type_of(table, everything), "method": " ".join(["HEK", *names])}
    if time_from != "auto":
        table["obstime"] = table[time_from]
    table = _keep(table, ~table["event_testflag"], "test events", left)
    table = _keep(table, table["active"], "inactive", left)
    table = _keep(table, _is_highest(table["kb_archivid"], table["revision"]), "repeated or superseded", left)
    table = _keep_nearest(table, smap.reference_date, max_gap, left)
    table = _keep(table, _last_word(table, smap.reference_date), "repeated or superseded", left)
    _check_times_known(table, time_from)
    return table, left


def warn_if_nothing(count, left):
    """Say why there is nothing to see, where there were events."""
    if not count and left.total():
        reasons = ", ".join(f"{number} {reason}" for reason, number in left.items() if number)
        msg = f"Nothing is drawn: of {left.total()} events of the HEK {reasons}."
        warn_caller(msg, HEKWarning)


def _methods(frm_name, table):
    """The names of the methods to draw, as the HEK has them."""
    known = sorted({*table.meta.get("frm_names", []), *map(str, table["frm_name"])})
    if frm_name is None:
        return known
    names = [FULL_NAMES.get(name, name) for name in ([frm_name] if isinstance(frm_name, str) else frm_name)]
    unknown = [name for name in names if name not in known]
    if known and unknown:
        msg = f"No event is by the method {', '.join(unknown)}: these are by {', '.join(known)}."
        warn_caller(msg, HEKWarning)
    return names


def _type_of(table, everything):
    """Return the one type of the events to draw, or else of those that there were; "" where nothing tells it."""
    known = set(everything.meta.get("event_types", []))
    types = set(table["event_type"]) or set(everything["event_type"]) or (known if len(known) == 1 else set())
    types.discard("")
    if len(types) > 1:
        msg = f"Draw events of one type at a time (got {', '.join(sorted(types))}): select by the column event_type."
        raise ValueError(msg)
    return str(*types)


def _keep(table, which, reason, left):
    left[reason] += len(table) - int(np.count_nonzero(which))
    return table[which]


def _is_highest(keys, values, tolerance=0):
    """Return True for each value that is the highest of its key."""
    keys, highest = list(keys), {}
    for key, value in zip(keys, values, strict=True):
        highest[key] = max(value, highest.get(key, value))
    return np.array([value >= highest[key] - tolerance for key, value in zip(keys, values, strict=True)], dtype=bool)


def _keep_nearest(table, date, max_gap, left):
    """Return the events of each method nearest in time, unless they are too far."""
    lasting = np.isin(table["frm_name"], list(LASTING))
    since, until = ((date - table[name]).to_value(u.s) for name in ("event_starttime", "event_endtime"))
    gaps = np.where(lasting, np.maximum(0, np.maximum(until, -since)), abs((date - table["obstime"]).to_value(u.s)))
    nearest = _is_nearest(table, gaps)
    left["of other steps"] += int(np.count_nonzero(~nearest & ~lasting))
    left["not in progress at that time"] += int(np.count_nonzero(~nearest & lasting))
    table, gaps = table[nearest], gaps[nearest]
    hours = max_gap.to_value(u.hour)
    far = gaps[gaps > hours * 3600]
    reason = f"more than {hours:g} h from the Map" + (f", the nearest {far.min() / 3600:.1f} h" if len(far) else "")
    return _keep(table, gaps <= hours * 3600, reason, left)


def _is_nearest(table, gaps):
    """The image nearest in time of each method; where events last, all that do at that time."""
    nearest = np.zeros(len(table), dtype=bool)
    for name in np.unique(table["frm_name"]):
        rows = np.flatnonzero(table["frm_name"] == name)
        best = rows[np.argmin(gaps[rows])]
        if name in LASTING:
            nearest[rows] = gaps[rows] <= gaps[best]
        else:
            # Two images, one before and one after the Map, may be as near as each other: one of them is enough.
            nearest[rows] = abs((table["obstime"][rows] - table["obstime"][best]).to_value(u.s)) <= _SAME
    return nearest


def _last_word(table, date):
    """Return the events of a time that are the last record of their region, without repeats."""
    tracks = np.where(table["frm_specificid"] == "", table["kb_archivid"], table["frm_specificid"])
    # A later run replaces an earlier one. Pieces of one track from the same run all stay.
    last = _is_highest(zip(table["frm_name"], tracks, strict=True), table["frm_daterun"].unix, _SAME)
    seen = {}
    shapes = zip(np.round(table["obstime"].unix).astype(int), table["hpc_boundcc"], strict=True)
    first = [seen.setdefault(shape, row) == row if last[row] else False for row, shape in enumerate(shapes)]
    return np.array(first, dtype=bool) & ~_seen_again(table, date)


def _seen_again(table, date):
    """
    Return the events that are another view of a region that a later run, or an image nearer to the Map, shows too.

    A rerun follows the same regions under other numbers. Only their places tell that they are the same.
    """
    again = np.zeros(len(table), dtype=bool)
    for name in set(table["frm_name"]) - LASTING:
        rows = np.flatnonzero(table["frm_name"] == name)
        runs, times = table["frm_daterun"][rows].unix, table["obstime"][rows].unix
        if np.ptp(runs) <= _SAME and np.ptp(times) < 1:
            continue
        shapes = [parse_polygon(text) for text in table["hpc_boundcc"][rows]]
        better = []
        for one in np.lexsort([abs(times - date.unix), -np.round(runs / _SAME)]):
            rivals = [two for two in better if abs(runs[one] - runs[two]) > _SAME or abs(times[one] - times[two]) >= 1]
            again[rows[one]] = any(_shared(shapes[one], shapes[two]) >= _SHARE for two in rivals)
            if not again[rows[one]]:
                better.append(one)
    return again


def _shared(one, two):
    """The share of the smaller of two shapes that lies in the other."""
    small, large = sorted((one, two), key=lambda shape: np.prod(np.ptp(_vertices(shape), axis=0)))
    low, high = _vertices(small).min(axis=0), _vertices(small).max(axis=0)
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    points = low + np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) * (high - low)
    inside = _inside(points, small)
    return np.count_nonzero(inside & _inside(points, large)) / max(1, np.count_nonzero(inside))


def _vertices(shape):
    return np.concatenate([ring for polygon in shape for ring in polygon])


def _inside(points, shape):
    return np.logical_or.reduce([inside_rings(polygon, points) for polygon in shape])


def _check_times_known(table, time_from):
    unknown = sorted(set(table["frm_name"]) - set(TIME_RULES))
    if unknown and time_from == "auto":
        msg = (
            f"Which time the polygons of {', '.join(unknown)} belong to is not known; event_starttime was taken. "
            "Pass time_from to say which it is."
        )
        warn_caller(msg, HEKWarning)
