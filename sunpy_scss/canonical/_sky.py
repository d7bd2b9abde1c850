"""The sky beyond the limb in images that show no corona."""

from itertools import pairwise

import numpy as np

__all__ = ["disk_values", "sky_without_data", "values_between"]

# Networks see as far as the end of this ring, in solar radii. Its values are one level if so many of them lie within
# this share of the brightness of the disc. In known images of a corona no more than 4 % of them do.
_RING, _LEAST_SHARE, _LEVEL = (1.06, 1.08), 0.9, 0.005
# A disc with this level in most of its pixels is no disc.
_MOST_OF_DISK = 0.5
# Rings of fewer pixels tell nothing.
_LEAST_PIXELS = 30
# The values are taken from about this many pixels on a side.
_SIZE = 512
# A cut at too small a radius is looked for in rings inside the limb, from the outermost inwards.
_RIMS = np.linspace(1, 0.9, 21)
# The brightness of the disc is its 90th percentile inside this radius.
_BRIGHT, _DISK = 90, 0.9


def sky_without_data(data, frame):
    """
    Find the pixels around the disc that a step of preparation set to one value.

    Parameters
    ----------
    data : numpy.ndarray
        (ny, nx), of any real type.
    frame : Frame

    Returns
    -------
    numpy.ndarray or None
        bool, of the shape of ``data``: the pixels at that value beyond the limb, and inside it if the disc was cut all
        around. None if there is a corona beyond the limb, as in nearly all images.
    """
    ring = values_between(data, frame, *_RING)
    if ring.size < _LEAST_PIXELS:
        return None
    level, disk = np.median(ring), disk_values(data, frame)
    width = _LEVEL * abs(np.percentile(disk, _BRIGHT) - level) if disk.size else 0

    def is_filled(values):
        return np.abs(values - level) <= width

    if np.mean(is_filled(ring)) < _LEAST_SHARE or np.mean(is_filled(disk)) > _MOST_OF_DISK:
        return None
    edge = 1.0
    for outer, inner in pairwise(_RIMS):
        rim = values_between(data, frame, inner, outer)
        if not rim.size or np.mean(is_filled(rim)) < _LEAST_SHARE:
            break
        edge = inner
    radius = frame.radius(*np.ogrid[tuple(map(slice, data.shape))])
    return is_filled(data) & (radius > edge)


def disk_values(data, frame):
    """Return finite values of the disc inside 0.9 solar radii, from at most some hundred rows, as floats."""
    return values_between(data, frame, 0, _DISK)


def values_between(data, frame, inner, outer):
    """Return finite values between two distances in solar radii, from at most some hundred rows, as floats."""
    step = max(1, max(data.shape) // _SIZE)
    box = tuple(slice(side.start, side.stop, step) for side in frame.disk_slices(outer))
    radius = frame.radius(*np.ogrid[box])
    values = data[box][(radius > inner) & (radius < outer)].astype(float)
    return values[np.isfinite(values)]
