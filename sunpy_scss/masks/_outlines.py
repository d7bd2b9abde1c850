"""
Outlines of the regions of a mask along the sides of its pixels, and where they are on the Sun.

Positions on the pixel grid are arrays (n, 2) of rows and columns, halves at the corners of pixels. Rings are closed by
themselves, the first position is not repeated. The region is on their left.
"""

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.ndimage import uniform_filter1d

from sunpy_scss._sun.cells import excess
from sunpy_scss._sun.polygons import follow, inside_rings
from sunpy_scss._sun.view import carrington_frame, distances, half_turn, longitude_latitude, longitude_origin
from sunpy_scss.masks._regions import label

__all__ = ["flat_rings", "joined", "perimeters", "trace", "vertices_on_sphere"]

# Steps on the sphere so short, and so short in longitude, are as good as straight in longitude and latitude.
_STEP = np.radians(0.5)
_STEP_IN_LONGITUDE = np.radians(5)
# The mean of so many sides of pixels has no steps, and few bends of a border are lost in it.
_SIDES = 9
_ROUNDING = 1e-12
# By direction of a side, east, north, west, south, of (row, column): to the next pixel along it, to the pixel across
# it, and from the number of a pixel to the corner where its side begins.
_AHEAD = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
_ACROSS = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
_START = np.array([(0, 0), (0, 1), (1, 1), (1, 0)])


def trace(regions, *, cut=False):
    """
    The rings around regions, and around the holes in them.

    Parameters
    ----------
    regions : sunpy_scss.masks._regions.Regions
    cut : bool, optional
        Cut regions of a heliographic Map at its first column; by default they run on across it.

    Returns
    -------
    list of list of list of numpy.ndarray
        For each region, in the order of their numbers, its pieces: what hangs together by the sides of pixels, not by
        corners alone. For each piece its rings, the outer one first; no ring passes a corner twice. Of a piece around
        the axis of the Sun those that go around it are first.
    """
    wraps = regions.surface.wraps and not cut
    inside = regions.labels > 0
    pieces = label(inside, wraps, connectivity=1)
    number, direction, following = _sides(inside, wraps)
    rows, columns = np.divmod(number, inside.shape[1])
    corners = np.stack([rows, columns], axis=1) + _START[direction]
    keys = corners[:, 0] * (inside.shape[1] + 1) + (corners[:, 1] % inside.shape[1] if wraps else corners[:, 1])
    found = [{} for _ in regions.starts]
    for walk in _cycles(following.tolist()):
        row, column = rows[walk[0]], columns[walk[0]]
        rings = found[regions.labels[row, column] - 1].setdefault(pieces[row, column], [])
        rings.extend(corners[ring] - 0.5 for ring in _split(walk, keys))
    period = inside.shape[1] if wraps else np.inf
    return [
        [sorted(rings, key=lambda ring: -_pixels_within(ring, period)) for rings in region.values()] for region in found
    ]


def _sides(inside, wraps):
    """
    The sides of pixels towards what is outside: number of the pixel, direction, and index of the side that follows.

    Where two pixels touch by a corner alone, the side that follows is of the same pixel.
    """
    ny, nx = inside.shape
    framed = np.pad(inside, 1)
    if wraps:
        framed[:, 0], framed[:, -1] = framed[:, -2], framed[:, 1]
    numbers = []
    for row, column in _ACROSS:
        across = framed[1 + row : 1 + row + ny, 1 + column : 1 + column + nx]
        numbers.append(np.flatnonzero(inside & ~across))
    direction = np.repeat(np.arange(4), [len(some) for some in numbers])
    number = np.concatenate(numbers)
    here = np.stack(np.divmod(number, nx), axis=1)
    left = here + _AHEAD[direction]
    right = left + _ACROSS[direction]
    blocked, free = ~framed[*(left + 1).T], ~framed[*(right + 1).T]
    pixel = np.select([blocked, free], [here.T, left.T], right.T)
    turned = np.select([blocked, free], [direction + 1, direction], direction - 1) % 4
    # Sides are in order of this key already.
    key = direction * inside.size + number
    following = np.searchsorted(key, turned * inside.size + pixel[0] * nx + pixel[1] % nx)
    return number, direction, following


def _cycles(following):
    """Return the cycles of a permutation, each a list."""
    seen = bytearray(len(following))
    for first in range(len(following)):
        cycle, index = [], first
        while not seen[index]:
            seen[index] = 1
            cycle.append(index)
            index = following[index]
        if cycle:
            yield cycle


def _split(walk, keys):
    """Parts of a closed walk between its visits of the same corner."""
    path, place = [], {}
    for side, key in zip(walk, keys[walk].tolist(), strict=True):
        if key in place:
            start = place[key]
            yield [step for step, _ in path[start:]]
            for _, gone in path[start:]:
                del place[gone]
            del path[start:]
        place[key] = len(path)
        path.append((side, key))
    yield [step for step, _ in path]


