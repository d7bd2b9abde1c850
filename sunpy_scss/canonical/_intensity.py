"""The intensities of a Map in DN/s, and what makes them doubtful."""

import re

import numpy as np

import astropy.units as u
import sunpy.map

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._display import DISPLAY_SCALES, linearise
from sunpy_scss.canonical._header import wavelength_of
from sunpy_scss.canonical._missing import pixels_without_data
from sunpy_scss.canonical._sky import sky_without_data, values_between
from sunpy_scss.exceptions import InvalidMapError, WavelengthWarning

__all__ = [
    "angstroms",
    "as_rate",
    "disk_values",
    "intensities",
    "is_aia",
    "rate_of",
    "unit_of",
    "warn_of",
    "wavelength_caveats",
]

# Words in units that astropy does not read, or not so.
_WORD = re.compile(r"[A-Za-z]+-?")
_UNITS = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("px", "pixel", "pixels", "pix"), "pix"),
    **dict.fromkeys(("counts", "count", "cts"), "ct"),
    **dict.fromkeys(("electrons", "electron", "e-"), "electron"),
    "dn": "DN",
    "kdn": "(1000 DN)",
    "mdn": "(1000000 DN)",
    "gauss": "G",
}
# Images for display have so many levels at least on the disc.
_GREY_LEVELS = 64
# On the disc of images that are no intensities more than this share is negative, and the mean is less than this many
# standard deviations from zero.
_NEGATIVE, _ABOUT_ZERO = 0.25, 0.2
# The mean of an AIA image over DATAMEAN is 1.00 to 1.01; where something is set to NaN or zero around the disc, within
# this range. The greatest value over DATAMAX is 0.35 and more where pixels were averaged, and less than this many times
# the former in images for display; on discs of fewer pixels across the radius averages hide it.
_RATIO, _COMPRESSED, _LEAST_RADIUS = (0.55, 1.9), 0.2, 40
# In images for display the darkest parts of coronal holes are 0; a gap is known by what is around it, which is brighter
# than this index in the colour table.
_DISPLAY_EDGE = 40


def angstroms(smap):
    """Return the wavelength of a Map as a number; NaN where it has none, or one without a unit."""
    wavelength = wavelength_of(smap)
    return np.nan if wavelength is None else wavelength.to_value(u.AA)


def wavelength_caveats(smap, name, wavelengths):
    """As `caveats`: unless the wavelength is one of these, in Angstrom, which a model or method was made for."""
    if np.isclose(angstroms(smap), wavelengths, atol=0.5).any():
        return []
    accepted = "/".join(f"{value:g}" for value in wavelengths)
    msg = f"{name} was made for {accepted} Angstrom; this Map's wavelength is {wavelength_of(smap)}."
    return [(msg, WavelengthWarning)]


def warn_of(caveats):
    for message, category in caveats:
        warn_caller(message, category)


def is_aia(smap):
    return str(smap.meta.get("instrume", "")).startswith("AIA")


def intensities(smap, frame):
    """
    The intensities of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    frame : Frame
        Of the Map.

    Returns
    -------
    data : numpy.ndarray
        (ny, nx); NaN where they are masked, blank or missing.
    per_second : float
        The factor that makes them DN/s.
    doubt : str
        Why their calibration is not known; empty where it is.
    """
    data = smap.data
    if data.ndim != 2 or data.dtype.kind not in "iuf":
        msg = f"The data must be a two-dimensional array of real numbers (got {data.ndim} dimensions of {data.dtype})."
        raise InvalidMapError(msg)
    if smap.unit is not None and smap.unit.is_equivalent(u.G):
        msg = f"The Map is a magnetogram, in {smap.unit}; only images of the corona can be segmented."
        raise InvalidMapError(msg)
    blank = None
    if _is_display(smap, frame):
        blank = None if data.dtype.kind == "u" else ~np.isfinite(data)
        data = np.clip(np.nan_to_num(data), 0, 255).astype(np.uint8) if data.dtype != np.uint8 else data
    elif data.dtype.kind in "if":
        _refuse_no_intensities(data, frame)
    missing = _missing(smap, data, frame, blank)
    if data.dtype.itemsize == 1:
        data, per_second, doubt = linearise(data, _display_wavelength(smap, data)), 1.0, _doubt_of_source(smap)
    else:
        per_second, doubt = _per_second(smap)
        doubt = doubt or _doubt_of_source(smap) or _doubt_of_scale(smap, frame)
    if missing is not None:
        data = np.where(missing, np.nan, data)
    return data, per_second, doubt


