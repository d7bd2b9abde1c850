"""A Map to the input of a network: checks, calibration, canonical grid, stretch. Training and inference share it."""

import warnings
from dataclasses import dataclass

import numpy as np

import astropy.units as u
from sunpy.map import GenericMap
from sunpy.util.exceptions import SunpyMetadataWarning

from sunpy_scss import _grid, _pixels
from sunpy_scss.exceptions import (
    CalibrationWarning,
    InvalidMapError,
    PartialDiskError,
    QualityWarning,
    WavelengthWarning,
    warn_caller,
)

__all__ = [
    "CanonicalImage",
    "NetworkInput",
    "angstroms",
    "canonical_image",
    "check_map",
    "doubts",
    "doubts_of_quality",
    "doubts_of_wavelength",
    "intensities",
    "measured_median",
    "network_input",
    "rate_of",
    "warn_of",
    "warn_of_calibration",
]

# The disc median is taken inside this radius, free of limb brightening; see the disc that must be seen for it.
_MEDIAN_RADIUS = 0.9
_LEAST_COVERAGE = 0.7
# The bit of AIA's QUALITY that is set in all near-real-time images, those of Helioviewer among them: no fault.
_QUICK_LOOK = 1 << 30
# Header keys for the apparent solar radius, as sunpy reads them.
_RADIUS_KEYS = ("rsun_obs", "solar_r", "radius")


@dataclass(frozen=True)
class CanonicalImage:
    """
    One image on a canonical grid, in intensities.

    Attributes
    ----------
    image : numpy.ndarray
        (size, size) float32, in DN/s, or in the Map's own unit where that cannot be known; NaN without data.
    frame : sunpy_scss._grid.Frame
        Where the Sun is in the Map.
    disk_median : float
        In the same unit.
    per_second : float
        Factor from the Map's unit to that one.
    calibrated : bool
        Whether the image is AIA's and in DN/s.
    """

    image: np.ndarray
    frame: _grid.Frame
    disk_median: float
    per_second: float
    calibrated: bool


@dataclass(frozen=True)
class NetworkInput:
    """
    One image as a network sees it.

    Attributes
    ----------
    image : numpy.ndarray
        (size, size) float32 in [0, 1].
    frame : sunpy_scss._grid.Frame
        Where the Sun is in the Map.
    disk_median : float
        In DN/s, or in the Map's own unit where the calibration is unknown.
    scale : float
        Factor to the card's reference median, where contrast alone matters or the calibration is unknown; else 1.
    rescaled : bool
        Whether the calibration is unknown and of importance, so that the scale is a guess.
    """

    image: np.ndarray
    frame: _grid.Frame
    disk_median: float
    scale: float
    rescaled: bool


def check_map(smap):
    """
    Raise a clear error unless a Map can be segmented.

    Raises
    ------
    TypeError
        If it is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If it is not helioprojective, or nothing in it tells how large the Sun is.
    """
    if not isinstance(smap, GenericMap):
        msg = f"Expected a sunpy Map (got {type(smap).__name__}); make one with sunpy.map.Map(file)."
        raise TypeError(msg)
    if tuple(axis[:4] for axis in smap.coordinate_system) != ("HPLN", "HPLT"):
        msg = f"Only helioprojective Maps can be segmented (got {tuple(smap.coordinate_system)})."
        raise InvalidMapError(msg)
    if not _size_of_sun_known(smap):
        msg = "The size of the Sun is unknown: the header needs an observer (HGLN_OBS, HGLT_OBS, DSUN_OBS) or RSUN_OBS."
        raise InvalidMapError(msg)


def _size_of_sun_known(smap):
    if any(smap.meta.get(key) is not None for key in _RADIUS_KEYS):
        return True
    with warnings.catch_warnings():
        # sunpy warns when it falls back to an observer on Earth: that would be a guess of the solar radius.
        warnings.simplefilter("error", SunpyMetadataWarning)
        try:
            smap.observer_coordinate  # noqa: B018
        except SunpyMetadataWarning:
            return False
    return True


def network_input(smap, card, *, disk_median=None):
    """
    Bring a Map to the grid and the stretch of a model card.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    card : sunpy_scss.models.ModelCard
    disk_median : astropy.units.Quantity, optional
        Median intensity of the quiet disc; needed where the Map shows too little of the disc to measure it.

    Returns
    -------
    NetworkInput
    """
    check_map(smap)
    warn_of(doubts(smap, card))
    grid = {"size": card.grid_size, "half_width": card.half_width}
    found = canonical_image(smap, **grid, disk_median=disk_median)
    median, calibrated = found.disk_median, found.calibrated
    rescaled = card.stretch.exponent != 1 and not calibrated
    if rescaled:
        warn_of_calibration(card.stretch.reference_median)
    # Where contrast alone matters, every image is brought to the reference.
    scale = 1.0 if calibrated and card.stretch.exponent != 1 else card.stretch.reference_median / median
    stretched = _pixels.stretch(
        found.image * scale,
        _grid.canonical_radius(**grid),
        median * scale,
        floor=card.stretch.floor,
        limits=card.stretch.limits,
        exponent=card.stretch.exponent,
    )
    return NetworkInput(stretched, found.frame, median, scale, rescaled)


