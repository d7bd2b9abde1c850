"""The unit and the scale of the values of a Map, and the reasons to doubt them."""

import re
import warnings

import numpy as np

import astropy.units as u

from sunpy_scss.canonical._header import is_aia
from sunpy_scss.canonical._sky import disk_values
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["calibration_doubt", "per_second_of", "refuse_no_intensities", "unit_of"]

# Words in units that astropy does not read, or reads as something else.
_WORD = re.compile(r"[A-Za-z]+")
_UNITS = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("px", "pixel", "pixels", "pix"), "pix"),
    **dict.fromkeys(("counts", "count", "cts"), "ct"),
    **dict.fromkeys(("electrons",), "electron"),
    "dn": "DN",
    "kdn": "1000 DN",
    "gauss": "G",
}
_REPROJECTED = (
    "its header names no instrument, unit and exposure time, as after reproject_to, which keeps the coordinates alone; "
    "carry the others over: for key in ('instrume', 'telescop', 'wavelnth', 'waveunit', 'bunit', 'exptime'), where the "
    "old header has it, new.meta[key] = old.meta[key]"
)
# In images that are not intensities more than this share of the disc is negative. Their mean, or that of the disc, is
# less than this many standard deviations from zero.
_NEGATIVE, _ABOUT_ZERO = 0.25, 0.2
# The mean of an AIA image over DATAMEAN is 1.00 to 1.01; it is within this range if the sky was set to NaN or zero.
# The greatest value over DATAMAX is 0.35 and more if pixels were averaged. In images for display it is less than this
# many times the former ratio. On discs with fewer pixels across the radius, averages hide it.
_RATIO, _COMPRESSED, _LEAST_RADIUS = (0.55, 1.9), 0.2, 40
# The brightest pixel of an image of the Sun has more than this many times the mean; that of plain noise has less.
_FLAT = 1.5
# In images for display fewer pixels than this share have the greatest value.
_PLATEAU = 1e-3


def unit_of(smap):
    """
    Return the unit of a Map, also in spellings that sunpy does not read, and the text of an unknown unit.

    Returns
    -------
    unit : astropy.units.UnitBase or None
        None if BUNIT is missing or cannot be read.
    unread : str
        The text of BUNIT if it cannot be read, else empty.
    """
    text = smap.meta.get("bunit")
    if text is None:
        return None, ""
    if isinstance(text, str):
        words = _WORD.sub(lambda word: _UNITS.get(word[0].lower(), word[0]), text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)  # about several slashes
            unit = u.Unit(words, parse_strict="silent")
        if not isinstance(unit, u.UnrecognizedUnit):
            return unit, ""
    return None, str(text)


def per_second_of(smap):
    """Return the factor from the unit of a Map to DN/s, and the reason to doubt the result; empty if none."""
    unit, unread = unit_of(smap)
    if unread:
        return 1.0, f"BUNIT = {unread!r} is no unit that can be read; write it as 'DN / s' or 'DN'"
    if unit is None and is_aia(smap):  # synoptic files have no unit
        unit = u.DN
    if unit is None:
        return 1.0, "the header tells no unit (BUNIT)"
    for candidate in (unit, unit * u.pix):
        if candidate.is_equivalent(u.DN / u.s):
            return candidate.to(u.DN / u.s), ""
        if candidate.is_equivalent(u.DN):
            if smap.exposure_time is None:
                return 1.0, "the header tells no exposure time (EXPTIME)"
            return candidate.to(u.DN) / smap.exposure_time.to_value(u.s), ""
    return (
        1.0,
        f"its unit is {unit}, not DN / s" if unit != u.dimensionless_unscaled else "its intensities are relative",
    )


def calibration_doubt(smap, frame, doubt_of_unit):
    """
    Return the reason why the calibration of an image is unknown; empty for an AIA image that agrees with its header.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    frame : Frame
    doubt_of_unit : str
        The reason that `per_second_of` returns.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If the values are not even proportional to intensities.
    """
    if not any(smap.meta.get(key) for key in ("instrume", "telescop", "detector", "obsrvtry")):
        return _REPROJECTED
    if doubt_of_unit:
        return doubt_of_unit
    return (
        _doubt_of_scale(smap, frame) if is_aia(smap) else f"it is of {smap.instrument or smap.observatory}, not of AIA"
    )


def _doubt_of_scale(smap, frame):
    """
    Return the reason why the values of an AIA image differ from its header; empty if they agree.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If they are not even proportional to them, as in images for display and in roots of intensities.
    """
    rows, columns = frame.disk_slices()
    whole = min(rows.stop - rows.start, columns.stop - columns.start) > 1.9 * frame.pixels_per_radius
    mean, most = (_statistic(smap, key) for key in ("datamean", "datamax"))
    # A rotation fills the corners with 0.
    values = smap.data[np.isfinite(smap.data) & (smap.data != 0)]
    if not whole or not mean or not values.size or values.max() < _FLAT * values.mean():
        return ""
    is_rate, in_header = _kind_and_scale(unit_of(smap)[0])
    ratio = in_header * float(values.mean(dtype=float)) / mean
    expected = [1.0]
    if is_rate and smap.exposure_time is not None:
        expected.append(1 / smap.exposure_time.to_value(u.s))
    fits = any(_RATIO[0] < ratio / one < _RATIO[1] for one in expected)
    if fits and np.mean(values == values.max()) > _PLATEAU:  # outliers were clipped, which changes no mask
        return ""
    peak = in_header * float(values.max()) / most if most else np.inf
    if peak < _COMPRESSED * ratio and frame.pixels_per_radius > _LEAST_RADIUS:
        msg = (
            f"The values of this Map are no intensities: their mean is {ratio:.2g} times DATAMEAN of the header, their "
            f"greatest {peak:.2g} times DATAMAX, as in images for display, in roots and "
            "logarithms, and where a pedestal was added. Of a JPEG 2000 file, sunpy_scss.images.from_browse(path) "
            "gives DN/s, to be made smaller."
        )
        raise InvalidMapError(msg)
    if fits:
        return ""
    return (
        f"its mean is {ratio:.3g} times DATAMEAN of the header, as after superpixel, which sums, or a division by the "
        "exposure that the header does not tell; use func=np.mean, or write BUNIT and delete DATAMEAN"
    )


def _kind_and_scale(unit):
    """Return True for a unit of counts per second, and its factor to DN or DN/s; no unit means DN."""
    for one in () if unit is None else (unit, unit * u.pix):
        for is_rate, known in ((True, u.DN / u.s), (False, u.DN)):
            if one.is_equivalent(known):
                return is_rate, one.to(known)
    return False, 1.0


def _statistic(smap, key):
    value = smap.meta.get(key)
    return value if isinstance(value, int | float) and 0 < value < np.inf else None


def refuse_no_intensities(data, frame):
    """Raise an error if values on the disc scatter about zero, as in enhanced or standardised images."""
    disk = disk_values(data, frame)
    if not disk.size or np.mean(disk < 0) <= _NEGATIVE:
        return
    everything = data[np.isfinite(data)].astype(float)
    if any(values.mean() < _ABOUT_ZERO * values.std() for values in (disk, everything)):
        msg = (
            f"The Map holds no intensities: {np.mean(disk < 0):.0%} of its values on the disc are negative, and the "
            f"mean of all is {everything.mean():.3g}, as in images that were enhanced, standardised or subtracted from "
            "each other. Give the image as the instrument took it."
        )
        raise InvalidMapError(msg)
