"""An image as the page shows it, in blocks of pixels where it is large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_hex
from scipy import ndimage

from sunpy_scss.canonical._brightening import limb_brightening
from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._intensity import intensities
from sunpy_scss.canonical._mend import mended

if TYPE_CHECKING:
    from sunpy.map import GenericMap

    from sunpy_scss.canonical._frame import Frame

__all__ = ["DEXES", "Picture", "blocks", "make_picture", "pixels"]

# Images are reduced to about this many pixels on a side: more than a screen shows, and all that a network sees.
_SIZE = 1024
# The scale of the page's brightness: log10 in disc medians, from the first value to the second, as 0 to 65535.
DEXES = (-2.0, 2.0)
# The smoothing, in pixels, against noise before a region grows.
_SMOOTHING = 1.0


@dataclass(frozen=True)
class Picture:
    """
    An image for the page.

    Attributes
    ----------
    shown : numpy.ndarray
        (ny, nx) uint16, log10 of the brightness in disc medians; see DEXES.
    brightness : numpy.ndarray
        (ny, nx) float32, smoothed, in units of the quiet Sun at the same distance from disc centre; NaN without data.
    disk : numpy.ndarray
        (ny, nx) bool.
    frame : Frame
        The place of the Sun among these pixels.
    factor : int
        The number of image pixels along the side of one of these pixels.
    colors : list of str
        256 colours from dark to bright.
    """

    shown: np.ndarray
    brightness: np.ndarray
    disk: np.ndarray
    frame: Frame
    factor: int
    colors: list

    def on_pixels_of(self, other: Picture) -> np.ndarray:
        """Return the shown image on the pixels of another picture, disc on disc; for images of other days."""
        turn = self.frame.matrix @ np.linalg.inv(other.frame.matrix)
        offset = self.frame.centre - turn @ other.frame.centre
        if (
            self.shown.shape == other.shown.shape
            and np.allclose(turn, np.eye(2), atol=1e-4)
            and np.abs(offset).max() < 0.1
        ):
            return self.shown
        # scipy counts (row, column), the frame (column, row).
        return ndimage.affine_transform(
            self.shown, turn[::-1, ::-1], offset[::-1], output_shape=other.shown.shape, order=1
        )


def make_picture(smap: GenericMap) -> Picture:
    """
    Prepare an image for the page.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If the image cannot be segmented.
    """
    check_map(smap)
    smap = mended(smap)
    frame = frame_of(smap)
    factor = max(1, min(smap.data.shape) // _SIZE)
    values, _, _ = intensities(smap, frame)
    values = blocks(values.astype(np.float32), factor)
    frame = type(frame)(frame.matrix / factor, (frame.centre - (factor - 1) / 2) / factor, values.shape)
    radius = frame.radius(*np.ogrid[tuple(map(slice, values.shape))])
    median = np.nanmedian(values[radius < 0.9]) if (radius < 0.9).any() else np.nanmedian(values)
    with np.errstate(invalid="ignore"):
        dex = np.log10(np.maximum(values / median, 10.0 ** DEXES[0]))
    low, high = DEXES
    shown = np.nan_to_num(np.clip((dex - low) / (high - low), 0, 1) * 65535).astype(np.uint16)
    smooth = _smoothed(dex - limb_brightening(np.minimum(radius, 1)))
    cmap = smap.plot_settings["cmap"]
    cmap = smap.cmap if isinstance(cmap, str) else cmap
    colors = [to_hex(cmap(position)) for position in np.linspace(0, 1, 256)]
    return Picture(shown, 10**smooth, (radius <= 1) & np.isfinite(values), frame, factor, colors)


def _smoothed(values):
    known = np.isfinite(values)
    filled = np.where(known, values, 0).astype(np.float32)
    return np.where(known, ndimage.gaussian_filter(filled, _SMOOTHING), np.nan).astype(np.float32)


def blocks(data, factor):
    """Return the means over blocks of pixels; blocks over the edge repeat the last rows and columns."""
    if factor == 1:
        return data
    ny, nx = data.shape
    data = np.pad(data, ((0, -ny % factor), (0, -nx % factor)), mode="edge")
    return data.reshape(data.shape[0] // factor, factor, -1, factor).mean(axis=(1, 3))


def pixels(values, factor, shape):
    """Return values of blocks on the pixels of an image of some shape, the reverse of `blocks`."""
    if factor == 1:
        return values
    return values.repeat(factor, axis=0).repeat(factor, axis=1)[: shape[0], : shape[1]]
