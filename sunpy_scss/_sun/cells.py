"""Cells around points on a sphere, and their areas; pure arrays."""

import numpy as np
from scipy.spatial import ConvexHull

__all__ = ["cell_areas", "excess", "nearest_cells"]

# This many pixels at a time stay in the cache of a processor.
_CHUNK = 2**14
# A point that is nearer to the edge than this, in radians, cannot be told from its mirror image.
_LEAST_DEPTH = 1e-5


def cell_areas(points, index):
    """
    Return the areas of spherical quadrangles.

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


def nearest_cells(points, axis, angle, *, margin):
    """
    Return the Voronoi cells of points in a spherical cap.

    Parameters
    ----------
    points : numpy.ndarray
        (3, n) unit vectors in the cap, not all on one circle.
    axis : numpy.ndarray
        (3,) unit vector, the middle of the cap.
    angle : float
        The angle from there to the edge, in radians. It is close to a right angle, as the edge counts as straight
        between points.
    margin : float
        An angle in radians. Points that are farther from the edge have others between them and all of it.

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
    # Points and their mirror images beyond the edge are equally far from it. So the edge is the border of their cells.
    within, beyond = (np.outer(axis, np.cos(angle + side)) + around * np.sin(angle + side) for side in (-depth, depth))
    return _cells_of_sphere(np.concatenate([within, beyond[:, depth <= margin]], axis=1), points.shape[1])


def _cells_of_sphere(points, count):
    """Return the cells of the first ``count`` points on the whole sphere; the last ones on a side are wrong."""
    # The triangles of the hull are those whose circumcircle holds no point.
    hull = ConvexHull(points.T)
    used = (hull.simplices < count).any(axis=1)
    triangles, centres = hull.simplices[used].T, hull.equations[used, :3].T
    a, b, c = (points[:, corner] for corner in triangles)
    turn = np.sign(_dot(np.cross(b - a, c - a, axis=0), centres))
    index, areas, sums = [], [], []
    # The borders of cells run from the centre of the circle to the middles of the sides. If that centre is outside the
    # triangle, areas are negative, and others are too large by as much.
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, end = points[:, triangles[first]], points[:, triangles[second]]
        half = start + end
        half /= np.sqrt(_dot(half, half))
        area = turn * excess(start, half, centres)
        index += [triangles[first], triangles[second]]
        areas += [area, area]
        sums += [area * (start + half + centres), area * (end + half + centres)]
    index, areas, sums = np.concatenate(index), np.concatenate(areas), np.concatenate(sums, axis=1)
    total, *middles = (np.bincount(index, values, points.shape[1])[:count] for values in (areas, *sums))
    return total, middles / np.linalg.norm(middles, axis=0)


def excess(a, b, c):
    """
    Return the signed areas of spherical triangles.

    The formula is that of Van Oosterom & Strackee (1983), https://doi.org/10.1109/TBME.1983.325207.
    """
    (x1, y1, z1), (x2, y2, z2) = b - a, c - a
    volume = a[0] * (y1 * z2 - z1 * y2) + a[1] * (z1 * x2 - x1 * z2) + a[2] * (x1 * y2 - y1 * x2)
    return 2 * np.arctan2(volume, 1 + _dot(a, b) + _dot(b, c) + _dot(c, a))


def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
