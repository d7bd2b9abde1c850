"""Masks for other programs: outlines of their regions as coordinates, GeoJSON, regions, records like the HEK's."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst

from sunpy_scss._save import plain_rows, refuse_existing, save_text
from sunpy_scss._sun.view import half_turn
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._outlines import flat_rings, joined, trace
from sunpy_scss.masks._regions import find_regions
from sunpy_scss.masks._table import region_table

if TYPE_CHECKING:
    import os

    import regions

    from astropy.table import QTable
    from sunpy.map import GenericMap

    from sunpy_scss.masks._regions import Regions

__all__ = ["region_outlines", "sky_regions", "write_geojson"]

# Digits after the point: a millionth of a degree is 12 m on the Sun, a ten-thousandth of an arcsec 70 m.
_DIGITS = {"heliographic_stonyhurst": 6, "heliographic_carrington": 6, "helioprojective": 4}
# In pixels: so little that no pixel changes sides, and so much that no rounding undoes it.
_SEAM = 1e-6
# By which other programs know a sphere of the size of the Sun (IAU 2015) from the Earth, their default.
_CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:IAU_2015::1000"}}


def region_outlines(mask: GenericMap | Regions) -> dict[int, list[list[SkyCoord]]]:
    """
    Return the outlines of the regions of a mask along the sides of its pixels.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        Helioprojective or heliographic, 1 inside the feature; or its regions.

    Returns
    -------
    dict of int to list of list of astropy.coordinates.SkyCoord
        From the ``id`` of each region in `~sunpy_scss.masks.region_table` to its polygons, of which it has
        several where it hangs together only by corners of pixels. Each polygon is a list of closed rings in the frame
        of the mask: the outer one, then those around holes.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `~sunpy_scss.masks.region_table` rejects the mask.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.masks import region_outlines
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(20 * u.deg, 10 * u.deg, 15 * u.deg)
    >>> sun = synthetic_sun(size=64, coronal_holes=[hole], active_regions=[])
    >>> [[ring]] = region_outlines(sun.coronal_holes)[1]
    >>> bool(ring[0] == ring[-1]), ring.frame.name
    (True, 'helioprojective')

    Draw it over any image:

    >>> axes = plt.subplot(projection=sun.image)  # doctest: +SKIP
    >>> axes.plot_coord(ring)  # doctest: +SKIP
    """
    regions = find_regions(mask)
    shapes = trace(regions)
    closed = [np.concatenate([ring, ring[:1]]) for pieces in shapes for rings in pieces for ring in rings]
    ends = np.cumsum([0, *map(len, closed)])
    # All at once: to make coordinates of few takes as long as of many.
    there = _coordinates(np.concatenate([np.empty((0, 2)), *closed]), regions)
    parts = (there[start:end] for start, end in pairwise(ends))
    return {number: [[next(parts) for _ in rings] for rings in pieces] for number, pieces in enumerate(shapes, start=1)}


def _coordinates(ring, regions):
    lon, lat = regions.surface.world(*ring.T)
    return SkyCoord(lon * u.rad, lat * u.rad, frame=regions.mask.coordinate_frame)


def write_geojson(
    mask: GenericMap | Regions,
    path: str | os.PathLike,
    *,
    frame: str = "heliographic_stonyhurst",
    table: QTable | None = None,
    overwrite: bool = False,
) -> None:
    """
    Write the regions of a mask as GeoJSON.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        Helioprojective or heliographic, 1 inside the feature; or its regions.
    path : path-like
        Written whole or not at all.
    frame : str, optional
        ``"heliographic_stonyhurst"`` or ``"heliographic_carrington"``, longitude and latitude in degrees; or, of an
        image, ``"helioprojective"``, in arcsec as its observer sees them.
    table : astropy.table.QTable, optional
        Rows of the `~sunpy_scss.masks.region_table` of the mask, perhaps with more columns: which regions to write
        and the properties of each. By default those of all.
    overwrite : bool, optional
        Replace a file that is there.

    Raises
    ------
    FileExistsError
        If the file is there and is not to be replaced.
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `~sunpy_scss.masks.region_table` rejects the mask, or if a heliographic Map is to become helioprojective.
    ValueError
        If the frame is unknown, or the table names regions that the mask does not have.

    Notes
    -----
    Beside ``features`` there are the members ``frame`` and ``date``, by which
    `~sunpy_scss.annotations.geojson_to_mask` reads the file back; ``units``, of the coordinates and of each property;
    ``observer``, in Stonyhurst degrees and km from Sun centre, and ``rsun`` in km; and ``provenance``, the header
    keywords on the origin of the mask. In heliographic frames ``crs`` names the sphere of the Sun, without which other
    programs take it for the Earth. Arcsec have no such name: ignore the areas that these programs measure. Polygons
    follow the sides of pixels, and the limb where that cuts a region; they have holes, and a region whose pixels touch
    only by corners is a MultiPolygon.

    The mask comes back pixel for pixel, but for such whose very middle is on the limb.

    Longitudes run on across the meridian where they are cut, from 170 to 190 degrees, and not as [1]_ has it in two
    parts. A region around a pole is closed along it.

    References
    ----------
    .. [1] RFC 7946, https://doi.org/10.17487/RFC7946

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sunpy_scss.annotations import geojson_to_mask
    >>> from sunpy_scss.masks import write_geojson
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> mask = synthetic_sun(size=128).coronal_holes
    >>> path = Path(tempfile.mkdtemp()) / "holes.geojson"
    >>> write_geojson(mask, path)
    >>> again = geojson_to_mask(path, mask, feature="CH")
    >>> bool((again.data == mask.data).all())
    True
    """
    if frame not in _DIGITS:
        msg = f"The frame must be one of {', '.join(sorted(_DIGITS))} (got {frame!r})."
        raise ValueError(msg)
    refuse_existing(path, overwrite=overwrite)
    regions = find_regions(mask)
    if frame == "helioprojective" and not regions.surface.is_image:
        msg = "A heliographic Map has no helioprojective coordinates; write heliographic ones."
        raise InvalidMapError(msg)
    table = region_table(regions) if table is None else table
    shapes = trace(regions)
    unknown = set(table["id"]) - set(range(1, len(shapes) + 1))
    if unknown:
        msg = f"The table must be of this mask, which has {len(shapes)} regions (got the id {min(unknown)})."
        raise ValueError(msg)
    properties, units = plain_rows(table)
    flatten = _flattener(frame, regions.surface)
    features = [
        {
            "type": "Feature",
            "id": row["id"],
            "properties": row,
            "geometry": _geometry([flatten(rings) for rings in shapes[row["id"] - 1]], _DIGITS[frame]),
        }
        for row in properties
    ]
    document = {
        "type": "FeatureCollection",
        **({} if frame == "helioprojective" else {"crs": _CRS}),
        "frame": frame,
        "date": regions.surface.obstime.isot,
        "units": {"coordinates": "arcsec" if frame == "helioprojective" else "deg", **units},
        "observer": _observer(regions.mask),
        "rsun": float(regions.mask.rsun_meters.to_value(u.km)),
        "provenance": {key: value for key, value in table.meta.items() if isinstance(value, str | int | float)},
        "features": features,
    }
    save_text(json.dumps(document, allow_nan=False), path)


def _flattener(frame, surface):
    """Return the function that turns rings on the pixel grid into flat rings in a frame."""
    if frame == "helioprojective":
        return lambda rings: [_on_the_sky(ring, surface) for ring in rings]
    return lambda rings: flat_rings(rings, surface, carrington=frame == "heliographic_carrington")


def _on_the_sky(ring, surface):
    lon, lat = surface.world(*ring.T)
    return (np.stack([half_turn(lon), lat], axis=1) * u.rad).to_value(u.arcsec)


def _geometry(polygons, digits):
    polygons = [[np.round([*ring, ring[0]], digits).tolist() for ring in rings] for rings in polygons]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _observer(mask):
    there = mask.observer_coordinate.transform_to(HeliographicStonyhurst(obstime=mask.coordinate_frame.obstime))
    return {"lon": float(there.lon.deg), "lat": float(there.lat.deg), "radius": float(there.radius.to_value(u.km))}


def sky_regions(mask: GenericMap | Regions) -> regions.Regions:
    """
    The regions of a mask for the `regions <https://astropy-regions.readthedocs.io>`__ package.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        Helioprojective or heliographic, 1 inside the feature; or its regions.

    Returns
    -------
    regions.Regions
        A ``PolygonSkyRegion`` for each region in the frame of the mask, its ``id`` as the label. ``to_pixel(mask.wcs)``
        makes a ``PolygonPixelRegion`` of it. As these have no holes, lines along the sides of pixels lead to the
        holes and back, and from one side of a heliographic Map around the Sun to the other.

    Raises
    ------
    ImportError
        If the package is not installed.
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `~sunpy_scss.masks.region_table` rejects the mask.

    Examples
    --------
    >>> from sunpy_scss.masks import sky_regions
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> mask = synthetic_sun(size=64).coronal_holes
    >>> pixels = [region.to_pixel(mask.wcs) for region in sky_regions(mask)]  # doctest: +SKIP
    """
    try:
        from regions import PolygonSkyRegion, RegionMeta, Regions
    except ImportError as error:
        msg = "sky_regions needs the package regions: pip install regions"
        raise ImportError(msg) from error
    found = find_regions(mask)
    rings = [_off_the_seam(joined(pieces, found.surface), found.surface) for pieces in trace(found, cut=True)]
    return Regions(
        [
            PolygonSkyRegion(_coordinates(ring, found), meta=RegionMeta({"label": str(number)}))
            for number, ring in enumerate(rings, start=1)
        ]
    )


def _off_the_seam(ring, surface):
    """Move corners at the two sides of a Map around the Sun inwards, where each has a longitude of its own."""
    if not surface.wraps:
        return ring
    rows, columns = ring.T
    return np.stack([rows, np.clip(columns, _SEAM - 0.5, surface.shape[1] - 0.5 - _SEAM)], axis=1)
