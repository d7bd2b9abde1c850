"""
Where a polygon of the HEK is in the pixels of a Map.

A polygon is a shape in the plane of the sky as seen from Earth at its own time. A pixel belongs to it where the
piece of solar surface in the pixel, carried back to that time by differential rotation, faced the Earth and lay
inside the shape. So nothing has to be cut at a limb or unfolded: neither that of the Map nor that of the polygon.
"""

import numpy as np
from matplotlib.path import Path

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst, Helioprojective, get_earth, propagate_with_solar_surface

from sunpy_scss._sun.canonical import frame_of, pixel_areas

__all__ = ["outlines", "pixel_surface", "pixels_inside", "source_frame"]

# Straight edges in one view are curved in another: follow them in steps of this many arcsec.
_STEP = 4
# Just inside the limb, where the line of sight still meets the surface.
_LIMB = 1 - 1e-5
_POINTS_AT_ONCE = 1_000_000


def source_frame(obstime, smap):
    """The frame of a polygon: as seen from Earth, on a Sun of the radius that the Map assumes."""
    return Helioprojective(observer=get_earth(obstime), obstime=obstime, rsun=smap.rsun_meters)


def outlines(shapes, source, smap):
    """
    The borders of shapes at the time and from the place of a Map, each with whether any of it can be seen.

    Parameters
    ----------
    shapes : list
        For each event its polygons, as `sunpy_scss.hek._records.parse_polygon` gives them.
    source : sunpy.coordinates.Helioprojective
        Their frame.
    smap : sunpy.map.GenericMap

    Returns
    -------
    list of (list of astropy.coordinates.SkyCoord, bool)
        Rings in the frame of the Map. What is beyond the limb, then or now, follows the limb.
    """
    limb = _LIMB * _angular_radius(source)
    rings = [[_onto_disk(_follow(ring), limb) for polygon in shape for ring in polygon] for shape in shapes]
    ends = np.cumsum([len(ring) for shape in rings for ring in shape])
    points = np.concatenate([ring for shape in rings for ring in shape]) * u.arcsec
    there, visible = _carry(SkyCoord(*points.T, frame=source), smap.coordinate_frame)
    parts = zip(np.split(np.arange(len(there)), ends[:-1]), strict=True)
    indices = [[next(parts)[0] for _ in shape] for shape in rings]
    return [([there[part] for part in shape], visible[np.concatenate(shape)].any()) for shape in indices]


def _carry(points, frame):
    """Points of the surface moved with it to the time of a frame; those out of sight are put on the limb."""
    with propagate_with_solar_surface():
        there = points.make_3d().transform_to(frame)
    if not isinstance(frame, Helioprojective):
        return there, np.ones(len(there), dtype=bool)
    visible = there.is_visible()
    vertices = np.column_stack([there.Tx.to_value(u.arcsec), there.Ty.to_value(u.arcsec)])
    limb = _angular_radius(frame)
    vertices[~visible] *= limb / np.linalg.norm(vertices[~visible], axis=1, keepdims=True)
    return SkyCoord(*(vertices.T * u.arcsec), frame=frame), visible


def _angular_radius(frame):
    return np.arcsin(frame.rsun / frame.observer.radius).to_value(u.arcsec)


def _follow(ring):
    """A closed ring with vertices every few arcsec."""
    after = np.roll(ring, -1, axis=0)
    counts = np.maximum(1, np.ceil(np.linalg.norm(after - ring, axis=1) / _STEP)).astype(int)
    share = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) / np.repeat(counts, counts)
    dense = np.repeat(ring, counts, axis=0) + share[:, np.newaxis] * np.repeat(after - ring, counts, axis=0)
    return np.concatenate([dense, dense[:1]])


def _onto_disk(ring, limb):
    """
    A ring with what is beyond the limb drawn in to it.

    Drawing in along the radius crosses no point of the disc: what was inside remains inside.
    """
    radius = np.linalg.norm(ring, axis=1, keepdims=True)
    return ring * np.minimum(1, limb / np.maximum(radius, 1e-9))


