"""The regions of a mask, found once for all functions that measure, draw or write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import astropy.units as u

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._sun.surface import Surface, box_around, surface_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from sunpy.map import GenericMap

__all__ = ["Regions", "find_regions", "label", "regions_of"]


@dataclass(frozen=True, eq=False)
class Regions:
    """
    The regions of a mask, with their pixels on the solar sphere.

    `find_regions` makes it. A function of this package that measures, numbers, draws or writes the regions of a mask
    takes it in place of the mask, so that the regions are found, and placed on the sphere, only once. Its arrays are
    read-only. Those of length n have a value for each pixel that is in a region, sorted by region.

    Attributes
    ----------
    mask : sunpy.map.GenericMap
        The mask.
    labels : numpy.ndarray
        (ny, nx) integers: in each region its ``id`` in `region_table`, from 1 on in the order of first pixels; 0
        outside and off the disc.
    rows, columns : numpy.ndarray
        (n,) indices of the pixels.
    starts : numpy.ndarray
        (regions,) indices: the first pixel of each region in the arrays of length n.

    Examples
    --------
    A measure of your own, here the mean of the absolute latitude:

    >>> import astropy.units as u
    >>> import numpy as np
    >>> from sunpy_scss.masks import find_regions, region_table
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> holes = [Cap(0 * u.deg, lat * u.deg, 10 * u.deg) for lat in (-30, 50)]
    >>> regions = find_regions(synthetic_sun(coronal_holes=holes, active_regions=[]).coronal_holes)
    >>> latitude = np.degrees(np.abs(np.arcsin(regions.points[2]))) * u.deg
    >>> table = region_table(regions)
    >>> table["latitude"] = regions.sum(regions.areas * latitude) / regions.sum(regions.areas)
    >>> print(table["latitude"].round(1))
    [29.9 49.7] deg
    """

    mask: GenericMap
    labels: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    surface: Surface = field(repr=False)

    def __post_init__(self):
        for values in (self.labels, self.rows, self.columns, self.starts):
            values.flags.writeable = False

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def ids(self) -> np.ndarray:
        """The number of each region, from 1 on; (regions,)."""
        return np.arange(1, len(self) + 1)

    @cached_property
    def number(self) -> np.ndarray:
        """The index of the region of each pixel, from 0; (n,)."""
        return self.labels[self.rows, self.columns] - 1

    @cached_property
    def _cells(self):
        cells = self.surface.cells(self.rows, self.columns)
        for values in cells:
            values.flags.writeable = False
        return cells

    @property
    def solid_angles(self) -> np.ndarray:
        """The area of the surface in each pixel over the square of the solar radius; (n,)."""
        return self._cells[0]

    @property
    def points(self) -> np.ndarray:
        """The middle of the surface in each pixel, as a unit vector in the Stonyhurst frame of the mask; (3, n)."""
        return self._cells[1]

    @cached_property
    def areas(self) -> u.Quantity:
        """The area of the surface in each pixel, corrected for foreshortening; (n,) in Mm2."""
        return self.solid_angles * self.mask.rsun_meters.to(u.Mm) ** 2

    def sum(self, values: ArrayLike) -> np.ndarray | u.Quantity:
        """
        Sum over the pixels of each region.

        Parameters
        ----------
        values : array_like
            (..., n).

        Returns
        -------
        numpy.ndarray or astropy.units.Quantity
            (..., regions).
        """
        return np.add.reduceat(values, self.starts, axis=-1)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """
        Divide values by region.

        Parameters
        ----------
        values : numpy.ndarray
            (n,).

        Returns
        -------
        list of numpy.ndarray
            The values of each region.
        """
        return np.split(values, self.starts[1:]) if len(self) else []


def find_regions(mask: GenericMap | Regions) -> Regions:
    """
    Find the regions of a mask.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        1 inside the feature and 0 outside; helioprojective from any observer, or heliographic, in any projection.
        `Regions` are returned as they are.

    Returns
    -------
    Regions
        Numbered from 1 on in the order of their first pixels, row by row from the bottom of the Map.

    Raises
    ------
    TypeError
        If ``mask`` is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If its coordinates are neither helioprojective nor heliographic, or it has other values than 0 and 1.

    Notes
    -----
    Pixels that touch by a side or a corner belong to one region, also across the seam of a Map that goes around the
    Sun. Pixels off the disc belong to none.

    Examples
    --------
    >>> from sunpy_scss.masks import find_regions, label_regions, region_table
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> regions = find_regions(synthetic_sun(size=128, seed=1).coronal_holes)
    >>> table, labels = region_table(regions), label_regions(regions)
    >>> bool(len(regions) == len(table) == labels.max())
    True
    """
    if isinstance(mask, Regions):
        return mask
    surface = surface_of(mask)
    return regions_of(pixels_inside(mask), surface, mask)


def regions_of(inside, surface, mask=None):
    """
    The `Regions` of pixels.

    Parameters
    ----------
    inside : numpy.ndarray
        (ny, nx) bool; it is changed: pixels off the disc are taken out.
    surface : sunpy_scss._sun.surface.Surface
    mask : sunpy.map.GenericMap, optional
        The Map to which they belong; only what needs its header fails without it.
    """
    # Several times as fast as nonzero, which looks at two dimensions.
    rows, columns = np.divmod(np.flatnonzero(inside), inside.shape[1])
    on_sun = surface.on_sun(rows, columns)
    inside[rows[~on_sun], columns[~on_sun]] = False
    labels = label(inside, surface.wraps)
    rows, columns = rows[on_sun], columns[on_sun]
    numbers = labels[rows, columns]
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(1, labels.max(initial=0) + 1))
    return Regions(mask, labels, rows[order], columns[order], starts, surface)


def label(inside, wraps, *, connectivity=2):
    """
    Number what is connected by the sides of pixels or, with a connectivity of 2, by their corners too.

    Parameters
    ----------
    inside : numpy.ndarray
        (ny, nx) bool.
    wraps : bool
        True if the last column is the neighbour of the first.

    Returns
    -------
    numpy.ndarray
        (ny, nx) integers, 0 outside, from 1 on in the order of first pixels.
    """
    structure = ndimage.generate_binary_structure(2, connectivity)
    if not wraps:
        labels, box = np.zeros(inside.shape, dtype=np.int32), box_around(inside)
        labels[box] = ndimage.label(inside[box], structure)[0]
        return labels
    # The first column once more, after the last: what has two numbers there is one region.
    labels, count = ndimage.label(np.pad(inside, ((0, 0), (0, 1)), mode="wrap"), structure)
    links = coo_array((np.ones(len(labels)), (labels[:, 0], labels[:, -1])), shape=(count + 1, count + 1))
    joined = connected_components(links, directed=False)[1]
    return joined[labels[:, :-1]]
