"""Pixels without data, as distinct from dark pixels."""

import numpy as np
from scipy import ndimage

__all__ = ["pixels_without_data"]

# A whole dark block of this shape, rows by columns, is not noise. The second shape is the trace of a lost packet of
# telemetry. Blocks are aligned, so that every run of twice the size is found.
_BLOCKS = ((4, 4), (1, 16))
# The pixels within this distance around a gap show if it has an edge, or is the darkest part of a dark region.
_RING = 2
# Shares of the 90th percentile of the disc. Values up to the first are not the Sun, but the noise of a dark detector:
# the darkest coronal holes of AIA have 3 %, the lunar disc has less. The surroundings of a gap have more than the
# second.
_DARK, _EDGE, _BRIGHT = 0.005, 0.05, 90
# Inside a gap, noise above the first share is known by the majority of its neighbours within this square.
_NEIGHBOURS = 5
# The brightness is taken from about this many pixels on a side.
_SIZE = 256


def pixels_without_data(data, frame, *, edge=None):
    """
    Find the runs of pixels on the disc that are negative, or 0 within the noise, in surroundings that are not dark.

    Isolated pixels of that kind are noise and are kept.

    Parameters
    ----------
    data : numpy.ndarray
        (ny, nx), of any real type.
    frame : Frame
    edge : float, optional
        For data without noise: a run of zeros is a gap if the median around it is above this, in the unit of ``data``.
        The default is a share of the brightness of the disc; values below a smaller share then count as 0.

    Returns
    -------
    numpy.ndarray or None
        bool, of the shape of ``data``; None if there are no such runs, as in nearly all images.
    """
    dark = 0
    if edge is None:
        bright = _brightness(data, frame)
        dark, edge = _DARK * bright, _EDGE * bright
    seeds = [_empty_blocks(data, frame, dark, *shape) for shape in _BLOCKS]
    rows, columns = (np.concatenate(indices) for indices in zip(*seeds, strict=True))
    if not rows.size:
        return None
    inside = frame.disk_slices()
    disk = data[inside]
    on_disk = frame.radius(*np.ogrid[inside]) <= 1
    # Corners connect, too: only through them does noise that is as often above 0 as below form one run.
    runs, _ = ndimage.label((disk <= dark) & on_disk, np.ones((3, 3)))
    found = np.unique(runs[rows - inside[0].start, columns - inside[1].start])
    runs, _ = ndimage.label(_filled(np.isin(runs, found[found > 0]), (disk <= edge) & on_disk), np.ones((3, 3)))
    boxes = ndimage.find_objects(runs)
    gaps = [number for number in range(1, len(boxes) + 1) if _has_edge(disk, on_disk, runs, boxes, number, edge)]
    if not gaps:
        return None
    missing = np.zeros(data.shape, dtype=bool)
    missing[inside] = np.isin(runs, gaps)
    return missing


def _brightness(data, frame):
    """Return the brightness that a tenth of the disc exceeds, also if most is missing; 0 if nothing is above 0."""
    step = max(1, max(data.shape) // _SIZE)
    sample = data[::step, ::step]
    rows, columns = np.ogrid[: data.shape[0] : step, : data.shape[1] : step]
    values = sample[(frame.radius(rows, columns) <= 1) & np.isfinite(sample)]
    return max(0.0, float(np.percentile(values, _BRIGHT))) if values.size else 0.0


def _filled(gap, below_edge):
    """Return a gap, with the noise inside it that was too bright to be found."""
    share = ndimage.uniform_filter(gap.astype(np.float32), _NEIGHBOURS)
    return gap | (below_edge & (share > 0.5))


def _empty_blocks(data, frame, dark, height, width):
    """Return row and column of the first pixels of aligned blocks on the disc without a value above ``dark``."""
    rows, columns = (data[::height, ::width] <= dark).nonzero()
    rows, columns = rows * height, columns * width
    fits = (rows + height <= data.shape[0]) & (columns + width <= data.shape[1])
    rows, columns = rows[fits], columns[fits]
    on_disk = frame.radius(rows, columns) <= 1
    rows, columns = rows[on_disk], columns[on_disk]
    for row, column in np.ndindex(height, width):
        empty = data[rows + row, columns + column] <= dark
        rows, columns = rows[empty], columns[empty]
    return rows, columns


def _has_edge(disk, on_disk, runs, boxes, number, edge):
    """Return True if the pixels around a run are brighter than ``edge``, or if there are none around it."""
    wide = tuple(slice(max(0, part.start - _RING), part.stop + _RING) for part in boxes[number - 1])
    run = runs[wide] == number
    ring = ndimage.binary_dilation(run, np.ones((3, 3)), iterations=_RING) & ~run & on_disk[wide]
    values = disk[wide][ring]
    values = values[np.isfinite(values)]
    return not values.size or np.median(values) > edge
