"""Where the solar disc is in an EUV image that does not tell."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

__all__ = ["Disk", "fit_limb"]

# In AIA images of 171 and 193 Angstrom of known scale the emission rises most steeply at this many solar radii, the
# same within 0.001 from day to day.
_LIMB_HEIGHT = 1.0057
_ANGLES = np.linspace(0, 2 * np.pi, 720, endpoint=False)
# The limb is looked for this far from where it was last seen, on images smoothed so much, in radii.
_PASSES = ((0.06, 0.01), (0.03, 0.005), (0.02, 0.003), (0.015, 0.002), (0.015, 0.002))
# A limb that fewer rays agree on, or that scatters more (in radii), is none.
_LEAST_SHARE = 0.6
_MOST_SCATTER = 0.005


@dataclass(frozen=True)
class Disk:
    """
    A circle on an image.

    Attributes
    ----------
    column, row : float
        Of its centre, from 0.
    radius : float
        In pixels; that of the photosphere.
    share : float
        Part of the rays from the centre that met the limb where the circle has it.
    scatter : float
        Standard deviation of these about the circle, in radii.
    """

    column: float
    row: float
    radius: float
    share: float
    scatter: float

    @property
    def found(self):
        return self.share >= _LEAST_SHARE and self.scatter <= _MOST_SCATTER


def fit_limb(image):
    """
    Fit a circle to the limb, which on EUV images is where the emission rises outwards most steeply.

    Robust against what is bright or dark at the limb, and against writing in the corners.

    Parameters
    ----------
    image : numpy.ndarray
        (ny, nx), the logarithm of the intensity or what grows like it; the disc is whole, takes between 0.4 and 1 of
        the longer side, and its centre is within a tenth of it from the image's.

    Returns
    -------
    Disk
        To be trusted where ``found``.
    """
    if np.ptp(image) == 0:
        return Disk(column=0.0, row=0.0, radius=0.0, share=0.0, scatter=np.inf)
    column, row, radius = _first_guess(image)
    for reach, smoothing in _PASSES:
        distances = _limb_distances(image, column, row, radius, reach, smoothing)
        x, y = distances * np.cos(_ANGLES), distances * np.sin(_ANGLES)
        (dx, dy, radius), agree = _robust_circle(x, y)
        column, row = column + dx, row + dy
    residuals = np.hypot(x - dx, y - dy)[agree] - radius
    return Disk(column, row, radius / _LIMB_HEIGHT, agree.mean(), residuals.std() / radius)


def _first_guess(image):
    """(column, row, radius) of the circle on which the median brightness is highest: the limb is a bright rim."""
    factor = max(1, max(image.shape) // 256)
    small = ndimage.gaussian_filter(image[::factor, ::factor], 1)
    longest = max(small.shape)
    radii = np.arange(0.2 * longest, 0.5 * longest)
    middle_row, middle_column = (np.array(small.shape) - 1) / 2
    offsets = np.linspace(-0.1, 0.1, 9) * longest
    best = (-np.inf,)
    for row in middle_row + offsets:
        for column in middle_column + offsets:
            profile = np.median(_polar(small, column, row, radii, _ANGLES[::8]), axis=0)
            best = max(best, (profile.max(), column, row, radii[np.argmax(profile)]))
    return np.array(best[1:]) * factor


def _polar(image, column, row, radii, angles=_ANGLES):
    """(angles, radii) of an image about a point; 0 outside of it."""
    rows = row + radii * np.sin(angles)[:, np.newaxis]
    columns = column + radii * np.cos(angles)[:, np.newaxis]
    return ndimage.map_coordinates(image, [rows, columns], order=1, cval=0)


def _limb_distances(image, column, row, radius, reach, smoothing):
    """The distance of the steepest rise from a point, in each direction."""
    step = max(radius * smoothing / 3, 0.1)
    radii = np.arange(radius * (1 - reach), radius * (1 + reach), step)
    polar = _polar(image, column, row, radii)
    slope = ndimage.gaussian_filter1d(polar, radius * smoothing / step, axis=1, order=1, mode="nearest")
    slope = ndimage.uniform_filter1d(slope, 5, axis=0, mode="wrap")
    best = np.argmax(slope[:, 1:-1], axis=1) + 1
    rays = np.arange(len(slope))
    below, peak, above = slope[rays, best - 1], slope[rays, best], slope[rays, best + 1]
    curvature = below - 2 * peak + above
    shift = np.divide(below - above, 2 * curvature, out=np.zeros_like(peak), where=curvature < 0)
    return radii[best] + step * np.clip(shift, -1, 1)


def _robust_circle(x, y):
    """(x, y, radius) of the circle that most points lie on, and which of them do."""
    agree = np.ones(x.shape, dtype=bool)
    for _ in range(12):
        circle = _circle(x[agree], y[agree])
        distance = np.abs(np.hypot(x - circle[0], y - circle[1]) - circle[2])
        agree = distance <= 2.5 * max(1.48 * np.median(distance[agree]), 0.1)
    return circle, agree


def _circle(x, y):
    design = np.column_stack([2 * x, 2 * y, np.ones_like(x)])
    (column, row, rest), *_ = np.linalg.lstsq(design, x**2 + y**2)
    return column, row, np.sqrt(rest + column**2 + row**2)