def _is_display(smap, frame):
    """Whether pixels are display values of 8 bits, also where they were made floats since."""
    data = smap.data
    if data.dtype == np.uint8:
        return True
    if not _may_be_display(smap) or unit_of(smap)[0] not in (None, u.DN):
        return False
    disk = disk_values(data, frame)
    return (
        disk.size
        and disk.min() >= 0
        and disk.max() <= 255
        and len(np.unique(disk)) >= _GREY_LEVELS
        and (disk == np.round(disk)).all()
    )


def _may_be_display(smap):
    return is_aia(smap) and np.round(angstroms(smap)) in DISPLAY_SCALES


def _refuse_no_intensities(data, frame):
    """Raise an error where values on the disc scatter about zero, as those of enhanced or standardised images do."""
    disk = disk_values(data, frame)
    if disk.size and np.mean(disk < 0) > _NEGATIVE and abs(disk.mean()) < _ABOUT_ZERO * disk.std():
        msg = (
            f"The Map holds no intensities: {np.mean(disk < 0):.0%} of its values on the disc are negative, and their "
            f"mean is {disk.mean():.3g}, as in images that were enhanced, standardised or subtracted from each other. "
            "Give the image as the instrument took it."
        )
        raise InvalidMapError(msg)


def _doubt_of_source(smap):
    """Why the calibration of an image is not that of AIA."""
    if is_aia(smap):
        return ""
    if not any(smap.meta.get(key) for key in ("instrume", "telescop", "detector", "obsrvtry")):
        return (
            "its header names no instrument, as after reproject_to, which keeps the coordinates alone; copy the other "
            "keys, as for key in ('instrume', 'telescop', 'wavelnth', 'waveunit', 'bunit', 'exptime'): "
            "new.meta[key] = old.meta[key]"
        )
    return f"it is not of AIA but of {smap.meta.get('instrume') or smap.observatory}"


def _doubt_of_scale(smap, frame):
    """
    Why the values of an AIA image are not those that its header describes.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If they are not even in proportion to them, as in images for display and in roots of intensities.
    """
    rows, columns = frame.disk_slices()
    whole = min(rows.stop - rows.start, columns.stop - columns.start) > 1.9 * frame.pixels_per_radius
    mean, most = (_statistic(smap, key) for key in ("datamean", "datamax"))
    values = smap.data[np.isfinite(smap.data)] if smap.data.dtype.kind == "f" else smap.data
    if not whole or not mean or not values.size:
        return ""
    ratio = float(values.mean(dtype=float)) / mean
    unit = unit_of(smap)[0]
    is_rate = unit is not None and (unit * u.s).is_equivalent(u.DN)
    expected = [1.0]
    if is_rate and smap.exposure_time is not None:
        expected.append(1 / smap.exposure_time.to_value(u.s))
    if most and float(values.max()) / most < _COMPRESSED * ratio and frame.pixels_per_radius > _LEAST_RADIUS:
        msg = (
            f"The values of this Map are no intensities: their mean is {ratio:.2g} times DATAMEAN of the header, their "
            f"greatest {float(values.max()) / most:.2g} times DATAMAX, as in images for display and in roots or "
            "logarithms. Of a JPEG 2000 file, sunpy_scss.images.from_browse(path) gives DN/s, to be made smaller."
        )
        raise InvalidMapError(msg)
    if any(_RATIO[0] < ratio / one < _RATIO[1] for one in expected):
        return ""
    return (
        f"its mean is {ratio:.3g} times DATAMEAN of the header, as after superpixel, which sums, or a division by the "
        "exposure that the header does not tell; use func=np.mean, or write BUNIT and delete DATAMEAN"
    )


def _statistic(smap, key):
    value = smap.meta.get(key)
    return value if isinstance(value, int | float) and 0 < value < np.inf else None


