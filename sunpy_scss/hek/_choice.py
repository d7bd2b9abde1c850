"""Which of many events to draw on a Map."""

from collections import Counter

import numpy as np

import astropy.units as u

from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import HEKWarning
from sunpy_scss.hek._records import TIME_RULES, read_events

__all__ = ["choose"]

_TIMES_FROM = ("auto", "event_starttime", "event_endtime")


def choose(events, smap, time_from, max_gap, frm_name):
    """
    The events to draw, and how many others there are by reason.

    Parameters
    ----------
    events, smap, time_from, max_gap, frm_name
        As for `sunpy_scss.hek.hek_to_mask`.

    Returns
    -------
    chosen : astropy.table.QTable
        As of `sunpy_scss.hek.hek_table`, with the time of the polygon as ``obstime``, and in ``meta`` the type of the
        events (``event_type``) and the name of the method (``method``), also where no event is left.
    left : collections.Counter
        By reason, in the order in which they are asked for.
    """
    if time_from not in _TIMES_FROM:
        msg = f"time_from must be one of {', '.join(_TIMES_FROM)} (got {time_from!r})."
        raise ValueError(msg)
    table, lost = read_events(events)
    left = Counter({"unreadable": lost})
    names = [frm_name] if isinstance(frm_name, str) else list(frm_name or np.unique(table["frm_name"]))
    table = _keep(table, np.isin(table["frm_name"], names), "of other methods", left)
    types = sorted({str(name) for name in table["event_type"]}) or [table.meta.get("event_type", "")]
    if len(types) > 1:
        msg = f"Draw events of one type at a time (got {', '.join(types)}): select by the column event_type."
        raise ValueError(msg)
    table.meta |= {"event_type": types[0], "method": " ".join(["HEK", *names])}
    if time_from != "auto":
        table["obstime"] = table[time_from]
    table = _keep(table, ~table["event_testflag"], "test events", left)
    table = _keep(table, table["active"], "inactive", left)
    table = _keep(table, _last_word(table), "repeated or superseded", left)
    table = _keep_nearest(table, smap.reference_date, max_gap, left)
    _check_times_known(table, time_from)
    return table, left


def _keep(table, which, reason, left):
    left[reason] += len(table) - int(np.count_nonzero(which))
    return table[which]


def _last_word(table):
    """Which events are the last word on their region at their time, and say it for the first time."""
    moments = np.round(table["obstime"].unix).astype(int)
    tracks = np.where(table["frm_specificid"] == "", table["kb_archivid"], table["frm_specificid"])
    regions = zip(table["frm_name"], tracks, moments, strict=True)
    # A later run replaces an earlier one. Pieces of one track from the same run all stay.
    last = _is_highest(regions, table["frm_daterun"].unix) & _is_highest(table["kb_archivid"], table["revision"])
    seen = {}
    shapes = zip(moments, table["hpc_boundcc"], strict=True)
    first = [seen.setdefault(shape, row) == row if last[row] else False for row, shape in enumerate(shapes)]
    return np.array(first, dtype=bool)


def _is_highest(keys, values):
    """For each value whether it is the highest of its key."""
    keys, highest = list(keys), {}
    for key, value in zip(keys, values, strict=True):
        highest[key] = max(value, highest.get(key, value))
    return np.array([value == highest[key] for key, value in zip(keys, values, strict=True)], dtype=bool)


def _keep_nearest(table, date, max_gap, left):
    """The step nearest in time of each method, unless it is too far."""
    gaps = abs((table["obstime"] - date).to_value(u.s))
    nearest = _is_highest(table["frm_name"], -np.round(gaps))
    if len(table) and gaps.min() > max_gap.to_value(u.s):
        msg = (
            f"Nothing is drawn: the nearest events are {gaps.min() / 3600:.1f} h from the Map and max_gap is "
            f"{max_gap.to_value(u.hour):g} h. Search nearer to {date.isot}, or raise max_gap."
        )
        warn_caller(msg, HEKWarning)
    step = _keep(table, nearest, "of other steps", left)
    near = gaps[nearest] <= max_gap.to_value(u.s)
    return _keep(step, near, f"more than {max_gap.to_value(u.hour):g} h away", left)


def _check_times_known(table, time_from):
    unknown = sorted(set(table["frm_name"]) - set(TIME_RULES))
    if unknown and time_from == "auto":
        msg = (
            f"Which time the polygons of {', '.join(unknown)} belong to is not known; event_starttime was taken. "
            "Pass time_from to say which it is."
        )
        warn_caller(msg, HEKWarning)
