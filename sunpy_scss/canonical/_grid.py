"""The grid on which a network, like every other method, sees the Sun."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["CanonicalGrid"]


@dataclass(frozen=True)
class CanonicalGrid:
    """
    A square grid centred on the Sun, solar north up and west to the right.

    Positions are in apparent solar radii from disc centre, so that images of every instrument, scale, rotation and
    distance look alike. Arrays on the grid have the shape (size, size), the first row in the south.

    Attributes
    ----------
    size : int
        Pixels on a side.
    half_width : float
        Half of the side, in apparent solar radii.

    Examples
    --------
    >>> CanonicalGrid(4, 1.0).axis
    array([-0.75, -0.25,  0.25,  0.75])
    """

    size: int
    half_width: float

    @property
    def shape(self):
        return self.size, self.size

    @property
    def step(self):
        """The side of a pixel in solar radii."""
        return 2 * self.half_width / self.size

    @property
    def pixels_per_radius(self):
        return self.size / (2 * self.half_width)

    @cached_property
    def axis(self):
        """The positions of the pixel centres along either axis, (size,)."""
        return ((np.arange(self.size) + 0.5) / self.size * 2 - 1) * self.half_width

    @property
    def points(self):
        """The positions of all pixels, x to west and y to north; two arrays (size, size)."""
        return np.meshgrid(self.axis, self.axis)

    @cached_property
    def radius(self):
        """The distances from disc centre, (size, size)."""
        return np.hypot(self.axis, self.axis[:, np.newaxis])

    @property
    def disk(self):
        """The pixels with their centres on the disc, (size, size) bool."""
        return self.radius <= 1

    def nearest(self, x, y):
        """Return rows and columns of the pixels nearest to positions; a position beyond the edge gets an edge pixel."""
        return tuple(
            np.clip(np.round((values / self.half_width + 1) / 2 * self.size - 0.5).astype(int), 0, self.size - 1)
            for values in (y, x)
        )
