"""The step from the canonical image of a Map to the input of a network, shared by training and inference."""

from dataclasses import dataclass

import numpy as np

import astropy.units as u
from sunpy.map import MapSequence

from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._frame import Frame
from sunpy_scss.canonical._header import wavelength_of
from sunpy_scss.canonical._image import canonical_image, doubt_of, warn_of_calibration
from sunpy_scss.canonical._intensity import angstroms, warn_of, wavelength_caveats
from sunpy_scss.canonical._mend import mended
from sunpy_scss.canonical._quality import quality_caveats
from sunpy_scss.canonical._resample import from_canonical
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["NetworkInput", "caveats", "maps_of_channels", "network_input"]

# Within this time, or between observers this far apart, the Sun turns by a sixth of a pixel of the usual grid.
_SAME_TIME, _SAME_PLACE = 10 * u.min, 0.1 * u.deg


@dataclass(frozen=True)
class _ChannelInput:
    """
    The input of one channel of a network.

    Attributes
    ----------
    image : numpy.ndarray
        (size, size) float32 in [0, 1].
    disk_median : float
        The disc median in DN/s, or in the Map's own unit where the calibration is unknown.
    scale : float
        The factor to the card's reference median where only contrast matters or the calibration is unknown; else 1.
    rescaled : bool
        True if the calibration is unknown and matters, so that the scale is a guess.
    """

    image: np.ndarray
    disk_median: float
    scale: float
    rescaled: bool


@dataclass(frozen=True)
class NetworkInput:
    """
    The input of a network from an exposure set: the images of one time that it takes together.

    Attributes
    ----------
    channels : tuple
        The image, disc median and scale of each channel of the card.
    frame : sunpy_scss.canonical._frame.Frame
        The place of the Sun in the Map of the first channel.
    missing : numpy.ndarray or None
        bool, with the shape of that Map: the pixels without data in some channel; None if there are none.
    seen : float
        The share of the disc that has data in all channels, from 0 to 1.
    """

    channels: tuple
    frame: Frame
    missing: np.ndarray | None
    seen: float

    @property
    def image(self):
        """Return the images of all channels, (size, size, channels) float32 in [0, 1]."""
        return np.stack([channel.image for channel in self.channels], axis=-1)


def maps_of_channels(smaps, card):
    """
    Return the Maps for the channels of a card, checked, in the order of the channels.

    Parameters
    ----------
    smaps : sunpy.map.GenericMap or sequence of sunpy.map.GenericMap
        One for each channel, in any order, known by their wavelengths. Maps of other wavelengths are ignored.
        A card of one channel takes any Map.
    card : sunpy_scss.models.ModelCard

    Returns
    -------
    tuple of sunpy.map.GenericMap

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If something is not a Map that can be segmented, a channel has no Map or several, or the Maps differ in time or
        in observer.
    """
    several = len(card.channels) > 1
    maps = list(smaps) if several and isinstance(smaps, MapSequence | list | tuple) else [smaps]
    for smap in maps:
        check_map(smap)
        wavelength_of(smap)  # raises an error where the Map tells no wavelength
    if several:
        maps = [_map_of(channel, maps, card) for channel in card.channels]
        _check_together(maps)
    return tuple(mended(smap) for smap in maps)


def _map_of(channel, maps, card):
    fitting = [smap for smap in maps if np.isclose(angstroms(smap), channel.wavelengths, atol=0.5).any()]
    if len(fitting) != 1:
        wanted = ", ".join("/".join(f"{one:g}" for one in channel.wavelengths) for channel in card.channels)
        got = ", ".join(f"{angstroms(smap):g}" for smap in maps)
        msg = f"{card.name} sees Maps of {wanted} Angstrom together and needs one of each (got {got})."
        raise InvalidMapError(msg)
    return fitting[0]


def _check_together(maps):
    first = maps[0]
    place = first.observer_coordinate
    for other in maps[1:]:
        apart = abs(other.date - first.date)
        if apart > _SAME_TIME:
            msg = (
                f"The Maps of an exposure set are {apart.to(u.min):.0f} apart ({first.date.isot}, "
                f"{other.date.isot}): take images within {_SAME_TIME:g}."
            )
            raise InvalidMapError(msg)
        there = other.observer_coordinate
        away = np.hypot((there.lon - place.lon).wrap_at(180 * u.deg), there.lat - place.lat)
        if away > _SAME_PLACE:
            msg = (
                f"The Maps of one exposure set were taken from places {away.to(u.deg):.1f} apart, as seen from the Sun."
            )
            raise InvalidMapError(msg)


def network_input(maps, card, *, disk_median=None):
    """
    Bring the Maps of an exposure set to the grid and the stretches of a model card.

    Parameters
    ----------
    maps : tuple of sunpy.map.GenericMap
        The result of `maps_of_channels`.
    card : sunpy_scss.models.ModelCard
    disk_median : astropy.units.Quantity, optional
        Median intensity of the quiet disc; needed where the Map shows too little of the disc to measure it. For several
        channels, one value each.

    Returns
    -------
    NetworkInput
    """
    if len(card.channels) == 1:
        warn_of(wavelength_caveats(maps[0], card.name, card.wavelengths))
    grid = card.grid
    medians = _medians(disk_median, len(card.channels))
    found = [canonical_image(smap, grid, disk_median=one) for smap, one in zip(maps, medians, strict=True)]
    channels = tuple(
        _stretched(one, channel.stretch, grid.radius) for one, channel in zip(found, card.channels, strict=True)
    )
    return NetworkInput(channels, found[0].frame, *_gaps(found, grid))


def _medians(disk_median, number):
    if disk_median is None:
        return [None] * number
    if number == 1:
        return [disk_median]
    if np.ndim(disk_median) != 1 or len(disk_median) != number:
        msg = f"disk_median must be a list of {number} values, one for each channel of the model (got {disk_median})."
        raise ValueError(msg)
    return list(disk_median)


def _stretched(found, stretch, radius):
    """Return the `_ChannelInput` of a `CanonicalImage`."""
    doubt = doubt_of(found, stretch.reference_median)
    rescaled = stretch.exponent != 1 and bool(doubt)
    if rescaled:
        warn_of_calibration(stretch.reference_median, doubt)
    # Where only contrast matters, every image is scaled to the reference median.
    keeps = not doubt and stretch.exponent != 1
    scale = 1.0 if keeps else stretch.reference_median / found.disk_median
    image = stretch.apply(found.image * scale, radius, found.disk_median * scale)
    return _ChannelInput(image, found.disk_median, scale, rescaled)


def _gaps(found, grid):
    """Return the pixels without data in some channel (None if there are none) and the share of the disc seen."""
    first, *others = found
    if not others:
        return first.missing, first.seen
    known = np.logical_and.reduce([np.isfinite(one.image) for one in found])
    seen = float(known[grid.disk].mean())
    elsewhere = np.isfinite(first.image) & ~known & grid.disk
    if not elsewhere.any():
        return first.missing, seen
    missing = from_canonical(elsewhere, first.frame, grid) >= 0.5
    return missing if first.missing is None else missing | first.missing, seen


def caveats(smap, card):
    """
    Return the reasons, found in its header, why the mask of a Map may be wrong.

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
