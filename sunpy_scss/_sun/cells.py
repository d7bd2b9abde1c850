"""Parts of a sphere around points on it, and how large they are; pure arrays."""

import numpy as np
from scipy.spatial import SphericalVoronoi

__all__ = ["cell_areas", "excess", "nearest_cells"]

# So many pixels at a time stay in the cache of a processor.
_CHUNK = 2**14
# A point nearer to the edge than this, in radians, cannot be told from its mirror image.
_LEAST_DEPTH = 1e-5


def cell_areas(points, index):
    """
    Areas of spherical quadrangles.

    Parameters
    ----------
    points : numpy.ndarray
        (3, m) unit vectors.
    index : numpy.ndarray
        (4, n), the corners of each in order.

    Returns
    -------
    numpy.ndarray
        (n,) in squares of the radius.
    """
    areas = np.empty(index.shape[1])
    for start in range(0, len(areas), _CHUNK):
        part = slice(start, start + _CHUNK)
        a, b, c, d = (points[:, corner] for corner in index[:, part])
        areas[part] = np.abs(excess(a, b, c) + excess(a, c, d))
    return areas


def nearest_cells(points, axis, angle):
    """
    What of a spherical cap is nearer to each point than to any other.

    Parameters
    ----------
    points : numpy.ndarray
        (3, n) unit vectors in the cap, not all on one circle.
    axis : numpy.ndarray
        (3,) unit vector, the middle of the cap.
    angle : float
        From there to its edge, in radians and close to a right angle: the edge is taken for straight between points.

    Returns
    -------
    areas : numpy.ndarray
        (n,) in squares of the radius.
    middles : numpy.ndarray
        (3, n) unit vectors, the middles of these areas.
    """
    along = axis @ points
    around = points - axis[:, np.newaxis] * along
    around /= np.linalg.norm(around, axis=0)
    depth = np.maximum(angle - np.arccos(np.clip(along, -1, 1)), _LEAST_DEPTH)
    # Points and their mirror images beyond the edge are equally far from it, which makes it the side of their cells.
    within, beyond = (np.outer(axis, np.cos(angle + side)) + around * np.sin(angle + side) for side in (-depth, depth))
    diagram = SphericalVoronoi(np.concatenate([within, beyond], axis=1).T)
    diagram.sort_vertices_of_regions()
    cells = diagram.regions[: points.shape[1]]
    sizes = np.array([len(cell) for cell in cells])
    starts = np.cumsum(sizes) - sizes
    first = diagram.vertices.T[:, np.concatenate(cells)]
    following = np.arange(1, sizes.sum() + 1)
    following[starts + sizes - 1] = starts
    second, third = first[:, following], np.repeat(within, sizes, axis=1)
    triangles = excess(third, first, second)
    middles = np.add.reduceat(np.abs(triangles) * (first + second + third), starts, axis=1)
    return np.abs(np.add.reduceat(triangles, starts)), middles / np.linalg.norm(middles, axis=0)


def excess(a, b, c):
    """Signed area of spherical triangles (Van Oosterom & Strackee 1983, https://doi.org/10.1109/TBME.1983.325207)."""
    (x1, y1, z1), (x2, y2, z2) = b - a, c - a
    volume = a[0] * (y1 * z2 - z1 * y2) + a[1] * (z1 * x2 - x1 * z2) + a[2] * (x1 * y2 - y1 * x2)
    return 2 * np.arctan2(volume, 1 + _dot(a, b) + _dot(b, c) + _dot(c, a))


def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
