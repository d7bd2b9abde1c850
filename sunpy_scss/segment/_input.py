"""A Map to the input of a network: checks, calibration, canonical grid, stretch. Training and inference share it."""

from dataclasses import dataclass

import numpy as np

from sunpy_scss._sun.canonical import Frame, canonical_radius, check_map, frame_of, to_canonical
from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import CalibrationWarning, InvalidMapError, PartialDiskError
from sunpy_scss.images._intensity import (
    intensities,
    quality_caveats,
    rate_of,
    warn_of,
    wavelength_caveats,
)
from sunpy_scss.models._card import stretch

__all__ = [
    "CanonicalImage",
    "NetworkInput",
    "canonical_image",
    "caveats",
    "measured_median",
    "network_input",
    "warn_of_calibration",
]

# The disc median is taken inside this radius, free of limb brightening; see the disc that must be seen for it.
_MEDIAN_RADIUS = 0.9
_LEAST_COVERAGE = 0.7


@dataclass(frozen=True)
class CanonicalImage:
    """
    One image on a canonical grid, in intensities.

    Attributes
    ----------
    image : numpy.ndarray
        (size, size) float32, in DN/s, or in the Map's own unit where that cannot be known; NaN without data.
    frame : sunpy_scss._sun.canonical.Frame
        Where the Sun is in the Map.
    disk_median : float
        In the same unit.
    per_second : float
        Factor from the Map's unit to that one.
    calibrated : bool
        Whether the image is AIA's and in DN/s.
    """

    image: np.ndarray
    frame: Frame
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
    frame : sunpy_scss._sun.canonical.Frame
        Where the Sun is in the Map.
    disk_median : float
        In DN/s, or in the Map's own unit where the calibration is unknown.
    scale : float
        Factor to the card's reference median, where contrast alone matters or the calibration is unknown; else 1.
    rescaled : bool
        Whether the calibration is unknown and of importance, so that the scale is a guess.
    """

    image: np.ndarray
    frame: Frame
    disk_median: float
    scale: float
    rescaled: bool


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
    warn_of(caveats(smap, card))
    grid = {"size": card.grid_size, "half_width": card.half_width}
    found = canonical_image(smap, **grid, disk_median=disk_median)
    median, calibrated = found.disk_median, found.calibrated
    rescaled = card.stretch.exponent != 1 and not calibrated
    if rescaled:
        warn_of_calibration(card.stretch.reference_median)
    # Where contrast alone matters, every image is brought to the reference.
    scale = 1.0 if calibrated and card.stretch.exponent != 1 else card.stretch.reference_median / median
    stretched = stretch(
        found.image * scale,
        canonical_radius(**grid),
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
        The grid; see `sunpy_scss._sun.canonical.to_canonical`.
    disk_median : astropy.units.Quantity, optional
        As for `network_input`.

    Returns
    -------
    CanonicalImage
    """
    data, per_second, calibrated = intensities(smap)
    frame = frame_of(smap)
    image = to_canonical(data, frame, size=size, half_width=half_width) * per_second
    if disk_median is None:
        median = measured_median(image, canonical_radius(size, half_width))
    else:
        median = rate_of(disk_median, smap, per_second, name="disk_median")
    return CanonicalImage(image, frame, median, per_second, calibrated)


def caveats(smap, card):
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
    return wavelength_caveats(smap, card.name, card.wavelengths) + quality_caveats(smap)


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


def warn_of_calibration(reference):
    msg = (
        "The intensity calibration of this Map is unknown to the model (not AIA, or without unit or exposure time): "
        f"its disc median was set to {reference:g} DN/s. Areas depend on that guess."
    )
    warn_caller(msg, CalibrationWarning)
