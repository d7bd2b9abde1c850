"""
From a Map to the canonical grid and back.

Positions are in apparent solar radii from disc centre, x to solar west and y to solar north, so that every
instrument, scale, rotation and distance looks alike to the network.
"""

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

import astropy.units as u
from sunpy.map import GenericMap
from sunpy.util.exceptions import SunpyMetadataWarning

from sunpy_scss._sun.header import check_header
from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import InvalidMapError, LimbWarning

__all__ = [
    "Frame",
    "canonical_radius",
    "check_map",
    "frame_of",
    "from_canonical",
    "from_inside",
    "limb_brightening",
    "to_canonical",
]

# The canonical grid is sampled this finely and averaged, so that it depends little on the phase of the input's
# pixels.
_OVERSAMPLE = 2
# Apparent radii of one header that differ by this share are not two roundings of one; those of STEREO's by 0.0003.
_RADII_DIFFER = 0.005
# No image is so many pixels large.
_FARTHEST = 1e6
# Header keys for the apparent solar radius, as sunpy reads them.
_RADIUS_KEYS = ("rsun_obs", "solar_r", "radius")


@dataclass(frozen=True)
class Frame:
    """
    Where the Sun is on a detector: ``pixel = matrix @ (x, y) + centre``.

    Attributes
    ----------
    matrix : numpy.ndarray
        (2, 2), pixels (column, row) in each solar radius to west and north.
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
        """Distance from disc centre in solar radii of the pixels at index arrays that broadcast; float32."""
        row = rows.astype(np.float32) - np.float32(self.centre[1])
        column = columns.astype(np.float32) - np.float32(self.centre[0])
        (a, b), (c, d) = np.linalg.inv(self.matrix).astype(np.float32)
        # Not hypot, which takes five times as long.
        return np.sqrt((a * column + b * row) ** 2 + (c * column + d * row) ** 2)

    def to_grid(self, size, half_width):
        """(2, 2) matrix and (2,) offset that bring (column, row) of the detector to those of a canonical grid."""
        matrix = np.linalg.inv(self.matrix) * size / (2 * half_width)
        return matrix, (size - 1) / 2 - matrix @ self.centre

    def disk_slices(self):
        """(rows, columns) of the smallest box that holds the disc, cut to the detector."""
        reach = np.linalg.norm(self.matrix, axis=1)
        low = np.floor(self.centre - reach).astype(int)
        high = np.ceil(self.centre + reach).astype(int) + 1
        ny, nx = self.shape
        columns, rows = (
            slice(*np.clip((start, stop), 0, size)) for start, stop, size in zip(low, high, (nx, ny), strict=True)
        )
        return rows, columns


def check_map(smap):
    """
    Raise a clear error unless a Map can be segmented.

    Raises
    ------
    TypeError
        If it is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If it is not helioprojective, its header has a value of the wrong kind, or nothing in it tells when it was
        taken or how large the Sun is.

    Warns
    -----
    `~sunpy_scss.exceptions.LimbWarning`
        The apparent radius of the Sun in the header contradicts its distance and radius.
    """
    if not isinstance(smap, GenericMap):
        msg = f"Expected a sunpy Map (got {type(smap).__name__}); make one with sunpy.map.Map(file)."
        raise TypeError(msg)
    if tuple(axis[:4] for axis in smap.coordinate_system) != ("HPLN", "HPLT"):
        msg = f"Only helioprojective Maps can be segmented (got {tuple(smap.coordinate_system)})."
        raise InvalidMapError(msg)
    check_header(smap)
    if not _size_of_sun_known(smap):
        msg = "The size of the Sun is unknown: the header needs an observer (HGLN_OBS, HGLT_OBS, DSUN_OBS) or RSUN_OBS."
        raise InvalidMapError(msg)
    _check_geometry(smap)
    _warn_of_radius(smap)


def _warn_of_radius(smap):
    """Two values of one header for the apparent radius of the Sun: segmenting goes by the one, areas by the other."""
    if smap.meta.get("rsun_obs") is None or smap.meta.get("dsun_obs") is None:
        return
    expected = np.arcsin(smap.rsun_meters / smap.dsun).to(u.arcsec)
    if abs(smap.rsun_obs / expected - 1) > _RADII_DIFFER:
        msg = (
            f"RSUN_OBS = {smap.rsun_obs.to_value(u.arcsec):.1f} arcsec contradicts RSUN_REF and DSUN_OBS, by which the "
            f"Sun has a radius of {expected.value:.1f} arcsec: correct or delete what is wrong in the header."
        )
        warn_caller(msg, LimbWarning)


def _check_geometry(smap):
    """Raise an error where scale, rotation and centre, each of which may look well, have the Sun nowhere."""
    try:
        with np.errstate(all="ignore"):
            frame = frame_of(smap)
    except Warning:  # which somebody has made an error
        raise
    except Exception as error:  # whatever wcslib, astropy and numpy stumble over
        reason = str(error).strip().partition("\n")[0]
    else:
        size = frame.pixels_per_radius
        if 1 / _FARTHEST < size < _FARTHEST and (np.abs(frame.centre) < _FARTHEST).all():
            return
        reason = f"a radius of {size:g} pixels around pixel {tuple(map(float, frame.centre))}"
    msg = (
        "By its header the Sun is nowhere in this Map; look at CDELT1, CDELT2, CRPIX1, CRPIX2, CRVAL1, CRVAL2, PC1_1 "
        f"to PC2_2 or CROTA2, CUNIT1, CUNIT2, RSUN_OBS, RSUN_REF, DSUN_OBS, HGLN_OBS, HGLT_OBS ({reason})."
    )
    raise InvalidMapError(msg)


def _size_of_sun_known(smap):
    if any(smap.meta.get(key) is not None for key in _RADIUS_KEYS):
        return True
    with warnings.catch_warnings():
        # sunpy warns when it falls back to an observer on Earth: that would be a guess of the solar radius.
        warnings.simplefilter("error", SunpyMetadataWarning)
        try:
            smap.observer_coordinate  # noqa: B018
        except SunpyMetadataWarning:
            return False
    return True


def frame_of(smap):
    """
    The `Frame` of a helioprojective Map, from its own WCS and apparent solar radius.

    The projection is taken as linear over the disc: true to 1e-4 solar radii for the tangent plane even from 0.3 au.
    """
    rsun = smap.rsun_obs.to_value(u.arcsec)
    units = [u.Unit(unit) for unit in smap.wcs.world_axis_units]
    steps = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]) * rsun
    world = [(steps[:, i] * u.arcsec).to_value(unit) for i, unit in enumerate(units)]
    west, east, north, south = np.transpose(smap.wcs.world_to_pixel_values(*world))
    matrix = np.column_stack([west - east, north - south]) / 2
    centre = (west + east + north + south) / 4
    return Frame(matrix, centre, smap.data.shape)


def canonical_radius(size, half_width):
    """Distance from disc centre in solar radii on the canonical grid; (size, size)."""
    axis = _axis(size, half_width)
    return np.hypot(axis, axis[:, np.newaxis])


def _axis(size, half_width):
    return ((np.arange(size) + 0.5) / size * 2 - 1) * half_width


def _block_mean(data, factor):
    ny, nx = (n // factor for n in data.shape)
    # First over whole rows, which lie together in memory: four times as fast as over both axes at once.
    rows = data[: ny * factor, : nx * factor].reshape(ny, factor, nx * factor).sum(axis=1, dtype=np.float64)
    return rows.reshape(ny, nx, factor).sum(axis=2) / factor**2


def _reduce(data, factor):
    """Block-mean over the finite pixels; NaN where fewer than half of a block are."""
    with np.errstate(invalid="ignore"):
        means = _block_mean(data, factor)
    if np.isfinite(means).all():
        return means
    finite = np.isfinite(data)
    share = _block_mean(finite, factor)
    total = _block_mean(np.where(finite, data, 0), factor)
    return np.divide(total, share, out=np.full_like(total, np.nan), where=share >= 0.5)


def to_canonical(data, frame, *, size, half_width):
    """
    Bring an image to the canonical grid: Sun centred, north up, west to the right.

    Parameters
    ----------
    data : numpy.ndarray
        (ny, nx), of any real type.
    frame : Frame
    size : int
        Pixels of the grid on a side.
    half_width : float
        Half of its side in solar radii.

    Returns
    -------
    numpy.ndarray
        (size, size) float32, NaN where the image has no data.
    """
    fine = size * _OVERSAMPLE
    factor = max(1, round(frame.pixels_per_radius * 2 * half_width / fine))
    blocks = _reduce(data, factor)
    step = 2 * half_width / fine
    first = frame.matrix @ np.full(2, _axis(fine, half_width)[0]) + frame.centre
    matrix, offset = frame.matrix * step / factor, (first - (factor - 1) / 2) / factor
    # scipy counts (row, column), the frame (column, row).
    sampled = _resample(blocks, matrix[::-1, ::-1], offset[::-1], fine)
    return _reduce(sampled, _OVERSAMPLE).astype(np.float32)


def _resample(image, matrix, offset, size):
    """An image linearly interpolated at ``matrix @ (row, column) + offset``, (size, size); NaN outside of it."""
    if matrix[0, 1] or matrix[1, 0]:
        return ndimage.affine_transform(
            image, matrix, offset, output_shape=(size, size), order=1, mode="constant", cval=np.nan
        )
    # Not rotated, as most images are: first the rows, then the columns, in a third of the time.
    for axis in (0, 1):
        at = matrix[axis, axis] * np.arange(size) + offset[axis]
        first = np.clip(np.floor(at).astype(int), 0, image.shape[axis] - 2)
        share = np.where((at >= 0) & (at <= image.shape[axis] - 1), at - first, np.nan)
        share = np.expand_dims(share, 1 - axis)
        image = image.take(first, axis) * (1 - share) + image.take(first + 1, axis) * share
    return image


def from_canonical(image, frame, *, half_width):
    """
    Bring an image from the canonical grid to a detector's own pixels.

    Grid pixels on the limb mix sky and disc: they are replaced by the nearest ones inside before interpolation.

    Parameters
    ----------
    image : numpy.ndarray
        (size, size).
    frame : Frame
    half_width : float
        Half of the grid's side in solar radii.

    Returns
    -------
    numpy.ndarray
        float32 of the detector's shape; 0 off the disc.
    """
    inner = from_inside(image, half_width)
    matrix, offset = frame.to_grid(len(image), half_width)
    rows, columns = frame.disk_slices()
    result = np.zeros(frame.shape, dtype=np.float32)
    result[rows, columns] = ndimage.affine_transform(
        inner,
        matrix[::-1, ::-1],
        (offset + matrix @ (columns.start, rows.start))[::-1],
        output_shape=result[rows, columns].shape,
        order=1,
        mode="nearest",
    )
    result[rows, columns][frame.radius(*np.ogrid[rows, columns]) > 1] = 0
    return result


def from_inside(image, half_width):
    """float32, the grid pixels on and beyond the limb replaced by the nearest ones inside."""
    return image[_nearest_inside(len(image), half_width)].astype(np.float32)


@lru_cache(maxsize=8)
def _nearest_inside(size, half_width):
    """(rows, columns), indices of the nearest pixel that is inside the limb with all of its area."""
    outside = canonical_radius(size, half_width) > 1 - half_width / size
    return tuple(ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True))


# Median of log10 of the brightness by distance from disc centre in solar radii, AIA 193; that of 171 differs by less
# than 0.04.
_LIMB_RADII = (0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
_LIMB_BRIGHTENING = (-0.07, -0.02, 0.04, 0.10, 0.17, 0.30, 0.45)


def limb_brightening(radius):
    """By how much the quiet Sun is brighter than the median of the disc, in log10, at distances in solar radii."""
    return np.interp(radius, _LIMB_RADII, _LIMB_BRIGHTENING)
