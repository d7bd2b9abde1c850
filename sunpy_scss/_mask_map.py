"""What a mask Map is: values, feature, colours, header."""

import html

import numpy as np
from matplotlib.colors import Normalize

import astropy.units as u
from sunpy.coordinates import Helioprojective
from sunpy.map import GenericMap

import sunpy_scss
from sunpy_scss._features import FEATURES, feature_name
from sunpy_scss.canonical._header import wavelength_of
from sunpy_scss.exceptions import InvalidMapError

__all__ = [
    "ResultMap",
    "feature_of",
    "make_map",
    "make_mask",
    "pixels_inside",
    "provenance",
    "said_by_all",
    "several_masks",
]


def make_map(data, smap, *, keywords, history, highest=1):
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
    highest : int, optional
        The value at the bright end of the colours.

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
    if (wavelength := _wavelength(smap)) is not None:
        header["WAVELNTH"] = wavelength.value
        header["WAVEUNIT"] = wavelength.unit.to_string("fits")
    header |= {**keywords, "HISTORY": history}
    # A constant mask has no range of its own to scale colours by.
    settings = {"norm": Normalize(0, max(1, highest)), "cmap": "gray", "interpolation": "nearest"}
    return ResultMap(data, header, plot_settings=settings)


class ResultMap(GenericMap):
    """
    A result of this package: a Map as any other, made new or read from a file, but for its preview in notebooks.

    That of sunpy equalises the histogram, and fails where there is but one value, as in an empty mask.
    """

    @classmethod
    def is_datasource_for(cls, data, header, **kwargs):
        """Sunpy asks it of the header of a file."""
        return "scssver" in header

    def _repr_html_(self, compute_dask=False):
        if self.data.size and self.data.min() != self.data.max():
            return super()._repr_html_(compute_dask=compute_dask)
        ny, nx = self.data.shape
        what = html.escape(f"{self.meta.get('content', 'Map')} of {self.date.isot}")
        value = f", all of which are {self.data.flat[0]:g}" if self.data.size else ""
        return f"<p>{what}, {ny} x {nx} pixels{value}.</p>"


def make_mask(inside, smap, feature, *, keywords, history):
    """
    The mask Map of a feature on the WCS of another Map.

    Parameters
    ----------
    inside : numpy.ndarray
        True or 1 inside the feature.
    smap, keywords, history
        As for `make_map`; the keywords name the method (SCSSMOD) and whose labels or rule it is (SCSSLAB).
    feature : str
        A key of `sunpy_scss._features.FEATURES`, or another type of event of the HEK.

    Returns
    -------
    sunpy.map.GenericMap
    """
    facts = {
        "CONTENT": f"{feature_name(feature)} mask",
        "SCSSFEAT": feature,
        "SCSSVER": sunpy_scss.__version__,
    }
    return make_map(np.asarray(inside, dtype=np.int16), smap, keywords=facts | keywords, history=history)


def _wavelength(smap):
    """The wavelength of a Map; None also where its header names a filter instead."""
    try:
        return wavelength_of(smap)
    except InvalidMapError:
        return None


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
    values = np.asarray(mask.data)  # in memory, where dask would read it
    inside = values == 1
    if np.count_nonzero(inside) != np.count_nonzero(values):
        msg = "A mask holds 0 and 1 only; apply a threshold to probabilities first, as in mask.data >= 0.5."
        raise InvalidMapError(msg)
    return inside


def several_masks(masks):
    """Masks as they were given, in any iterable; an error that says so where they are one Map."""
    if isinstance(masks, GenericMap):  # which claims to be iterable, and fails with a riddle
        msg = "Several masks are expected (got one Map); give a list, as [mask]."
        raise TypeError(msg)
    return masks


def feature_of(mask):
    """What the header of a mask Map says that it shows, "CH" or "AR"; an `InvalidMapError` if it says neither."""
    feature = mask.meta.get("SCSSFEAT")
    if feature not in FEATURES:
        msg = f"The header must name the feature, SCSSFEAT = CH or AR (got {feature!r}): mask.meta['SCSSFEAT'] = 'CH'."
        raise InvalidMapError(msg)
    return feature
