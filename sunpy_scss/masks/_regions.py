"""The 8-connected regions of a mask, with all of their pixels on the sphere."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import find_contours

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._sun.surface import Surface, box_around, cell_areas, surface_of
from sunpy_scss._sun.view import distances

__all__ = ["Regions", "find_regions", "label", "perimeters"]

# A staircase is longer than the line that it follows. Chords over this many steps differ from circles and ellipses
# by under 1 %, from 10 pixels of radius on.
_CHORD = 4


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
    corners : numpy.ndarray
        (2, m) rows and columns of the corners of pixels.
    index : numpy.ndarray
        (4, n), which corners each pixel has.
    """

    surface: Surface
    labels: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    corners: np.ndarray
    index: np.ndarray

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
        *corners, index = self.surface.corners(rows, columns)
        return Regions(self.surface, self.labels, rows, columns, starts, np.stack(corners), index)

    @cached_property
    def points(self):
        """Middles of the pixels on the sphere; (3, n)."""
        return self.surface.points(self.rows, self.columns)

    @cached_property
    def corner_points(self):
        """Corners of pixels on the sphere; (3, m)."""
        return self.surface.points(*self.corners)

    @cached_property
    def areas(self):
        """Of the pixels, in squares of the solar radius; (n,)."""
        return cell_areas(self.corner_points, self.index)

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
    inside = pixels_inside(mask)
    # Several times as fast as nonzero, which looks at two dimensions.
    rows, columns = np.divmod(np.flatnonzero(inside), inside.shape[1])
    on_sun = surface.on_sun(rows, columns)
    inside[rows[~on_sun], columns[~on_sun]] = False
    labels = label(inside, surface.wraps)
    rows, columns = rows[on_sun], columns[on_sun]
    numbers = labels[rows, columns]
    order = np.argsort(numbers, kind="stable")
    rows, columns = rows[order], columns[order]
    starts = np.searchsorted(numbers[order], np.arange(1, labels.max(initial=0) + 1))
    *corners, index = surface.corners(rows, columns)
    return Regions(surface, labels, rows, columns, starts, np.stack(corners), index)


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


def perimeters(regions):
    """
    Length of the border of each region, holes in it included.

    Returns
    -------
    numpy.ndarray
        (regions,) in solar radii, along great circles.
    """
    numbers, lines = _outlines_around(regions) if regions.surface.wraps else _outlines(regions)
    total = np.zeros(len(regions.starts))
    if not lines:
        return total
    points = regions.surface.points(*np.concatenate(lines).T)
    ends = np.cumsum([len(line) for line in lines])
    for number, line in zip(numbers, np.split(points, ends[:-1], axis=1), strict=True):
        total[number] += _length(line)
    return total


def _outlines(regions):
    """Numbers, from 0, and lines (n, 2) in pixels of the borders of regions, each looked for in its own box."""
    numbers, lines = [], []
    sides = [(regions.rim.min(values), regions.rim.max(values)) for values in (regions.rim.rows, regions.rim.columns)]
    for number, corners in enumerate(np.transpose(sides, (2, 0, 1))):
        box = tuple(slice(first, last + 1) for first, last in corners)
        found = _contours(np.pad(regions.labels[box] == number + 1, 1))
        lines += [line + (corners[:, 0] - 1) for line in found]
        numbers += [number] * len(found)
    return numbers, lines


def _outlines_around(regions):
    """As `_outlines`, in a Map that goes around the Sun: with its last column once more on the left."""
    labels = np.pad(np.pad(regions.labels, ((0, 0), (1, 0)), mode="wrap"), ((1, 1), (0, 0)))
    lines = _contours(labels > 0)
    # Each vertex is half-way between a pixel inside and one outside.
    ends = [line[-1] for line in lines]
    numbers = [labels[*np.floor(end).astype(int)] + labels[*np.ceil(end).astype(int)] - 1 for end in ends]
    rows_columns = [np.transpose(line - 1) for line in lines]
    return numbers, [np.column_stack([rows, columns % regions.surface.shape[1]]) for rows, columns in rows_columns]


def _contours(inside):
    return find_contours(inside.astype(float), 0.5, fully_connected="high")


def _length(line):
    """Of a line of points (3, n) that may be closed."""
    n = line.shape[1] - 1
    step = max(1, min(_CHORD, n // 4))
    if (line[:, 0] == line[:, -1]).all():
        ahead = np.pad(line[:, :-1], ((0, 0), (0, step)), mode="wrap")
    else:
        ahead = np.pad(line, ((0, 0), (step - 1, step - 1)), mode="edge")
    return distances(ahead[:, :-step], ahead[:, step:]).sum() / step
