"""Checks of a Map, and its intensities in DN/s."""

import numpy as np

import astropy.units as u
import sunpy.map

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._display import DISPLAY_SCALES, linearise
from sunpy_scss.canonical._missing import pixels_without_data
from sunpy_scss.canonical._sky import sky_without_data
from sunpy_scss.exceptions import InvalidMapError, WavelengthWarning

__all__ = ["angstroms", "as_rate", "intensities", "is_aia", "rate_of", "warn_of", "wavelength_caveats"]

# In images for display the darkest parts of coronal holes are 0; a gap is known by what is around it, which is brighter
# than this index in the colour table.
_DISPLAY_EDGE = 40


def angstroms(smap):
    """The wavelength of a Map as a number; NaN where it has none, or one without a unit."""
    wavelength = smap.wavelength
    known = wavelength is not None and wavelength.unit.is_equivalent(u.AA)
    return wavelength.to_value(u.AA) if known else np.nan


def wavelength_caveats(smap, name, wavelengths):
    """As `caveats`: unless the wavelength is one of these, in Angstrom, which a model or method was made for."""
    if np.isclose(angstroms(smap), wavelengths, atol=0.5).any():
        return []
    accepted = "/".join(f"{value:g}" for value in wavelengths)
    msg = f"{name} was made for {accepted} Angstrom; this Map's wavelength is {smap.wavelength}."
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
    calibrated : bool
        Whether their calibration is known.
    """
    data = smap.data
    if data.ndim != 2 or data.dtype.kind not in "iuf":
        msg = f"The data must be a two-dimensional array of real numbers (got {data.ndim} dimensions of {data.dtype})."
        raise InvalidMapError(msg)
    if smap.unit is not None and smap.unit.is_equivalent(u.G):
        msg = f"The Map is a magnetogram, in {smap.unit}; only images of the corona can be segmented."
        raise InvalidMapError(msg)
    missing = _missing(smap, data, frame)
    if data.dtype == np.uint8:
        data, per_second, has_rate = linearise(data, _display_wavelength(smap)), 1.0, True
    else:
        per_second, has_rate = _per_second(smap)
    if missing is not None:
        data = np.where(missing, np.nan, data)
    return data, per_second, has_rate and is_aia(smap)


def as_rate(smap):
    """A Map in DN/s where its exposure or display scale is known, by the rule of segmentation; else the Map itself."""
    if smap.data.dtype == np.uint8:
        if not is_aia(smap) or np.round(angstroms(smap)) not in DISPLAY_SCALES:
            return smap
        data = linearise(smap.data, _display_wavelength(smap))
    else:
        factor, is_rate = _per_second(smap)
        if not is_rate or (factor == 1 and smap.unit == u.DN / u.s):
            return smap
        data = smap.data * factor
    return sunpy.map.Map(data, {**smap.meta, "bunit": "DN / s"}, mask=smap.mask)


def _missing(smap, data, frame):
    """The pixels whose values mean that there are none; None if there are no such pixels."""
    blank = smap.meta.get("blank") if data.dtype.kind in "iu" else None
    gaps = pixels_without_data(data, frame, edge=_DISPLAY_EDGE if data.dtype == np.uint8 else None)
    sky = sky_without_data(data, frame)
    parts = [part for part in (smap.mask, None if blank is None else data == blank, gaps, sky) if part is not None]
    return np.logical_or.reduce(parts) if parts else None


def _display_wavelength(smap):
    """The wavelength of an 8-bit AIA image, whose pixels are display values whatever the header claims."""
    wavelength = np.round(angstroms(smap)) if is_aia(smap) else np.nan
    if wavelength not in DISPLAY_SCALES:
        msg = (
            "The data are of 8 bits, display values of an unknown scale; only AIA "
            f"{'/'.join(map(str, DISPLAY_SCALES))} Angstrom can be linearised. Use the FITS file."
        )
        raise InvalidMapError(msg)
    return wavelength


def _per_second(smap):
    """Factor from the Map's unit to DN/s, and whether that is what it gives."""
    unit = smap.unit
    if unit is None and is_aia(smap):  # synoptic files state none
        unit = u.DN
    if unit is None:
        return 1.0, False
    per_pixel = unit * u.pix
    for candidate in (unit, per_pixel):
        if candidate.is_equivalent(u.DN / u.s):
            return candidate.to(u.DN / u.s), True
        if candidate.is_equivalent(u.DN) and smap.exposure_time is not None:
            return 1 / smap.exposure_time.to_value(u.s), True
    return 1.0, False


def rate_of(value, smap, per_second, *, name):
    """A Quantity that a user gave in DN/s or in the unit of the Map, as a positive number in DN/s."""
    quantity = u.Quantity(value)
    if not quantity.isscalar:
        msg = f"{name} must be one positive number with a unit, as 120 * u.DN / u.s (got {quantity})."
        raise ValueError(msg)
    unit = u.DN if smap.unit is None else smap.unit
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
