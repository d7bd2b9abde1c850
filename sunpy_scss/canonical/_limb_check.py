"""The check that the limb is where the header of a Map has it."""

import numpy as np

from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._limb import fit_limb, follow_limb
from sunpy_scss.exceptions import InvalidMapError, LimbWarning

__all__ = ["check_limb", "limb_of", "mismatch"]

# The largest distances, in solar radii, of the limb from its place in the header. On real images of AIA, SUVI and SWAP
# it is within 0.01, on EUVI images with a radius of 40 pixels within 0.023.
_TOLERANCE, _LIMIT = 0.02, 0.05
# The limb is looked for on an image of about this many pixels on its longer side.
_SIZE = 256
_ANGLES = np.linspace(0, 2 * np.pi, 72, endpoint=False)


def check_limb(data, frame):
    """
    Compare the limb of an image with that of its header.

    The check is silent if no whole disc is found: in cutouts, magnetograms, or during eclipses.

    Parameters
    ----------
    data : numpy.ndarray
        (ny, nx), intensities; NaN without data.
    frame : Frame
        The frame from the header.

    Raises
    ------
    sunpy_scss.exceptions.InvalidMapError
        If the limb is off by more than 5 % of a solar radius and about a pixel.

    Warns
    -----
    `~sunpy_scss.exceptions.LimbWarning`
        If it is off by more than 2 % and about a pixel.
    """
    disk = limb_of(data, frame)
    if disk is None:
        return
    # The limb is found to about a pixel, a large share of a small disc.
    far, fit = mismatch(disk, frame), 1.25 / disk.radius
    if far <= _TOLERANCE + fit:
        return
    column, row = frame.centre
    msg = (
        f"The disc in the image is not where the header has it: its radius is {disk.radius:.1f} pixels and its centre "
        f"at pixel ({disk.column:.1f}, {disk.row:.1f}); by the header {frame.pixels_per_radius:.1f} pixels and "
        f"({column:.1f}, {row:.1f}), so that the limb is off by up to {_share(far)}. Mend the scale (CDELT1, CDELT2, "
        "CUNIT1, CUNIT2), the centre (CRPIX1, CRPIX2, CRVAL1, CRVAL2) or the size of the Sun (RSUN_OBS, DSUN_OBS) in "
        "the header, smap.meta."
    )
    if far > _LIMIT + fit:
        raise InvalidMapError(msg)
    warn_caller(msg, LimbWarning)


def _share(far):
    return f"{far:.0%} of a solar radius" if far < 2 else f"{far:.0f} solar radii"


def limb_of(data, frame):
    """Return the `Disk` in an image, in pixels, looked for first where the header has it; None if there is none."""
    step = max(1, max(data.shape) // _SIZE)
    image = _logarithm(data[step // 2 :: step, step // 2 :: step])
    if image is None:
        return None
    expected = (*(frame.centre - step // 2) / step, frame.pixels_per_radius / step)
    disk = follow_limb(image, *expected)
    if disk is None or mismatch(disk.enlarged(step), frame) > _TOLERANCE:
        elsewhere = fit_limb(image)
        disk = (elsewhere.radius and follow_limb(image, elsewhere.column, elsewhere.row, elsewhere.radius)) or disk
    return disk and disk.enlarged(step)


def _logarithm(image):
    """Return the logarithm of an image, clipped at the noise; None if the image shows nothing."""
    values = image[np.isfinite(image)].astype(float)
    floor = max(np.percentile(values, 1), 1e-3 * np.median(values)) if values.size else 0
    if floor <= 0 or min(image.shape) < 2:
        return None
    return np.log10(np.maximum(np.nan_to_num(image.astype(float), nan=floor), floor))


def mismatch(disk, frame):
    """Return the largest distance between the limb of a header and that of a `Disk`, in radii of the latter."""
    column, row = frame.matrix @ [np.cos(_ANGLES), np.sin(_ANGLES)] + frame.centre[:, np.newaxis]
    return np.abs(np.hypot(column - disk.column, row - disk.row) / disk.radius - 1).max()
