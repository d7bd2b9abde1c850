"""Corrections of headers that sunpy misreads, made only if they are certain."""

import numpy as np

import astropy.units as u
import sunpy.map
from sunpy.map.sources import EITMap
from sunpy.sun.constants import radius as solar_radius

from sunpy_scss.exceptions import InvalidMapError

__all__ = ["check_lengths", "mended"]

# In the headers of all other instruments the radius of the Sun is within 0.11 % of the nominal one.
_TOLERANCE = 0.02
_IN_KILOMETRES = ("rsun_ref", "dsun_obs")


def mended(smap):
    """
    Return a Map whose header sunpy reads correctly, with its data in memory.

    * Degrees along one axis and arcsec along the other are valid, but sunpy takes the scale of the second axis to be in
      the unit of the first.
    * SUIT writes RSUN_REF and DSUN_OBS in kilometres; sunpy reads them as metres.
    * EIT writes SOLAR_R in pixels of the original image; sunpy does not scale it when it resamples an image.

    Parameters
    ----------
    smap : sunpy.map.GenericMap

    Returns
    -------
    sunpy.map.GenericMap
        The same Map if nothing needs a correction.
    """
    changes = _one_unit(smap)
    if _off(smap):
        changes |= _metres(smap) or _pixels(smap)
    if changes or not isinstance(smap.data, np.ndarray):
        return sunpy.map.Map(np.asarray(smap.data), {**smap.meta, **changes}, mask=smap.mask)
    return smap


def check_lengths(smap):
    """
    Raise an error unless the Sun of a Map has the size of the Sun.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If it has another size; the error names the keys.
    """
    if not _off(smap):
        return
    keys = [key.upper() for key in ("rsun_ref", "rsun_obs", "solar_r", "radius", "dsun_obs") if key in smap.meta]
    msg = (
        f"By its header the Sun of this Map has a radius of {smap.rsun_meters.to_value(u.Mm):.4g} Mm; it has "
        f"{solar_radius.to_value(u.Mm):.1f} Mm. RSUN_REF and DSUN_OBS are in metres, RSUN_OBS is in arcsec, and "
        f"SOLAR_R of EIT in pixels of the image as it is; correct {', '.join(keys) or 'them'} in the header, smap.meta."
    )
    raise InvalidMapError(msg)


def _off(smap, scale=1.0):
    return abs(scale * smap.rsun_meters / solar_radius - 1) > _TOLERANCE


def _one_unit(smap):
    first, second = smap.spatial_units
    if first == second or not second.is_equivalent(first):
        return {}
    scaled = {
        key: smap.meta[key] * second.to(first) for key in ("cdelt2", "crval2", "cd2_1", "cd2_2") if key in smap.meta
    }
    return scaled | {"cunit2": smap.meta["cunit1"]}


def _metres(smap):
    if _off(smap, 1000):
        return {}
    return {key: 1000 * smap.meta[key] for key in _IN_KILOMETRES if key in smap.meta}


def _pixels(smap):
    """Return SOLAR_R in pixels of the Map, from the distance of the Sun."""
    if not isinstance(smap, EITMap):
        return {}
    radius = np.arcsin(solar_radius / smap.dsun).to_value(u.arcsec)
    return {"solar_r": float(radius / smap.meta["cdelt1"])}
