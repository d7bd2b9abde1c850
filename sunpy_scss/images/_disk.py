"""The solar disc of a Map, and the Map without what is beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import sunpy.map

from sunpy_scss._mask_map import make_map
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.canonical import check_map, frame_of
from sunpy_scss._sun.header import in_one_unit

if TYPE_CHECKING:
    from sunpy.map import GenericMap

__all__ = ["limb_crop", "limb_mask"]


def limb_mask(smap: GenericMap, *, radius: float = 1.0) -> GenericMap:
    """
    The pixels of a Map that are on the solar disc.

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
        If ``smap`` is no helioprojective Map whose solar radius is known.
    ValueError
        If ``radius`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.images import limb_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> disk = limb_mask(synthetic_sun(size=256).image)
    >>> round(float(np.sqrt(disk.data.sum() / np.pi)))  # its radius in pixels
    100
    """
    inside = _inside(smap, radius).astype(np.int16)
    history = f"sunpy_scss.limb_mask(radius={radius:g})"
    return make_map(inside, smap, Provenance.new(content="disc mask"), history=history)


def limb_crop(smap: GenericMap, *, radius: float = 1.0) -> GenericMap:
    """
    A Map without what is beyond the limb.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective. Never changed.
    radius : float, optional
        Where to cut, in apparent solar radii.

    Returns
    -------
    sunpy.map.GenericMap
        With the shape, WCS and header of ``smap``. Beyond the radius the data are NaN, or 0 where they are integers,
        which have no NaN.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If ``smap`` is no helioprojective Map whose solar radius is known.
    ValueError
        If ``radius`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.images import limb_crop
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> disk = limb_crop(synthetic_sun(size=64).image)
    >>> bool(np.isnan(disk.data[0, 0])), bool(np.isfinite(disk.data[32, 32]))
    (True, True)
    """
    inside = _inside(smap, radius)
    missing = smap.data.dtype.type(np.nan if smap.data.dtype.kind == "f" else 0)
    return sunpy.map.Map(np.where(inside, smap.data, missing), smap.meta)


def _inside(smap, radius):
    check_map(smap)
    if not radius > 0:
        msg = f"radius must be positive, in solar radii (got {radius})."
        raise ValueError(msg)
    return frame_of(in_one_unit(smap)).radius(*np.ogrid[tuple(map(slice, smap.data.shape))]) <= radius