def disk_values(data, frame):
    """Return finite values of the disc inside 0.9 solar radii, of at most some hundred pixels on a side."""
    return values_between(data, frame, 0, 0.9)


def unit_of(smap):
    """
    Return the unit of a Map, also where it is spelt as sunpy does not read it, and the text that nobody reads.

    Returns
    -------
    unit : astropy.units.UnitBase or None
        None where BUNIT is missing or cannot be read.
    unread : str
        What BUNIT says where it cannot be read, else empty.
    """
    text = smap.meta.get("bunit")
    if text is None:
        return None, ""
    if isinstance(text, str):
        words = _WORD.sub(lambda word: _UNITS.get(word[0].lower(), word[0]), text)
        unit = u.Unit(words, parse_strict="silent")
        if not isinstance(unit, u.UnrecognizedUnit):
            return unit, ""
    return None, str(text)


def as_rate(smap):
    """A Map in DN/s where its exposure or display scale is known, by the rule of segmentation; else the Map itself."""
    if smap.data.dtype == np.uint8:
        if not is_aia(smap) or np.round(angstroms(smap)) not in DISPLAY_SCALES:
            return smap
        data = linearise(smap.data, _display_wavelength(smap, smap.data))
    else:
        factor, doubt = _per_second(smap)
        if doubt or (factor == 1 and unit_of(smap)[0] == u.DN / u.s):
            return smap
        data = smap.data * factor
    return sunpy.map.Map(data, {**smap.meta, "bunit": "DN / s"}, mask=smap.mask)


def _missing(smap, data, frame, unknown):
    """The pixels whose values mean that there are none, and those ``unknown``; None if there are no such pixels."""
    blank = smap.meta.get("blank") if data.dtype.kind in "iu" else None
    gaps = pixels_without_data(data, frame, edge=_DISPLAY_EDGE if data.dtype == np.uint8 else None)
    sky = sky_without_data(data, frame)
    parts = [
        part for part in (smap.mask, None if blank is None else data == blank, gaps, sky, unknown) if part is not None
    ]
    return np.logical_or.reduce(parts) if parts else None


def _display_wavelength(smap, data):
    """The wavelength of an 8-bit AIA image, whose pixels are display values whatever the header claims."""
    wavelength = np.round(angstroms(smap)) if is_aia(smap) and data.dtype == np.uint8 else np.nan
    if wavelength not in DISPLAY_SCALES:
        msg = (
            "The data are of 8 bits, display values of an unknown scale; only AIA "
            f"{'/'.join(map(str, DISPLAY_SCALES))} Angstrom can be linearised. Use the FITS file."
        )
        raise InvalidMapError(msg)
    return wavelength


def _per_second(smap):
    """Factor from the Map's unit to DN/s, and why that is not what it gives; empty where it is."""
    unit, unread = unit_of(smap)
    if unread:
        return 1.0, f"BUNIT = {unread!r} is no unit that can be read; write it as 'DN / s' or 'DN'"
    if unit is None and is_aia(smap):  # synoptic files state none
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


def rate_of(value, smap, per_second, *, name):
    """A Quantity that a user gave in DN/s or in the unit of the Map, as a positive number in DN/s."""
    quantity = u.Quantity(value)
    if not quantity.isscalar:
        msg = f"{name} must be one positive number with a unit, as 120 * u.DN / u.s (got {quantity})."
        raise ValueError(msg)
    unit = unit_of(smap)[0] or u.DN
    if quantity.unit.is_equivalent(u.DN / u.s):
        rate = quantity.to_value(u.DN / u.s)
    elif quantity.unit.is_equivalent(unit):
        rate = quantity.to_value(unit) * per_second
    else:
        got = f"{quantity.value:g} without a unit" if quantity.unit == u.dimensionless_unscaled else quantity.unit
        msg = f"{name} must be in DN/s or in the unit of the Map, {unit}, as 120 * u.DN / u.s (got {got})."
        raise u.UnitsError(msg)
    if not 0 < rate < np.inf:
        msg = f"{name} must be positive and finite (got {quantity})."
        raise ValueError(msg)
    return float(rate)
