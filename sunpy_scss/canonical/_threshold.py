"""The pixels of a detector in which an image on the canonical grid is above a threshold."""

import numpy as np
from scipy import ndimage

from sunpy_scss.canonical._resample import from_inside

__all__ = ["above_threshold"]


def above_threshold(image, frame, grid, *, threshold):
    """
    Return the pixels of a detector in which an image on the canonical grid is at least a threshold.

    The result is that of ``from_canonical(image, frame, grid) >= threshold``, in a tenth of the time. An
    interpolated value lies between those of the grid around it. So only tiles of the detector through which an
    outline or the limb passes need interpolation.

    Parameters
    ----------
    image : numpy.ndarray
        (size, size).
    frame : Frame
    grid : CanonicalGrid
    threshold : float
        Above 0.

    Returns
    -------
    numpy.ndarray
        bool, of the detector's shape; False off the disc.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.canonical._frame import Frame
    >>> from sunpy_scss.canonical._grid import CanonicalGrid
    >>> frame = Frame(np.diag([2.0, 2.0]), np.array([3.0, 2.0]), (5, 7))
    >>> above_threshold(np.ones((8, 8)), frame, CanonicalGrid(8, 1.25), threshold=0.5).astype(int)
    array([[0, 0, 0, 1, 0, 0, 0],
           [0, 0, 1, 1, 1, 0, 0],
           [0, 1, 1, 1, 1, 1, 0],
           [0, 0, 1, 1, 1, 0, 0],
           [0, 0, 0, 1, 0, 0, 0]])
    """
    inner = from_inside(image, grid)
    matrix, offset = frame.to_grid(grid)
    radius = grid.pixels_per_radius
    side = max(1, round(frame.pixels_per_radius / radius))  # the side of a tile: about one pixel of the grid
    rows, columns = frame.disk_slices()
    top, left = np.ogrid[rows.start : rows.stop : side, columns.start : columns.stop : side]
    x, y = _on_grid(matrix, offset, top + (side - 1) / 2, left + (side - 1) / 2)
    reach = np.abs(matrix).sum(axis=1) * (side - 1) / 2
    least, greatest = _range_around(inner, x, y, reach)
    middle = (grid.size - 1) / 2
    distance, extent = np.hypot(x - middle, y - middle), np.hypot(*reach) + 1e-3
    inside = (least >= threshold) & (distance + extent < radius)
    down, right = np.nonzero((greatest >= threshold) & (distance - extent < radius) & ~inside)
    row = top[down, :, np.newaxis] + np.arange(side)[:, np.newaxis]
    column = left[0, right, np.newaxis, np.newaxis] + np.arange(side)
    values = ndimage.map_coordinates(inner, _on_grid(matrix, offset, row, column)[::-1], order=1, mode="nearest")
    tiles = np.empty((len(x), side, x.shape[1], side), dtype=bool)
    tiles[...] = inside[:, np.newaxis, :, np.newaxis]
    tiles[down, :, right] = (values >= threshold) & (frame.radius(row, column) <= 1)
    result = np.zeros(frame.shape, dtype=bool)
    ny, nx = result[rows, columns].shape
    result[rows, columns] = tiles.reshape(x.shape[0] * side, x.shape[1] * side)[:ny, :nx]
    return result


def _on_grid(matrix, offset, rows, columns):
    """Return the (x, y) on the grid of pixels of the detector."""
    return [row[0] * columns + row[1] * rows + start for row, start in zip(matrix, offset, strict=True)]


def _range_around(image, x, y, reach):
    """Return the least and greatest value of the pixels that interpolation within ``reach`` of points uses."""
    width = 2 + int(np.ceil(2 * max(reach)))
    first = [
        np.clip(np.floor(at - r).astype(int), 0, len(image) - 1) for at, r in zip((y, x), reach[::-1], strict=True)
    ]
    # With a negative origin, windows begin at the pixel.
    windows = {"size": width, "origin": -(width // 2), "mode": "nearest"}
    return [found(image, **windows)[tuple(first)] for found in (ndimage.minimum_filter, ndimage.maximum_filter)]
