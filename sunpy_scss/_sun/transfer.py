"""The transfer from the pixels of a Map to those of another, by way of the Sun, which rotates in between."""

import numpy as np
from scipy import ndimage

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst, propagate_with_solar_surface

from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.view import longitude_latitude, unit_vectors
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["drift", "nearest_pixels", "same_grid", "sample"]

# The number of pixels to work on together, to keep memory low.
_AT_ONCE = 1_000_000
# Maps that are closer in time than this, in seconds, show the same Sun.
_SAME_TIME = 1
# The period of a solar rotation at high latitudes, in seconds.
_LONGEST = 30 * 86400


def drift(points, start, end):
    """
    Carry points from one time to another by the differential rotation of the Sun, Howard et al. (1990).

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If the two times are more than a solar rotation apart.
    """
    gap = abs((end - start).to_value(u.s))
    if gap < _SAME_TIME:
        return points
    if gap > _LONGEST:
        msg = (
            f"The Maps are of {start.isot} and {end.isot}: nothing on the Sun lasts so long unchanged; "
            "choose Maps that are at most days apart."
        )
        raise InvalidMapError(msg)
    latitudes = np.arange(-89, 90) * u.deg
    meridian = SkyCoord(0 * u.deg, latitudes, 1 * u.R_sun, frame=HeliographicStonyhurst(obstime=start))
    with propagate_with_solar_surface():
        after = meridian.transform_to(HeliographicStonyhurst(obstime=end))
    lon, lat = longitude_latitude(points)
    turned = np.interp(lat, latitudes.to_value(u.rad), np.unwrap(after.lon.to_value(u.rad)))
    return unit_vectors(lon + turned, lat)


def same_grid(one, other):
    """Return True if two `Surface` are seen from the same place at the same time, on the same pixels."""
    if (one.shape, one.is_image) != (other.shape, other.is_image) or _apart(one, other):
        return False
    some = [np.linspace(0, size - 1, 7).astype(int) for size in one.shape]
    rows, columns = (grid.ravel() for grid in np.meshgrid(*some, indexing="ij"))
    shown = one.on_sun(rows, columns)
    there = other.pixels(one.points(rows[shown], columns[shown]))
    return np.allclose(there, (rows[shown], columns[shown]), rtol=0, atol=0.05)


def _apart(one, other):
    seconds = abs((other.obstime - one.obstime).to_value(u.s))
    return seconds >= _SAME_TIME or np.linalg.norm(other.observer - one.observer) > 1e-3 * one.distance


def nearest_pixels(surface, target):
    """
    Return for each pixel of a Map the pixel of another Map that is nearest on the rotating Sun.

    Parameters
    ----------
    surface : Surface
        The surface of the other Map.
    target : Surface

    Returns
    -------
    numpy.ndarray
        Integers, in the shape of ``target``: indices into the flattened data of the other Map. They are -1 off the
        disc, and if the other Map does not show the surface.
    """
    found = np.full(target.shape, -1)
    ny, nx = surface.shape
    for rows, columns in _strips(target.shape):
        shown = target.on_sun(rows, columns)
        rows, columns = rows[shown], columns[shown]
        there = np.stack(surface.pixels(drift(target.points(rows, columns), target.obstime, surface.obstime)))
        shown = np.isfinite(there).all(axis=0)
        row, column = _round(_off_the_limb(surface, there[:, shown]))
        inside = (row >= 0) & (row < ny) & (column >= 0) & (column < nx)
        found[rows[shown][inside], columns[shown][inside]] = row[inside] * nx + column[inside]
    return found


def _round(positions):
    return np.floor(positions + 0.5).astype(int)


def _off_the_limb(surface, positions):
    """Move positions (2, n) on the disc inwards by a pixel if the centre of their own pixel is off the disc."""
    if not surface.is_image:
        return positions
    outside = ~surface.on_sun(*_round(positions))
    inwards = np.stack(surface.pixels((surface.observer / surface.distance)[:, np.newaxis])) - positions
    return np.where(outside, positions + inwards / np.linalg.norm(inwards, axis=0), positions)


def _strips(shape):
    """Yield the indices of the pixels of an array, some rows at a time."""
    height = max(1, _AT_ONCE // shape[1])
    for start in range(0, shape[0], height):
        stop = min(start + height, shape[0])
        yield (grid.ravel() for grid in np.mgrid[start:stop, : shape[1]])


def sample(smap, surface, rows, columns):
    """
    Return values of another Map in the pixels of a Map, on the rotating solar surface.

    Values are interpolated linearly. If the pixels of the other Map are smaller, they are averaged first.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        The other Map.
    surface : Surface
        The surface of the Map to which the pixels belong.
    rows, columns : numpy.ndarray
        (n,) indices of pixels.

    Returns
    -------
    values : numpy.ndarray
        (n,), NaN if the other Map does not show the surface.
    foreshortening : numpy.ndarray
        (n,), `Surface.foreshortening` for the observer of the other Map.
    """
    other = surface_of(smap)
    factor = _pixels_in_a_pixel(other, surface, rows, columns)
    if factor > 1:
        smap = smap.superpixel([factor, factor] * u.pix, func=np.mean)
        other = surface_of(smap)
    points = drift(surface.points(rows, columns), surface.obstime, other.obstime)
    # Beyond the edge of the data there is no value.
    there = np.nan_to_num(other.pixels(points), nan=-9)
    values = ndimage.map_coordinates(smap.data.astype(float), there, order=1, cval=np.nan)
    return values, other.foreshortening(points)


def _pixels_in_a_pixel(other, surface, rows, columns):
    """Return the median number of pixels of the other Map along the side of a pixel."""
    some = slice(None, None, len(rows) // 1000 + 1)
    diagonals = []
    for sign in (1, -1):
        ends = [other.pixels(surface.points(rows[some] + half, columns[some] + sign * half)) for half in (-0.5, 0.5)]
        diagonals.append(np.subtract(*ends))
    (row, column), (other_row, other_column) = diagonals
    areas = np.abs(row * other_column - column * other_row) / 2
    areas = areas[np.isfinite(areas)]
    return max(1, round(np.sqrt(np.median(areas)))) if areas.size else 1
