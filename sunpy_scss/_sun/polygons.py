"""
Polygons in solar coordinates on the pixels of a Map that may see the Sun from elsewhere, at another time.

A polygon is a shape in the sky of an observer, or in heliographic longitude and latitude, at its own time. A pixel
belongs to it if the piece of solar surface in the pixel, rotated back to that time, lay inside the shape, on the side
of the Sun that faced the observer of the polygon. The rotation is differential. So no polygon has to be cut at a limb,
unfolded or led around a pole.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from sunpy.coordinates import Helioprojective, get_earth

from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import drift
from sunpy_scss._sun.view import View, longitude_latitude, longitude_origin, unit_vectors, view_of

__all__ = ["draw", "earth_frame", "follow", "inside_rings", "outlines", "pixels_inside"]

# A straight edge in one view is curved in another. It is followed in steps of this share of the solar radius in the sky
# (4 arcsec from Earth), and of this many degrees.
_STEP_IN_THE_SKY, _STEP_IN_DEGREES = 1 / 240, 0.5
# The side, in pixels, of the blocks that are wholly inside or outside if no border passes through them.
_BLOCK = 16
# The number of points, or pairs of points and edges, to work on at once, to keep memory low.
_AT_ONCE = 1_000_000
# A radius just inside the limb, where the line of sight still meets the surface.
_LIMB = 1 - 1e-5


def earth_frame(obstime, rsun):
    """Return the helioprojective frame of Earth at a time, on a Sun of this radius."""
    return Helioprojective(observer=get_earth(obstime), obstime=obstime, rsun=rsun)


@dataclass(frozen=True)
class _Sky:
    """Coordinates in the sky of an observer: helioprojective, in arcsec."""

    time: Time
    view: View

    @property
    def step(self):
        return _STEP_IN_THE_SKY * np.degrees(self.view.limb) * 3600

    def coordinates(self, points):
        """Return the coordinates (n, 2) of points on the Sun (3, n); NaN for hidden points."""
        return (np.where(self.view.is_visible(points), self.view.sky(points), np.nan).T * u.rad).to_value(u.arcsec)

    def points(self, ring):
        """
        Return the points of the solar surface at coordinates; those beyond the limb are moved inwards to it.

        The move along the radius crosses no point of the disc: a point inside a ring remains inside.
        """
        directions = self.view.directions(*(ring.T * u.arcsec).to_value(u.rad))
        return self.view.surface_at(directions * np.minimum(1, _LIMB / np.linalg.norm(directions, axis=0).clip(1e-9)))

    def limb(self, count):
        """Return points along the border of the surface that this source shows, (3, count)."""
        return self.view.circle(count)

    def turned(self, places, rings):
        """Return the possible coordinates of places, of which a ring may use any."""
        return [places]


@dataclass(frozen=True)
class _Sphere:
    """Heliographic longitude and latitude in degrees, from an origin at a Stonyhurst longitude in radians."""

    time: Time
    origin: float
    step = _STEP_IN_DEGREES

    def coordinates(self, points):
        lon, lat = longitude_latitude(points)
        return np.degrees([lon - self.origin, lat]).T

    def points(self, ring):
        lon, lat = np.radians(ring.T)
        return unit_vectors(lon + self.origin, lat)

    def limb(self, count):
        return np.empty((3, 0))

    def turned(self, places, rings):
        lon = np.concatenate([ring[:, 0] for ring in rings])
        middle = (lon.min() + lon.max()) / 2
        nearest = places - np.array([360, 0]) * np.rint((places[:, :1] - middle) / 360)
        shifts = (0,) if np.ptp(lon) <= 360 else (-360, 0, 360)
        return [nearest + np.array([shift, 0]) for shift in shifts]


def _source(frame):
    if isinstance(frame, Helioprojective):
        return _Sky(frame.obstime, view_of(frame.observer, frame.rsun))
    return _Sphere(frame.obstime, longitude_origin(frame))


def draw(polygons, frame, smap):
    """
    Fill polygons on the pixels of a Map.

    Parameters
    ----------
    polygons : iterable of iterable of array_like
        Each item is a polygon of one or more rings (n, 2): longitude and latitude, in arcsec for helioprojective
        coordinates and in degrees for heliographic ones. By the even-odd rule a ring inside another one is a hole.
        Edges are straight in these coordinates. Longitudes run on across a cut, as from 350 to 370. A vertex off the
        limb lies in the plane of the sky.
    frame : astropy.coordinates.BaseCoordinateFrame
        The frame and time of these coordinates; without data.
    smap : sunpy.map.GenericMap

    Returns
    -------
    numpy.ndarray
        bool, of the shape of the Map, the union of the polygons; False off the disc.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If the polygons are more than a solar rotation away in time.
    """
    mask = np.zeros(smap.data.shape, dtype=bool)
    [inside] = pixels_inside([polygons], frame, smap)
    mask.flat[inside] = True
    return mask


def pixels_inside(shapes, frame, smap):
    """
    Return the pixels of a Map that lie inside each of several shapes.

    Parameters
    ----------
    shapes : iterable
        For each shape its polygons, as in `draw`.
    frame, smap
        The arguments of `draw`.

    Returns
    -------
    list of numpy.ndarray
        For each shape, indices into the flattened data.
    """
    surface, source = surface_of(smap), _source(frame)
    shapes = [_polygons(shape) for shape in shapes]
    if surface.is_image:
        whole, mixed = _blocks(shapes, source, surface)
    else:
        whole, mixed = [[] for _ in shapes], np.ones(_blocks_of(surface.shape), dtype=bool)
    found = [[_pixels_of(blocks, surface.shape)] for blocks in whole]
    pixels = _pixels_of(np.argwhere(mixed), surface.shape)
    for some in np.array_split(pixels, len(pixels) // _AT_ONCE + 1):
        places = _places(*np.unravel_index(some, surface.shape), source, surface)
        for parts, shape in zip(found, shapes, strict=True):
            parts.append(some[_inside(shape, places, source)])
    return [np.concatenate(parts) for parts in found]


def _polygons(shape):
    """Return the polygons of a shape that have vertices, as lists of arrays (n, 2)."""
    rings = [[np.asarray(ring, dtype=float).reshape(-1, 2) for ring in polygon] for polygon in shape]
    return [polygon for polygon in rings if any(map(len, polygon))]


def _places(rows, columns, source, surface):
    """Return the coordinates of pixels in the source (n, 2); NaN without surface, or if it was hidden."""
    places = np.full((len(rows), 2), np.nan)
    shown = surface.on_sun(rows, columns)
    points = drift(surface.points(rows[shown], columns[shown]), surface.obstime, source.time)
    places[shown] = source.coordinates(points)
    return places


def _blocks_of(shape):
    return tuple(-(-size // _BLOCK) for size in shape)


def _pixels_of(blocks, shape):
    """Return flat indices of the pixels in blocks (n, 2)."""
    corners = np.reshape(blocks, (-1, 2, 1)).astype(int) * _BLOCK
    down, right = np.indices((_BLOCK, _BLOCK)).reshape(2, -1)
    rows, columns = corners[:, 0] + down, corners[:, 1] + right
    inside = (rows < shape[0]) & (columns < shape[1])
    return rows[inside] * shape[1] + columns[inside]


def _blocks(shapes, source, surface):
    """Return for each shape the blocks (n, 2) wholly inside it, and the blocks that are mixed for some shape."""
    size = _blocks_of(surface.shape)
    rings = [ring for shape in shapes for polygon in shape for ring in polygon]
    border = _touched(_border(rings, source, surface), surface)
    count = int(4 * np.pi / surface.diagonal / _BLOCK) + 8
    limbs = np.concatenate([surface.circle(count), drift(source.limb(count), source.time, surface.obstime)], axis=1)
    limb = _touched(np.stack(surface.pixels(limbs)), surface)
    middles = (np.indices(size).reshape(2, -1) * _BLOCK) + _BLOCK // 2
    middles = np.minimum(middles, np.reshape(surface.shape, (2, 1)) - 1)
    places = _places(*middles, source, surface)
    inside = [_inside(shape, places, source).reshape(size) for shape in shapes]
    mixed = _grown(border) | (_grown(limb) & _grown(np.any([border, *inside], axis=0)))
    return [np.argwhere(one & ~mixed) for one in inside], mixed


def _grown(blocks):
    return ndimage.binary_dilation(blocks, np.ones((3, 3), dtype=bool))


def _touched(pixels, surface):
    """Return the blocks that hold positions (2, n) on the pixel grid."""
    touched = np.zeros(_blocks_of(surface.shape), dtype=bool)
    rows, columns = np.floor((np.nan_to_num(pixels, nan=-9) + 0.5) / _BLOCK).astype(int)
    here = (rows >= 0) & (rows < touched.shape[0]) & (columns >= 0) & (columns < touched.shape[1])
    touched[rows[here], columns[here]] = True
    return touched


def _border(rings, source, surface):
    """Return positions on the pixel grid (2, n) along rings, at most half a block apart; NaN behind the limb."""
    if not rings:
        return np.empty((2, 0))
    dense = [_dense(ring, source) for ring in rings]
    pixels = _pixels(np.concatenate(dense), source, surface)
    ends = np.cumsum([len(ring) for ring in dense])[:-1]
    finer = []
    for ring, places in zip(dense, np.split(pixels, ends, axis=1), strict=True):
        apart = np.linalg.norm(np.roll(places, -1, axis=1) - places, axis=0)
        # A border that comes into view may do so along the limb.
        counts = np.ceil(np.nan_to_num(apart, nan=8 * _BLOCK) / (_BLOCK / 2))
        finer.append(follow(ring, np.clip(counts, 1, 100).astype(int)))
    return _pixels(np.concatenate(finer), source, surface)


def _pixels(ring, source, surface):
    return np.stack(surface.pixels(drift(source.points(ring), source.time, surface.obstime)))


def _dense(ring, source):
    """Return a ring with vertices at most a step apart."""
    lengths = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1)
    return follow(ring, np.maximum(1, np.ceil(lengths / source.step)).astype(int))


def follow(ring, counts):
    """
    Return more points along the edges of a ring, which is closed implicitly.

    Parameters
    ----------
    ring : numpy.ndarray
        (n, k) vertices.
    counts : numpy.ndarray
        (n,), the number of parts of the edge that begins at each vertex.

    Returns
    -------
    numpy.ndarray
        (m, k).
    """
    edges = np.roll(ring, -1, axis=0) - ring
    share = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) / np.repeat(counts, counts)
    return np.repeat(ring, counts, axis=0) + share[:, np.newaxis] * np.repeat(edges, counts, axis=0)


def _inside(shape, places, source):
    """Return True for coordinates that lie in any polygon of a shape."""
    inside = np.zeros(len(places), dtype=bool)
    for rings in shape:
        # Around a pole a ring may run on over more than one turn. An area that it covers twice is outside.
        inside |= np.logical_xor.reduce([inside_rings(rings, turned) for turned in source.turned(places, rings)])
    return inside


def inside_rings(rings, points):
    """
    Return True for points inside a polygon of rings, by the even-odd rule: a ring inside another one is a hole.

    Parameters
    ----------
    rings : sequence of numpy.ndarray
        (n, 2) each, floating-point vertices (x, y), closed implicitly. A ring of fewer than three vertices encloses
        nothing.
    points : numpy.ndarray
        (m, 2); NaN is outside.

    Returns
    -------
    numpy.ndarray
        (m,) bool. A point on an edge belongs to one side only: neighbours share no point.

    Examples
    --------
    >>> import numpy as np
    >>> outer = np.array([(0, 0), (5, 0), (5, 3), (0, 3)], dtype=float)
    >>> hole = np.array([(2, 1), (4, 1), (4, 2), (2, 2)], dtype=float)
    >>> inside_rings([outer, hole], np.array([(1, 1.5), (3, 1.5), (6, 1.5)]))
    array([ True, False, False])
    """
    if not any(map(len, rings)):
        return np.zeros(len(points), dtype=bool)
    (x0, y0), (x1, y1) = (np.concatenate(ends).T for ends in (rings, [np.roll(ring, -1, axis=0) for ring in rings]))
    # Only points at the height of some edge matter. In order of height, the points of one edge are consecutive.
    chosen = np.flatnonzero((points[:, 1] >= y0.min()) & (points[:, 1] <= y0.max()))
    chosen = chosen[np.argsort(points[chosen, 1])]
    x, y = points[chosen].T
    first, last = (np.searchsorted(y, ends) for ends in (np.minimum(y0, y1), np.maximum(y0, y1)))
    slope = np.divide(x1 - x0, y1 - y0, out=np.zeros_like(x0), where=y1 != y0)
    crossings = np.zeros(len(chosen), dtype=int)
    ends = np.cumsum(last - first)
    for part in np.split(np.arange(len(x0)), np.searchsorted(ends, np.arange(_AT_ONCE, ends[-1], _AT_ONCE))):
        counts = (last - first)[part]
        edge = np.repeat(part, counts)
        point = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first[part], counts)
        crossed = x[point] >= x0[edge] + (y[point] - y0[edge]) * slope[edge]
        crossings += np.bincount(point[crossed], minlength=len(chosen))
    inside = np.zeros(len(points), dtype=bool)
    inside[chosen] = crossings % 2 == 1
    return inside


def outlines(shapes, frame, smap):
    """
    Return the borders of shapes as seen in a Map, each with True if any of it is visible.

    Parameters
    ----------
    shapes, frame, smap
        The arguments of `pixels_inside`.

    Returns
    -------
    list of (list of astropy.coordinates.SkyCoord, bool)
        Closed rings in the frame of the Map. A part beyond the limb, then or now, follows the limb.
    """
    surface, source = surface_of(smap), _source(frame)
    rings = [[_dense(ring, source) for polygon in _polygons(shape) for ring in polygon] for shape in shapes]
    closed = [np.concatenate([ring, ring[:1]]) for shape in rings for ring in shape]
    points = drift(source.points(np.concatenate([np.empty((0, 2)), *closed])), source.time, surface.obstime)
    visible = surface.is_visible(points) | (not surface.is_image)
    lon, lat = surface.drawn_sky(points) if surface.is_image else _Sphere(None, surface.origin).coordinates(points).T
    unit = u.rad if surface.is_image else u.deg
    there = SkyCoord(lon * unit, lat * unit, frame=smap.coordinate_frame)
    parts = iter(np.split(np.arange(len(there)), np.cumsum([len(ring) for ring in closed])[:-1]))
    indices = [[next(parts) for _ in shape] for shape in rings]
    return [([there[part] for part in shape], any(visible[part].any() for part in shape)) for shape in indices]
