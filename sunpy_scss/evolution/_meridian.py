"""The share of heliographic cells that is inside masks, as a time series."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np

import astropy.units as u
from astropy.time import Time
from astropy.timeseries import TimeSeries
from sunpy.map import GenericMap

from sunpy_scss._mask_map import pixels_inside
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.view import longitude_latitude, unit_vectors
from sunpy_scss.evolution._series import checked
from sunpy_scss.evolution._tracks import _check_any

__all__ = ["cell_fractions", "central_meridian_fraction"]

# A cell is read at points that are this far apart in longitude at most, and as far along the central meridian.
_SPACING = np.radians(0.25)


@u.quantity_input
def central_meridian_fraction(
    masks: Iterable[GenericMap],
    *,
    width: u.Quantity[u.deg] = 40 * u.deg,
    latitudes: u.Quantity[u.deg] = (-45, 45) * u.deg,
    mixed_models: bool = False,
) -> TimeSeries:
    """
    Return the share of a slice around the central meridian that is inside masks.

    For coronal holes it is the usual proxy of the solar wind some four days later.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        1 inside and 0 outside; taken one by one.
    width : astropy.units.Quantity, optional
        Width of the slice in heliographic longitude. By default 40 degrees, three days of rotation: [1]_ followed
        slices from 40 degrees east to 40 degrees west.
    latitudes : astropy.units.Quantity, optional
        Its two ends, from the south. By default 45 degrees to both sides: by [2]_, the speed of a stream for a given
        area of its hole falls linearly with latitude and vanishes at 60 degrees, so that higher holes add area but
        hardly any speed.
    mixed_models : bool, optional
        Take masks of different models, methods, boundaries or thresholds together, which draw their outlines by
        different rules.

    Returns
    -------
    astropy.timeseries.TimeSeries
        A row for each mask in order of time, with the columns ``fraction``, the share of the area in sight that is
        inside, from 0 to 1, NaN if nothing of the slice is in sight; and ``coverage``, the share of the slice that is
        in sight.

    Raises
    ------
    TypeError
        If the masks are one Map, or not Maps.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the masks are of different features or drawn by different rules, if two are of one image, or if one does
        not show the solar surface.
    ValueError
        If there is no mask, or the slice is empty.

    Notes
    -----
    The meridian is that of the observer of each mask. Areas are those on the sphere.

    References
    ----------
    .. [1] Vrsnak, Temmer & Veronig (2007), https://doi.org/10.1007/s11207-007-0285-8
    .. [2] Hofmeister et al. (2018), https://doi.org/10.1002/2017JA024586

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.evolution import central_meridian_fraction
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(0 * u.deg, 0 * u.deg, 30 * u.deg)
    >>> sun = synthetic_sun(size=256, coronal_holes=[hole], active_regions=[])
    >>> series = central_meridian_fraction([sun.coronal_holes])
    >>> series["fraction"].info.format = ".2f"
    >>> print(series["time", "fraction"])
              time          fraction
    ----------------------- --------
    2017-06-01T12:00:00.000     0.66
    """
    if not width.isscalar or not 0 * u.deg < width <= 180 * u.deg:
        msg = f"The width of a slice must be above 0 and at most 180 degrees (got {width})."
        raise ValueError(msg)
    edges = u.Quantity([-width / 2, width / 2])
    series = cell_fractions(masks, longitudes=edges, latitudes=latitudes, mixed_models=mixed_models)
    for name in ("fraction", "coverage"):
        series.replace_column(name, series[name][:, 0, 0])
    return series


@u.quantity_input
def cell_fractions(
    masks: Iterable[GenericMap],
    *,
    longitudes: u.Quantity[u.deg] = (-60, -20, 20, 60) * u.deg,
    latitudes: u.Quantity[u.deg] = (-60, -30, 0, 30, 60) * u.deg,
    mixed_models: bool = False,
) -> TimeSeries:
    """
    Return the share of each cell of a heliographic grid that is inside masks.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        1 inside and 0 outside; taken one by one.
    longitudes : astropy.units.Quantity, optional
        (n + 1,), the edges of the cells from east to west, counted from the central meridian of the observer.
    latitudes : astropy.units.Quantity, optional
        (m + 1,), the edges of the cells in heliographic latitude, from the south.
    mixed_models : bool, optional
        Take masks of different models, methods, boundaries or thresholds together.

    Returns
    -------
    astropy.timeseries.TimeSeries
        A row for each mask in order of time, with the columns ``fraction`` and ``coverage``, (m, n) in each row, as
        those of `central_meridian_fraction`. The header ``meta`` keeps the edges in degrees as ``LONEDGES`` and
        ``LATEDGES``, and what all masks say alike of their origin.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`, ValueError
        For the reasons that `central_meridian_fraction` gives, or if edges do not increase.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.evolution import cell_fractions
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(40 * u.deg, 15 * u.deg, 15 * u.deg)
    >>> sun = synthetic_sun(size=256, coronal_holes=[hole], active_regions=[])
    >>> series = cell_fractions([sun.coronal_holes])
    >>> print(series["fraction"][0].round(1))
    [[0.  0.  0. ]
     [0.  0.  0. ]
     [0.  0.  0.6]
     [0.  0.  0. ]]
    """
    east_to_west = _edges(longitudes, "longitudes", 180)
    south_to_north = _edges(latitudes, "latitudes", 90)
    points = _points_of_cells(east_to_west, south_to_north)
    times, rows, origins = [], [], []
    for mask in checked(masks, mixed_models=mixed_models):
        rows.append(_shares(mask, points))
        times.append(surface_of(mask).obstime)
        origins.append(Provenance.of(mask))
    _check_any(times)
    shape = (len(rows), 2, len(south_to_north) - 1, len(east_to_west) - 1)
    fraction, coverage = np.moveaxis(np.reshape(rows, shape), 1, 0)
    meta = replace(Provenance.common(origins), parent=None).keywords()
    for key, edges in (("LONEDGES", east_to_west), ("LATEDGES", south_to_north)):
        meta[key] = " ".join(f"{edge:g}" for edge in np.degrees(edges))
    series = TimeSeries(time=Time(times), data={"fraction": fraction, "coverage": coverage}, meta=meta)
    series.sort("time")
    return series


def _edges(edges, name, largest):
    """Return the edges of cells in radians; an error unless they increase and are on the Sun."""
    values = np.atleast_1d(edges.to_value(u.deg))
    if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0).all() or not (np.abs(values) <= largest).all():
        first = "south first" if name == "latitudes" else "east first"
        msg = f"{name} must be two edges or more, {first}, within {largest} degrees (got {edges})."
        raise ValueError(msg)
    return np.radians(values)


def _points_of_cells(longitudes, latitudes):
    """Return longitudes from the meridian and latitudes of points spread evenly over the area of each cell."""
    points = []
    for south, north in pairwise(latitudes):
        along = np.arcsin(_middles(np.sin(south), np.sin(north), _count(north - south)))
        for east, west in pairwise(longitudes):
            across = _middles(east, west, _count(west - east))
            points.append(tuple(grid.ravel() for grid in np.meshgrid(across, along)))
    return points


def _count(length):
    return int(np.ceil(length / _SPACING))


def _middles(start, stop, count):
    """Return the middles of equal parts of a range."""
    return start + (np.arange(count) + 0.5) / count * (stop - start)


def _shares(mask, points):
    """Return, for fraction and coverage, the value of each cell of `_points_of_cells`."""
    surface, inside = surface_of(mask), pixels_inside(mask).ravel()
    meridian, _ = longitude_latitude(surface.observer)
    fractions, coverages = [], []
    for across, along in points:
        pixels = surface.nearest(unit_vectors(across + meridian, along))
        shown = pixels >= 0
        fractions.append(inside[pixels[shown]].mean() if shown.any() else np.nan)
        coverages.append(shown.mean())
    return fractions, coverages
