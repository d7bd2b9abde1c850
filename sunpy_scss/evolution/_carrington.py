"""Masks of days to years on Carrington coordinates."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

import astropy.units as u
from astropy.time import Time
from sunpy.coordinates import get_earth
from sunpy.coordinates.sun import carrington_rotation_number
from sunpy.map import GenericMap
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss._mask_map import make_map, pixels_inside
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import nearest_pixels
from sunpy_scss._sun.view import carrington_frame, half_turn, longitude_latitude, longitude_origin
from sunpy_scss.evolution._series import checked

__all__ = [
    "Views",
    "add_views",
    "blank_map",
    "carrington_coverage",
    "carrington_map",
]


def carrington_map(
    masks: Iterable[GenericMap],
    *,
    projection: str = "CEA",
    shape: tuple[int, int] = (360, 720),
    rotation: int | None = None,
    mixed_models: bool = False,
) -> GenericMap:
    """
    Combine the masks of a rotation into one map of the whole Sun in Carrington coordinates.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        1 inside and 0 outside, in any order and from any observers; they are read one by one.
    projection : str, optional
        ``"CEA"``, equal areas: rows evenly spaced in the sine of latitude; or ``"CAR"``, evenly in latitude.
    shape : tuple of int, optional
        (ny, nx), pixels in latitude and longitude.
    rotation : int, optional
        Number of a Carrington rotation: of each longitude, only the views within half a rotation of its passage of
        Earth's central meridian in that rotation are used. By default, all that the masks show is averaged, whatever
        the time between them.
    mixed_models : bool, optional
        Take masks of different models, methods, boundaries or thresholds together, which draw their outlines by
        different rules.

    Returns
    -------
    sunpy.map.GenericMap
        float32, longitudes 0 to 360 degrees from the left. From 0 to 1, the share of the views of a place that have it
        inside; each view of it counts as the fourth power of the cosine of its angle to the central meridian, and as
        0.0001 at least, also beyond a pole that is tilted to the observer. It is the mean over the pixel, so that a
        pixel on a border has the share of it that is inside. NaN where no mask shows the surface. Its
        date is half-way between the first and the last mask (DATE-BEG, DATE-END), its observer Earth; CAR_ROT is the
        rotation if one was asked for. The header keeps what all masks say alike of their origin.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `~sunpy_scss.masks.region_table` rejects a mask, or if masks are of different features or by different
        rules, or two of one image.
    ValueError
        If the projection is another, or no mask shows anything of the rotation.

    Notes
    -----
    Places keep their Carrington coordinates from mask to mask, as in any synoptic map: the Sun turns as a rigid body in
    25.38 days. Where views days apart disagree, by evolution or by differential rotation, there are values between 0
    and 1. `~sunpy_scss.masks.area_fraction` gives the area of all that is inside. A mask, for
    `~sunpy_scss.masks.region_table`, is ``sunpy.map.Map((share.data >= 0.5).astype("int16"), share.meta)``. In that, a
    pixel is inside as a whole or not at all, which matters for a polar cap: near a pole, rows of equal area are wide.

    A place that is far from the central meridian in all masks has the value of its best views all the same;
    `carrington_coverage` tells where that is.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.evolution import carrington_map
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(10 * u.deg, 20 * u.deg, 15 * u.deg)
    >>> sun = synthetic_sun(size=128, coronal_holes=[hole], active_regions=[])
    >>> mask = sun.coronal_holes
    >>> smap = carrington_map([mask], shape=(90, 180))
    >>> smap.coordinate_system
    SpatialPair(axis1='CRLN-CEA', axis2='CRLT-CEA')
    """
    masks = checked(masks, mixed_models=mixed_models)
    return _carrington_map(masks, projection, shape, rotation, "share", lambda views: views.inside / views.total)


def carrington_coverage(
    masks: Iterable[GenericMap],
    *,
    projection: str = "CEA",
    shape: tuple[int, int] = (360, 720),
    rotation: int | None = None,
    mixed_models: bool = False,
) -> GenericMap:
    """
    Return how well the masks show each pixel of a `carrington_map`.

    Parameters
    ----------
    masks, projection, shape, rotation, mixed_models
        The same as for `carrington_map`.

    Returns
    -------
    sunpy.map.GenericMap
        float32, the sum of the weights of all views, on the WCS of the `carrington_map`: 1 for one mask that shows the
        place on its central meridian, 0 where none shows it.

    Raises
    ------
    TypeError, ValueError, `~sunpy_scss.exceptions.InvalidMapError`
        If `carrington_map` rejects the masks.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.evolution import carrington_coverage
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> smap = carrington_coverage([synthetic_sun(size=128).coronal_holes], shape=(90, 180))
    >>> round(float(smap.data.max()), 2), round(float(np.mean(smap.data > 0)), 1)
    (1.0, 0.5)
    """
    masks = checked(masks, mixed_models=mixed_models)
    return _carrington_map(masks, projection, shape, rotation, "coverage", lambda views: views.total)


def _carrington_map(masks, projection, shape, rotation, content, values):
    if projection not in ("CEA", "CAR"):
        msg = f"projection must be CEA or CAR (got {projection!r})."
        raise ValueError(msg)
    rotation = None if rotation is None else int(rotation)
    views = add_views(masks, shape, projection, rotation)
    if views is None:
        msg = f"No mask shows anything of {'the Sun' if rotation is None else f'Carrington rotation {rotation}'}."
        raise ValueError(msg)
    first, last = views.times.min(), views.times.max()
    blank = blank_map(shape, projection, first + (last - first) / 2, views.rsun)
    keywords = {"DATE-BEG": first.isot, "DATE-END": last.isot}
    if rotation is not None:
        keywords["CAR_ROT"] = rotation
    with np.errstate(invalid="ignore"):
        data = values(views).astype(np.float32)
    history = f"sunpy_scss.carrington_{'map' if content == 'share' else content} of {len(views.times)} masks"
    provenance = replace(
        views.provenance,
        content=f"Carrington {content}, {views.provenance.content or 'mask'}",
        parent=f"{len(views.times)} masks",
    )
    return make_map(data, blank, provenance, history=history, keywords=keywords)


# Views weigh as this power of the cosine of the angle to the central meridian.
_POWER = 4
# The least that this cosine counts as: a pole tilted to the observer is in sight on all longitudes.
_LEAST = 0.1
# The least number of rows in which masks are read. A row of equal area at a pole is several degrees of latitude wide:
# in the middle of the row alone, it would be inside or not as a whole.
_ROWS = 1080


@dataclass(frozen=True)
class Views:
    """
    The view that masks give of the pixels of a Carrington map.

    Attributes
    ----------
    total, inside : numpy.ndarray
        (ny, nx), the sum of the weights of all views, and of those inside the masks, averaged over each pixel.
    times : astropy.time.Time
        The times of the masks that took part.
    rsun : astropy.units.Quantity
        The solar radius of the masks.
    provenance : sunpy_scss._provenance.Provenance
        The header keys that all of them have in common.
    """

    total: np.ndarray
    inside: np.ndarray
    times: Time
    rsun: u.Quantity
    provenance: Provenance


def blank_map(shape, projection, time, rsun):
    """A Carrington map of nothing, longitudes 0 to 360 degrees from the left, as Earth at a time defines them."""
    header = make_heliographic_header(
        time, get_earth(time), shape, frame="carrington", projection_code=projection, map_center_longitude=180 * u.deg
    )
    header["rsun_ref"] = rsun.to_value(u.m)
    return GenericMap(np.zeros(shape, dtype=np.float32), header)


def add_views(masks, shape, projection, rotation):
    """
    The `Views` of masks, one after the other.

    Returns
    -------
    Views or None
        None if no mask takes part.
    """
    ny, nx = shape
    # Of each pixel several points are read, one above the other.
    points = -(-_ROWS // ny)
    total, inside = np.zeros((2, ny * points, nx))
    times, origins, rsun = [], [], None
    for mask in masks:
        surface, flat = surface_of(mask), pixels_inside(mask).ravel()
        if rsun is None:
            rsun = mask.rsun_meters
            grid = surface_of(blank_map(total.shape, projection, surface.obstime, rsun))
        here = replace(grid, obstime=surface.obstime, origin=longitude_origin(carrington_frame(surface.obstime)))
        weights = _weights(here, surface, rotation)
        nearest = nearest_pixels(surface, here)
        weights[nearest < 0] = 0
        if weights.any():
            total += weights
            inside += weights * flat[nearest]
            times.append(surface.obstime)
            origins.append(Provenance.of(mask))
    if not times:
        return None
    total, inside = (weights.reshape(ny, points, nx).mean(axis=1) for weights in (total, inside))
    return Views(total, inside, Time(times), rsun, Provenance.common(origins))


def _weights(here, surface, rotation):
    """Return the weight of the view of each pixel, (ny, nx)."""
    rows, columns = np.indices(here.shape).reshape(2, -1)
    lon, _ = here.world(rows, columns)
    angle = half_turn(lon + here.origin - _meridian(surface))
    weights = np.maximum(np.cos(angle), _LEAST) ** _POWER
    if rotation is not None:
        passage = rotation + 1 - lon % (2 * np.pi) / (2 * np.pi)
        weights[np.abs(carrington_rotation_number(surface.obstime) - passage) > 0.5] = 0
    return weights.reshape(here.shape)


def _meridian(surface):
    """The longitude of the central meridian in radians."""
    return longitude_latitude(surface.observer)[0]
