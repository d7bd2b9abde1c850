"""
Events of the Heliophysics Events Knowledgebase as masks, at the right time and place.

The polygon of an event belongs to the moment of the image that it was drawn on. `hek_to_mask` knows which of the
times of a record that is, rotates the polygon with the Sun to the time and observer of a Map, and draws it there.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

import astropy.units as u
from astropy.coordinates import CartesianRepresentation, SkyCoord, UnitSphericalRepresentation
from astropy.table import QTable
from sunpy.coordinates import HeliographicStonyhurst
from sunpy.map import GenericMap

from sunpy_scss._features import feature_name
from sunpy_scss._mask_map import make_map
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.polygons import earth_frame, outlines, pixels_inside
from sunpy_scss._sun.surface import surface_of
from sunpy_scss.hek._choice import choose, warn_if_nothing
from sunpy_scss.hek._records import LASTING, Events, parse_polygon

__all__ = ["drawn_events", "events_to_regions", "hek_to_mask"]

_MAX_GAP = 6 * u.hour
_PREFIX = "ivo://helio-informatics.org/"


@u.quantity_input
def hek_to_mask(
    events: Events,
    smap: GenericMap,
    *,
    labels: bool = False,
    time_from: str = "auto",
    max_gap: u.Quantity[u.hour] = _MAX_GAP,
    frm_name: str | Sequence[str] | None = None,
) -> GenericMap:
    """
    Draw events of the HEK on the pixels of a Map.

    Of each method only the image nearest in time to the Map is drawn: all events within a minute of it. Methods whose
    events begin and end each at a time of its own (``"Emerging flux region module"``) have all drawn that are in
    progress at the time of the Map. Test events and inactive ones are left out. Of a region that a later run has anew,
    under the same or another track number, only the last word is drawn.

    Parameters
    ----------
    events
        The same as for `~sunpy_scss.hek.hek_table`. All of one type, coronal holes or active regions.
    smap : sunpy.map.GenericMap
        An image of the Sun from anywhere, or a heliographic Map.
    labels : bool, optional
        Number the events, in the order of `~sunpy_scss.hek.drawn_events`, instead of setting 1. The keywords
        ``HEKID1``, ``HEKID2``, ... of the result name them. Where two overlap, the latter is seen.
    time_from : str, optional
        The time of an event to which its polygon belongs: ``"event_starttime"``, ``"event_endtime"``, or ``"auto"``, as
        each method has it; for SPoCA the time of the image in ``kb_archivid``, which is ``event_endtime``.
    max_gap : astropy.units.Quantity, optional
        Nothing further than this from the Map in time is drawn. Events in progress are not far.
    frm_name : str or sequence of str, optional
        Draw only what these methods have found; all methods by default.

    Returns
    -------
    sunpy.map.GenericMap
        int16, on the WCS of ``smap``: 1 (or the number of the event) inside, 0 elsewhere. The header tells
        the method (``HEK SPoCA``), the time of the polygons, the hours by which they were rotated, and how many events
        were drawn and left out; see :ref:`header-keywords`. HISTORY tells which were chosen, and why the others were
        left out. A mask without any event names the type and the method all the same.

    Raises
    ------
    ValueError
        Events of several types, or an unknown ``time_from``.
    sunpy_scss.exceptions.HEKError
        The search whose result the events are had failed.

    Warns
    -----
    `~sunpy_scss.exceptions.HEKWarning`
        Nothing is drawn although there are events, with the reasons; no event is by a method in ``frm_name``; it is
        unknown which time a method means; or as in `~sunpy_scss.hek.hek_table`.

    Notes
    -----
    The surface in each pixel is carried back to the time of the polygon by differential rotation [1]_ and looked up in
    it. What faces away from the Earth then, or from the observer of the Map now, is 0.

    References
    ----------
    .. [1] Howard, Harvey & Forgach (1990), https://doi.org/10.1007/BF00156795

    Examples
    --------
    >>> import sunpy.map
    >>> from sunpy.data.test import get_test_filepath
    >>> from sunpy_scss.hek import hek_to_mask
    >>> smap = sunpy.map.Map(get_test_filepath("aia_171_level1.fits"))
    >>> record = {
    ...     "kb_archivid": "ivo://helio-informatics.org/AR_SPoCA_20110215_013000_20110215T010000_0",
    ...     "event_type": "AR", "frm_name": "SPoCA",
    ...     "event_starttime": "2011-02-14T21:00:00",
    ...     "event_endtime": "2011-02-15T01:00:00",
    ...     "hpc_boundcc": "POLYGON((0 -300,200 -300,200 -150,0 -150,0 -300))",
    ... }
    >>> mask = hek_to_mask(record, smap)
    >>> int(mask.data.sum()), mask.meta["scssmod"]
    (80, 'HEK SPoCA')
    """
    chosen, left = choose(events, smap, time_from, max_gap, frm_name)
    pixels = _draw(chosen, smap, left)
    data = np.zeros(smap.data.size, dtype=np.int16)
    for number, drawn in enumerate(pixels.values(), start=1):
        data[drawn] = number if labels else 1
    provenance, history = _provenance(chosen, list(pixels), left, smap, time_from, labels)
    highest = len(pixels) if labels else 1
    return make_map(data.reshape(smap.data.shape), smap, provenance, history=history, highest=highest)


@u.quantity_input
def drawn_events(
    events: Events,
    smap: GenericMap,
    *,
    time_from: str = "auto",
    max_gap: u.Quantity[u.hour] = _MAX_GAP,
    frm_name: str | Sequence[str] | None = None,
) -> QTable:
    """
    Return the events that `~sunpy_scss.hek.hek_to_mask` draws as a table.

    Parameters
    ----------
    events, smap, time_from, max_gap, frm_name
        The same as for `~sunpy_scss.hek.hek_to_mask`.

    Returns
    -------
    astropy.table.QTable
        One row for each event with ``label`` (its number where ``labels=True``), ``kb_archivid``, ``frm_name``,
        ``obstime`` of its polygon, ``centroid`` of its pixels (heliographic, at the time of the Map), ``n_pixels``, the
        areas of the HEK ``area_raw`` (as projected on the sky) and ``area_atdiskcenter``, and ``area_drawn``,
        corrected for foreshortening like the latter.

    Examples
    --------
    >>> import sunpy.map
    >>> from sunpy.data.test import get_test_filepath
    >>> from sunpy_scss.hek import drawn_events
    >>> len(drawn_events([], sunpy.map.Map(get_test_filepath("aia_171_level1.fits"))))
    0
    """
    chosen, left = choose(events, smap, time_from, max_gap, frm_name)
    pixels = _draw(chosen, smap, left)
    drawn = chosen[list(pixels)]
    surface, areas, centroids = surface_of(smap), [], []
    for inside in pixels.values():
        rows, columns = np.unravel_index(inside, smap.data.shape)
        each, middles = surface.cells(rows, columns)
        areas.append(each.sum())
        centroids.append(middles @ each)
    table = QTable({"label": np.arange(1, len(drawn) + 1)})
    for name in ("kb_archivid", "frm_name", "obstime"):
        table[name] = drawn[name]
    table["centroid"] = _centroids(centroids, smap)
    table["n_pixels"] = np.array([len(inside) for inside in pixels.values()], dtype=int)
    for name in ("area_raw", "area_atdiskcenter"):
        table[name] = drawn[name]
    table["area_drawn"] = np.array(areas, dtype=float) * smap.rsun_meters.to(u.km) ** 2
    return table


def _centroids(vectors, smap):
    directions = CartesianRepresentation(np.reshape(vectors, (-1, 3)).T).represent_as(UnitSphericalRepresentation)
    return SkyCoord(directions, frame=HeliographicStonyhurst(obstime=smap.reference_date))


@u.quantity_input
def events_to_regions(
    events: Events,
    smap: GenericMap,
    *,
    time_from: str = "auto",
    max_gap: u.Quantity[u.hour] = _MAX_GAP,
    frm_name: str | Sequence[str] | None = None,
) -> dict[str, list[SkyCoord]]:
    """
    The borders of events at the time and from the place of a Map, to plot over it.

    Parameters
    ----------
    events, smap, time_from, max_gap, frm_name
        The same as for `~sunpy_scss.hek.hek_to_mask`.

    Returns
    -------
    dict of str to list of astropy.coordinates.SkyCoord
        From ``kb_archivid`` to the closed rings of the polygon, with points every few arcsec. Along the limb where
        the polygon is cut by it; events wholly behind it are left out.

    Examples
    --------
    >>> import sunpy.map
    >>> from sunpy.data.test import get_test_filepath
    >>> from sunpy_scss.hek import events_to_regions
    >>> smap = sunpy.map.Map(get_test_filepath("aia_171_level1.fits"))
    >>> for rings in events_to_regions([], smap).values():
    ...     for ring in rings:
    ...         ax.plot_coord(ring)
    """
    chosen, left = choose(events, smap, time_from, max_gap, frm_name)
    regions = {}
    for source, rows, shapes in _steps(chosen, smap):
        borders = outlines(shapes, source, smap)
        regions |= {
            str(chosen["kb_archivid"][row]): rings
            for row, (rings, visible) in zip(rows, borders, strict=True)
            if visible
        }
    left["out of sight"] += len(chosen) - len(regions)
    warn_if_nothing(len(regions), left)
    return regions


def _steps(chosen, smap):
    """Yield for each time of the events the frame of their polygons, their rows and their polygons."""
    moments = chosen["obstime"].isot
    for moment in np.unique(moments):
        rows = np.flatnonzero(moments == moment)
        shapes = [parse_polygon(text) for text in chosen["hpc_boundcc"][rows]]
        yield earth_frame(chosen["obstime"][rows[0]], smap.rsun_meters), rows, shapes


def _draw(chosen, smap, left):
    """Map the rows of the visible events to their pixels."""
    pixels = {}
    for source, rows, shapes in _steps(chosen, smap):
        pixels |= dict(zip(rows.tolist(), pixels_inside(shapes, source, smap), strict=True))
    drawn = {row: inside for row, inside in sorted(pixels.items()) if inside.size}
    left["on no pixel"] += len(chosen) - len(drawn)
    warn_if_nothing(len(drawn), left)
    return drawn


def _provenance(chosen, drawn, left, smap, time_from, labels):
    """Return the provenance and the HISTORY of a mask."""
    feature, method = chosen.meta["event_type"], chosen.meta["method"]
    content = feature_name(feature) or "HEK"
    provenance = Provenance.new(
        content=f"{content} {'labels' if labels else 'mask'}",
        feature=feature,
        method=method,
        labels=method,
        hek_drawn=len(drawn),
        hek_left=left.total(),
    )
    history = [f"sunpy_scss: {content}s by {method}", f"times: {time_from}", *_chosen_steps(chosen)]
    if len(chosen):
        hours = (smap.reference_date - chosen["obstime"]).to_value(u.hour)
        provenance = replace(
            provenance,
            hek_times=", ".join(np.unique(chosen["obstime"].isot)),
            hek_rotation=round(float(hours[np.argmax(abs(hours))]), 4),
        )
        history.append("rotated to the Map with the surface (Howard et al. 1990)")
    if labels:
        identifiers = chosen["kb_archivid"][drawn]
        provenance = replace(provenance, hek_events=tuple(str(name).removeprefix(_PREFIX) for name in identifiers))
    history += [f"left out: {count} {reason}" for reason, count in left.items() if count]
    return provenance, "\n".join(history)


def _chosen_steps(chosen):
    """Return lines of HISTORY that say which events of each method were chosen."""
    for name in np.unique(chosen["frm_name"]):
        of_it = chosen["frm_name"] == name
        times = "in progress" if name in LASTING else f"of {chosen['obstime'][of_it].min().isot}"
        yield f"chosen: {np.count_nonzero(of_it)} {times}, {name}"
