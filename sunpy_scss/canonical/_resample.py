"""Resampling from the pixels of a detector to the canonical grid, and back."""

from functools import lru_cache

import numpy as np
from scipy import ndimage

from sunpy_scss.canonical._grid import CanonicalGrid

__all__ = ["from_canonical", "from_inside", "to_canonical"]

# The canonical grid is sampled this finely and averaged, so that it depends little on the phase of the input's
# pixels.
_OVERSAMPLE = 2


def _block_mean(data, factor):
    ny, nx = (n // factor for n in data.shape)
    # First over whole rows, which are contiguous in memory: four times as fast as over both axes at once.
    rows = data[: ny * factor, : nx * factor].reshape(ny, factor, nx * factor).sum(axis=1, dtype=np.float64)
    return rows.reshape(ny, nx, factor).sum(axis=2) / factor**2


def _reduce(data, factor):
    """Return the means of blocks over their finite pixels; NaN if fewer than half of a block are finite."""
    with np.errstate(invalid="ignore"):
        means = _block_mean(data, factor)
    if np.isfinite(means).all():
        return means
    finite = np.isfinite(data)
    share = _block_mean(finite, factor)
    total = _block_mean(np.where(finite, data, 0), factor)
    return np.divide(total, share, out=np.full_like(total, np.nan), where=share >= 0.5)


def to_canonical(data, frame, grid):
    """
    Bring an image to the canonical grid: Sun centred, north up, west to the right.

    Parameters
    ----------
    data : numpy.ndarray
        (ny, nx), of any real type.
    frame : Frame
    grid : CanonicalGrid

    Returns
    -------
    numpy.ndarray
        (size, size) float32, NaN where the image has no data.
    """
    fine = CanonicalGrid(grid.size * _OVERSAMPLE, grid.half_width)
    factor = max(1, round(frame.pixels_per_radius * 2 * fine.half_width / fine.size))
    blocks = _reduce(data, factor)
    first = frame.matrix @ np.full(2, fine.axis[0]) + frame.centre
    matrix, offset = frame.matrix * fine.step / factor, (first - (factor - 1) / 2) / factor
    # scipy counts (row, column), the frame (column, row).
    sampled = _resample(blocks, matrix[::-1, ::-1], offset[::-1], fine.size)
    return _reduce(sampled, _OVERSAMPLE).astype(np.float32)


def _resample(image, matrix, offset, size):
    """Interpolate an image linearly at ``matrix @ (row, column) + offset``, (size, size); NaN outside the image."""
    if matrix[0, 1] or matrix[1, 0]:
        return ndimage.affine_transform(
            image, matrix, offset, output_shape=(size, size), order=1, mode="constant", cval=np.nan
        )
    # Most images are not rotated. These are done in a third of the time: first the rows, then the columns.
    for axis in (0, 1):
        at = matrix[axis, axis] * np.arange(size) + offset[axis]
        first = np.clip(np.floor(at).astype(int), 0, image.shape[axis] - 2)
        share = np.where((at >= 0) & (at <= image.shape[axis] - 1), at - first, np.nan)
        share = np.expand_dims(share, 1 - axis)
        image = image.take(first, axis) * (1 - share) + image.take(first + 1, axis) * share
    return image


def from_canonical(image, frame, grid):
    """
    Bring an image from the canonical grid to the pixels of a detector.

    Grid pixels on the limb mix sky and disc. Before interpolation the nearest pixels inside replace them.

    Parameters
    ----------
    image : numpy.ndarray
        (size, size).
    frame : Frame
    grid : CanonicalGrid

    Returns
    -------
    numpy.ndarray
        float32 of the detector's shape; 0 off the disc.
    """
    inner = from_inside(image, grid)
    matrix, offset = frame.to_grid(grid)
    rows, columns = frame.disk_slices()
    result = np.zeros(frame.shape, dtype=np.float32)
    result[rows, columns] = ndimage.affine_transform(
        inner,
        matrix[::-1, ::-1],
        (offset + matrix @ (columns.start, rows.start))[::-1],
        output_shape=result[rows, columns].shape,
        order=1,
        mode="nearest",
    )
    result[rows, columns][frame.radius(*np.ogrid[rows, columns]) > 1] = 0
    return result


def from_inside(image, grid):
    """Return an image as float32, its pixels on and beyond the limb replaced by the nearest ones inside."""
    return image[_nearest_inside(grid)].astype(np.float32)


@lru_cache(maxsize=8)
def _nearest_inside(grid):
    """Return (rows, columns), the indices of the nearest pixel that is wholly inside the limb."""
    outside = grid.radius > 1 - grid.half_width / grid.size
    return tuple(ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True))
