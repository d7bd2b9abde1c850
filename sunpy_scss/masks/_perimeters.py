"""
Lengths of the borders of regions on the sphere.

A mask says on which side of a border the middles of pixels are, and no more. A line along the sides of pixels, or
half-way between their middles, goes up and down by a pixel where the border is straight; close to the limb, where a
pixel is several times as deep as it is wide, this makes it far too long. Of all lines with the same middles on both
sides the shortest has no such steps. It is too short where the border bends, and encloses too little, by as much as
if it had been drawn some way inside of it. The known area tells how far.
"""

import numpy as np

from sunpy_scss._sun.cells import excess
from sunpy_scss._sun.view import distances
from sunpy_scss.masks._outlines import gates

__all__ = ["perimeters"]


def perimeters(regions):
    """
    Length of the border of each region, holes in it included.

    Parameters
    ----------
    regions : sunpy_scss.masks._regions.Regions

    Returns
    -------
    numpy.ndarray
        (regions,) in solar radii, along great circles.
    """
    total = []
    for area, rings in zip(regions.sum(regions.areas), gates(regions), strict=True):
        enclosed = [_area_within(_unit(left + right)) for left, right in rings]
        if regions.surface.is_image:  # at the limb the area of the pixels is the better one
            enclosed[0] = area + sum(enclosed[1:])
        total.append(sum(_length(*ring, within) for ring, within in zip(rings, enclosed, strict=True)))
    return np.array(total, dtype=float)


def _length(left, right, area):
    """
    Of a closed line between points on its left and on its right, (3, n) each, that encloses an area.

    For all lines parallel to one, the sum of the squares of length and of 2 pi minus area is the same (Steiner's
    formula on the sphere).
    """
    line = _shortest(left, right)
    length = distances(line, np.roll(line, -1, axis=1)).sum()
    around = 2 * np.pi - _area_within(line)
    return np.sqrt(max(length**2 + around**2 - (2 * np.pi - area) ** 2, 0))


def _area_within(line):
    """Of a closed line (3, n) on the sphere, the smaller of the two areas that it separates."""
    following = np.roll(line, -1, axis=1)
    vector = np.cross(line, following, axis=0).sum(axis=1)
    size = np.linalg.norm(vector)
    if size == 0:
        return 0.0
    middle = (vector / size)[:, np.newaxis]
    area = abs(excess(middle, line, following).sum())
    return min(area, 4 * np.pi - area)


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=0)


def _shortest(left, right):
    """The shortest closed line between points on its left and right; (3, m)."""
    lefts, rights = left.T.tolist(), right.T.tolist()
    start = _unit(left[:, 0] + right[:, 0]).tolist()
    # Away from where it starts and ends it is the closed one already.
    bends = _pulled_tight(start, lefts[1:], rights[1:])
    index, start = bends[len(bends) // 2]
    gates = [points[index + 2 :] + points[: index + 2] for points in (lefts, rights)]
    return np.transpose([start, *(point for _, point in _pulled_tight(start, *gates))])


def _pulled_tight(start, lefts, rights):
    """
    The bends of the shortest way from a point through gates, given by their ends, back to the point.

    A funnel of great circles from the last bend is narrowed gate by gate; where one of its sides crosses the other,
    this has a bend (Lee & Preparata 1984, https://doi.org/10.1002/net.3230140304).

    Returns
    -------
    list of tuple
        (index of the gate, point).
    """
    lefts, rights = [*lefts, start], [*rights, start]
    bends = []
    apex = left = right = start
    at_left = at_right = index = -1
    while index + 1 < len(lefts):
        index += 1
        new = rights[index]
        if _turn(apex, right, new) >= 0:
            if apex == right or _turn(apex, left, new) < 0:
                right, at_right = new, index
            else:
                bends.append((at_left, left))
                apex, right, index = left, left, at_left
                at_right = index
                continue
        new = lefts[index]
        if _turn(apex, left, new) <= 0:
            if apex == left or _turn(apex, right, new) > 0:
                left, at_left = new, index
            else:
                bends.append((at_right, right))
                apex, left, index = right, right, at_right
                at_left = index
    return bends


def _turn(first, second, third):
    """Positive where the third of three points is on the left of the way from the first to the second."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = first, second, third
    bx, by, bz, cx, cy, cz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
    return ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
