"""Masks of many times in one Zarr store (time, y, x), which xarray, dask and ndcube open as it is."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import Normalize

from sunpy.map import GenericMap

from sunpy_scss._provenance import Provenance
from sunpy_scss._save import scratch_folder
from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError

if TYPE_CHECKING:
    pass

__all__ = ["MaskStore", "mask_at"]

# These are the same for all masks of a store. Its attributes hold them, and the settings of the masks.
_SHARED = ("CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2", "TELESCOP", "WAVELNTH", "WAVEUNIT", "BUNIT", "CONTENT")
# Numbers of the header that differ from time to time; each is also an array of its own.
_NUMBERS = (
    *("CRPIX1", "CRPIX2", "CDELT1", "CDELT2", "CRVAL1", "CRVAL2", "PC1_1", "PC1_2", "PC2_1", "PC2_2"),
    *("LONPOLE", "LATPOLE", "DSUN_OBS", "HGLN_OBS", "HGLT_OBS", "RSUN_REF", "RSUN_OBS"),
    *Provenance().image_keywords(),
)
_PLOT = {"norm": Normalize(0, 1), "cmap": "gray", "interpolation": "nearest"}
# xarray turns it into NaT, and keeps the other times to the millisecond.
_NO_TIME = np.iinfo(np.int64).min
# Results are written after so many masks or so many seconds. A killed run does the unwritten ones again.
_AT_ONCE, _SECONDS = 16, 5


class MaskStore:
    """
    A store that one or many processes fill, each its own times; one process records which masks are done.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path):
        import zarr

        self.path = Path(path)
        self._waiting, self._written = {}, time.monotonic()
        self._group = zarr.open_group(self.path, mode="r+", zarr_format=2, use_consolidated=False)

    @classmethod
    def make(cls, path, shape, made):
        """
        Make an empty store, whole or not at all; an existing store is replaced.

        Parameters
        ----------
        path : path-like
        shape : (int, int)
            The shape of a mask.
        made : sunpy_scss._provenance.Provenance
            The provenance that its masks share.
        """
        import zarr

        path = Path(path)
        with scratch_folder(path.parent) as folder:
            group = zarr.open_group(folder / path.name, mode="w", zarr_format=2, attributes=made.keywords())
            # A missing mask is not a mask without holes: xarray turns -1 into NaN.
            _array(group, "mask", np.int8, -1, ("time", "y", "x"), (0, *shape), (1, *shape))
            times = {"units": "milliseconds since 1970-01-01", "calendar": "standard"}
            _array(group, "time", np.int64, _NO_TIME, ("time",), **times)
            _array(group, "file", "<U256", None, ("time",))
            _array(group, "header", str, None, ("time",), chunks=(256,))
            _array(group, "done", np.bool_, None, ("time",))
            for name in _NUMBERS:
                _array(group, name, np.float64, np.nan, ("time",))
            if path.exists():
                shutil.rmtree(path)
            (folder / path.name).replace(path)
        return cls(path)

    @property
    def made(self):
        """The `Provenance` that its masks share."""
        return Provenance.of(dict(self._group.attrs))

    @property
    def shape(self):
        return self._group["mask"].shape[1:]

    @property
    def files(self):
        """The names of the images, in order of their places."""
        names = [str(name) for name in self._group["file"][:]]
        # A run that was killed while it made room left places without a name; these are used first.
        return names[: next((number + 1 for number in reversed(range(len(names))) if names[number]), 0)]

    def masks(self):
        """Return a dict from the image of each mask to the `Provenance` of the mask."""
        known = zip(self._group["file"][:], self._group["done"][:], self._group["header"][:], strict=True)
        return {str(name): Provenance.of(json.loads(str(head))) for name, done, head in known if done}

    def begin(self, names, *, anew=False):
        """
        Make room for images.

        Parameters
        ----------
        names : list of str
        anew : bool, optional
            Remove the existing masks of these images.

        Returns
        -------
        dict of str to int
            The place of each image; new images come after the existing ones.
        """
        import zarr

        there = self.files
        new = list(dict.fromkeys(name for name in names if name not in set(there)))
        for _, array in self._group.arrays():
            array.resize((len(there) + len(new), *array.shape[1:]))
        if new:
            self._group["file"][len(there) :] = np.array(new)
        places = {name: place for place, name in enumerate([*there, *new])}
        for place in {places[name] for name in names} & set(np.flatnonzero(self._group["done"][:])) if anew else ():
            self._group["done"][place] = False
            self._group["time"][place] = _NO_TIME
            self._group["mask"][place] = -1
        zarr.consolidate_metadata(self.path)
        return places

    def write(self, place, mask):
        """Write the pixels of a mask, whole or not at all. They count only after `note`."""
        if mask.data.shape != self.shape:
            msg = f"It has {mask.data.shape} pixels, the masks of the store {self.shape}; give it a store of its own."
            raise InvalidMapError(msg)
        for key in _SHARED:
            there = self._group.attrs.get(key)
            if there not in (None, mask.meta.get(key)):
                msg = f"Its {key} is {mask.meta.get(key)!r}, that of the store {there!r}; give it a store of its own."
                raise InvalidMapError(msg)
        self._group["mask"][place] = mask.data.astype(np.int8)

    def note(self, place, header, obstime):
        """Record a written mask, with the header of its Map and its time in milliseconds since 1970."""
        self._waiting[place] = header, obstime
        if len(self._waiting) >= _AT_ONCE or time.monotonic() - self._written > _SECONDS:
            self.flush()

    def flush(self):
        """Write the records; the mark that a mask is done comes last."""
        if not self._waiting:
            return
        places = sorted(self._waiting)
        headers, times = zip(*(self._waiting[place] for place in places), strict=True)
        if "CTYPE1" not in self._group.attrs:
            self._group.attrs.update({key: headers[0][key] for key in _SHARED if key in headers[0]})
        values = {name: np.array([head.get(name, np.nan) for head in headers], dtype=float) for name in _NUMBERS}
        values |= {"time": np.array(times), "header": np.array([json.dumps(head) for head in headers], dtype=object)}
        values |= {"done": np.ones(len(places), dtype=bool)}
        for name, some in values.items():
            self._group[name].oindex[places] = some
        self._waiting, self._written = {}, time.monotonic()

    def close(self):
        """Write the records, and all metadata in one place, from which xarray opens a store at once."""
        import zarr

        self.flush()
        zarr.consolidate_metadata(self.path)


