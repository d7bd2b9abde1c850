"""The fit of the solar disc in an EUV image without a header."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

__all__ = ["Disk", "fit_limb", "follow_limb"]

# In AIA images of 171 and 193 Angstrom of known scale the emission rises most steeply at this many solar radii. The
# value is the same within 0.001 from day to day.
_LIMB_HEIGHT = 1.0057
_ANGLES = np.linspace(0, 2 * np.pi, 720, endpoint=False)
# In each pass the limb is looked for this far from its last place, on images smoothed this much, both in radii.
_PASSES = ((0.06, 0.01), (0.03, 0.005), (0.02, 0.003), (0.015, 0.002), (0.015, 0.002))
# A fit on which fewer rays agree, or which scatters more (in radii; in pixels, if these are large), is not a limb.
_LEAST_SHARE = 0.6
_MOST_SCATTER = 0.005
_MOST_SCATTER_PIXELS = 0.3
# On the limb and beyond it, in radii: from the one to the other an image darkens by this many of its standard
# deviations. At a real limb it darkens by 0.8 to 2.5, at rings inside the disc and in the corona by less than 0.3.
_RIM, _BEYOND = (1.0, 1.01, 1.02), (1.1, 1.13, 1.16)
_LEAST_DROP = 0.5
# Discs with fewer pixels across their radius show no limb.
_LEAST_RADIUS = 10


@dataclass(frozen=True)
class Disk:
    """
    A circle on an image.

    Attributes
    ----------
    column, row : float
        The position of its centre, from 0.
    radius : float
        The radius of the photosphere in pixels.
    share : float
        The share of the rays from the centre that meet the limb at the circle.
    scatter : float
        The standard deviation of these about the circle, in radii.
    """

    column: float
    row: float
    radius: float
    share: float
    scatter: float

    @property
    def found(self):
        most = max(_MOST_SCATTER, _MOST_SCATTER_PIXELS / self.radius) if self.radius > 0 else 0
        return self.share >= _LEAST_SHARE and self.scatter <= most

    def enlarged(self, step):
        """Return the circle on the full image, of which every ``step``-th pixel was taken, from ``step // 2`` on."""
        column, row = self.column * step + step // 2, self.row * step + step // 2
        return replace(self, column=column, row=row, radius=self.radius * step)


def fit_limb(image):
    """
    Fit a circle to the limb. On EUV images this is where the emission rises outwards most steeply.

    The fit is robust against bright or dark regions at the limb, and against text in the corners.

    Parameters
    ----------
    image : numpy.ndarray
        (ny, nx), the logarithm of the intensity, or a similar function. The disc is whole and takes between 0.4 and 1
        of the longer side. Its centre is within a tenth of that side from the image centre.

    Returns
    -------
    Disk
        The circle; trust it only if it is ``found``.
    """
    if min(image.shape) < 2 * _LEAST_RADIUS or np.ptp(image) == 0:
        return Disk(column=0.0, row=0.0, radius=0.0, share=0.0, scatter=np.inf)
    return _refined(image, *_first_guess(image), _PASSES)


def follow_limb(image, column, row, radius):
    """
    Fit a circle as `fit_limb` does, but start from an expected disc, several times as fast.

    Parameters
    ----------
    image : numpy.ndarray
        (ny, nx), as for `fit_limb`.
    column, row, radius : float
        The expected disc, true within 5 % of its radius.

    Returns
    -------
    Disk or None
        None if there is no limb there, or if not all of it is inside the image.
    """
    if _is_whole(image, column, row, radius):
        disk = _refined(image, column, row, radius * _LIMB_HEIGHT, _PASSES[:-1], _ANGLES[::3])
        if disk.found and _is_whole(image, disk.column, disk.row, disk.radius) and _drop(image, disk) >= _LEAST_DROP:
            return disk
    return None


def _is_whole(image, column, row, radius):
    """Return True if a disc of sufficient size is inside the image."""
    ny, nx = image.shape
    return min(column, row, nx - 1 - column, ny - 1 - row) >= 1.02 * radius >= _LEAST_RADIUS


def _drop(image, disk):
    """Return the drop in brightness beyond the limb, in standard deviations of the image."""
    rim, beyond = (
        np.median(_polar(image, disk.column, disk.row, disk.radius * np.array(radii), _ANGLES[::8]))
        for radii in (_RIM, _BEYOND)
    )
    return (rim - beyond) / np.std(image)


def _refined(image, column, row, radius, passes, angles=_ANGLES):
    """Return the `Disk` to which a circle converges in several passes."""
    for reach, smoothing in passes:
        distances = _limb_distances(image, column, row, radius, reach, smoothing, angles)
        x, y = distances * np.cos(angles), distances * np.sin(angles)
        (dx, dy, radius), agree = _robust_circle(x, y)
        column, row = column + dx, row + dy
    residuals = np.hypot(x - dx, y - dy)[agree] - radius
    return Disk(column, row, radius / _LIMB_HEIGHT, agree.mean(), residuals.std() / radius)


def _first_guess(image):
    """Return (column, row, radius) of the circle of the highest median brightness: the limb is a bright rim."""
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


def _polar(image, column, row, radii, angles):
    """Return an image in polar coordinates about a point, (angles, radii); 0 outside the image."""
    rows = row + radii * np.sin(angles)[:, np.newaxis]
    columns = column + radii * np.cos(angles)[:, np.newaxis]
    return ndimage.map_coordinates(image, [rows, columns], order=1, cval=0)


def _limb_distances(image, column, row, radius, reach, smoothing, angles):
    """Return the distance of the steepest rise from a point, in each direction."""
    step = min(max(radius * smoothing / 3, 0.1), radius * reach / 2)  # at least a few on the smallest discs
    radii = np.arange(radius * (1 - reach), radius * (1 + reach), step)
    polar = _polar(image, column, row, radii, angles)
    slope = ndimage.gaussian_filter1d(polar, radius * smoothing / step, axis=1, order=1, mode="nearest")
    slope = ndimage.uniform_filter1d(slope, 5, axis=0, mode="wrap")
    best = np.argmax(slope[:, 1:-1], axis=1) + 1
    rays = np.arange(len(slope))
    below, peak, above = slope[rays, best - 1], slope[rays, best], slope[rays, best + 1]
    curvature = below - 2 * peak + above
    shift = np.divide(below - above, 2 * curvature, out=np.zeros_like(peak), where=curvature < 0)
    return radii[best] + step * np.clip(shift, -1, 1)


def _robust_circle(x, y):
    """Return (x, y, radius) of the circle on which most points lie, and a bool for each point that does."""
    agree = np.ones(x.shape, dtype=bool)
    for _ in range(12):
        before = agree
        circle = _circle(x[agree], y[agree])
        distance = np.abs(np.hypot(x - circle[0], y - circle[1]) - circle[2])
        agree = distance <= 2.5 * max(1.48 * np.median(distance[agree]), 0.1)
        if (agree == before).all():
            break
    return circle, agree


def _circle(x, y):
    design = np.column_stack([2 * x, 2 * y, np.ones_like(x)])
    (column, row, rest), *_ = np.linalg.lstsq(design, x**2 + y**2)
    return column, row, np.sqrt(rest + column**2 + row**2)
