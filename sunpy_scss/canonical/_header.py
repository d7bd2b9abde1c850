"""The values of a header. A wrong value raises an error that names its key."""

import re

import numpy as np

import astropy.units as u
from astropy.time import Time
from sunpy.time import is_time, parse_time

from sunpy_scss.exceptions import InvalidMapError

__all__ = ["check_header", "is_aia", "number", "wavelength_of"]

# Keys of finite numbers, of positive ones, and of ones that are not zero, if the header has them.
_FINITE = re.compile(r"crpix[12]|crval[12]|crota[12]|(pc|cd)[12]_[12]|(hgl[nt]|crl[nt])_obs")
_POSITIVE = re.compile(r"rsun_(obs|ref)|solar_r|radius|dsun_obs")
_EXPOSURE = re.compile(r"exptime|xposure")
_NOT_ZERO = re.compile(r"cdelt[12]")
# No real length in metres, angle in arcsec or time in seconds of a header is so large. astropy cannot write all larger
# numbers.
_LARGEST = 1e30
# No exposure, in seconds, is so short or so long.
_SHORTEST, _LONGEST = 1e-6, 1e5
# Spellings of the unit of wavelength that astropy reads as another unit.
_WAVEUNITS = {"A": u.AA}
_DATES = ("date-obs", "date_obs", "date-beg", "date-avg", "date-end", "t_obs")
# Some headers have the time of day in another key.
_SAME_DAY = 1.5 * u.day


def check_header(smap):
    """
    Raise an error if a needed value of a header is of the wrong kind, or if the header has no date.

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
        elif _EXPOSURE.fullmatch(key) and not _SHORTEST < number(meta, key) < _LONGEST:
            _refuse(key, value, f"in seconds, between {_SHORTEST:g} and {_LONGEST:g}")
        elif _NOT_ZERO.fullmatch(key) and number(meta, key) == 0:
            _refuse(key, value, "a number other than 0")
    _check_units_of_angle(smap)
    unit = "" if meta.get("bunit") is None else meta["bunit"]
    if not isinstance(unit, str) or isinstance(u.Unit(unit, parse_strict="silent"), u.StructuredUnit):
        _refuse("bunit", unit, "one unit, as DN/s")
    if str(meta.get("timesys", "UTC")).lower().partition(" ")[0] not in Time.SCALES:
        _refuse("timesys", meta["timesys"], "a scale of time, as UTC")
    if not _date_known(smap):
        given = {key.upper(): meta[key] for key in ("date-obs", "date_obs") if key in meta}
        msg = f"The header must tell when the image was taken, as DATE-OBS = '2017-06-01T12:00:00' (got {given})."
        raise InvalidMapError(msg)


def is_aia(smap):
    return str(smap.meta.get("instrume", "")).startswith("AIA")


def wavelength_of(smap):
    """
    Return the wavelength of a Map, or None if the header has none, or none in a unit of length.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If WAVELNTH is not a number, for instance the name of a filter, or WAVEUNIT is not a unit.
    """
    meta = smap.meta
    if isinstance(value := meta.get("wavelnth"), str):
        try:
            float(value)
        except ValueError:
            _refuse("wavelnth", value, "a finite number")
    elif value is not None:
        number(meta, "wavelnth")
    text = meta.get("waveunit")
    if text not in (None, ""):
        try:
            fits = u.Unit(_WAVEUNITS.get(text, text)).is_equivalent(u.AA)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            _refuse("waveunit", text, "a unit of wavelength, as Angstrom")
    if text in _WAVEUNITS:
        return None if value is None else float(value) * _WAVEUNITS[text]
    found = smap.wavelength
    return found if isinstance(found, u.Quantity) and found.unit.is_equivalent(u.AA) else None


def number(meta, key, *, default=None):
    """Return the finite number of a header for a key in lower case; raise an error that names the key otherwise."""
    value = meta.get(key, default)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = np.nan
    if not np.isfinite(found) or isinstance(value, bool | str):
        _refuse(key, value, "a finite number")
    return found


def _date_known(smap):
    """Return True if the date of a Map is one in its header. If sunpy understands none of these, it takes today."""
    texts = [smap.meta.get(key) for key in _DATES]
    told = [parse_time(text) for text in texts if isinstance(text, str) and is_time(text)]
    return bool(told) and any(abs(smap.date - time) < _SAME_DAY for time in told)


def _check_units_of_angle(smap):
    """Raise an error unless sunpy, which knows the spellings of some instruments, reads units of angle for the axes."""
    try:
        if all(unit.is_equivalent(u.deg) for unit in smap.spatial_units):
            return
    except Exception:  # any error of sunpy or astropy
        pass
    for key in ("cunit1", "cunit2"):
        if key in smap.meta and not _is_angle(smap.meta[key]):
            _refuse(key, smap.meta[key], "a unit of angle, as arcsec")


def _is_angle(text):
    try:
        return u.Unit(text).is_equivalent(u.deg)
    except (AttributeError, TypeError, ValueError):
        return False


def _refuse(key, value, wanted):
    msg = f"{key.upper()} in the header must be {wanted} (got {value!r})."
    raise InvalidMapError(msg)
