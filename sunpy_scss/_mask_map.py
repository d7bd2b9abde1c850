"""Mask Maps: their values, feature, colours and header."""

import html
from dataclasses import replace

import numpy as np
from matplotlib.colors import Normalize

import astropy.units as u
from sunpy.coordinates import Helioprojective
from sunpy.map import GenericMap

from sunpy_scss._features import FEATURES, feature_name
from sunpy_scss._provenance import Provenance, is_result
from sunpy_scss.canonical._header import wavelength_of
from sunpy_scss.exceptions import InvalidMapError

__all__ = [
    "ResultMap",
    "feature_of",
    "make_map",
    "make_mask",
    "pixels_inside",
    "several_masks",
]


def make_map(data, smap, provenance, *, history, keywords=None, highest=1):
    """
    Return a Map of results on the WCS of another Map.

    It is built from the WCS and not from the header. Keywords about the intensities of the input must not stay, nor
    must INSTRUME, by which sunpy would read a saved mask as an image.

    Parameters
    ----------
    data : numpy.ndarray
        int16 for masks, the one integer type that survives saving, rotating and cutting; float32 for probabilities.
    smap : sunpy.map.GenericMap
        The source of the coordinates, date, observer and wavelength.
    provenance : sunpy_scss._provenance.Provenance
        The origin of the result. Its values take precedence over those of ``smap``.
    history : str
        The way in which the result was made, in lines of at most 72 characters for FITS.
    keywords : dict, optional
        Other keywords for the header.
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
    header |= {**provenance.keywords(), **(keywords or {}), "HISTORY": history}
    # A constant mask has no range of its own for the colours.
    settings = {"norm": Normalize(0, max(1, highest)), "cmap": "gray", "interpolation": "nearest"}
    return ResultMap(data, header, plot_settings=settings)


class ResultMap(GenericMap):
    """
    A result of this package, new or read from a file. Only its preview in notebooks differs from that of other Maps.

    The preview of sunpy equalises the histogram. It fails if there is only one value, as in an empty mask.
    """

    @classmethod
    def is_datasource_for(cls, data, header, **kwargs):
        """Return True if the header is that of a result, for sunpy."""
        return is_result(header)

    def _repr_html_(self, compute_dask=False):
        if self.data.size and self.data.min() != self.data.max():
            return super()._repr_html_(compute_dask=compute_dask)
        ny, nx = self.data.shape
        what = html.escape(f"{self.meta.get('content', 'Map')} of {self.date.isot}")
        value = f", all of which are {self.data.flat[0]:g}" if self.data.size else ""
        return f"<p>{what}, {ny} x {nx} pixels{value}.</p>"


def make_mask(inside, smap, provenance, *, history):
    """
    Return the mask Map of a feature on the WCS of another Map.

    Parameters
    ----------
    inside : numpy.ndarray
        True or 1 inside the feature.
    smap, history
        The arguments of `make_map`.
    provenance : sunpy_scss._provenance.Provenance
        The feature, the method, and the source of the labels or rule. The content is added here unless it is given.

    Returns
    -------
    sunpy.map.GenericMap
    """
    content = provenance.content or f"{feature_name(provenance.feature)} mask"
    return make_map(np.asarray(inside, dtype=np.int16), smap, replace(provenance, content=content), history=history)


def _wavelength(smap):
    """Return the wavelength of a Map; None also if its header names a filter instead."""
    try:
        return wavelength_of(smap)
    except InvalidMapError:
        return None


def _wcs_header(smap):
    """Return the WCS keywords in the units of the Map, in place of the degrees of astropy."""
    header = dict(smap.wcs.to_header())
    for axis, (unit, new) in enumerate(zip(smap.wcs.wcs.cunit, smap.spatial_units, strict=True), start=1):
        factor = unit.to(new)
        header[f"CDELT{axis}"] = smap.wcs.wcs.cdelt[axis - 1] * factor
        header[f"CRVAL{axis}"] = smap.wcs.wcs.crval[axis - 1] * factor
        header[f"CUNIT{axis}"] = new.to_string("fits")
    return header


def pixels_inside(mask):
    """
    Return the pixels of a mask Map that are set, as a new array of bool.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If it has other values than 0 and 1.
    """
    values = np.asarray(mask.data)  # in memory, because dask would read it again
    inside = values == 1
    if np.count_nonzero(inside) != np.count_nonzero(values):
        msg = "A mask holds 0 and 1 only; apply a threshold to probabilities first, as in mask.data >= 0.5."
        raise InvalidMapError(msg)
    return inside


def several_masks(masks):
    """Return masks as given, in any iterable; raise TypeError for a single Map."""
    if isinstance(masks, GenericMap):  # a Map claims to be iterable, and then fails with an obscure error
        msg = "Several masks are expected (got one Map); give a list, as [mask]."
        raise TypeError(msg)
    return masks


def feature_of(mask):
    """Return the feature that the header of a mask Map names, "CH" or "AR"; raise `InvalidMapError` if neither."""
    feature = Provenance.of(mask).feature
    if feature not in FEATURES:
        (key,) = Provenance(feature="CH").keywords()
        msg = f"The header must name the feature, {key} = CH or AR (got {feature!r}): mask.meta[{key!r}] = 'CH'."
        raise InvalidMapError(msg)
    return feature
