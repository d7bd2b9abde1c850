"""The values of a header, or an error that names the key."""

import re

import numpy as np

import astropy.units as u
import sunpy.map
from astropy.time import Time
from sunpy.time import is_time, parse_time

from sunpy_scss.exceptions import InvalidMapError

__all__ = ["check_header", "in_one_unit", "number"]

# Numbers that are finite, those of them that are positive, and those that are not zero, where the header has them.
_FINITE = re.compile(r"crpix[12]|crval[12]|crota[12]|(pc|cd)[12]_[12]|(hgl[nt]|crl[nt])_obs|wavelnth")
_POSITIVE = re.compile(r"rsun_(obs|ref)|solar_r|radius|dsun_obs|exptime|xposure")
_NOT_ZERO = re.compile(r"cdelt[12]")
# No length in metres, angle in arcsec or time in seconds that a header may tell is as large; astropy cannot write all
# that are.
_LARGEST = 1e30
# Of these sunpy reads numbers that are written as text.
_TEXT = ("wavelnth",)
_DATES = ("date-obs", "date_obs", "date-beg", "date-avg", "date-end", "t_obs")
# Some headers keep the time of day in another key.
_SAME_DAY = 1.5 * u.day


def check_header(smap):
    """
    Raise an error where a value of a header that matters is of the wrong kind, or where it tells no date.

    Parameters
    ----------
    smap : sunpy.map.GenericMap

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        It names the key.
    """
    meta = smap.meta
    for key, value in meta.items():
        if value is None:
            continue
        if _FINITE.fullmatch(key):
            number(meta, key)
        elif _POSITIVE.fullmatch(key) and not 0 < number(meta, key) < _LARGEST:
            _refuse(key, value, "a positive number of sensible size")
        elif _NOT_ZERO.fullmatch(key) and number(meta, key) == 0:
            _refuse(key, value, "a number other than 0")
    for axis in "12":
        _check_unit(meta, f"cunit{axis}", u.deg, "a unit of angle, as arcsec")
    _check_unit(meta, "waveunit", u.AA, "a unit of wavelength, as Angstrom")
    unit = "" if meta.get("bunit") is None else meta["bunit"]
    if not isinstance(unit, str) or isinstance(u.Unit(unit, parse_strict="silent"), u.StructuredUnit):
        _refuse("bunit", unit, "one unit, as DN/s")
    if str(meta.get("timesys", "UTC")).lower().partition(" ")[0] not in Time.SCALES:
        _refuse("timesys", meta["timesys"], "a scale of time, as UTC")
    if not _date_known(smap):
        given = {key.upper(): meta[key] for key in ("date-obs", "date_obs") if key in meta}
        msg = f"The header must tell when the image was taken, as DATE-OBS = '2017-06-01T12:00:00' (got {given})."
        raise InvalidMapError(msg)


def in_one_unit(smap):
    """
    A Map whose axes are in one unit.

    Degrees along one axis and arcsec along the other are valid, but sunpy takes the scale of the second axis to be in
    the unit of the first.

    Parameters
    ----------
    smap : sunpy.map.GenericMap

    Returns
    -------
    sunpy.map.GenericMap
        The same one where there is but one unit.
    """
    first, second = smap.spatial_units
    if first == second or not second.is_equivalent(first):
        return smap
    meta = smap.meta.copy()
    for key in ("cdelt2", "crval2", "cd2_1", "cd2_2"):
        if key in meta:
            meta[key] *= second.to(first)
    meta["cunit2"] = meta["cunit1"]
    return sunpy.map.Map(smap.data, meta, mask=smap.mask)


def number(meta, key, *, default=None):
    """The finite number that a header has for a key, in lower case; an error that names the key if it is none."""
    value = meta.get(key, default)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = np.nan
    if not np.isfinite(found) or isinstance(value, bool) or (isinstance(value, str) and key not in _TEXT):
        _refuse(key, value, "a finite number")
    return found


def _date_known(smap):
    """Whether the date of a Map is one of those in its header; where sunpy understands none, it takes today."""
    texts = [smap.meta.get(key) for key in _DATES]
    told = [parse_time(text) for text in texts if isinstance(text, str) and is_time(text)]
    return bool(told) and any(abs(smap.date - time) < _SAME_DAY for time in told)


def _check_unit(meta, key, wanted, words):
    text = meta.get(key)
    if text in (None, ""):
        return
    try:
        fits = u.Unit(text).is_equivalent(wanted)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        _refuse(key, text, words)


def _refuse(key, value, wanted):
    msg = f"{key.upper()} in the header must be {wanted} (got {value!r})."
    raise InvalidMapError(msg)
