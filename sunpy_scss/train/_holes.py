"""Dark holes put into real images, to learn from and to measure the smallest that is found. Pure arrays."""

import numpy as np
from scipy import ndimage

__all__ = ["dark_holes", "darkened"]

# The softness of an edge, in pixels of the grid.
_SOFTNESS = 0.7
# Holes to learn from: areas as shares of the solar surface (1000 to 30,000 Mm2), how ragged their outlines are, in
# shares of their size, and how much darker than their surroundings they are, in the stretched image.
_AREAS = (1.6e-4, 5e-3)
_RAGGED = (0.1, 0.5)
_DEPTHS = (0.08, 0.35)
# Pixels nearer than this to the boundary's brightness, in the stretched image, are learned neither as in nor as out.
_UNSURE = 0.03
_SMALLEST = 12  # pixels
_TRIES = 20


def darkened(image, inside, depth):
    """
    Return a stretched image with darker holes, nowhere darker than its darkest pixel on the Sun.

    Parameters
    ----------
    image : numpy.ndarray
        (ny, nx), stretched to [0, 1].
    inside : numpy.ndarray
        (ny, nx), bool: the holes.
    depth : float
        The decrease of brightness, in the stretched image.

    Returns
    -------
    numpy.ndarray
        float32 of the same shape.
    """
    soft = ndimage.gaussian_filter(inside.astype(np.float32), _SOFTNESS)
    # Exact zeros are off the Sun, or below the floor of the stretch.
    floor = image[image > 0].min(initial=1)
    return np.where(image > floor, np.maximum(image - depth * soft, floor), image).astype(np.float32)


def dark_holes(image, target, count, pivot, rng):
    """
    Return a copy of an image with ragged dark holes in its quiet Sun, and of its target with these holes labelled.

    Parameters
    ----------
    image : numpy.ndarray
        (ny, nx), stretched to [0, 1]; the Sun in the middle.
    target : numpy.ndarray
        (ny, nx, boundaries + 1), labels and weight. The weight is 0 beyond the limb, and over 1 in hard negatives.
    count : int
        The number of holes, if there is room for them.
    pivot : float
        The stretched value that marks the boundary. A hole that is not clearly darker has no weight.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of numpy.ndarray
        Image and target of the same shapes.
    """
    axis = np.arange(len(image)) - (len(image) - 1) / 2
    distance = np.hypot(axis, axis[:, np.newaxis])
    weight = target[..., -1]
    limb = distance[weight > 0].max(initial=1)
    x, y = axis / limb, axis[:, np.newaxis] / limb
    z = np.sqrt(np.maximum(0, 1 - (distance / limb) ** 2))
    free = ndimage.binary_erosion((target[..., :-1].max(axis=-1) == 0) & (weight > 0) & (weight <= 1), iterations=2)
    target = target.copy()
    for _ in range(count):
        hole = _ragged(x, y, z, free, rng)
        if hole is None:
            continue
        image = darkened(image, hole, rng.uniform(*_DEPTHS))
        if image[hole].mean() < pivot - _UNSURE:
            target[hole, :-1] = 1
        else:
            target[hole, -1] = 0
        free &= ~ndimage.binary_dilation(hole, iterations=3)
    return image, target


def _ragged(x, y, z, free, rng):
    """Return a region (ny, nx) of random place, size and outline in the free pixels; None if there is no room."""
    area, ragged = np.exp(rng.uniform(*np.log(_AREAS))), rng.uniform(*_RAGGED)
    nearest = 1 - 2 * area
    rough = ndimage.gaussian_filter(rng.normal(size=z.shape), 3)
    edge = 1 - (1 - nearest) * np.exp(ragged * rough / rough.std())
    places = np.flatnonzero(free)
    for place in rng.choice(places, min(_TRIES, len(places)), replace=False):
        row, column = np.unravel_index(place, z.shape)
        hole = (x * x[column] + y * y[row] + z * z[row, column] >= edge) & (z > 0)
        if hole.sum() >= _SMALLEST and free[hole].all():
            return hole
    return None
