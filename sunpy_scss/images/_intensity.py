"""Checks of a Map, and its intensities in DN/s."""

import numpy as np

import astropy.units as u

from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import InvalidMapError, QualityWarning, WavelengthWarning
from sunpy_scss.images._browse import DISPLAY_SCALES, linearise

__all__ = ["angstroms", "intensities", "quality_caveats", "rate_of", "warn_of", "wavelength_caveats"]

# The bit of AIA's QUALITY that is set in all near-real-time images, those of Helioviewer among them: no fault.
_QUICK_LOOK = 1 << 30


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


def quality_caveats(smap):
    """As `caveats`: where the instrument team flagged an image."""
    quality = smap.meta.get("quality", 0) & ~_QUICK_LOOK if _is_aia(smap) else 0
    msg = f"This AIA image is flagged (QUALITY = {quality}): look at it before trusting its mask."
    return [(msg, QualityWarning)] if quality else []


def warn_of(caveats):
    for message, category in caveats:
        warn_caller(message, category)


def _is_aia(smap):
    return str(smap.meta.get("instrume", "")).startswith("AIA")


def intensities(smap):
    """The data (NaN where masked), the factor that makes them DN/s, and whether their calibration is known."""
    data = smap.data
    if data.ndim != 2 or data.dtype.kind not in "iuf":
        msg = f"The data must be a two-dimensional array of real numbers (got {data.ndim} dimensions of {data.dtype})."
        raise InvalidMapError(msg)
    if data.dtype == np.uint8:
        data, per_second, has_rate = linearise(data, _display_wavelength(smap)), 1.0, True
    else:
        per_second, has_rate = _per_second(smap)
    if smap.mask is not None:
        data = np.where(smap.mask, np.nan, data)
    return data, per_second, has_rate and _is_aia(smap)


def _display_wavelength(smap):
    """The wavelength of an 8-bit AIA image, whose pixels are display values whatever the header claims."""
    wavelength = np.round(angstroms(smap)) if _is_aia(smap) else np.nan
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
    if unit is None and _is_aia(smap):  # synoptic files state none
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
    unit = u.DN if smap.unit is None else smap.unit
    if quantity.unit.is_equivalent(u.DN / u.s):
        rate = quantity.to_value(u.DN / u.s)
    elif quantity.unit.is_equivalent(unit):
        rate = quantity.to_value(unit) * per_second
    else:
        got = f"{quantity.value:g} without a unit" if quantity.unit == u.dimensionless_unscaled else quantity.unit
        msg = f"{name} must be in DN/s or in the unit of the Map, {unit}, as 120 * u.DN / u.s (got {got})."
        raise u.UnitsError(msg)
    if not quantity.isscalar or not np.isfinite(rate) or rate <= 0:
        msg = f"{name} must be one positive number (got {quantity})."
        raise ValueError(msg)
    return float(rate)
