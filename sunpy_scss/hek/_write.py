"""The regions of a mask in the shape of records of the HEK."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst, Helioprojective, get_earth

from sunpy_scss._mask_map import feature_of
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.view import longitude_latitude
from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._intensity import angstroms
from sunpy_scss.exceptions import HEKWarning
from sunpy_scss.hek._records import FRM_NAME
from sunpy_scss.masks._outlines import flat_rings, joined, trace, vertices_on_sphere
from sunpy_scss.masks._regions import find_regions
from sunpy_scss.masks._table import region_table

if TYPE_CHECKING:
    from sunpy.map import GenericMap

    from sunpy_scss.masks._regions import Regions

__all__ = ["hek_records"]


def hek_records(mask: GenericMap | Regions) -> Table:
    """
    The regions of a mask in the shape of records of the HEK.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or sunpy_scss.masks.Regions
        Helioprojective or heliographic, 1 inside the feature, with the feature in its header; or its regions.

    Returns
    -------
    astropy.table.Table
        A row for each region, its columns named as the HEK does [1]_: among them ``event_type``,
        ``event_starttime`` and ``event_endtime``, ``event_coord1`` and ``event_coord2``, ``hpc_boundcc``,
        ``hgs_boundcc`` and ``hgc_boundcc``, ``area_raw`` and ``area_atdiskcenter``.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `~sunpy_scss.masks.region_table` rejects the mask, or if the header does not name the feature.

    Warns
    -----
    `~sunpy_scss.exceptions.HEKWarning`
        Some regions cannot be seen from Earth and are left out: polygons of the HEK are as seen from there.

    Notes
    -----
    Start and end are both the time of the image, so that there is no doubt which of them the polygons belong to.
    `~sunpy_scss.hek.hek_to_mask` draws them back.

    The polygons have no holes, because few programs that read polygons of the HEK expect any: lines along the sides
    of pixels lead to each hole and back. Vertices that are hidden from Earth are moved to the limb, and ``area_raw``
    is the area projected on the sky as seen from Earth.

    References
    ----------
    .. [1] Hurlburt et al. 2012, https://doi.org/10.1007/s11207-010-9624-2

    Examples
    --------
    >>> from sunpy_scss.hek import hek_records
    >>> from sunpy_scss.hek import hek_to_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> mask = synthetic_sun(size=128, seed=3).coronal_holes
    >>> records = hek_records(mask)
    >>> again = hek_to_mask(records, mask)
    """
    regions = find_regions(mask)
    mask = regions.mask
    feature = feature_of(mask)
    table = region_table(regions)
    date = regions.surface.obstime
    rings = [joined(pieces, regions.surface) for pieces in trace(regions)]
    outlines = [_from_earth(vertices_on_sphere(ring, regions.surface), date, mask) for ring in rings]
    shown = [number for number, (_, visible) in enumerate(outlines) if visible.any()]
    if len(shown) < len(rings):
        msg = f"{len(rings) - len(shown)} of {len(rings)} regions cannot be seen from Earth and are left out."
        warn_caller(msg, HEKWarning)
    outlines, rings = [outlines[number][0] for number in shown], [rings[number] for number in shown]
    table["area_raw"] = _seen_areas(regions)
    table = table[shown]
    return Table(
        {
            **_origin(mask, feature, table["id"], date),
            **_positions(table["centroid"], date, mask),
            **_boxes(outlines),
            "hpc_boundcc": _texts(_polygon(ring, 4) for ring in outlines),
            **_heliographic_polygons(rings, regions.surface),
            "area_raw": table["area_raw"].to_value(u.km**2),
            "area_atdiskcenter": table["area"].to_value(u.km**2),
            "area_unit": np.full(len(table), "km2"),
        }
    )


def _from_earth(points, date, mask):
    """Positions in arcsec as seen from Earth (n, 2), hidden ones moved to the limb; and which are not hidden."""
    lon, lat = longitude_latitude(points)
    there = SkyCoord(lon * u.rad, lat * u.rad, mask.rsun_meters, frame=HeliographicStonyhurst(obstime=date))
    seen = there.transform_to(_view(date, mask))
    visible = seen.is_visible()
    ring = np.stack([seen.Tx.to_value(u.arcsec), seen.Ty.to_value(u.arcsec)], axis=1)
    limb = np.arcsin(mask.rsun_meters / seen.observer.radius).to_value(u.arcsec)
    ring[~visible] *= limb / np.linalg.norm(ring[~visible], axis=1, keepdims=True)
    return ring, visible


def _view(date, mask):
    return Helioprojective(observer=get_earth(date), obstime=date, rsun=mask.rsun_meters)


def _seen_areas(regions):
    """The areas of regions projected on the sky seen from Earth."""
    earth = get_earth(regions.surface.obstime).cartesian.xyz / regions.mask.rsun_meters
    from_earth = replace(regions.surface, observer=earth.to_value(u.dimensionless_unscaled))
    foreshortening = np.maximum(from_earth.foreshortening(regions.points), 0)
    return regions.sum(regions.areas * foreshortening)


def _origin(mask, feature, numbers, date):
    """Return the feature that was found, with its time, image and method."""
    told = Provenance.of(mask)
    settings = Provenance(method=told.method, threshold=told.threshold).keywords()
    stamp, moment = date.strftime("%Y%m%dT%H%M%S"), date.isot
    facts = {
        "event_type": feature,
        "event_starttime": moment,
        "event_endtime": moment,
        "obs_observatory": mask.observatory,
        "obs_meanwavel": angstroms(mask),
        "obs_wavelunit": "Angstrom",
        "frm_name": FRM_NAME,
        "frm_paramset": ", ".join(f"{key}={value}" for key, value in settings.items()),
        "frm_versionnumber": told.version or "",
        "frm_daterun": Time.now().isot,
        "frm_humanflag": "F",
        "active": "true",
        "event_testflag": "false",
        "revision": "1",
    }
    return {
        "kb_archivid": _texts(f"{feature}_{FRM_NAME}_{told.method or 'mask'}_{stamp}_{number}" for number in numbers),
        **{name: np.full(len(numbers), value) for name, value in facts.items()},
    }


def _positions(centroids, date, mask):
    """The middles of regions, helioprojective, Stonyhurst and Carrington."""
    whole = SkyCoord(centroids.lon, centroids.lat, mask.rsun_meters, frame=HeliographicStonyhurst(obstime=date))
    seen = whole.transform_to(_view(date, mask))
    x, y = seen.Tx.to_value(u.arcsec), seen.Ty.to_value(u.arcsec)
    carrington = whole.transform_to(HeliographicCarrington(observer="earth", obstime=date, rsun=mask.rsun_meters))
    return {
        "event_coordsys": np.full(len(x), "UTC-HPC-TOPO"),
        "event_coordunit": np.full(len(x), "arcsec,arcsec"),
        "event_coord1": x,
        "event_coord2": y,
        "hpc_x": x,
        "hpc_y": y,
        "hgs_x": whole.lon.deg,
        "hgs_y": whole.lat.deg,
        "hgc_x": carrington.lon.deg,
        "hgc_y": carrington.lat.deg,
    }


def _boxes(outlines):
    ends = [(*ring.min(axis=0), *ring.max(axis=0)) for ring in outlines]
    columns = np.reshape(ends, (-1, 4)).T
    return dict(zip(("boundbox_c1ll", "boundbox_c2ll", "boundbox_c1ur", "boundbox_c2ur"), columns, strict=True))


def _heliographic_polygons(rings, surface):
    return {
        name: _texts(_polygon(flat_rings([ring], surface, carrington=carrington)[0], 6) for ring in rings)
        for name, carrington in (("hgs_boundcc", False), ("hgc_boundcc", True))
    }


def _polygon(ring, digits):
    return f"POLYGON(({','.join(f'{x:.{digits}f} {y:.{digits}f}' for x, y in [*ring, ring[0]])}))"


def _texts(values):
    return np.array(list(values), dtype=str)
