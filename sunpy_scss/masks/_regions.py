"""The 8-connected regions of a mask, with all of their pixels on the sphere."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._sun.surface import Surface, box_around, surface_of

__all__ = ["Regions", "find_regions", "label", "regions_of"]


@dataclass(frozen=True)
class Regions:
    """
    Regions of a mask; those of their pixels that show solar surface, sorted by region.

    Attributes
    ----------
    surface : sunpy_scss._sun.surface.Surface
    labels : numpy.ndarray
        (ny, nx) integers, 0 outside, from 1 on in the order of their first pixels.
    rows, columns : numpy.ndarray
        (n,) indices of the pixels.
    starts : numpy.ndarray
        (regions,), where those of each region begin.
    """

    surface: Surface
    labels: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    starts: np.ndarray

    @cached_property
    def number(self):
        """Of the region of each pixel, from 0; (n,)."""
        return self.labels[self.rows, self.columns] - 1

    @cached_property
    def rim(self):
        """The `Regions` of those pixels alone that have a side on the border of their region or of the Map."""
        ny, nx = self.labels.shape
        within = (self.rows > 0) & (self.rows < ny - 1) & (self.columns > 0) & (self.columns < nx - 1)
        places = self.rows * nx + self.columns
        for step in (-nx, -1, 1, nx):
            within &= self.labels.take(places + step, mode="clip") > 0
        rows, columns, numbers = (values[~within] for values in (self.rows, self.columns, self.number))
        starts = np.searchsorted(numbers, np.arange(len(self.starts)))
        return Regions(self.surface, self.labels, rows, columns, starts)

    @cached_property
    def _cells(self):
        return self.surface.cells(self.rows, self.columns)

    @property
    def areas(self):
        """Of what the pixels stand for, in squares of the solar radius; (n,)."""
        return self._cells[0]

    @property
    def points(self):
        """The middles of that on the sphere; (3, n)."""
        return self._cells[1]

    @cached_property
    def _corners(self):
        return self.surface.corners(self.rows, self.columns)

    @property
    def corners(self):
        """Rows and columns of the corners of pixels, each once; (2, m)."""
        return self._corners[:2]

    @property
    def index(self):
        """Which corners each pixel has; (4, n)."""
        return self._corners[2]

    @cached_property
    def corner_points(self):
        """Corners of pixels on the sphere; (3, m)."""
        return self.surface.points(*self.corners)

    def sum(self, values):
        return np.add.reduceat(values, self.starts, axis=-1)

    def min(self, values):
        return np.minimum.reduceat(values, self.starts, axis=-1)

    def max(self, values):
        return np.maximum.reduceat(values, self.starts, axis=-1)

    def split(self, values):
        """One array for each region."""
        return np.split(values, self.starts[1:]) if self.starts.size else []


def find_regions(mask):
    """
    The `Regions` of a mask Map.

    Raises
    ------
    TypeError, sunpy_scss.exceptions.InvalidMapError
        If it is no Map, has other coordinates than helioprojective or heliographic, or other values than 0 and 1.
    """
    surface = surface_of(mask)
    return regions_of(pixels_inside(mask), surface)


def regions_of(inside, surface):
    """
    The `Regions` of pixels.

    Parameters
    ----------
    inside : numpy.ndarray
        (ny, nx) bool; it is changed: pixels off the disc are taken out.
    surface : sunpy_scss._sun.surface.Surface
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
    return Regions(surface, labels, rows[order], columns[order], starts)


def label(inside, wraps, *, connectivity=2):
    """
    Number what hangs together, by the sides of pixels or, with a connectivity of 2, by their corners too.

    Parameters
    ----------
    inside : numpy.ndarray
        (ny, nx) bool.
    wraps : bool
        Whether the last column is the neighbour of the first.

    Returns
    -------
    numpy.ndarray
        (ny, nx) integers, 0 outside, from 1 on in the order of their first pixels.
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
