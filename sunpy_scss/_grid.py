"""
Geometry: a Map to the canonical grid and back, and the mask Map.

Positions are in apparent solar radii from disc centre, x to solar west and y to solar north, so that every
instrument, scale, rotation and distance looks alike to the network.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Normalize
from scipy import ndimage

import astropy.units as u
from sunpy.coordinates import Helioprojective
from sunpy.map import GenericMap

from sunpy_scss import _pixels

__all__ = [
    "Frame",
    "canonical_radius",
    "frame_of",
    "from_canonical",
    "make_map",
    "pixel_areas",
    "provenance",
    "said_by_all",
    "to_canonical",
    "without_small",
]

# The canonical grid is sampled this finely and averaged, so that it depends little on the phase of the input's
# pixels.
_OVERSAMPLE = 2


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
    distance : float
        Of the observer from Sun centre, in solar radii.
    """

    matrix: np.ndarray
    centre: np.ndarray
    shape: tuple
    distance: float

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
    return Frame(matrix, centre, smap.data.shape, 1 / np.sin(smap.rsun_obs.to_value(u.rad)))


def canonical_radius(size, half_width):
    """Distance from disc centre in solar radii on the canonical grid; (size, size)."""
    axis = _axis(size, half_width)
    return np.hypot(axis, axis[:, np.newaxis])


def _axis(size, half_width):
    return ((np.arange(size) + 0.5) / size * 2 - 1) * half_width


def _block_mean(data, factor):
    ny, nx = (n // factor for n in data.shape)
    blocks = data[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    return blocks.mean(axis=(1, 3), dtype=np.float64)


def _reduce(data, factor):
    """Block-mean over the finite pixels; NaN where fewer than half of a block are."""
    finite = np.isfinite(data)
    if finite.all():
        return _block_mean(data, factor)
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
    sampled = ndimage.affine_transform(
        blocks, matrix[::-1, ::-1], offset[::-1], output_shape=(fine, fine), order=1, mode="constant", cval=np.nan
    )
    return _reduce(sampled, _OVERSAMPLE).astype(np.float32)


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
    size = len(image)
    per_radius = size / (2 * half_width)
    outside = canonical_radius(size, half_width) > 1 - 0.5 / per_radius
    nearest = ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True)
    inside = image[tuple(nearest)].astype(np.float32)
    rows, columns = frame.disk_slices()
    corner = np.array([columns.start, rows.start])
    matrix = np.linalg.inv(frame.matrix) * per_radius
    offset = matrix @ (corner - frame.centre) + (size - 1) / 2
    result = np.zeros(frame.shape, dtype=np.float32)
    result[rows, columns] = ndimage.affine_transform(
        inside,
        matrix[::-1, ::-1],
        offset[::-1],
        output_shape=result[rows, columns].shape,
        order=1,
        mode="nearest",
    )
    result[rows, columns][frame.radius(*np.ogrid[rows, columns]) > 1] = 0
    return result


def make_map(data, smap, *, keywords, history):
    """
    A Map of results on the WCS of another Map.

    Built from the WCS and not from the header: what described the intensities of the input must not stay, nor
    INSTRUME, by which a saved mask would be taken for an image.

    Parameters
    ----------
    data : numpy.ndarray
        int16 for masks, the one integer type that survives saving, rotating and cutting; float32 for probabilities.
    smap : sunpy.map.GenericMap
        Where the coordinates, date, observer and wavelength come from.
    keywords : dict
        Provenance; FITS keys of at most 8 characters, values in ASCII.
    history : str
        How the result was made; lines of at most 72 characters, as FITS has them.

    Returns
    -------
    sunpy.map.GenericMap
    """
    header = {
        **_wcs_header(smap),
        "BUNIT": "",
        "TELESCOP": smap.observatory,
        "PARENT": str(smap.meta.get("filename") or smap.date.isot),
    }
    if isinstance(smap.coordinate_frame, Helioprojective):
        header["RSUN_OBS"] = smap.rsun_obs.to_value(u.arcsec)
    if smap.wavelength is not None:
        header["WAVELNTH"] = smap.wavelength.value
        header["WAVEUNIT"] = smap.wavelength.unit.to_string("fits")
    header |= {**keywords, "HISTORY": history}
    # A constant mask has no range of its own to scale colours by.
    settings = {"norm": Normalize(0, 1), "cmap": "gray", "interpolation": "nearest"}
    return GenericMap(data, header, plot_settings=settings)


def provenance(mask):
    """What the header of a mask or probability Map tells of its origin, as keywords for what is made from it."""
    kept = ("CONTENT", "TELESCOP", "WAVELNTH", "WAVEUNIT", "PARENT")
    return {
        key.upper(): value
        for key, value in mask.meta.items()
        if key.upper() in kept or key.upper().startswith(("SCSS", "HEK"))
    }


def said_by_all(headers):
    """The keywords that are in all of some headers, with the same value."""
    first, *others = headers
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _wcs_header(smap):
    """The WCS keywords in the units of the Map, where astropy writes degrees."""
    header = dict(smap.wcs.to_header())
    for axis, (unit, new) in enumerate(zip(smap.wcs.wcs.cunit, smap.spatial_units, strict=True), start=1):
        factor = unit.to(new)
        header[f"CDELT{axis}"] = smap.wcs.wcs.cdelt[axis - 1] * factor
        header[f"CRVAL{axis}"] = smap.wcs.wcs.crval[axis - 1] * factor
        header[f"CUNIT{axis}"] = new.to_string("fits")
    return header


def pixel_areas(frame, rows, columns):
    """
    The area of the solar surface behind pixels, corrected for foreshortening.

    Parameters
    ----------
    frame : Frame
    rows, columns : numpy.ndarray
        Indices of the pixels, arrays that broadcast.

    Returns
    -------
    numpy.ndarray
        float32, in squares of the solar radius; 0 off the disc.
    """
    radius = frame.radius(rows, columns)
    # 1/mu diverges at the limb. Its mean over the ring from one side of the pixel to the other does not:
    # the integral of r/mu is -mu, so that the mean is 2 / (mu_near + mu_far).
    half = 0.5 / frame.pixels_per_radius
    near, far = np.clip(radius - half, 0, 1), np.minimum(radius + half, 1)
    mean = 2 / (_mu(near) + _mu(far) + np.float32(1e-30))
    # The middle of the disc is nearer to the observer than its edge, by one part in 215 from Earth.
    perspective = (1 - _mu(np.minimum(radius, 1)) / np.float32(frame.distance)) ** 2
    return np.where(radius <= 1, mean * perspective, 0) / np.float32(frame.pixels_per_radius**2)


def without_small(mask, frame, least):
    """
    A mask without its regions of less area.

    Parameters
    ----------
    mask : numpy.ndarray
        bool, of the shape of the detector, False off the disc.
    frame : Frame
    least : float
        In squares of the solar radius.

    Returns
    -------
    numpy.ndarray
        bool, a new array.
    """
    rows, columns = frame.disk_slices()
    disk = mask[rows, columns]
    row, column = disk.nonzero()
    areas = pixel_areas(frame, row + rows.start, column + columns.start)
    result = np.zeros_like(mask)
    result[rows, columns] = _pixels.remove_small(disk, areas, least)
    return result


def _mu(radius):
    return np.sqrt(1 - radius**2)
