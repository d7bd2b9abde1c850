"""Masks of many times in one Zarr store (time, y, x), which xarray, dask and ndcube open as it is."""

import os
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize

from astropy.time import Time
from sunpy.map import GenericMap

from sunpy_scss._provenance import Provenance
from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError

__all__ = ["MaskStore", "mask_at"]

# What is the same for all masks of a store, and what is told in other ways.
_SHARED = ("CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2", "TELESCOP", "WAVELNTH", "WAVEUNIT", "BUNIT", "CONTENT")
# Numbers of the header that differ from time to time, each an array of its own.
_NUMBERS = (
    *("CRPIX1", "CRPIX2", "CDELT1", "CDELT2", "CRVAL1", "CRVAL2", "PC1_1", "PC1_2", "PC2_1", "PC2_2"),
    *("LONPOLE", "LATPOLE", "DSUN_OBS", "HGLN_OBS", "HGLT_OBS", "RSUN_REF", "RSUN_OBS"),
)
_SETTINGS = {"norm": Normalize(0, 1), "cmap": "gray", "interpolation": "nearest"}
# So many results are written at once; a run that is killed does at most so many images again.
_AT_ONCE = 16


class MaskStore:
    """
    A store that one process fills, or many fill, each its own times; one of them keeps the account of what is there.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path):
        import zarr

        self.path = Path(path)
        self._waiting = {}
        self._group = zarr.open_group(self.path, mode="r+", zarr_format=2, use_consolidated=False)

    @classmethod
    def make(cls, path, shape, settings):
        """
        An empty store.

        Parameters
        ----------
        path : path-like
        shape : (int, int)
            Of a mask.
        settings : sunpy_scss._provenance.Provenance
            By which the masks are to be made.
        """
        import zarr

        group = zarr.open_group(path, mode="w", zarr_format=2)
        # What is not there is no mask without a hole: xarray makes NaN of -1.
        _array(group, "mask", np.int8, -1, ("time", "y", "x"), (0, *shape), (1, *shape))
        _array(group, "time", np.float64, np.nan, ("time",), units="seconds since 1970-01-01", calendar="standard")
        _array(group, "file", "<U256", None, ("time",))
        _array(group, "done", np.bool_, None, ("time",))
        for name in (*_NUMBERS, *settings.image_keywords()):
            _array(group, name, np.float64, np.nan, ("time",))

    @property
    def settings(self):
        """The provenance that the masks have in common; it tells nothing before there are any."""
        return Provenance.of(dict(self._group.attrs))

    @property
    def shape(self):
        return self._group["mask"].shape[1:]

    @property
    def files(self):
        """Names of images, in order of their places."""
        return [str(name) for name in self._group["file"][:]]

    @property
    def done(self):
        return self._group["done"][:]

    def begin(self, names, settings, *, anew=False):
        """
        Make room for images, and say by which settings their masks are made.

        Parameters
        ----------
        names : list of str
        settings : sunpy_scss._provenance.Provenance
        anew : bool, optional
            Forget the masks that are there.

        Returns
        -------
        dict of str to int
            The place of each image; new ones are behind those that are there.
        """
        import zarr

        if anew:
            for key in (*_SHARED, *self.settings.keywords()):
                self._group.attrs.pop(key, None)
            self._group["done"][:] = False
        self._group.attrs.update(settings.keywords())
        there = self.files
        new = sorted(set(names) - set(there), key=names.index)
        if new:
            size = len(there) + len(new)
            for _, array in self._group.arrays():
                array.resize((size, *array.shape[1:]))
            self._group["file"][len(there) :] = np.array(new)
        zarr.consolidate_metadata(self.path)
        return {name: place for place, name in enumerate([*there, *new])}

    def write(self, place, mask):
        """Write the pixels of a mask, whole or not at all; the store does not tell of them before `note`."""
        if mask.data.shape != self.shape:
            msg = f"It has {mask.data.shape} pixels, the masks of the store {self.shape}; give it a store of its own."
            raise InvalidMapError(msg)
        for key in _SHARED:
            there = self._group.attrs.get(key)
            if there not in (None, mask.meta.get(key)):
                msg = f"Its {key} is {mask.meta.get(key)!r}, that of the store {there!r}; give it a store of its own."
                raise InvalidMapError(msg)
        self._group["mask"][place] = mask.data.astype(np.int8)

    def note(self, place, header, date):
        """Note that a mask has been written, with the header of its Map and its time."""
        self._waiting[place] = header, date
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def flush(self):
        """Write what has been noted."""
        if not self._waiting:
            return
        places = sorted(self._waiting)
        headers = [self._waiting[place][0] for place in places]
        if "CTYPE1" not in self._group.attrs:
            self._group.attrs.update(_plain(headers[0], _SHARED))
        for name in (*_NUMBERS, *self.settings.image_keywords()):
            self._group[name].oindex[places] = np.array([header.get(name, np.nan) for header in headers], dtype=float)
        self._group["time"].oindex[places] = Time([self._waiting[place][1] for place in places]).utc.unix
        self._group["done"].oindex[places] = True
        self._waiting = {}

    def close(self):
        """Write what has been noted, and all metadata in one place, from which xarray opens a store at once."""
        import zarr

        self.flush()
        zarr.consolidate_metadata(self.path)


def _array(group, name, dtype, fill, dimensions, shape=(0,), chunks=(4096,), **attributes):
    array = group.create_array(name, shape=shape, chunks=chunks, dtype=dtype, fill_value=fill)
    # By which xarray knows them.
    array.attrs.update({"_ARRAY_DIMENSIONS": list(dimensions), **attributes})


def _plain(header, keys):
    return {key: header[key] for key in keys if key in header}


def mask_at(path: str | os.PathLike, place: int) -> GenericMap:
    """
    One mask of a Zarr store that `segment_files` wrote, as a Map.

    Parameters
    ----------
    path : path-like
    place : int
        Its index along the time.

    Returns
    -------
    sunpy.map.GenericMap
        With the WCS, the observer and the origin that the mask would have as a FITS file.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the image of that place has no mask, because it failed or is still to be done.

    Examples
    --------
    >>> from sunpy_scss.files import mask_at
    >>> mask = mask_at("masks.zarr", 0)  # doctest: +SKIP
    """
    import zarr

    group = zarr.open_group(path, mode="r", zarr_format=2, use_consolidated=False)
    if not group["done"][place]:
        msg = f"{path} has no mask of {group['file'][place]}: it failed, or is still to be done."
        raise UnreadableFileError(msg)
    told = Provenance.of(dict(group.attrs))
    numbers = {name: float(group[name][place]) for name in (*_NUMBERS, *told.image_keywords())}
    header = _plain(dict(group.attrs), _SHARED) | told.keywords()
    header |= {name: value for name, value in numbers.items() if np.isfinite(value)}
    header |= {
        "DATE-OBS": Time(group["time"][place], format="unix", precision=3).utc.isot,
        "PARENT": str(group["file"][place]),
    }
    return GenericMap(group["mask"][place].astype(np.int16), header, plot_settings=_SETTINGS)
