"""What a mask Map is: values, feature, colours, header."""

from matplotlib.colors import Normalize

import astropy.units as u
from sunpy.coordinates import Helioprojective
from sunpy.map import GenericMap

from sunpy_scss.exceptions import InvalidMapError

__all__ = ["feature_of", "make_map", "pixels_inside", "provenance", "said_by_all"]


def make_map(data, smap, *, keywords, history):
    """
    A Map of results on the WCS of another Map.

    Built from the WCS and not from the header: what described the intensities of the input must not stay, nor
    INSTRUME, by which a saved mask would be taken for an image.

    Parameters
    ----------
    data : numpy.ndarray
        int16 for masks, the one integer type that survives saving, rotating and cutting; float32 for probabilities.
    smap : sunpy.map.GenericMap
        Where the coordinates, date, observer and wavelength come from.
    keywords : dict
        Provenance; FITS keys of at most 8 characters, values in ASCII.
    history : str
        How the result was made; lines of at most 72 characters, as FITS has them.

    Returns
    -------
    sunpy.map.GenericMap
    """
    header = {
        **_wcs_header(smap),
        "BUNIT": "",
        "TELESCOP": smap.observatory,
        "PARENT": str(smap.meta.get("filename") or smap.date.isot),
    }
    if isinstance(smap.coordinate_frame, Helioprojective):
        header["RSUN_OBS"] = smap.rsun_obs.to_value(u.arcsec)
    if smap.wavelength is not None:
        header["WAVELNTH"] = smap.wavelength.value
        header["WAVEUNIT"] = smap.wavelength.unit.to_string("fits")
    header |= {**keywords, "HISTORY": history}
    # A constant mask has no range of its own to scale colours by.
    settings = {"norm": Normalize(0, 1), "cmap": "gray", "interpolation": "nearest"}
    return GenericMap(data, header, plot_settings=settings)


def provenance(mask):
    """What the header of a mask or probability Map tells of its origin, as keywords for what is made from it."""
    kept = ("CONTENT", "TELESCOP", "WAVELNTH", "WAVEUNIT", "PARENT")
    return {
        key.upper(): value
        for key, value in mask.meta.items()
        if key.upper() in kept or key.upper().startswith(("SCSS", "HEK"))
    }


def said_by_all(headers):
    """The keywords that are in all of some headers, with the same value."""
    first, *others = headers
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _wcs_header(smap):
    """The WCS keywords in the units of the Map, where astropy writes degrees."""
    header = dict(smap.wcs.to_header())
    for axis, (unit, new) in enumerate(zip(smap.wcs.wcs.cunit, smap.spatial_units, strict=True), start=1):
        factor = unit.to(new)
        header[f"CDELT{axis}"] = smap.wcs.wcs.cdelt[axis - 1] * factor
        header[f"CRVAL{axis}"] = smap.wcs.wcs.crval[axis - 1] * factor
        header[f"CUNIT{axis}"] = new.to_string("fits")
    return header


def pixels_inside(mask):
    """
    The pixels of a mask Map that are set; a new array of bool.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If it has other values than 0 and 1.
    """
    inside = mask.data == 1
    if not (inside | (mask.data == 0)).all():
        msg = "A mask holds 0 and 1 only; apply a threshold to probabilities first, as in mask.data >= 0.5."
        raise InvalidMapError(msg)
    return inside


def feature_of(mask):
    """What the header of a mask Map says that it shows, "CH" or "AR"; an `InvalidMapError` if it says neither."""
    feature = mask.meta.get("SCSSFEAT")
    if feature not in ("CH", "AR"):
        msg = f"The header must name the feature, SCSSFEAT = CH or AR (got {feature!r}): mask.meta['SCSSFEAT'] = 'CH'."
        raise InvalidMapError(msg)
    return feature
