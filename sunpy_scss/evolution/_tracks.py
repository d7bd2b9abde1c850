"""Masks over days to years: regions followed, their areas and fluxes, Carrington maps and the central meridian."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

import astropy.units as u
from astropy.table import QTable, vstack
from astropy.time import Time
from astropy.timeseries import TimeSeries
from sunpy.map import GenericMap

from sunpy_scss._arguments import check_type
from sunpy_scss._provenance import said_by_all
from sunpy_scss.evolution._series import checked
from sunpy_scss.evolution._tracker import Settings, Tracker
from sunpy_scss.masks._pieces import join_pieces, sums
from sunpy_scss.masks._regions import find_regions
from sunpy_scss.masks._table import region_table

__all__ = ["Tracks", "total_series", "track_regions", "track_series"]

_TRACKS = "the Tracks that track_regions makes of masks"
# What of all regions together is the sum of what each of them has.
_SUMS = ("area", "area_percent", "flux_signed", "flux_unsigned")


@dataclass(frozen=True)
class Tracks:
    """
    Regions followed through masks.

    Attributes
    ----------
    regions : astropy.table.QTable
        A row for each region in each mask; `track_regions` lists the columns.
    events : astropy.table.QTable
        The tracks that began, ended, merged and split.
    times : astropy.time.Time
        The times of all masks, also of those without regions.
    """

    regions: QTable
    events: QTable
    times: Time


@u.quantity_input
def track_regions(
    masks: Iterable[GenericMap],
    *,
    images: Iterable[GenericMap] | None = None,
    magnetograms: Iterable[GenericMap] | None = None,
    min_overlap: float = 0.2,
    max_angle: u.Quantity[u.deg] = 60 * u.deg,
    patience: u.Quantity[u.day] = 1 * u.day,
    memory: u.Quantity[u.day] = 25 * u.day,
    mixed_models: bool = False,
) -> Tracks:
    """
    Follow the regions of masks from one to the next.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        Masks of one feature in order of time, 1 inside and 0 outside; from any observers. They are read one by one, so
        a generator may read years of them from files.
    images, magnetograms : iterable of sunpy.map.GenericMap, optional
        One for each mask, for statistics of intensity and magnetic flux as in `~sunpy_scss.masks.region_table`.
    min_overlap : float, optional
        Two regions belong together if they share at least so much of the smaller of them, from 0 to 1.
    max_angle : astropy.units.Quantity, optional
        The angle from disc centre within which a region that exists is taken to be visible. One that is missing
        farther out is taken to be out of sight, not dead.
    patience : astropy.units.Quantity, optional
        A region that is missing for less than this time, though its place is in sight, keeps its number when it is
        found again. If the masks end before that, no event reports it.
    memory : astropy.units.Quantity, optional
        How long the place of a region that is out of sight is remembered; at most 28 days.
    mixed_models : bool, optional
        Take masks of different models, methods, boundaries or thresholds together, which draw their outlines by
        different rules.

    Returns
    -------
    Tracks
        Its ``regions`` have the columns

        ``mask``, ``time``
            its place among the masks, from 0, and its time
        ``track``
            the number of the region, the same in all masks; near the limb, that of each of its pieces
        ``lon``, ``lat``
            the middle of its area in Stonyhurst coordinates

        and all others of `~sunpy_scss.masks.region_table` but ``centroid``; ``id`` is the number in the mask.
        Its ``meta`` keeps what all masks say alike of their origin.

        Its ``events`` have the columns ``time``, ``event``, ``track`` and ``other``, where ``event`` is

        ``start``
            seen for the first time, in the first mask or after a gap of more than 13 days or ``memory``
        ``birth``
            seen for the first time, within ``max_angle``, in a place that had been in sight in the last 13 days, where
            there was none
        ``rotated on``
            seen for the first time elsewhere
        ``split``
            has come off the track ``other``
        ``merge``
            has become a part of the track ``other``: the end of this track
        ``rotated off``
            seen for the last time before it went out of sight
        ``return``
            seen again, with its old number, after more than 13 days
        ``death``
            not there any more, though its place is in sight; the time is that of the first mask without it

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `~sunpy_scss.masks.region_table` rejects a mask, or if masks are of different features or by different
        rules, or two of one image.
    ValueError
        If there is no mask, their order is not that of time, a number is out of its range, or there are more or fewer
        images than masks; before the first mask is taken, where the lengths are known.

    Notes
    -----
    What has been seen of each region is kept as points on the sphere and turns with the Sun as in [1]_. Each mask
    renews what is within ``max_angle`` of its disc centre; what is behind the limb or close to it stays, up to
    ``memory``. A region is the track whose remembered area it overlaps most. So gaps between masks, masks of several
    observers and regions that come back after half a rotation behind the Sun are one case. Of regions that merge, the
    one with the largest overlap goes on; of those that split likewise.

    Coronal holes turn more like a rigid body than the photosphere does [2]_. Over the time behind the Sun this
    moves a hole at 60 degrees of latitude by tens of degrees against its remembered place; long holes are found
    again, small ones at high latitudes may get a new number.

    More than ``max_angle`` away from disc centre, regions fall to pieces and flow together by foreshortening. There no
    track splits, merges or is born: pieces have the number of the region, so that several rows of one mask may have the
    same, and of two tracks in one piece that with the larger overlap has its row. Pieces that are one region when they
    come into sight were one track all the time.

    A region whose middle is always more than ``max_angle`` away from disc centre, as a polar hole, never dies: it
    rotates off. Only the area in sight counts in ``area``; see ``beyond_60`` and ``touches_limb``.

    References
    ----------
    .. [1] Howard, Harvey & Forgach (1990), https://doi.org/10.1007/BF00156795
    .. [2] Hiremath & Hegde (2013), https://doi.org/10.1088/0004-637X/763/2/137

    Examples
    --------
    A hole that is seen through a week, and one that is born in sight:

    >>> import numpy as np
    >>> import astropy.units as u
    >>> from astropy.time import Time
    >>> from sunpy_scss.evolution import track_regions
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> masks = []
    >>> for day in range(7):
    ...     holes = [Cap((13.2 * day - 40) * u.deg, 15 * u.deg, 10 * u.deg)]
    ...     if day >= 3:
    ...         holes.append(Cap((13.2 * day - 60) * u.deg, -30 * u.deg, 8 * u.deg))
    ...     date = Time("2017-06-01") + day * u.day
    ...     sun = synthetic_sun(date, size=64, coronal_holes=holes, active_regions=[])
    ...     masks.append(sun.coronal_holes)
    >>> tracks = track_regions(masks)
    >>> np.bincount(tracks.regions["track"])
    array([0, 7, 4])
    >>> tracks.events["time"].format = "iso"
    >>> tracks.events["time"].out_subfmt = "date"
    >>> print(tracks.events)
       time    event track other
    ---------- ----- ----- -----
    2017-06-01 start     1     0
    2017-06-04 birth     2     0
    """
    tracker = Tracker(_settings(min_overlap, max_angle, patience, memory))
    given = {name: maps for name, maps in (("image", images), ("magnetogram", magnetograms)) if maps is not None}
    tables, times = [], []
    for mask, *maps in _together(masks, checked(masks, mixed_models=mixed_models), *given.values()):
        regions = find_regions(mask)
        table = region_table(regions, **dict(zip(given, maps, strict=True)))
        times.append(regions.surface.obstime)
        if len(times) > 1 and times[-1] < times[-2]:
            msg = f"The masks must be in order of time (got {times[-2].isot} before {times[-1].isot}); sort them first."
            raise ValueError(msg)
        tracks = tracker.follow(regions)
        tables.append(_followed(table, len(times) - 1, times[-1], tracks))
    _check_any(times)
    tracker.finish()
    regions = vstack(tables, metadata_conflicts="silent")
    regions["track"] = tracker.names[regions["track"]]
    shared = said_by_all([table.meta for table in tables])
    regions.meta = {key: value for key, value in shared.items() if key not in ("DATE-OBS", "PARENT")}
    return Tracks(regions, _event_table(tracker, regions.meta), Time(times))


def _settings(min_overlap, max_angle, patience, memory):
    """Return the settings of the tracker in its units; raise an error if they are not valid."""
    if not 0 <= min_overlap <= 1:
        msg = f"min_overlap must be from 0 to 1, a share of the smaller region (got {min_overlap})."
        raise ValueError(msg)
    if not 0 * u.deg < max_angle <= 90 * u.deg:
        msg = f"max_angle must be over 0 and up to 90 degrees from disc centre (got {max_angle})."
        raise ValueError(msg)
    if not patience >= 0 * u.day:
        msg = f"patience must not be negative (got {patience})."
        raise ValueError(msg)
    if not 0 * u.day < memory <= 28 * u.day:
        msg = f"memory must be over 0 and at most 28 days (got {memory}): nothing lasts longer out of sight unchanged."
        raise ValueError(msg)
    return Settings(min_overlap, max_angle.to_value(u.rad), patience.to_value(u.day), memory.to_value(u.day))


def _together(masks, one_by_one, *others):
    """Each mask with the Maps given for it; an error at once if their numbers are known and differ, else at the end."""
    msg = "There must be one image or magnetogram for each mask; their numbers differ."
    if len({len(maps) for maps in (masks, *others) if hasattr(maps, "__len__")}) > 1:
        raise ValueError(msg)
    for maps in zip_longest(one_by_one, *others):
        if any(one is None for one in maps):
            raise ValueError(msg)
        yield maps


def _check_any(masks):
    if not masks:
        msg = "There is no mask; give one at least."
        raise ValueError(msg)


def _followed(table, number, time, tracks):
    """Return the table of the regions of a mask with time, tracks and plain coordinates in a common frame."""
    centroid = table["centroid"]
    columns = {
        "mask": np.full(len(table), number),
        "time": time.reshape(1)[np.zeros(len(table), dtype=int)],
        "track": tracks,
        "lon": u.Quantity(centroid.lon, u.deg),
        "lat": u.Quantity(centroid.lat, u.deg),
    }
    table.remove_column("centroid")
    return QTable(columns | {name: table[name] for name in table.colnames}, meta=table.meta)


def _event_table(tracker, meta):
    events = sorted(tracker.events, key=lambda event: event[0])
    days, names, tracks, others = zip(*events, strict=True) if events else ([], [], [], [])
    return QTable(
        {
            "time": tracker.start + np.array(days, dtype=float) * u.day,
            "event": np.array(names, dtype=str),
            "track": tracker.names[np.array(tracks, dtype=int)],
            "other": tracker.names[np.array(others, dtype=int)],
        },
        meta=dict(meta),
    )


def track_series(tracks: Tracks, track: int) -> TimeSeries:
    """
    Return the life of one region as a time series.

    Parameters
    ----------
    tracks : Tracks
        The tracks that `track_regions` returns.
    track : int
        The number of the region.

    Returns
    -------
    astropy.timeseries.TimeSeries
        The columns of ``tracks.regions`` with that number, one row for each mask that shows the region. Pieces of the
        region in one mask are joined: areas, perimeters, fluxes and numbers of pixels are summed, the middle is that of
        all pieces on the sphere, extents are around all of them, ``id`` is that of the largest, and other columns are
        means weighted by area.

    Raises
    ------
    ValueError
        If there is no such region.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.evolution import track_regions, track_series
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(10 * u.deg, 20 * u.deg, 15 * u.deg)
    >>> sun = synthetic_sun(size=128, coronal_holes=[hole], active_regions=[])
    >>> tracks = track_regions([sun.coronal_holes])
    >>> series = track_series(tracks, 1)
    >>> series["area_percent"].info.format = ".1f"
    >>> print(series["time", "area_percent"])
              time          area_percent
                                 %
    ----------------------- ------------
    2017-06-01T12:00:00.000          3.4
    """
    check_type(tracks, Tracks, _TRACKS)
    rows = tracks.regions[tracks.regions["track"] == track]
    if not len(rows):
        msg = f"There is no track {track}; they are numbered from 1 to {tracks.regions['track'].max(initial=0)}."
        raise ValueError(msg)
    return TimeSeries(join_pieces(rows))


def total_series(tracks: Tracks) -> TimeSeries:
    """
    Return the areas and fluxes of all regions together as a time series.

    Parameters
    ----------
    tracks : Tracks
        The tracks that `track_regions` returns.

    Returns
    -------
    astropy.timeseries.TimeSeries
        A row for each mask, also one without regions, with ``n_regions`` and the sums of ``area``,
        ``area_percent`` and, where magnetograms were given, ``flux_signed`` and ``flux_unsigned``. Regions whose flux
        is not known add none.

    Notes
    -----
    Masks of different observers at one time have rows of their own: they see other parts of the Sun, and shared ones.

    Examples
    --------
    >>> from sunpy_scss.evolution import total_series, track_regions
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> tracks = track_regions([synthetic_sun(size=128, seed=3).coronal_holes])
    >>> series = total_series(tracks)
    >>> bool(series["area"][0] == tracks.regions["area"].sum())
    True
    """
    check_type(tracks, Tracks, _TRACKS)
    regions = tracks.regions
    mask = regions["mask"]
    count = len(tracks.times)
    totals = {
        name: sums(regions[name].value, mask, count) * regions[name].unit for name in _SUMS if name in regions.colnames
    }
    data = {"n_regions": np.bincount(mask, minlength=count), **totals}
    return TimeSeries(time=tracks.times, data=data, meta=dict(regions.meta))
