"""Figures of what changes over days to months, and figures as a movie."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from PIL import Image

import astropy.units as u
from sunpy.map import GenericMap

from sunpy_scss._plot_maps import labelled_regions
from sunpy_scss.properties import label_regions
from sunpy_scss.saving import refuse_existing

__all__ = ["carrington_chart", "movie", "track_chart", "track_overlay"]

# Days without a region after which its line is interrupted: it went around the Sun.
_GAP = 13
_MARKERS = {"birth": "^", "death": "v", "merge": "X", "split": "d", "return": "o"}


def carrington_chart(share, coverage=None):
    """
    A Carrington map, and below it how well each part of it was seen.

    Parameters
    ----------
    share : sunpy.map.GenericMap
        As `~sunpy_scss.evolution.carrington_map` gives it; what was not seen is gray.
    coverage : sunpy.map.GenericMap, optional
        As `~sunpy_scss.evolution.carrington_coverage` gives it.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> from sunpy_scss.evolution import carrington_coverage, carrington_map
    >>> from sunpy_scss.plotting import carrington_chart
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> masks = [synthetic_sun(size=128).coronal_holes]
    >>> figure = carrington_chart(carrington_map(masks), carrington_coverage(masks))
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


def track_chart(tracks, *, column="area"):
    """
    A quantity of each followed region over time, and what befell it.

    Parameters
    ----------
    tracks : sunpy_scss.evolution.Tracks
    column : str, optional
        Of ``tracks.regions``.

    Returns
    -------
    matplotlib.figure.Figure
        A line for each region that is in more than one mask, interrupted where it was out of sight for longer than half
        a rotation, and a sign for each event but those at the limb.

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> from sunpy_scss.evolution import track_regions
    >>> from sunpy_scss.plotting import track_chart
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> tracks = track_regions([synthetic_sun(size=128).coronal_holes])
    >>> figure = track_chart(tracks, column="area_msh")
    """
    regions = tracks.regions
    if column not in regions.colnames:
        msg = f"There is no column {column!r}; the columns are {', '.join(regions.colnames)}."
        raise ValueError(msg)
    figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    for number in np.unique(regions["track"]):
        _draw_track(axes, regions[regions["track"] == number], column)
    for event, marker in _MARKERS.items():
        _draw_events(axes, tracks, column, event, marker)
    unit = regions[column].unit
    axes.set(ylabel=f"{column} ({unit})" if unit else column)
    locator = AutoDateLocator()
    axes.xaxis.set(major_locator=locator, major_formatter=ConciseDateFormatter(locator))
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return figure


def _values(rows, column):
    return np.asarray(getattr(rows[column], "value", rows[column]), dtype=float)


def _draw_track(axes, rows, column):
    """A line of one region with its number at the highest point."""
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


def _draw_events(axes, tracks, column, event, marker):
    """A sign at the row of the region nearest in time to each event of a kind."""
    chosen = tracks.events[tracks.events["event"] == event]
    places = []
    for time, number in zip(chosen["time"], chosen["track"], strict=True):
        rows = tracks.regions[tracks.regions["track"] == number]
        nearest = np.argmin(np.abs((rows["time"] - time).to_value(u.day)))
        places.append((rows["time"].datetime64[nearest], _values(rows, column)[nearest]))
    if places:
        axes.plot(*zip(*places, strict=True), marker, color="black", fillstyle="none", markersize=9, label=event)


def track_overlay(smap, mask, rows, *, axes=None):
    """
    A Map with the outlines of followed regions on it, each with the number of its track.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    mask : sunpy.map.GenericMap
        On the WCS of ``smap``.
    rows : astropy.table.QTable
        Those of ``tracks.regions`` for this mask.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes
        As of `~sunpy_scss.plotting.labelled_regions`; the colour of a track is the same in all masks.

    Raises
    ------
    ValueError
        If the mask has another shape than the image.
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        As `~sunpy_scss.properties.label_regions`.

    Examples
    --------
    >>> from sunpy_scss.evolution import track_regions
    >>> from sunpy_scss.plotting import track_overlay
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun(size=128)
    >>> tracks = track_regions([sun.coronal_holes])
    >>> axes = track_overlay(sun.image, sun.coronal_holes, tracks.regions[tracks.regions["mask"] == 0])
    """
    labels = label_regions(mask)
    tracks = np.zeros(labels.data.max(initial=0) + 1, dtype=np.int32)
    tracks[rows["id"]] = rows["track"]
    return labelled_regions(smap, GenericMap(tracks[labels.data], labels.meta), axes=axes)


