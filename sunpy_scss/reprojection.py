"""Masks on the pixels of other Maps."""

import numpy as np

from sunpy_scss import _grid
from sunpy_scss._surface import surface_of
from sunpy_scss._transfer import nearest_pixels, same_grid
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["reproject_mask"]


def reproject_mask(mask, target):
    """
    Bring a mask to the pixels of another Map.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
        Of whole numbers, 0 outside: a mask, or labels as of `~sunpy_scss.properties.label_regions`. Helioprojective
        or heliographic.
    target : sunpy.map.GenericMap
        Any other such Map, whose grid, time and observer are wanted. Its data do not matter.

    Returns
    -------
    sunpy.map.GenericMap
        int16, on the WCS of ``target``, with the header keywords on the origin of the mask. Each pixel has the value
        of the nearest one of the mask; 0 off the disc and where the mask does not show the surface. Between different
        times the surface turns with the Sun.

    Raises
    ------
    TypeError
        If one of them is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If coordinates are neither helioprojective nor heliographic, the mask holds other than whole numbers, or the
        two are more than a solar rotation apart.

    Notes
    -----
    `sunpy.map.GenericMap.reproject_to` interpolates by default, which leaves fractions and NaN in a mask, it loses all
    keywords but those of the WCS, and the Sun does not turn. Differential rotation is that of [1]_.

    References
    ----------
    .. [1] Howard, Harvey & Forgach (1990), https://doi.org/10.1007/BF00156795

    Examples
    --------
    >>> from sunpy_scss.reprojection import reproject_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> small, large = (synthetic_sun(size=size, seed=2).coronal_holes for size in (128, 256))
    >>> mask = reproject_mask(small, large)
    >>> mask.data.shape, mask.data.dtype, mask.meta["SCSSMOD"]
    ((256, 256), dtype('int16'), 'synthetic')
    """
    surface, wanted = surface_of(mask), surface_of(target)
    if not (mask.data == np.rint(mask.data)).all():
        msg = "A mask holds whole numbers only; apply a threshold to probabilities first, as in mask.data >= 0.5."
        raise InvalidMapError(msg)
    if same_grid(mask, target):
        data = mask.data
    else:
        nearest = nearest_pixels(surface, wanted)
        data = np.where(nearest >= 0, mask.data.ravel()[nearest], 0)
    history = f"{mask.meta.get('history', '')}\nsunpy_scss.reproject_mask: from {mask.date.isot}".strip()
    result = _grid.make_map(data.astype(np.int16), target, keywords=_grid.provenance(mask), history=history)
    result.plot_settings["norm"].vmax = max(1, data.max(initial=0))
    return result
