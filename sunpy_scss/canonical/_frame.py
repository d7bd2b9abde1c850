"""The place of the Sun on a detector."""

from dataclasses import dataclass

import numpy as np

import astropy.units as u

__all__ = ["Frame", "frame_of"]


@dataclass(frozen=True)
class Frame:
    """
    The place of the Sun on a detector: ``pixel = matrix @ (x, y) + centre``.

    Attributes
    ----------
    matrix : numpy.ndarray
        (2, 2), pixels (column, row) per solar radius to west and north.
    centre : numpy.ndarray
        (2,), column and row of disc centre, from 0.
    shape : tuple of int
        (ny, nx) of the detector.
    """

    matrix: np.ndarray
    centre: np.ndarray
    shape: tuple

    @property
    def pixels_per_radius(self):
        return np.sqrt(abs(np.linalg.det(self.matrix)))

    def radius(self, rows, columns):
        """Return the distance from disc centre, in solar radii, of pixels at index arrays that broadcast; float32."""
        row = rows.astype(np.float32) - np.float32(self.centre[1])
        column = columns.astype(np.float32) - np.float32(self.centre[0])
        (a, b), (c, d) = np.linalg.inv(self.matrix).astype(np.float32)
        # hypot would take five times as long.
        return np.sqrt((a * column + b * row) ** 2 + (c * column + d * row) ** 2)

    def to_grid(self, grid):
        """Return the (2, 2) matrix and (2,) offset from (column, row) of the detector to those of a `CanonicalGrid`."""
        matrix = np.linalg.inv(self.matrix) * grid.size / (2 * grid.half_width)
        return matrix, (grid.size - 1) / 2 - matrix @ self.centre

    def disk_slices(self, radius=1):
        """Return (rows, columns), slices of the smallest box around a disc of this radius, cut to the detector."""
        reach = radius * np.linalg.norm(self.matrix, axis=1)
        low = np.floor(self.centre - reach).astype(int)
        high = np.ceil(self.centre + reach).astype(int) + 1
        ny, nx = self.shape
        columns, rows = (
            slice(*np.clip((start, stop), 0, size)) for start, stop, size in zip(low, high, (nx, ny), strict=True)
        )
        return rows, columns


def frame_of(smap):
    """
    Return the `Frame` of a helioprojective Map, from its own WCS and apparent solar radius.

    The projection is taken as linear over the disc. For the tangent plane this is true to 1e-4 solar radii even from
    0.3 au.
    """
    rsun = smap.rsun_obs.to_value(u.arcsec)
    units = [u.Unit(unit) for unit in smap.wcs.world_axis_units]
    steps = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]) * rsun
    world = [(steps[:, i] * u.arcsec).to_value(unit) for i, unit in enumerate(units)]
    west, east, north, south = np.transpose(smap.wcs.world_to_pixel_values(*world))
    matrix = np.column_stack([west - east, north - south]) / 2
    centre = (west + east + north + south) / 4
    return Frame(matrix, centre, smap.data.shape)
