"""Polygons in solar coordinates to the pixels of a Map that may see the Sun from elsewhere, at another time."""

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import Helioprojective, SphericalScreen, propagate_with_solar_surface

from sunpy_scss._sun.canonical import frame_of

__all__ = ["draw", "fill_polygon"]

# Straight edges become curves when the Sun rotates: points are put on them this close, in solar radii or radians.
_STEP = 0.02
# In solar radii from disc centre.
_PROBES_AT = 0.6


def draw(polygons, frame, smap):
    """
    Fill polygons on the pixels of a Map.

    Their points turn with the solar surface from the time of ``frame`` to that of the Map. What is then behind the
    limb is left out.

    Parameters
    ----------
    polygons : iterable of iterable of array_like
        Each a polygon of one or more rings (n, 2): longitude and latitude, in arcsec for helioprojective coordinates
        and degrees for heliographic ones. Even-odd: a ring inside another one is a hole. Edges are straight in these
        coordinates. A vertex off the limb lies in the plane of the sky.
    frame : astropy.coordinates.BaseCoordinateFrame
        Where and when these coordinates hold; without data.
    smap : sunpy.map.GenericMap

    Returns
    -------
    numpy.ndarray
        bool, of the shape of the Map, the union of the polygons; False off the disc.
    """
    polygons = [[_densify(np.asarray(ring, float), _step(frame, smap)) for ring in rings] for rings in polygons]
    mask = np.zeros(smap.data.shape, dtype=bool)
    if not polygons:
        return mask
    detector = frame_of(smap)
    on_pixels = _on_pixels(polygons, frame, smap)
    probes = _probes(frame, smap)
    for rings, pixels in zip(polygons, on_pixels, strict=True):
        inverted = not isinstance(frame, Helioprojective) and _inverted(rings, pixels, *probes)
        _add(mask, [*pixels, _frame_around(mask.shape)] if inverted else pixels)
    rows, columns = mask.nonzero()
    mask[rows, columns] = detector.radius(rows, columns) <= 1
    return mask


def _step(frame, smap):
    if isinstance(frame, Helioprojective):
        return _STEP * smap.rsun_obs.to_value(u.arcsec)
    return np.degrees(_STEP)


def _unit(frame):
    return u.arcsec if isinstance(frame, Helioprojective) else u.deg


def _densify(ring, step):
    edges = np.roll(ring, -1, axis=0) - ring
    counts = np.maximum(1, np.ceil(np.abs(edges).max(axis=1) / step)).astype(int)
    return np.concatenate(
        [start + edge * (np.arange(n) / n)[:, np.newaxis] for start, edge, n in zip(ring, edges, counts, strict=True)]
    )


def _on_pixels(polygons, frame, smap):
    """The polygons with vertices (column, row); in one transformation, which costs the same for many as for one."""
    rings = [ring for polygon in polygons for ring in polygon]
    ends = np.cumsum([len(ring) for ring in rings])
    pixels = iter(np.split(_pixel_of(np.concatenate(rings), frame, smap), ends[:-1]))
    return [[next(pixels) for _ in polygon] for polygon in polygons]


def _pixel_of(points, frame, smap):
    # Off the limb, where a line of sight meets no surface, the plane of the sky is taken.
    centre = frame.observer if isinstance(frame, Helioprojective) else smap.observer_coordinate
    with propagate_with_solar_surface(), SphericalScreen(centre, only_off_disk=True):
        seen = SkyCoord(*points.T, unit=_unit(frame), frame=frame).transform_to(smap.coordinate_frame).make_3d()
    angles = np.array([seen.Tx.to_value(u.arcsec), seen.Ty.to_value(u.arcsec)])
    radius = np.hypot(*angles) / smap.rsun_obs.to_value(u.arcsec)
    # Seen through the Sun, the far side would lie on the near one: unfold it around the limb.
    limb = np.sqrt(smap.dsun**2 - smap.rsun_meters**2)
    behind = (radius < 1) & (seen.distance > limb)
    angles *= np.where(behind, (2 - radius) / np.maximum(radius, 1e-9), 1)
    units = smap.wcs.world_axis_units
    world = [(angle * u.arcsec).to_value(unit) for angle, unit in zip(angles, units, strict=True)]
    return np.transpose(smap.wcs.world_to_pixel_values(*world))


def _probes(frame, smap):
    """Some points on the disc, (n, 2): column and row, and longitude and latitude in degrees."""
    angles = np.arange(8) * np.pi / 4
    offsets = np.concatenate([[(0, 0)], _PROBES_AT * np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    points = SkyCoord(*(offsets.T * smap.rsun_obs), frame=smap.coordinate_frame)
    with propagate_with_solar_surface():
        there = points.transform_to(frame).spherical
    return np.transpose(smap.wcs.world_to_pixel(points)), np.stack([there.lon.deg, there.lat.deg], axis=1)


def _inverted(rings, pixels, places, coordinates):
    """
    Whether filling the pixels would fill the outside of a polygon.

    On a sphere either side of a ring could be its inside. Round the point opposite to the observer, unfolded rings
    run around the disc. Of the points on the disc whose places are known, the one furthest from the rings tells.
    """
    vertices = np.concatenate(pixels)
    probe = np.argmax([np.linalg.norm(vertices - place, axis=1).min() for place in places])
    lon, lat = coordinates[probe]
    turns = [_inside(rings, (lon + turn, lat)) for turn in (-360, 0, 360)]
    return any(turns) != _inside(pixels, places[probe])


def _inside(rings, point):
    x, y = point
    crossings = 0
    for ring in rings:
        (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
        crossed = (y0 <= y) != (y1 <= y)
        slope = np.divide(x1 - x0, y1 - y0, out=np.zeros_like(x0), where=crossed)
        crossings += np.count_nonzero(crossed & (x0 + slope * (y - y0) > x))
    return crossings % 2 == 1


def _frame_around(shape):
    ny, nx = shape
    return np.array([[-1, -1], [nx, -1], [nx, ny], [-1, ny]], dtype=float)


def _add(mask, rings):
    """Fill a polygon into a mask, working on the box around it only."""
    points = np.concatenate(rings)
    limits = mask.shape[::-1]
    left, bottom = np.clip(np.floor(points.min(axis=0)), 0, limits).astype(int)
    right, top = np.clip(np.ceil(points.max(axis=0)) + 1, 0, limits).astype(int)
    box = mask[bottom:top, left:right]
    box |= fill_polygon([ring - (left, bottom) for ring in rings], box.shape)


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
