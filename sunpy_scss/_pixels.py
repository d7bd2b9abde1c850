"""Pure array work: stretch, clean-up, polygon filling. No Map, no unit, no Keras."""

import numpy as np
from scipy import ndimage

__all__ = ["DISPLAY_SCALES", "OUTER_RADIUS", "fill_polygon", "limb_brightening", "linearise", "remove_small", "stretch"]

# The corona beyond this radius says nothing of what is on the disc.
OUTER_RADIUS = 1.08

# The scaling of 8-bit AIA images for display (Helioviewer; for 193 Angstrom browse images too), by wavelength in
# Angstrom: from the index in the colour table to DN/s. Fitted to FITS files of the same hour, 2017 to 2020.
DISPLAY_SCALES = {
    171: lambda index: (2.2 + 0.147 * index) ** 2,
    193: lambda index: 10 ** (1.33 + 0.00785 * index),
}

# Median of log10 of the brightness by distance from disc centre in solar radii, AIA 193; that of 171 differs by less
# than 0.04.
_LIMB_RADII = (0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
_LIMB_BRIGHTENING = (-0.07, -0.02, 0.04, 0.10, 0.17, 0.30, 0.45)

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def linearise(image, wavelength):
    """DN/s (float32) of an 8-bit AIA image of 171 or 193 Angstrom, whose pixels are display values."""
    return DISPLAY_SCALES[wavelength](np.arange(256)).astype(np.float32)[image]


def limb_brightening(radius):
    """By how much the quiet Sun is brighter than the median of the disc, in log10, at distances in solar radii."""
    return np.interp(radius, _LIMB_RADII, _LIMB_BRIGHTENING)


def stretch(image, radius, median, *, floor, limits, exponent):
    """
    Map intensities to [0, 1], the input of the network.

    ``x = log10(max(image, floor)) - exponent * log10(median)``, scaled so that ``limits`` become 0 and 1.
    The exponent says how far the brightness of the quiet Sun sets the scale: 1 takes contrast alone,
    0 absolute brightness alone.

    Parameters
    ----------
    image : numpy.ndarray
        Intensities; pixels without data (NaN) become quiet Sun.
    radius : numpy.ndarray
        Distance from disc centre in solar radii, same shape; beyond `OUTER_RADIUS` the result is 0.
    median : float
        Disc median, in the unit of ``image``.
    floor, limits, exponent : float, (float, float), float
        See `sunpy_scss.models.Stretch`.

    Returns
    -------
    numpy.ndarray
        float32, same shape.
    """
    filled = np.where(np.isfinite(image), image, median)
    x = np.log10(np.maximum(filled, floor)) - exponent * np.log10(median)
    low, high = limits
    scaled = np.clip((x - low) / (high - low), 0, 1)
    return np.where(radius <= OUTER_RADIUS, scaled, 0).astype(np.float32)


def remove_small(mask, areas, min_area):
    """
    Drop the 8-connected regions of a mask whose summed area is below ``min_area``.

    Parameters
    ----------
    mask : numpy.ndarray
        bool.
    areas : numpy.ndarray
        One-dimensional, the areas of the pixels that are set, in the order of ``mask.nonzero()``.
    min_area : float

    Returns
    -------
    numpy.ndarray
        bool, a new array.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.array([[1, 0, 1], [0, 0, 1]], dtype=bool)
    >>> remove_small(mask, np.ones(3), 2).astype(int)
    array([[0, 0, 1],
           [0, 0, 1]])
    """
    labels, n_regions = ndimage.label(mask, structure=_EIGHT_NEIGHBOURS)
    keep = np.bincount(labels[mask], weights=areas, minlength=n_regions + 1) >= min_area
    keep[0] = False
    return keep[labels]


def fill_polygon(rings, shape):
    """
    Fill a polygon of several rings by the even-odd rule: a ring inside another one is a hole.

    Parameters
    ----------
    rings : sequence of array_like
        (n, 2) each, vertices (x, y) in pixels, the centre of the first pixel at (0, 0); closed by themselves. Those
        with under three vertices enclose nothing.
    shape : tuple of int
        (ny, nx).

    Returns
    -------
    numpy.ndarray
        bool, of that shape; what lies outside of it is cut.

    Examples
    --------
    >>> outer, hole = [(0, 0), (5, 0), (5, 3), (0, 3)], [(2, 1), (4, 1), (4, 2), (2, 2)]
    >>> fill_polygon([outer, hole], (3, 5)).astype(int)
    array([[1, 1, 1, 1, 1],
           [1, 1, 0, 0, 1],
           [1, 1, 1, 1, 1]])
    """
    ny, nx = shape
    crossed = np.zeros((ny, nx + 1), dtype=bool)
    for ring in rings:
        ring = np.asarray(ring, dtype=float).reshape(-1, 2)
        for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            # Each edge owns its lower end and each row its left border: neighbours share no pixel.
            low, high = np.clip(np.ceil([min(y0, y1), max(y0, y1)]), 0, ny).astype(int)
            rows = np.arange(low, high)
            x = x0 + (rows - y0) * (x1 - x0) / (y1 - y0 or 1)
            crossed[rows, np.clip(np.ceil(x), 0, nx).astype(int)] ^= True
    return np.logical_xor.accumulate(crossed[:, :nx], axis=1)
