"""The check of every Map before it is segmented."""

import warnings

import numpy as np

import astropy.units as u
from sunpy.map import GenericMap
from sunpy.util.exceptions import SunpyMetadataWarning

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._header import check_header
from sunpy_scss.canonical._mend import check_lengths, mended
from sunpy_scss.exceptions import InvalidMapError, LimbWarning, PartialDiskError

__all__ = ["check_map"]

# Two apparent radii of one header that differ by this share are not roundings of one value. STEREO's differ by 0.0003.
_RADII_DIFFER = 0.005
# No image has so many pixels.
_FARTHEST = 1e6
# Maps with fewer pixels on a side show nothing.
_FEWEST = 11
# The header keys that sunpy reads for the apparent solar radius.
_RADIUS_KEYS = ("rsun_obs", "solar_r", "radius")


def check_map(smap):
    """
    Raise an error unless a Map can be segmented.

    Raises
    ------
    TypeError
        If it is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If it is not helioprojective, if its header has a value of the wrong kind, or if the header lacks the date or
        the size of the Sun.

    Warns
    -----
    `~sunpy_scss.exceptions.LimbWarning`
        The apparent radius of the Sun in the header contradicts its distance and radius.
    """
    if not isinstance(smap, GenericMap):
        msg = f"Expected a sunpy Map (got {type(smap).__name__}); make one with sunpy.map.Map(file)."
        raise TypeError(msg)
    if smap.data.ndim == 2 and min(smap.data.shape) < _FEWEST:
        ny, nx = smap.data.shape
        msg = f"The Map has {nx} x {ny} pixels: too few to show the disc; give one of at least {_FEWEST} x {_FEWEST}."
        raise PartialDiskError(msg)
    if tuple(axis[:4] for axis in smap.coordinate_system) != ("HPLN", "HPLT"):
        msg = f"Only helioprojective Maps can be segmented (got {tuple(smap.coordinate_system)})."
        raise InvalidMapError(msg)
    check_header(smap)
    smap = mended(smap)
    check_lengths(smap)
    if not _size_of_sun_known(smap):
        msg = "The size of the Sun is unknown: the header needs an observer (HGLN_OBS, HGLT_OBS, DSUN_OBS) or RSUN_OBS."
        raise InvalidMapError(msg)
    _check_geometry(smap)
    _warn_of_radius(smap)


def _warn_of_radius(smap):
    """Warn if a header has two apparent solar radii that differ: masks depend on one of them, areas on the other."""
    if smap.meta.get("rsun_obs") is None or smap.meta.get("dsun_obs") is None:
        return
    expected = np.arcsin(smap.rsun_meters / smap.dsun).to(u.arcsec)
    if abs(smap.rsun_obs / expected - 1) > _RADII_DIFFER:
        msg = (
            f"RSUN_OBS = {smap.rsun_obs.to_value(u.arcsec):.1f} arcsec contradicts RSUN_REF and DSUN_OBS, by which the "
            f"Sun has a radius of {expected.value:.1f} arcsec: correct or delete what is wrong in the header."
        )
        warn_caller(msg, LimbWarning)


def _check_geometry(smap):
    """Raise an error if scale, rotation and centre, each of which may look right, leave no place for the Sun."""
    try:
        with np.errstate(all="ignore"):
            frame = frame_of(smap)
    except Warning:  # a warning that a filter may have turned into an error
        raise
    except Exception as error:  # any error of wcslib, astropy or numpy
        reason = str(error).strip().partition("\n")[0]
    else:
        size = frame.pixels_per_radius
        if 1 / _FARTHEST < size < _FARTHEST and (np.abs(frame.centre) < _FARTHEST).all():
            return
        reason = f"a radius of {size:g} pixels around pixel {tuple(map(float, frame.centre))}"
    msg = (
        "By its header the Sun is nowhere in this Map; look at CDELT1, CDELT2, CRPIX1, CRPIX2, CRVAL1, CRVAL2, PC1_1 "
        f"to PC2_2 or CROTA2, CUNIT1, CUNIT2, RSUN_OBS, RSUN_REF, DSUN_OBS, HGLN_OBS, HGLT_OBS ({reason})."
    )
    raise InvalidMapError(msg)


def _size_of_sun_known(smap):
    if any(smap.meta.get(key) is not None for key in _RADIUS_KEYS):
        return True
    with warnings.catch_warnings():
        # sunpy warns if it assumes an observer on Earth: the solar radius would be a guess.
        warnings.simplefilter("error", SunpyMetadataWarning)
        try:
            smap.observer_coordinate  # noqa: B018
        except SunpyMetadataWarning:
            return False
    return True