def _array(group, name, dtype, fill, dimensions, shape=(0,), chunks=(4096,), **attributes):
    array = group.create_array(name, shape=shape, chunks=chunks, dtype=dtype, fill_value=fill)
    # By these names xarray knows the dimensions.
    array.attrs.update({"_ARRAY_DIMENSIONS": list(dimensions), **attributes})


def mask_at(path: str | os.PathLike, place: int) -> GenericMap:
    """
    Read one mask of a Zarr store that `segment_files` wrote, as a Map.

    Parameters
    ----------
    path : path-like
    place : int
        Its index along the time.

    Returns
    -------
    sunpy.map.GenericMap
        The mask, with the header that it would have as a FITS file.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the image at that place has no mask, because it failed or is still to be done.

    Examples
    --------
    >>> from sunpy_scss.batch import mask_at
    >>> mask = mask_at("masks.zarr", 0)  # doctest: +SKIP
    """
    import zarr

    group = zarr.open_group(path, mode="r", zarr_format=2, use_consolidated=False)
    if not group["done"][place]:
        msg = f"{path} has no mask of {group['file'][place]}: it failed, or is still to be done."
        raise UnreadableFileError(msg)
    header = json.loads(str(group["header"][place]))
    return GenericMap(group["mask"][place].astype(np.int16), header, plot_settings=_PLOT)
