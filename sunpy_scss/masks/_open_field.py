"""Masks of coronal holes against a map of the open magnetic field of a model."""

import numpy as np

import astropy.units as u
from astropy.table import QTable
from sunpy.map import GenericMap

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import nearest_pixels, same_grid
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._measures import radial_field
from sunpy_scss.masks._metrics import iou_of, ratio
from sunpy_scss.masks._regions import regions_of

__all__ = ["compare_with_open_field"]

_HALF_ROTATION = 27.2753 / 2 * u.day


@u.quantity_input
def compare_with_open_field(
    mask: GenericMap,
    open_field: GenericMap,
    *,
    tight: GenericMap | None = None,
    wide: GenericMap | None = None,
    magnetogram: GenericMap | None = None,
    field_error: u.Quantity[u.G] = 0 * u.G,
) -> QTable:
    """
    Compare a mask of coronal holes with a map of open field.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
        1 inside and 0 outside, helioprojective or heliographic.
    open_field : sunpy.map.GenericMap
        From any model: 1 or the polarity -1 and 1 where the field is open, 0 where it is closed, NaN where it is not
        known. Its grid is that of the comparison.
    tight, wide : sunpy.map.GenericMap, optional
        The same holes by a tighter and a wider outline, which bound the flux.
    magnetogram : sunpy.map.GenericMap, optional
        As `~sunpy_scss.masks.region_table`: along the line of sight or radial, in gauss.
    field_error : astropy.units.Quantity, optional
        The uncertainty of the zero of the magnetogram, one value.

    Returns
    -------
    astropy.table.QTable
        A row for ``tight``, ``mask`` and ``wide``, those that are given, with the columns

        ``outline``
            which of the three
        ``precision``, ``recall``, ``iou``
            the share of the holes that is open, the share of the open field that is in holes, and intersection over
            union, by area on the sphere; NaN where there is nothing to divide by
        ``area``, ``open_area``, ``overlap``
            of the holes, the open field and both, in Mm2
        ``flux_recall``, ``open_flux``, ``open_flux_error``
            with a magnetogram: the share of the unsigned flux of the open field that is in holes, and the sum over
            holes of their net flux without its sign, in Mx, with its uncertainty by ``field_error``
        ``field_coverage``
            the share of the area of the holes for which the magnetogram has a value

    Raises
    ------
    TypeError
        If one of them is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the map of open field has no coordinates, other values, or no open field where the mask shows the Sun; if
        a Map is more than half a solar rotation away from it; or if the magnetogram is not in a unit of field.

    Notes
    -----
    Only surface that the mask shows is compared. Between different times it turns with the Sun.

    Examples
    --------
    The field of a dipole is open around the poles:

    >>> import numpy as np
    >>> import astropy.units as u
    >>> from sunpy.map import Map
    >>> from sunpy_scss.masks import compare_with_open_field
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> from sunpy.map.header_helper import make_heliographic_header
    >>> hole = Cap(0 * u.deg, 90 * u.deg, 30 * u.deg)
    >>> mask = synthetic_sun(size=128, coronal_holes=[hole], active_regions=[]).coronal_holes
    >>> header = make_heliographic_header(
    ...     mask.date, mask.observer_coordinate, (90, 180), frame="carrington", projection_code="CEA"
    ... )
    >>> latitude = np.degrees(np.arcsin((np.arange(90) + 0.5) / 45 - 1))[:, np.newaxis]
    >>> polarity = np.where(abs(latitude) > 60, np.sign(latitude), 0) * np.ones(180)
    >>> table = compare_with_open_field(mask, Map(polarity, header))
    >>> bool(table["precision"][0] > 0.8)
    True
    """
    if not field_error.isscalar:
        msg = f"field_error must be one value (got {field_error})."
        raise ValueError(msg)
    surface, radius = surface_of(open_field), open_field.rsun_meters
    is_open = _open(open_field)
    rows, columns = np.indices(surface.shape).reshape(2, -1)
    on_sun = surface.on_sun(rows, columns)
    areas = np.zeros(surface.shape)
    areas[rows[on_sun], columns[on_sun]] = surface.areas(rows[on_sun], columns[on_sun])
    radial = None if magnetogram is None else _radial(magnetogram, surface, open_field, on_sun)
    result = []
    for outline, one in (("tight", tight), ("mask", mask), ("wide", wide)):
        if one is None:
            continue
        inside, shown = _on_grid(one, surface, open_field)
        weights = np.where(shown & np.isfinite(is_open), areas, 0)
        opened = weights * (np.nan_to_num(is_open) != 0)
        if not opened.any():
            msg = "The map of open field has none where the mask shows the Sun: nothing can be compared."
            raise InvalidMapError(msg)
        result.append({"outline": outline} | _overlap(inside, opened, weights, radius))
        if radial is not None:
            result[-1] |= _flux(inside, opened, weights, radial, surface, radius, field_error)
    return QTable(result)