def _pixels_within(ring, period):
    """Return the number of pixels within a ring, columns being periodic; infinite if it goes around the axis."""
    rows, columns = ring.T
    steps = (np.diff(columns, append=columns[0]) + 1) % period - 1
    return np.inf if steps.sum() else abs(np.sum(rows * steps))


def _largest_first(rings):
    return sorted(rings, key=lambda ring: -abs(_area(ring)))


def _area(ring):
    """Return a value that is positive where the ring is counter-clockwise, its positions taken as (x, y)."""
    x, y = (ring - ring[0]).T
    return np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2


def joined(pieces, surface):
    """
    All rings of a region as one that fills the same area by the even-odd rule, for what knows no holes.

    They are joined by lines along the columns, there and back, the shortest that do: one leads down from each hole,
    and pieces have a corner in common.

    Parameters
    ----------
    pieces : list of list of numpy.ndarray
        The rings that `trace` returns for a region.
    surface : sunpy_scss._sun.surface.Surface

    Returns
    -------
    numpy.ndarray
        (m, 2).
    """
    rings = [ring for rings in pieces for ring in rings]
    sizes = np.array([len(ring) for ring in rings])
    number = np.repeat(np.arange(len(rings)), sizes)
    corners = np.concatenate(rings)
    following = np.arange(1, len(corners) + 1)
    following[np.cumsum(sizes) - 1] -= sizes
    places, following = corners.tolist(), following.tolist()
    unions = DisjointSet(range(len(rings)))
    for low, high in _neighbours_in_columns(corners, surface):
        if unions.merge(number[low], number[high]):
            _join(places, following, low, high)
    return np.array([places[index] for index in next(_cycles(following))])


def _neighbours_in_columns(corners, surface):
    """Pairs of corners with none between them in their column, the nearest first."""
    rows, columns = corners.T
    if surface.wraps:
        columns = columns % surface.shape[1]
    order = np.lexsort([rows, columns])
    low, high = order[:-1], order[1:]
    together = columns[low] == columns[high]
    low, high = low[together], high[together]
    nearest = np.argsort(rows[high] - rows[low], kind="stable")
    return zip(low[nearest].tolist(), high[nearest].tolist(), strict=True)


def _join(places, following, low, high):
    """Make one closed path of two, given by what follows each place, by a line up a column and back."""
    (first, _), (last, column) = places[low], places[high]
    way = [[row, column] for row in np.arange(first + 1, last)]
    after_low, after_high = following[low], following[high]
    _lead(places, following, low, [*way, places[high]], after_high)
    _lead(places, following, high, [*way[::-1], places[low]], after_low)


def _lead(places, following, start, way, end):
    """Put new places between one and what is to follow them."""
    added = range(len(places), len(places) + len(way))
    following[start] = added[0]
    places.extend(way)
    following.extend([*added[1:], end])


def perimeters(regions):
    """
    Measure the length of the border of each region, holes in it included.

    The sides of pixels go up and down by a pixel where a border is straight, which makes them too long. The running
    mean along them has no such steps. Where the border bends, this line encloses too little, as one drawn some way
    inside of it does: for all lines parallel to one, the sum of the squares of length and of 2 pi minus area is the
    same (Steiner's formula on the sphere), so that the area tells by how much the line is too short.

    Parameters
    ----------
    regions : sunpy_scss.masks._regions.Regions

    Returns
    -------
    numpy.ndarray
        (regions,) in solar radii, along great circles.
    """
    shapes = trace(regions)
    rings = [ring for pieces in shapes for rings in pieces for ring in rings]
    if not rings:
        return np.zeros(len(regions))
    ends = np.cumsum([len(ring) for ring in rings])[:-1]
    borders = np.split(_between_pixels(rings, regions.surface), ends, axis=1)
    numbers = np.repeat(np.arange(len(regions)), [sum(map(len, pieces)) for pieces in shapes])
    return np.bincount(numbers, [_length(border) for border in borders], len(regions))


def _between_pixels(rings, surface):
    """Return for each side of rings the point half-way between the middles of the pixels beside it; (3, n)."""
    start = np.concatenate(rings)
    side = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]) - start
    if surface.wraps:
        side[:, 1] = (side[:, 1] + 1) % surface.shape[1] - 1
    across = side[:, ::-1] * (0.5, -0.5)
    left, right = (surface.points(*(start + side / 2 + way).T) for way in (across, -across))
    if not surface.is_image:  # the side of a pixel at a pole is no border
        at_pole = np.abs(right[2]) > 1 - _ROUNDING
        left[:, at_pole] = right[:, at_pole]
    return _unit(left + right)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=0), _ROUNDING)


