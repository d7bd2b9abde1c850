"""What is inside a mask, in physical units."""

import numpy as np

import astropy.units as u

from sunpy_scss import _grid

__all__ = ["area_fraction"]


def area_fraction(mask):
    """
    The share of the visible hemisphere that a mask covers.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
        Helioprojective, 1 inside the feature.

    Returns
    -------
    astropy.units.Quantity
        In percent of the hemisphere that faces the observer, corrected for foreshortening.

    Examples
    --------
    >>> from sunpy_scss import segment_coronal_holes
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.properties import area_fraction
    >>> bool(area_fraction(segment_coronal_holes(example_map(193))) > 0)
    True
    """
    areas = _grid.pixel_areas(_grid.frame_of(mask), *np.nonzero(mask.data))
    return (areas.sum(dtype=float) / (2 * np.pi) * u.dimensionless_unscaled).to(u.percent)