def _open(open_field):
    """Return the values of a map of open field; an error unless they are polarities and some are not 0."""
    if not {"ctype1", "cdelt1"} <= {key.lower() for key in open_field.meta}:
        msg = "The map of open field has no coordinates; give it a header with CTYPE1 and CDELT1."
        raise InvalidMapError(msg)
    values = open_field.data.astype(float)
    if not (np.isin(values, (-1, 0, 1)) | np.isnan(values)).all():
        msg = "A map of open field holds -1, 0 and 1 only, and NaN where it is not known."
        raise InvalidMapError(msg)
    if not np.nan_to_num(values).any():
        msg = "The map of open field is 0 everywhere: it has no open field."
        raise InvalidMapError(msg)
    return values


def _check_time(smap, open_field, name):
    apart = abs(surface_of(smap).obstime - surface_of(open_field).obstime).to(u.day)
    if apart > _HALF_ROTATION:
        msg = (
            f"The {name} is {apart:.1f} away from the map of open field, more than half a solar rotation; "
            "take the chart of its rotation, with the middle of the rotation as its date."
        )
        raise InvalidMapError(msg)


def _on_grid(mask, surface, open_field):
    """Return, on the grid of the model, the pixels inside a mask and those that it shows."""
    own, inside = surface_of(mask), pixels_inside(mask)
    _check_time(mask, open_field, "mask")
    if same_grid(own, surface):
        return inside, np.ones(inside.shape, dtype=bool)
    nearest = nearest_pixels(own, surface)
    return (nearest >= 0) & inside.ravel()[nearest], nearest >= 0


def _radial(magnetogram, surface, open_field, on_sun):
    """Return the radial field on the grid of the model in gauss, NaN where it is not known."""
    _check_time(magnetogram, open_field, "magnetogram")
    radial = np.full(surface.shape, np.nan)
    rows, columns = np.indices(surface.shape).reshape(2, -1)[:, on_sun]
    radial[rows, columns] = radial_field(magnetogram, surface, rows, columns)
    return radial


def _overlap(inside, opened, weights, radius):
    holes, both, whole = weights[inside].sum(), opened[inside].sum(), opened.sum()
    square = radius.to(u.Mm) ** 2
    shares = {"precision": ratio(both, holes), "recall": ratio(both, whole), "iou": iou_of(both, holes, whole)}
    measures = {"area": holes * square, "open_area": whole * square, "overlap": both * square}
    return {name: float(share) for name, share in shares.items()} | measures


def _flux(inside, opened, weights, radial, surface, radius, field_error):
    known = np.isfinite(radial)
    radial = np.where(known, radial, 0)
    unsigned = opened * np.abs(radial)
    regions = regions_of(inside & (weights > 0), surface)
    place = regions.rows, regions.columns
    net = np.abs(regions.sum((weights * radial)[place])).sum() if len(regions) else 0.0
    covered = (weights * known)[inside].sum()
    scale = (u.G * radius**2).to(u.Mx)
    return {
        "flux_recall": float(ratio(unsigned[inside].sum(), unsigned.sum())),
        "open_flux": net * scale,
        "open_flux_error": covered * field_error.to_value(u.G) * scale,
        "field_coverage": float(ratio(covered, weights[inside].sum())),
    }
