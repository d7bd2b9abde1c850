"""The pieces of a followed region in one mask as one row of a table."""

import numpy as np

import astropy.units as u
from astropy.table import QTable

from sunpy_scss._sun.view import half_turn, longitude_latitude, unit_vectors

__all__ = ["join_pieces", "sums"]

_SUMS = ("area", "area_msh", "area_percent", "perimeter", "n_pixels", "flux_signed", "flux_unsigned")
_LEAST = ("lat_min", "bottom", "intensity_min")
_LARGEST = ("lat_max", "top", "intensity_max")
_EXTENTS = (("lon_min", "lon_max"), ("left", "right"))
_SAME = ("mask", "time", "track")
_OF_THE_LARGEST = ("id",)
# Means over the part of the area where the field is known.
_OF_FIELD = ("field_mean", "field_skewness")


def join_pieces(rows):
    """
    Join the rows of one track that are of one mask.

    Parameters
    ----------
    rows : astropy.table.QTable
        Those of one track in `~sunpy_scss.evolution.Tracks.regions`.

    Returns
    -------
    astropy.table.QTable
        One row for each mask, with the same columns.
    """
    _, first, number = np.unique(rows["mask"], return_index=True, return_inverse=True)
    if len(first) == len(rows):
        return rows
    count, area = len(first), rows["area"].to_value(u.Mm**2)
    largest = np.lexsort((-area, number))[np.searchsorted(np.sort(number), np.arange(count))]
    joined = {name: rows[name][largest] for name in (*_SAME, *_OF_THE_LARGEST) if name in rows.colnames}
    if "lon" in rows.colnames:
        joined |= _places(rows, number, largest, area)
    for name in rows.colnames:
        if name not in joined:
            known = area * rows["field_coverage"] if name in _OF_FIELD else area
            joined[name] = _join(name, rows[name], number, count, known)
    if "flux_signed" in joined:
        joined["polarity"] = np.sign(np.nan_to_num(joined["flux_signed"].value)).astype(int)
        with np.errstate(invalid="ignore"):
            joined["unipolarity"] = np.abs(joined["flux_signed"] / joined["flux_unsigned"]).value
    return QTable({name: joined[name] for name in rows.colnames}, meta=rows.meta)


def _join(name, column, number, count, weights):
    """Return the values of a column, sums or means by area as the column is, for each of the masks."""
    values, unit = np.asarray(getattr(column, "value", column)), getattr(column, "unit", None)
    if values.dtype == bool:
        return _reduced(np.logical_or, values, number, count)
    if name in _LEAST or name in _LARGEST:
        joined = _reduced(np.fmin if name in _LEAST else np.fmax, values, number, count)
    else:
        known = np.isfinite(values)
        joined = sums(np.where(known, values, 0) * (1 if name in _SUMS else weights), number, count)
        whole = sums(known if name in _SUMS else np.where(known, weights, 0), number, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            joined = np.where(whole > 0, joined if name in _SUMS else joined / whole, np.nan)
    joined = joined.astype(values.dtype)
    return joined if unit is None else joined * unit


def sums(values, number, count):
    """Return the sums of values, without those that are not known, in each of ``count`` groups."""
    return np.bincount(number, weights=np.nan_to_num(values), minlength=count)


def _reduced(function, values, number, count):
    order = np.argsort(number, kind="stable")
    return function.reduceat(values[order], np.searchsorted(number[order], np.arange(count)))


def _places(rows, number, largest, area):
    """Return the middles of all pieces together, on the sphere, and how far they reach to the east and west of them."""
    count = len(largest)
    points = unit_vectors(rows["lon"].to_value(u.rad), rows["lat"].to_value(u.rad))
    lon, lat = longitude_latitude(np.stack([sums(area * one, number, count) for one in points]))
    moved = half_turn(lon - rows["lon"][largest].to_value(u.rad)) * u.rad
    joined = {
        "lon": (lon * u.rad).to(rows["lon"].unit),
        "lat": (lat * u.rad).to(rows["lat"].unit),
        "carrington_lon": (rows["carrington_lon"][largest] + moved) % (360 * u.deg),
    }
    for names in _EXTENTS:
        joined |= _extent(rows, names, number, largest)
    return joined


def _extent(rows, names, number, largest):
    """Return the least and the largest coordinate; each piece is turned by 360 degrees to where the largest is near."""
    count = len(largest)
    low, high = (rows[name] for name in names)
    full = 360 * u.deg
    around = low.unit.is_equivalent(u.deg) and low.unit != u.arcsec
    if around:
        middle = (low + high) / 2
        turns = np.round(((middle[largest][number] - middle) / full).to_value(u.one)) * full
        low, high = low + turns, high + turns
    least = _reduced(np.minimum, low.value, number, count) * low.unit
    most = _reduced(np.maximum, high.value, number, count) * high.unit
    if around:
        wide = most - least >= full
        start = np.where(wide, -full / 2, (least + full / 2) % full - full / 2)
        least, most = start, start + np.minimum(most - least, full)
    return dict(zip(names, (least.to(rows[names[0]].unit), most.to(rows[names[0]].unit)), strict=True))
