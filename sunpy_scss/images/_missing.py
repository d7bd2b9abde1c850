"""Pixels without data, told apart from dark ones."""

import numpy as np
from scipy import ndimage

__all__ = ["pixels_without_data"]

# What is 0 or negative in a whole block of this shape, rows by columns, is not noise: the second is what a lost packet
# of a telemetry stream leaves. Blocks are aligned, so that every run of twice the size is found.
_BLOCKS = ((4, 4), (1, 16))
# The pixels around a gap within this distance tell whether it has an edge, or is the darkest part of something dark.
_RING = 2
# By default a gap is what is surrounded by more than this share of the typical brightness.
_EDGE = 0.1


def pixels_without_data(data, frame, *, edge=None):
    """
    Find the runs of pixels on the disc that are 0 or negative, though what is around them is not dark.

    Isolated pixels of that kind are noise, and stay.

    Parameters
    ----------
    data : numpy.ndarray
        (ny, nx), of any real type.
    frame : sunpy_scss._sun.canonical.Frame
    edge : float, optional
        The median around a run above which it is a gap, in the unit of ``data``; by default a tenth of the median of
        the disc.

    Returns
    -------
    numpy.ndarray or None
        bool, of the shape of ``data``; None if there are no such runs, as in nearly all images.
    """
    seeds = [_empty_blocks(data, frame, *shape) for shape in _BLOCKS]
    rows, columns = (np.concatenate(indices) for indices in zip(*seeds, strict=True))
    if not rows.size:
        return None
    inside = frame.disk_slices()
    disk = data[inside]
    on_disk = frame.radius(*np.ogrid[inside]) <= 1
    if edge is None:
        bright = disk[on_disk & (disk > 0) & np.isfinite(disk)]
        edge = _EDGE * np.median(bright) if bright.size else np.inf
    runs, _ = ndimage.label((disk <= 0) & on_disk)
    found = np.unique(runs[rows - inside[0].start, columns - inside[1].start])
    boxes = ndimage.find_objects(runs)
    gaps = [number for number in found if number and _has_edge(disk, on_disk, runs, boxes, number, edge)]
    if not gaps:
        return None
    missing = np.zeros(data.shape, dtype=bool)
    missing[inside] = np.isin(runs, gaps)
    return missing


def _empty_blocks(data, frame, height, width):
    """Row and column of the first pixel of aligned blocks that begin on the disc and hold nothing above 0."""
    rows, columns = (data[::height, ::width] <= 0).nonzero()
    rows, columns = rows * height, columns * width
    fits = (rows + height <= data.shape[0]) & (columns + width <= data.shape[1])
    rows, columns = rows[fits], columns[fits]
    on_disk = frame.radius(rows, columns) <= 1
    rows, columns = rows[on_disk], columns[on_disk]
    for row, column in np.ndindex(height, width):
        empty = data[rows + row, columns + column] <= 0
        rows, columns = rows[empty], columns[empty]
    return rows, columns


def _has_edge(disk, on_disk, runs, boxes, number, edge):
    """Whether the pixels around a run are brighter than ``edge``; a run without any around it counts as a gap."""
    wide = tuple(slice(max(0, part.start - _RING), part.stop + _RING) for part in boxes[number - 1])
    run = runs[wide] == number
    ring = ndimage.binary_dilation(run, np.ones((3, 3)), iterations=_RING) & ~run & on_disk[wide]
    values = disk[wide][ring]
    values = values[np.isfinite(values)]
    return not values.size or np.median(values) > edge
