"""The solar disc of a Map, as a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sunpy_scss._mask_map import make_map
from sunpy_scss._provenance import Provenance
from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._mend import mended

if TYPE_CHECKING:
    from sunpy.map import GenericMap

__all__ = ["disk_mask"]


def disk_mask(smap: GenericMap, *, radius: float = 1.0) -> GenericMap:
    """
    Return the mask of the solar disc of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective. The limb is where its own header has it, whatever the date, observer, scale and rotation.
    radius : float, optional
        In apparent solar radii.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 1 within that distance from disc centre and 0 beyond, on the WCS of ``smap``.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If ``smap`` is not a helioprojective Map whose solar radius is known.
    ValueError
        If ``radius`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.masks import disk_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> disk = disk_mask(synthetic_sun(size=256).image)
    >>> round(float(np.sqrt(disk.data.sum() / np.pi)))  # its radius in pixels
    100
    """
    check_map(smap)
    if not radius > 0:
        msg = f"radius must be positive, in solar radii (got {radius})."
        raise ValueError(msg)
    distance = frame_of(mended(smap)).radius(*np.ogrid[tuple(map(slice, smap.data.shape))])
    history = f"sunpy_scss.disk_mask(radius={radius:g})"
    return make_map((distance <= radius).astype(np.int16), smap, Provenance.new(content="disc mask"), history=history)
