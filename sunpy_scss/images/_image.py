"""An image of whatever kind of file, with its header mended."""

from pathlib import Path

import sunpy.map

from sunpy_scss.images._browse import from_browse
from sunpy_scss.images._read import read_map

__all__ = ["read_image"]

_PICTURES = (".jpg", ".jpeg", ".png")


def read_image(path, header=None):
    """
    Read the one image of a file.

    Parameters
    ----------
    path : path-like
        The same as for `read_map`; or a picture in JPEG or PNG, which `from_browse` reads, of the date in its name.
    header : dict, optional
        Keywords of the header to replace or to add.

    Returns
    -------
    sunpy.map.GenericMap
    """
    read = from_browse if Path(path).suffix.lower() in _PICTURES else read_map
    smap = read(path)
    if not header:
        return smap
    mended = {**smap.meta, **{key.lower(): value for key, value in header.items()}}
    return sunpy.map.Map(smap.data, mended, mask=smap.mask, plot_settings=smap.plot_settings)