def canonical_image(smap, *, size, half_width, disk_median=None):
    """
    Bring the intensities of a Map that has passed `check_map` to a canonical grid.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    size, half_width : int, float
        The grid; see `sunpy_scss._grid.to_canonical`.
    disk_median : astropy.units.Quantity, optional
        As for `network_input`.

    Returns
    -------
    CanonicalImage
    """
    data, per_second, calibrated = intensities(smap)
    frame = _grid.frame_of(smap)
    image = _grid.to_canonical(data, frame, size=size, half_width=half_width) * per_second
    if disk_median is None:
        median = measured_median(image, _grid.canonical_radius(size, half_width))
    else:
        median = rate_of(disk_median, smap, per_second, name="disk_median")
    return CanonicalImage(image, frame, median, per_second, calibrated)


def doubts(smap, card):
    """
    Why the mask of a Map may be wrong, as far as its header tells.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    card : sunpy_scss.models.ModelCard

    Returns
    -------
    list of (str, type)
        Messages and categories of warnings.
    """
    return doubts_of_wavelength(smap, card.name, card.wavelengths) + doubts_of_quality(smap)


def angstroms(smap):
    """The wavelength of a Map as a number; NaN where it has none, or one without a unit."""
    wavelength = smap.wavelength
    known = wavelength is not None and wavelength.unit.is_equivalent(u.AA)
    return wavelength.to_value(u.AA) if known else np.nan


def doubts_of_wavelength(smap, name, wavelengths):
    """As `doubts`: unless the wavelength is one of these, in Angstrom, which a model or method was made for."""
    if np.isclose(angstroms(smap), wavelengths, atol=0.5).any():
        return []
    accepted = "/".join(f"{value:g}" for value in wavelengths)
    msg = f"{name} was made for {accepted} Angstrom; this Map's wavelength is {smap.wavelength}."
    return [(msg, WavelengthWarning)]


def doubts_of_quality(smap):
    """As `doubts`: where the instrument team flagged an image."""
    quality = smap.meta.get("quality", 0) & ~_QUICK_LOOK if _is_aia(smap) else 0
    msg = f"This AIA image is flagged (QUALITY = {quality}): look at it before trusting its mask."
    return [(msg, QualityWarning)] if quality else []


def warn_of(doubts):
    for message, category in doubts:
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
        data, per_second, has_rate = _pixels.linearise(data, _display_wavelength(smap)), 1.0, True
    else:
        per_second, has_rate = _per_second(smap)
    if smap.mask is not None:
        data = np.where(smap.mask, np.nan, data)
    return data, per_second, has_rate and _is_aia(smap)


def _display_wavelength(smap):
    """The wavelength of an 8-bit AIA image, whose pixels are display values whatever the header claims."""
    wavelength = np.round(angstroms(smap)) if _is_aia(smap) else np.nan
    if wavelength not in _pixels.DISPLAY_SCALES:
        msg = (
            "The data are of 8 bits, display values of an unknown scale; only AIA "
            f"{'/'.join(map(str, _pixels.DISPLAY_SCALES))} Angstrom can be linearised. Use the FITS file."
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


def measured_median(image, radius):
    """The median of an image on the disc, radius in solar radii; an error where too little of it is seen."""
    disk = image[radius <= _MEDIAN_RADIUS]
    values = disk[np.isfinite(disk)]
    coverage = values.size / disk.size
    if coverage == 0:
        msg = "The Map has no finite value on the solar disc."
        raise InvalidMapError(msg)
    if coverage < _LEAST_COVERAGE:
        msg = (
            f"The Map shows only {coverage:.0%} of the disc: too little to know the brightness of the quiet Sun. "
            "Pass disk_median, the median intensity of the disc in a full-disc image of that day, as a Quantity; "
            "or, if this is a full disc, mend the scale in its header (CDELT1, CDELT2)."
        )
        raise PartialDiskError(msg)
    median = np.median(values)
    if median <= 0 or np.ptp(values) == 0:
        msg = f"The disc holds no image: its median is {median:g}, its range {np.ptp(values):g}."
        raise InvalidMapError(msg)
    return float(median)


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


def warn_of_calibration(reference):
    msg = (
        "The intensity calibration of this Map is unknown to the model (not AIA, or without unit or exposure time): "
        f"its disc median was set to {reference:g} DN/s. Areas depend on that guess."
    )
    warn_caller(msg, CalibrationWarning)
