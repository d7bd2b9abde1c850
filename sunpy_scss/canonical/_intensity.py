"""The intensities of a Map in DN/s, and the reasons to doubt them."""

import numpy as np

import astropy.units as u
import sunpy.map

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._calibration import calibration_doubt, per_second_of, refuse_no_intensities, unit_of
from sunpy_scss.canonical._display import DISPLAY_SCALES, linearise
from sunpy_scss.canonical._header import is_aia, wavelength_of
from sunpy_scss.canonical._missing import pixels_without_data
from sunpy_scss.canonical._sky import disk_values, sky_without_data
from sunpy_scss.exceptions import InvalidMapError, WavelengthWarning

__all__ = [
    "angstroms",
    "as_rate",
    "intensities",
    "rate_of",
    "warn_of",
    "wavelength_caveats",
]

# Images for display have at least this many levels on the disc.
_GREY_LEVELS = 64
# In images for display the darkest parts of coronal holes are 0. A gap is known by the pixels around it, which are
# brighter than this index in the colour table.
_DISPLAY_EDGE = 40


def angstroms(smap):
    """Return the wavelength of a Map as a number; NaN if it has none, or one without a unit."""
    wavelength = wavelength_of(smap)
    return np.nan if wavelength is None else wavelength.to_value(u.AA)


def wavelength_caveats(smap, name, wavelengths):
    """Return a warning with its category unless a model or method was made for the wavelength of a Map."""
    if np.isclose(angstroms(smap), wavelengths, atol=0.5).any():
        return []
    accepted = "/".join(f"{value:g}" for value in wavelengths)
    msg = f"{name} was made for {accepted} Angstrom; this Map's wavelength is {wavelength_of(smap)}."
    return [(msg, WavelengthWarning)]


def warn_of(caveats):
    for message, category in caveats:
        warn_caller(message, category)


def intensities(smap, frame):
    """
    Return the intensities of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    frame : Frame
        The frame of the Map.

    Returns
    -------
    data : numpy.ndarray
        (ny, nx); NaN in pixels that are masked, blank or missing.
    per_second : float
        The factor that turns them into DN/s.
    doubt : str
        The reason why their calibration is unknown; empty if it is known.
    """
    data = smap.data
    if data.ndim != 2 or data.dtype.kind not in "iuf":
        msg = f"The data must be a two-dimensional array of real numbers (got {data.ndim} dimensions of {data.dtype})."
        raise InvalidMapError(msg)
    unit, _ = unit_of(smap)
    if unit is not None and unit.is_equivalent(u.G):
        msg = f"The Map is a magnetogram, in {unit}; only images of the corona can be segmented."
        raise InvalidMapError(msg)
    blank = None
    if _is_display(smap, frame):
        blank = None if data.dtype.kind == "u" else ~np.isfinite(data)
        data = np.clip(np.nan_to_num(data), 0, 255).astype(np.uint8) if data.dtype != np.uint8 else data
    elif data.dtype.kind in "if":
        refuse_no_intensities(data, frame)
    missing = _missing(smap, data, frame, blank)
    if data.dtype.itemsize == 1:
        data, per_second, doubt = linearise(data, _display_wavelength(smap, data)), 1.0, ""
    else:
        per_second, doubt = per_second_of(smap)
        doubt = calibration_doubt(smap, frame, doubt)
    if missing is not None:
        data = np.where(missing, np.nan, data)
    return data, per_second, doubt


def _is_display(smap, frame):
    """Return True if pixels are display values of 8 bits, even if they were converted to floats."""
    data = smap.data
    if data.dtype.itemsize == 1:
        return data.dtype == np.uint8
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


def as_rate(smap):
    """Return a Map in DN/s if its exposure or display scale is known, as in segmentation; else the Map itself."""
    if smap.data.dtype == np.uint8:
        if not is_aia(smap) or np.round(angstroms(smap)) not in DISPLAY_SCALES:
            return smap
        data = linearise(smap.data, _display_wavelength(smap, smap.data))
    else:
        factor, doubt = per_second_of(smap)
        if doubt or (factor == 1 and unit_of(smap)[0] == u.DN / u.s):
            return smap
        data = smap.data * factor
    return sunpy.map.Map(data, {**smap.meta, "bunit": "DN / s"}, mask=smap.mask)


def _missing(smap, data, frame, unknown):
    """Return the pixels whose values mean missing data, and those ``unknown``; None if there are none."""
    blank = smap.meta.get("blank") if data.dtype.kind in "iu" else None
    gaps = pixels_without_data(data, frame, edge=_DISPLAY_EDGE if data.dtype == np.uint8 else None)
    sky = sky_without_data(data, frame)
    parts = [
        part for part in (smap.mask, None if blank is None else data == blank, gaps, sky, unknown) if part is not None
    ]
    return np.logical_or.reduce(parts) if parts else None


def _display_wavelength(smap, data):
    """Return the wavelength of an 8-bit AIA image. Its pixels are display values, whatever the header says."""
    wavelength = np.round(angstroms(smap)) if is_aia(smap) and data.dtype == np.uint8 else np.nan
    if wavelength not in DISPLAY_SCALES:
        msg = (
            "The data are of 8 bits, display values of an unknown scale; only AIA "
            f"{'/'.join(map(str, DISPLAY_SCALES))} Angstrom can be linearised. Use the FITS file."
        )
        raise InvalidMapError(msg)
    return wavelength


def rate_of(value, smap, per_second, *, name):
    """Return a user's Quantity, in DN/s or in the unit of the Map, as a positive number in DN/s."""
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