def movie(figures, path, *, rate=4, overwrite=False):
    """
    Write figures as a movie, whole or not at all.

    Parameters
    ----------
    figures : iterable of matplotlib.figure.Figure
        Of one size; each is closed when it has been drawn. A generator needs no memory for more than one figure; but
        all pictures of a GIF are in memory, with a byte for each pixel, when it is written.
    path : path-like
        ``NAME.mp4``, for which the program ffmpeg must be installed; ``NAME.gif``, which is also written in place of
        MP4 where there is no ffmpeg; or the name of a folder for numbered PNG. The folder that it
        is in is made where missing.
    rate : float, optional
        Figures in a second.
    overwrite : bool, optional
        Replace what is there.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    FileExistsError
        If it is there and is not to be replaced, before anything is drawn.
    ValueError
        If there is no figure, or the name ends in something else.

    Examples
    --------
    .. code-block:: python

        movie((overlay(smap, mask).figure for smap, mask in zip(images, masks)), "holes.mp4")
    """
    path = Path(path)
    if path.suffix == ".mp4" and _ffmpeg() is None:
        path = path.with_suffix(".gif")
    if path.suffix not in _WRITERS:
        msg = f"A movie is called .mp4, .gif, or nothing for a folder of PNG (got {path.name})."
        raise ValueError(msg)
    refuse_existing(path, overwrite=overwrite)
    if path.is_dir() and any(file.suffix != ".png" for file in path.iterdir()):
        msg = f"{path} holds more than pictures and is not replaced; choose a new folder."
        raise FileExistsError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        frames = _draw_frames(figures, Path(folder) / "frames")
        scratch = Path(folder) / f"new{path.suffix}"
        _WRITERS[path.suffix](frames, scratch, rate)
        _replace(path, scratch, Path(folder) / "old")
    return path


def _replace(path, new, aside):
    """Put what is new in the place of a file or folder, which comes back if that fails."""
    if not path.is_dir():
        new.replace(path)
        return
    # A folder that holds something cannot be replaced in one step.
    path.replace(aside)
    try:
        new.replace(path)
    except BaseException:
        aside.replace(path)
        raise


def _ffmpeg():
    return shutil.which(plt.rcParams["animation.ffmpeg_path"])


def _draw_frames(figures, folder):
    """PNG files of figures, 0001.png and so on."""
    folder.mkdir()
    frames = []
    for number, figure in enumerate(figures, start=1):
        frames.append(folder / f"{number:04d}.png")
        figure.savefig(frames[-1])
        plt.close(figure)
    if not frames:
        msg = "There is no figure to make a movie of."
        raise ValueError(msg)
    return frames


def _write_mp4(frames, path, rate):
    # H.264 with colours at half resolution, which players expect, needs even numbers of pixels.
    form = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    command = [_ffmpeg(), "-loglevel", "error", "-framerate", str(rate), "-i", str(frames[0].parent / "%04d.png")]
    subprocess.run([*command, *form, str(path)], check=True)


def _write_gif(frames, path, rate):
    first, *others = (_palette(frame) for frame in frames)
    first.save(path, save_all=True, append_images=others, duration=1000 / rate, loop=0)


def _palette(frame):
    """An image of 256 colours of its own."""
    with Image.open(frame) as image:
        return image.convert("RGB").quantize()


def _write_folder(frames, path, rate):
    frames[0].parent.replace(path)


_WRITERS = {".mp4": _write_mp4, ".gif": _write_gif, "": _write_folder}
