"""The canonical image of a Map to the input of a network. Training and inference share it."""

from dataclasses import dataclass

import numpy as np

from sunpy_scss._sun.canonical import Frame, canonical_radius
from sunpy_scss.images._canonical import canonical_image, warn_of_calibration
from sunpy_scss.images._intensity import quality_caveats, warn_of, wavelength_caveats

__all__ = ["NetworkInput", "caveats", "network_input"]


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
    missing : numpy.ndarray or None
        bool, of the shape of the Map: its pixels without data; None if there are none.
    seen : float
        The share of the disc that has data, from 0 to 1.
    """

    image: np.ndarray
    frame: Frame
    disk_median: float
    scale: float
    rescaled: bool
    missing: np.ndarray | None
    seen: float


def network_input(smap, card, *, disk_median=None):
    """
    Bring a Map to the grid and the stretch of a model card.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        One that has passed `sunpy_scss._sun.canonical.check_map`.
    card : sunpy_scss.models.ModelCard
    disk_median : astropy.units.Quantity, optional
        Median intensity of the quiet disc; needed where the Map shows too little of the disc to measure it.

    Returns
    -------
    NetworkInput
    """
    grid = {"size": card.grid_size, "half_width": card.half_width}
    warn_of(wavelength_caveats(smap, card.name, card.wavelengths))
    found = canonical_image(smap, **grid, disk_median=disk_median)
    median, calibrated = found.disk_median, found.calibrated
    rescaled = card.stretch.exponent != 1 and not calibrated
    if rescaled:
        warn_of_calibration(card.stretch.reference_median)
    # Where contrast alone matters, every image is brought to the reference.
    scale = 1.0 if calibrated and card.stretch.exponent != 1 else card.stretch.reference_median / median
    stretched = card.stretch.apply(
        found.image * scale,
        canonical_radius(**grid),
        median * scale,
    )
    return NetworkInput(stretched, found.frame, median, scale, rescaled, found.missing, found.seen)


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