def _length(border):
    """The length of a border from points along it, (3, n)."""
    line = _unit(uniform_filter1d(border, min(_SIDES, border.shape[1] // 2), axis=1, mode="wrap"))
    length = distances(line, np.roll(line, -1, axis=1)).sum()
    rest, true_rest = (2 * np.pi - _area_within(points) for points in (line, border))
    return np.sqrt(max(length**2 + rest**2 - true_rest**2, 0))


def _area_within(line):
    """The smaller of the two areas that a closed line (3, n) separates on the sphere."""
    following = np.roll(line, -1, axis=1)
    vector = np.cross(line, following, axis=0).sum(axis=1)
    size = np.linalg.norm(vector)
    if size == 0:
        return 0.0
    middle = (vector / size)[:, np.newaxis]
    area = abs(excess(middle, line, following).sum())
    return min(area, 4 * np.pi - area)


def vertices_on_sphere(ring, surface):
    """
    A ring on the sphere, with vertices close enough to be joined by straight lines in any coordinates.

    Parameters
    ----------
    ring : numpy.ndarray
        (n, 2) positions on the pixel grid.
    surface : sunpy_scss._sun.surface.Surface

    Returns
    -------
    numpy.ndarray
        (3, m) unit vectors. What is beyond the limb is on the limb.
    """
    points = surface.points(*ring.T)
    after = np.roll(points, -1, axis=1)
    lon, _ = longitude_latitude(points)
    turn = np.abs(half_turn(np.roll(lon, -1) - lon))
    counts = np.maximum(distances(points, after) / _STEP, turn / _STEP_IN_LONGITUDE)
    counts = np.maximum(1, np.ceil(counts)).astype(int)
    dense = follow(points.T, counts).T
    return _unit(dense)


def flat_rings(rings, surface, *, carrington=False):
    """
    The rings of a piece in longitude and latitude, to be filled there as in a plane.

    Longitudes run on across the meridian where they are cut, from 170 to 190 degrees; a ring around the axis of the
    Sun is led to the pole and back.

    Parameters
    ----------
    rings : list of numpy.ndarray
        (n, 2) positions on the pixel grid.
    surface : sunpy_scss._sun.surface.Surface
    carrington : bool, optional
        Longitudes of Carrington, as seen from Earth, instead of Stonyhurst's.

    Returns
    -------
    list of numpy.ndarray
        (m, 2) in degrees, the outer ring first, counter-clockwise, then those of holes, clockwise. The middle of the
        outer one is between -180 and 180 degrees, or 0 and 360 of Carrington's.
    """
    origin = longitude_origin(carrington_frame(surface.obstime)) if carrington else 0
    unrolled = [_unroll(vertices_on_sphere(ring, surface), origin) for ring in rings]
    # A piece around the axis lies between rings, or a ring and a pole. All of its rings have to go to the same one.
    pole = 90 if _handedness(surface) * sum(turns for _, turns in unrolled) >= 0 else -90
    flat = [_by_the_pole(ring, turns, pole) if turns else ring for ring, turns in unrolled]
    outer, *holes = _largest_first(flat)
    middle = (outer[:, 0].min() + outer[:, 0].max()) / 2
    outer = outer - (360 * np.floor((middle + (0 if carrington else 180)) / 360), 0)
    holes = [_into(outer, hole) for hole in holes]
    return [_turned(outer, 1), *(_turned(hole, -1) for hole in holes)]


def _handedness(surface):
    """1, or -1 where the pixels are mirrored: the left of a ring on them is then its right on the Sun."""
    return np.sign(np.linalg.det(surface.wcs.pixel_scale_matrix))


def _unroll(points, origin):
    """Longitude and latitude in degrees, the former without leaps, and how often the ring goes around the axis."""
    lon, lat = longitude_latitude(points)
    steps = half_turn(np.diff(lon, append=lon[0]))
    lon = half_turn(lon[0] - origin) + np.cumsum(steps) - steps
    return np.degrees([lon, lat]).T, round(steps.sum() / (2 * np.pi))


def _by_the_pole(ring, turns, pole):
    lon, lat = ring[0]
    return np.concatenate([ring, [(lon + 360 * turns, lat), (lon + 360 * turns, pole), (lon, pole)]])


def _into(outer, hole):
    """Return a hole moved by whole turns to the outer ring."""
    moved = [hole + np.array([turn, 0]) for turn in (0, -360, 360, -720, 720)]
    return max(moved, key=lambda ring: inside_rings([outer], ring).sum())


def _turned(ring, sense):
    """Return a ring that is counter-clockwise, or clockwise for -1."""
    return ring if _area(ring) * sense > 0 else ring[::-1]
