"""The intensities of a Map on the canonical grid, the input of every method of segmentation."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

import astropy.units as u

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._calibration import unit_of
from sunpy_scss.canonical._frame import Frame, frame_of
from sunpy_scss.canonical._intensity import intensities, rate_of, warn_of
from sunpy_scss.canonical._limb_check import check_limb
from sunpy_scss.canonical._quality import quality_caveats
from sunpy_scss.canonical._resample import to_canonical
from sunpy_scss.canonical._sky import disk_values, values_between
from sunpy_scss.exceptions import (
    CalibrationWarning,
    InvalidMapError,
    MissingDataWarning,
    PartialDiskError,
    QualityWarning,
)

__all__ = ["CanonicalImage", "canonical_image", "doubt_of", "measured_median", "warn_of_calibration"]

# The disc median is taken inside this radius, free of limb brightening; it needs this share of the disc.
_MEDIAN_RADIUS = 0.9
_LEAST_COVERAGE = 0.7
# Logarithms of the counts of EUV images have a median in this range, which excludes images divided by their median.
# Their brightest pixels are below this many times the median; those of counts are above five times.
_LOGARITHMS, _LEAST_CONTRAST = (1.2, 12), 2.5
# The median of a part of the disc and that of the disc differ by less than this factor.
_DISPROPORTION = 50
# Images with fewer values on the disc are drawings, not photographs.
_FEWEST_VALUES = 64
# The sky, at these solar radii, has at most half of the brightness of the disc, even if display scales clip it. In
# known images no more than this share of the disc is saturated, or below this share of its bright parts.
_SKY, _BRIGHT_SKY, _NO_SKY = (1.15, 1.25), 0.9, 0.99
_SATURATED, _DARKEST, _ECLIPSED = 0.05, 0.01, 0.05
# The disc medians of the training images of coronal holes, 51 to 164 DN/s, are 0.7 to 2.3 times the reference of the
# cards; those of AIA since 2010 are within a third of this range.
_MEDIANS = (0.3, 6)
# The number of image pixels inside the limb whose interpolated values come in part from beyond it.
_RIM_PIXELS = 2
# A smaller loss than this share of the disc needs no warning.
_LEAST_LOSS = 5e-3


@dataclass(frozen=True)
class CanonicalImage:
    """
    One image on a canonical grid, in intensities.

    Attributes
    ----------
    image : numpy.ndarray
        (size, size) float32, in DN/s, or in the unit of the Map if DN/s cannot be derived; NaN without data.
    frame : Frame
        The place of the Sun in the Map.
    disk_median : float
        The median of the disc, in the same unit.
    per_second : float
        The factor from the unit of the Map to that one.
    doubt : str
        The reason why its calibration is unknown; empty for an image of AIA in DN/s.
    missing : numpy.ndarray or None
        bool, of the shape of the Map: its pixels without data; None if there are none.
    seen : float
        The share of the disc, as it appears on the sky, that has data; from 0 to 1.
    """

    image: np.ndarray
    frame: Frame
    disk_median: float
    per_second: float
    doubt: str
    missing: np.ndarray | None
    seen: float


def canonical_image(smap, grid, *, disk_median=None):
    """
    Bring the intensities of a Map that has passed `check_map` to a canonical grid, and check them.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    grid : CanonicalGrid
    disk_median : astropy.units.Quantity, optional
        The median intensity of the quiet disc; needed if the Map shows too little of the disc to measure it.

    Returns
    -------
    CanonicalImage
    """
    frame = frame_of(smap)
    data, per_second, doubt = intensities(smap, frame)
    check_limb(data, frame)
    image = to_canonical(data, frame, grid) * per_second
    if disk_median is None:
        median = measured_median(image, grid)
    else:
        median = rate_of(disk_median, smap, per_second, name="disk_median")
        _check_given(median, image[grid.disk], disk_median)
    if unit_of(smap)[0] in (None, u.dimensionless_unscaled):
        _refuse_logarithms(image[grid.radius <= _MEDIAN_RADIUS] / per_second)
    known = _known(image, frame, grid)
    seen = float(known[grid.disk].mean())
    _warn_of_gaps(~known & grid.disk, frame, grid)
    warn_of(quality_caveats(smap))
    _warn_of_look(data, frame)
    return CanonicalImage(image, frame, median, per_second, doubt, _missing(data), seen)


def _refuse_logarithms(disk):
    """Raise an error if values without a unit look like logarithms: small, and close to each other."""
    disk = disk[np.isfinite(disk)]
    middle, high = np.percentile(disk, (50, 99.9))
    lowest, highest = _LOGARITHMS
    if lowest < middle < highest and high < _LEAST_CONTRAST * middle:
        msg = (
            f"The Map has no unit, and its values on the disc, {middle:.3g} in the median and hardly above {high:.3g}, "
            "look like logarithms: give intensities, as 10 ** smap.data, or tell the unit in the header (BUNIT)."
        )
        raise InvalidMapError(msg)


def _check_given(median, disk, given):
    """Raise an error if the disc median of a user is out of all proportion to the visible part of the disc."""
    values = disk[np.isfinite(disk) & (disk > 0)]
    if values.size and not 1 / _DISPROPORTION < median / np.median(values) < _DISPROPORTION:
        msg = (
            f"disk_median = {given} cannot be that of this image: what it shows of the disc has "
            f"{np.median(values):.3g} in the median, and disk_median is {median:.3g} in the same unit. Look at the "
            "unit and the exposure time."
        )
        raise ValueError(msg)


def _warn_of_look(data, frame):
    """Warn of a sky that is not dark, of a saturated disc, and of a disc that is darker than any hole."""
    disk = disk_values(data, frame)
    if not disk.size or len(np.unique(disk)) < _FEWEST_VALUES:
        return
    median, sky = np.median(disk), values_between(data, frame, *_SKY)
    # Magnetograms and other images with a disc that is not positive are refused elsewhere.
    bright = sky.size and _BRIGHT_SKY * median < np.percentile(sky, 5) and np.median(sky) < _NO_SKY * median
    if median > 0 and bright:
        msg = (
            f"The sky around the Sun has {np.percentile(sky, 5) / median:.0%} of the brightness of the disc: a "
            "pedestal (bias, dark current) was not subtracted, as in EIT images of level zero. Subtract it: "
            "contrasts, and with them masks, depend on it."
        )
        warn_caller(msg, CalibrationWarning)
    if (share := np.mean(disk == disk.max())) > _SATURATED:
        msg = f"{share:.0%} of the disc has the greatest value, {disk.max():.4g}: the image is saturated or clipped."
        warn_caller(msg, QualityWarning)
    if (share := np.mean(disk <= _DARKEST * np.percentile(disk, 90))) > _ECLIPSED:
        msg = (
            f"{share:.0%} of the disc is darker than any coronal hole, without an edge: look whether the Earth stood "
            "before the Sun. What is dark there is taken for the Sun."
        )
        warn_caller(msg, MissingDataWarning)


def _missing(data):
    """Return the pixels without data, as bool; None if there are none."""
    # One pass without a new array, for the many images without gaps.
    if data.dtype.kind != "f" or np.isfinite(data.sum(dtype=float)):
        return None
    return ~np.isfinite(data)


def _known(image, frame, grid):
    """Return where an image has data. The rim, which an image cut at the limb loses, counts as the pixels inside it."""
    known = np.isfinite(image)
    if known[grid.disk].all():
        return known
    rim = grid.radius > 1 - max(grid.step, _RIM_PIXELS / frame.pixels_per_radius)
    return known[tuple(ndimage.distance_transform_edt(rim, return_distances=False, return_indices=True))]


def _warn_of_gaps(gap, frame, grid):
    """Warn if part of the disc is inside the image, but has no data."""
    if not gap.any():
        return
    x, y = (positions[gap] for positions in grid.points)
    column, row = frame.matrix @ [x, y] + frame.centre[:, np.newaxis]
    ny, nx = frame.shape
    inside = (column >= 0.5) & (column <= nx - 1.5) & (row >= 0.5) & (row <= ny - 1.5)
    loss = inside.sum() / grid.disk.sum()
    if loss >= _LEAST_LOSS:
        msg = (
            f"{loss:.1%} of the disc has no data: what is there is not known, and in no region. The header of the mask "
            "tells the share of the disc that was seen."
        )
        warn_caller(msg, MissingDataWarning)


def measured_median(image, grid):
    """Return the median of an image on the disc; raise an error if too little of the disc is seen."""
    disk = image[grid.radius <= _MEDIAN_RADIUS]
    values = disk[np.isfinite(disk)]
    coverage = values.size / disk.size
    if coverage == 0:
        msg = (
            "The Map has no data on the solar disc: the disc lies outside of it, or all pixels there are 0, negative, "
            "NaN or masked."
        )
        raise PartialDiskError(msg)
    if coverage < _LEAST_COVERAGE:
        problem = f"The Map shows only {coverage:.0%} of the disc: too little to know the brightness of the quiet Sun."
        remedy = (
            "Pass {}, the median intensity of the disc in a full-disc image of that day, as {}; or, if this is a full "
            "disc, mend the scale in its header (CDELT1, CDELT2)."
        )
        raise PartialDiskError(
            problem, remedy.format("disk_median", "a Quantity"), in_shell=remedy.format("--disk-median", '"70 DN/s"')
        )
    median = np.median(values)
    if median <= 0 or np.ptp(values) == 0:
        msg = f"The disc holds no image: its median is {median:g}, its range {np.ptp(values):g}."
        raise InvalidMapError(msg)
    return float(median)


def doubt_of(found, reference):
    """
    Return the reason not to trust the brightness of a `CanonicalImage`; empty if there is none.

    Parameters
    ----------
    found : CanonicalImage
    reference : float
        The disc median, in DN/s, of the images for which a model or method was made.
    """
    lowest, highest = _MEDIANS
    if found.doubt or lowest < found.disk_median / reference < highest:
        return found.doubt
    return (
        f"the median of its disc, {found.disk_median:.3g} DN/s, is far from those of the images behind the model, "
        f"around {reference:g} DN/s; look at the unit (BUNIT), the exposure time, and what was done to the values"
    )


def warn_of_calibration(reference, doubt):
    msg = (
        f"The intensity calibration of this Map is unknown: {doubt}. Its disc median was set to {reference:g} DN/s. "
        "Areas depend on that guess."
    )
    warn_caller(msg, CalibrationWarning)
