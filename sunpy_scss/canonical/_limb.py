"""Where the solar disc is in an EUV image that does not tell."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

__all__ = ["Disk", "fit_limb", "follow_limb"]

# In AIA images of 171 and 193 Angstrom of known scale the emission rises most steeply at this many solar radii, the
# same within 0.001 from day to day.
_LIMB_HEIGHT = 1.0057
_ANGLES = np.linspace(0, 2 * np.pi, 720, endpoint=False)
# The limb is looked for this far from where it was last seen, on images smoothed so much, in radii.
_PASSES = ((0.06, 0.01), (0.03, 0.005), (0.02, 0.003), (0.015, 0.002), (0.015, 0.002))
# A limb that fewer rays agree on, or that scatters more (in radii; in pixels, where these are large), is none.
_LEAST_SHARE = 0.6
_MOST_SCATTER = 0.005
_MOST_SCATTER_PIXELS = 0.3
# On the limb and beyond it, in radii: across it images grow darker by so much, in standard deviations of the image.
# Real ones by 0.8 to 2.5; rings inside of the disc and in the corona by less than 0.3.
_RIM, _BEYOND = (1.0, 1.01, 1.02), (1.1, 1.13, 1.16)
_LEAST_DROP = 0.5
# Discs of fewer pixels across their radius show no limb.
_LEAST_RADIUS = 10


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
        most = max(_MOST_SCATTER, _MOST_SCATTER_PIXELS / self.radius) if self.radius > 0 else 0
        return self.share >= _LEAST_SHARE and self.scatter <= most

    def enlarged(self, step):
        """The same on the image of which every ``step``-th pixel was taken, from ``step // 2`` on."""
        column, row = self.column * step + step // 2, self.row * step + step // 2
        return replace(self, column=column, row=row, radius=self.radius * step)


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
    if min(image.shape) < 2 * _LEAST_RADIUS or np.ptp(image) == 0:
        return Disk(column=0.0, row=0.0, radius=0.0, share=0.0, scatter=np.inf)
    return _refined(image, *_first_guess(image), _PASSES)


def follow_limb(image, column, row, radius):
    """
    As `fit_limb`, from where the disc is expected; several times as fast.

    Parameters
    ----------
    image : numpy.ndarray
        (ny, nx), as for `fit_limb`.
    column, row, radius : float
        Of the expected disc, within 5 % of its radius.

    Returns
    -------
    Disk or None
        None where there is no limb there, or not all of it is inside the image.
    """
    if _is_whole(image, column, row, radius):
        disk = _refined(image, column, row, radius * _LIMB_HEIGHT, _PASSES[:-1], _ANGLES[::3])
        if disk.found and _is_whole(image, disk.column, disk.row, disk.radius) and _drop(image, disk) >= _LEAST_DROP:
            return disk
    return None


def _is_whole(image, column, row, radius):
    """Whether a disc of a size worth looking at is inside the image."""
    ny, nx = image.shape
    return min(column, row, nx - 1 - column, ny - 1 - row) >= 1.02 * radius >= _LEAST_RADIUS


def _drop(image, disk):
    """How much darker it is beyond the limb, in standard deviations of the image."""
    rim, beyond = (
        np.median(_polar(image, disk.column, disk.row, disk.radius * np.array(radii), _ANGLES[::8]))
        for radii in (_RIM, _BEYOND)
    )
    return (rim - beyond) / np.std(image)


def _refined(image, column, row, radius, passes, angles=_ANGLES):
    """The `Disk` to which a circle is drawn in passes."""
    for reach, smoothing in passes:
        distances = _limb_distances(image, column, row, radius, reach, smoothing, angles)
        x, y = distances * np.cos(angles), distances * np.sin(angles)
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


def _polar(image, column, row, radii, angles):
    """(angles, radii) of an image about a point; 0 outside of it."""
    rows = row + radii * np.sin(angles)[:, np.newaxis]
    columns = column + radii * np.cos(angles)[:, np.newaxis]
    return ndimage.map_coordinates(image, [rows, columns], order=1, cval=0)


def _limb_distances(image, column, row, radius, reach, smoothing, angles):
    """The distance of the steepest rise from a point, in each direction."""
    step = min(max(radius * smoothing / 3, 0.1), radius * reach / 2)  # a few at least on the smallest discs
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
    """(x, y, radius) of the circle that most points lie on, and which of them do."""
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
