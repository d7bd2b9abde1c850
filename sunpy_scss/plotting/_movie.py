"""Movies of Maps."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from sunpy_scss._save import refuse_existing, scratch_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from matplotlib.figure import Figure

__all__ = ["save_movie"]


def save_movie(figures: Iterable[Figure], path: str | os.PathLike, *, rate: float = 4, overwrite: bool = False) -> Path:
    """
    Write figures as a movie, whole or not at all.

    Parameters
    ----------
    figures : iterable of matplotlib.figure.Figure
        All of one size. Each is closed after it has been drawn, so that a generator needs memory for one figure only.
        A GIF needs more: all its pictures are in memory, with a byte for each pixel, until it is written.
    path : path-like
        ``NAME.mp4``, for which the program ffmpeg must be installed; ``NAME.gif``, which is also written in place of
        MP4 where there is no ffmpeg; or the name of a folder for numbered PNG files. Missing parent folders are made.
    rate : float, optional
        Figures per second.
    overwrite : bool, optional
        Replace a file or folder of that name.

    Returns
    -------
    pathlib.Path
        The file or folder that was written.

    Raises
    ------
    FileExistsError
        If the path exists and ``overwrite`` is not set. Nothing is drawn then.
    ValueError
        If there is no figure, or the name has another ending.

    Examples
    --------
    .. code-block:: python

        save_movie((plot_masks(smap, mask).figure for smap, mask in zip(images, masks)), "holes.mp4")
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
    with scratch_folder(path.parent) as folder:
        frames = _draw_frames(figures, folder / "frames")
        scratch = folder / f"new{path.suffix}"
        _WRITERS[path.suffix](frames, scratch, rate)
        _replace(path, scratch, folder / "old")
    return path


def _replace(path, new, aside):
    """Replace a file or folder by a new one; if that fails, put the old one back."""
    if not path.is_dir():
        new.replace(path)
        return
    # A folder that is not empty cannot be replaced in one step.
    path.replace(aside)
    try:
        new.replace(path)
    except BaseException:
        aside.replace(path)
        raise


def _ffmpeg():
    return shutil.which(plt.rcParams["animation.ffmpeg_path"])


def _draw_frames(figures, folder):
    """Write figures as PNG files 0001.png, 0002.png and so on."""
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
    palette = _common_palette(frames)
    first, *others = (_indexed(frame, palette) for frame in frames)
    first.save(path, save_all=True, append_images=others, duration=1000 / rate, loop=0)


# The number of pixels, of all frames together, from which the palette is made.
_SAMPLES = 2**20


def _common_palette(frames):
    """Return an image with one palette of 256 colours for all frames, rare ones included: colours do not change."""
    step = max(1, len(frames) // 64)
    pixels = []
    for frame in frames[::step]:
        with Image.open(frame) as image:
            colors, counts = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0, return_counts=True)
        # A thin outline counts as much as a large part of the background.
        pixels.append(np.repeat(colors, np.minimum(counts, 16), axis=0))
    pixels = np.concatenate(pixels)
    pixels = np.ascontiguousarray(pixels[:: 1 + len(pixels) // _SAMPLES])
    return Image.fromarray(pixels[np.newaxis]).quantize(method=Image.Quantize.MAXCOVERAGE)


def _indexed(frame, palette):
    with Image.open(frame) as image:
        return image.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)


def _write_folder(frames, path, rate):
    frames[0].parent.replace(path)


_WRITERS = {".mp4": _write_mp4, ".gif": _write_gif, "": _write_folder}
