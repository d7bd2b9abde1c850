"""Figures of changes over days to months."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

import astropy.units as u
from sunpy.map import GenericMap

from sunpy_scss.masks._pieces import join_pieces
from sunpy_scss.masks._table import label_regions
from sunpy_scss.plotting._dates import label_dates
from sunpy_scss.plotting._maps import plot_regions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from astropy.table import QTable
    from astropy.visualization.wcsaxes import WCSAxes

    from sunpy_scss.evolution import Tracks

__all__ = ["plot_carrington_map", "plot_tracked_regions", "plot_tracks"]

# A line is interrupted where its region is unseen for more days than this: the region was behind the Sun.
_GAP = 13
_MARKERS = {"birth": "^", "death": "v", "merge": "X", "split": "d", "return": "o"}


def plot_carrington_map(share: GenericMap, coverage: GenericMap | None = None) -> Figure:
    """
    Draw a Carrington map, and below it the coverage of each part.

    Parameters
    ----------
    share : sunpy.map.GenericMap
        The result of `~sunpy_scss.evolution.carrington_map`. Parts that were not seen are gray.
    coverage : sunpy.map.GenericMap, optional
        The result of `~sunpy_scss.evolution.carrington_coverage`.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> from sunpy_scss.evolution import carrington_coverage, carrington_map
    >>> from sunpy_scss.plotting import plot_carrington_map
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> masks = [synthetic_sun(size=128).coronal_holes]
    >>> figure = plot_carrington_map(carrington_map(masks), carrington_coverage(masks))
    """
    maps = [share] if coverage is None else [share, coverage]
    figure = plt.figure(figsize=(9, 4.3 * len(maps)), layout="constrained")
    for number, smap in enumerate(maps, start=1):
        axes = figure.add_subplot(len(maps), 1, number, projection=smap)
        axes.set_facecolor("gray")
        settings = {"vmin": 0, "vmax": 1, "cmap": "Blues"} if smap is share else {"vmin": 0, "cmap": "viridis"}
        image = axes.imshow(smap.data, origin="lower", interpolation="nearest", aspect="auto", **settings)
        figure.colorbar(image, ax=axes, label="share" if smap is share else "coverage")
        first, last = (smap.meta.get(key, "")[:10] for key in ("date-beg", "date-end"))
        axes.set_title(f"{smap.meta.get('content', '')}\n{first} to {last}")
        axes.set(xlabel="Carrington longitude", ylabel="latitude")
    return figure


def plot_tracks(tracks: Tracks, *, column: str = "area") -> Figure:
    """
    Draw a quantity of each followed region over time, with the events of its life.

    Parameters
    ----------
    tracks : sunpy_scss.evolution.Tracks
    column : str, optional
        A column of ``tracks.regions``.

    Returns
    -------
    matplotlib.figure.Figure
        A line for each region that is in more than one mask, and a symbol for each event except those at the limb. The
        line is interrupted where the region was out of sight for longer than half a rotation. Pieces of a region in one
        mask are one point, as in `~sunpy_scss.evolution.track_series`.

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> from sunpy_scss.evolution import track_regions
    >>> from sunpy_scss.plotting import plot_tracks
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> tracks = track_regions([synthetic_sun(size=128).coronal_holes])
    >>> figure = plot_tracks(tracks, column="area_msh")
    """
    regions = tracks.regions
    if column not in regions.colnames:
        msg = f"There is no column {column!r}; the columns are {', '.join(regions.colnames)}."
        raise ValueError(msg)
    figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    series = {number: join_pieces(regions[regions["track"] == number]) for number in np.unique(regions["track"])}
    for rows in series.values():
        _draw_track(axes, rows, column)
    for event, marker in _MARKERS.items():
        _draw_events(axes, tracks.events[tracks.events["event"] == event], series, column, event, marker)
    unit = regions[column].unit
    axes.set(ylabel=f"{column} ({unit})" if unit else column)
    label_dates(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return figure


def _values(rows, column):
    return np.asarray(getattr(rows[column], "value", rows[column]), dtype=float)


def _draw_track(axes, rows, column):
    """Draw the line of one region with its number at the highest point."""
    number, values = rows["track"][0], _values(rows, column)
    color = f"C{number % 10}"
    dates = rows["time"].datetime64
    breaks = np.flatnonzero(np.diff(rows["time"].mjd) > _GAP) + 1
    for place, part in zip(np.split(dates, breaks), np.split(values, breaks), strict=True):
        axes.plot(place, part, ".-", color=color)
    if len(rows) > 1 and np.isfinite(values).any():
        top = np.nanargmax(values)
        place = dates[top], values[top]
        axes.annotate(str(number), place, (0, 5), textcoords="offset points", ha="center", color=color)


def _draw_events(axes, chosen, series, column, event, marker):
    """Draw a marker for each event of a kind, at the row of its region that is nearest in time."""
    places = []
    for time, number in zip(chosen["time"], chosen["track"], strict=True):
        rows = series[number]
        nearest = np.argmin(np.abs((rows["time"] - time).to_value(u.day)))
        places.append((rows["time"].datetime64[nearest], _values(rows, column)[nearest]))
    if places:
        axes.plot(*zip(*places, strict=True), marker, color="black", fillstyle="none", markersize=9, label=event)


def plot_tracked_regions(smap: GenericMap, mask: GenericMap, rows: QTable, *, axes: WCSAxes | None = None) -> WCSAxes:
    """
    Draw a Map with the outlines of followed regions, each with the number of its track.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    mask : sunpy.map.GenericMap
        On the WCS of ``smap``.
    rows : astropy.table.QTable
        The rows of ``tracks.regions`` for this mask.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes
        The axes, as `~sunpy_scss.plotting.plot_regions` returns them. A track has the same colour in all masks.

    Raises
    ------
    TypeError
        If the mask is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the mask is on other pixels than the image, of another time or seen by another observer, or if it cannot be
        labelled by `~sunpy_scss.masks.label_regions`, for example because of its projection.

    Examples
    --------
    >>> from sunpy_scss.evolution import track_regions
    >>> from sunpy_scss.plotting import plot_tracked_regions
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun(size=128)
    >>> tracks = track_regions([sun.coronal_holes])
    >>> first = tracks.regions[tracks.regions["mask"] == 0]
    >>> axes = plot_tracked_regions(sun.image, sun.coronal_holes, first)
    """
    labels = label_regions(mask)
    tracks = np.zeros(labels.data.max(initial=0) + 1, dtype=np.int32)
    tracks[rows["id"]] = rows["track"]
    return plot_regions(smap, GenericMap(tracks[labels.data], labels.meta), axes=axes)