def pixels_inside(shapes, source, smap):
    """
    The pixels of a Map that lie inside each shape.

    Parameters
    ----------
    shapes, source, smap
        As for `outlines`.

    Returns
    -------
    list of numpy.ndarray
        For each shape, indices into the flattened data.
    """
    found = [[] for _ in shapes]
    candidates = _candidates(shapes, source, smap)
    for pixels in np.array_split(candidates, len(candidates) // _POINTS_AT_ONCE + 1):
        points, visible = _in_source(_world(smap, pixels), source)
        for shape, parts in zip(shapes, found, strict=True):
            parts.append(pixels[visible][_inside(points[visible], shape)])
    return [np.concatenate(parts) for parts in found]


def _candidates(shapes, source, smap):
    """Flat indices of the pixels that may lie in a shape: all of a heliographic Map, boxes in an image of the Sun."""
    if not isinstance(smap.coordinate_frame, Helioprojective):
        return np.arange(smap.data.size)
    maybe = np.zeros(smap.data.shape, dtype=bool)
    # Between two vertices the limb bulges by less than this.
    margin = 2 + 0.01 * frame_of(smap).pixels_per_radius
    for rings, visible in outlines(shapes, source, smap):
        if visible:
            vertices = np.concatenate([np.transpose(smap.wcs.world_to_pixel(ring)) for ring in rings])
            low = np.maximum(np.floor(vertices.min(axis=0) - margin).astype(int), 0)
            high = np.maximum(np.ceil(vertices.max(axis=0) + margin).astype(int), 0)
            maybe[low[1] : high[1], low[0] : high[0]] = True
    return np.flatnonzero(maybe)


def _world(smap, pixels):
    rows, columns = np.unravel_index(pixels, smap.data.shape)
    return smap.wcs.pixel_to_world(columns, rows)


def _in_source(coordinates, source):
    """Positions in arcsec as the source saw them, (n, 2), and which of them it saw at all."""
    if isinstance(coordinates.frame, Helioprojective):
        coordinates = coordinates.make_3d()
    with propagate_with_solar_surface():
        there = coordinates.transform_to(source)
    points = np.column_stack([there.Tx.to_value(u.arcsec), there.Ty.to_value(u.arcsec)])
    return points, np.isfinite(points).all(axis=1) & there.is_visible()


def _inside(points, shape):
    """Which points lie in a polygon of the shape, by the even-odd rule over the rings of each."""
    inside = np.zeros(len(points), dtype=bool)
    for polygon in shape:
        parity = np.zeros(len(points), dtype=bool)
        for ring in polygon:
            parity ^= Path(ring).contains_points(points)
        inside |= parity
    return inside


def pixel_surface(smap, pixels):
    """
    The solar surface in pixels.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    pixels : numpy.ndarray
        Indices into the flattened data, all of them on the Sun.

    Returns
    -------
    areas : astropy.units.Quantity
        Corrected for foreshortening, in square kilometres.
    directions : numpy.ndarray
        (3, n), unit vectors in the heliographic Stonyhurst frame of the time of the Map.
    """
    rows, columns = np.unravel_index(pixels, smap.data.shape)
    if isinstance(smap.coordinate_frame, Helioprojective):
        areas = pixel_areas(frame_of(smap), rows, columns)
    else:
        areas = _quadrangles(smap, rows, columns)
    return areas * smap.rsun_meters.to(u.km) ** 2, _directions(smap, rows, columns)


def _directions(smap, rows, columns):
    there = smap.wcs.pixel_to_world(columns, rows).transform_to(HeliographicStonyhurst(obstime=smap.reference_date))
    return there.represent_as("unitspherical").to_cartesian().xyz.value


def _quadrangles(smap, rows, columns):
    """Areas in squares of the solar radius of pixels of a heliographic Map, from their diagonals."""
    corners = [
        _directions(smap, rows + dy, columns + dx) for dx, dy in ((-0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (0.5, -0.5))
    ]
    return np.linalg.norm(np.cross(corners[1] - corners[0], corners[3] - corners[2], axis=0), axis=0) / 2
