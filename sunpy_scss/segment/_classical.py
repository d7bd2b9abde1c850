"""
Coronal holes without a network, by a threshold and by three channels: to compare with, and where no weights fit.

Both methods are this package's own, neither CATCH nor CHIMERA, and their masks say so.
"""

from dataclasses import replace

import numpy as np
from scipy import ndimage

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from sunpy.map.header_helper import make_fitswcs_header

from sunpy_scss._arguments import check_area
from sunpy_scss._mask_map import make_mask
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import remove_small_regions, surface_of
from sunpy_scss._sun.transfer import sample
from sunpy_scss.canonical._brightening import limb_brightening
from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._image import canonical_image, doubt_of, measured_median, warn_of_calibration
from sunpy_scss.canonical._intensity import angstroms, intensities, rate_of, warn_of, wavelength_caveats
from sunpy_scss.canonical._mend import mended
from sunpy_scss.canonical._resample import from_canonical
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["three_channel_coronal_holes", "threshold_coronal_holes"]

# The size and half-width (solar radii) of the grid of both methods. Its pixels are 3.4 Mm at disc centre.
_GRID = CanonicalGrid(512, 1.25)
# Standard deviation of the smoothing, and radius of the disc of the opening, in pixels of the grid: 10 Mm.
_SMOOTHING, _OPENING = 3, 3
# The dark level of coronal holes in AIA 193 Angstrom images in DN/s, and the disc median to which an image of unknown
# calibration is set: those of the bundled model.
_DARK_LEVEL, _REFERENCE_MEDIAN = 21.4, 70
# A hole reaches this much deeper below the disc median, in logarithm, than its border: with the rule half-way to the
# dark level, three quarters of the way; and it does so within this many solar radii, as closer to the limb a sliver
# may be dark for any reason. Tuned on the training images.
_CORE, _CORE_RADIUS = 1.5, 0.97
# Wavelengths in Angstrom that are taken for each channel.
_CHANNELS = {171: (171, 174), 193: (193, 195), 211: (211,)}
# Lines in the planes of two channels: weights of log10(I / disc median) at 171, 193, 211, whose sum is below a limit in
# holes. Against the quiet Sun holes are cool, with less of the hotter emission for the cooler one, and dark.
_LINES = (((-1, 1, 0), 0.0), ((-1, 0, 1), 0.0), ((0, 0.5, 0.5), -0.3))


@u.quantity_input
def threshold_coronal_holes(
    smap: sunpy.map.GenericMap,
    *,
    threshold: float | u.Quantity | None = None,
    min_area: u.Quantity[u.Mm**2] = 1000 * u.Mm**2,
    disk_median: u.Quantity | None = None,
) -> sunpy.map.GenericMap:
    """
    Segment the coronal holes of a Map by an intensity threshold, a method of our own.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
        Helioprojective, showing the disc; of any size, scale, rotation and centre. Never changed.
    threshold : float or astropy.units.Quantity, optional
        Intensity of the border at disc centre: as a fraction of the disc median, which suits every instrument and
        wavelength, or in DN/s or the Map's unit. By default the geometric mean of the disc median and a dark level of
        21.4 DN/s, which holds for AIA 193 Angstrom; an image of 193 or 195 Angstrom whose calibration is unknown is
        scaled to a disc median of 70 DN/s first, with a warning.
    min_area : astropy.units.Quantity, optional
        Regions with less area on the solar surface, corrected for foreshortening, are left out.
    disk_median : astropy.units.Quantity, optional
        Median intensity of the disc inside 0.9 solar radii, in DN/s or in the Map's unit. Needed for a Map that shows
        too little of the disc to measure it.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 1 in a coronal hole and 0 elsewhere, on the WCS of ``smap``. The header tells the method, the
        intensity of the border and the disc median, both in DN/s or, without calibration, in the Map's own unit, and
        the factor by which an image of unknown calibration was scaled; see :ref:`header-keywords`.

    Raises
    ------
    TypeError
        If ``smap`` is not a Map.
    ValueError
        If the threshold is not between 0 and the disc median.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the Map holds no image, is not helioprojective or does not tell the size of the Sun.
    `~sunpy_scss.exceptions.PartialDiskError`
        If too little of the disc is visible and ``disk_median`` is not given.

    Notes
    -----
    The centre-to-limb trend of the quiet Sun is removed: the median of AIA 193 images, as a trend measured on the image
    itself would hide a hole at disc centre. Depth, ``log(I / disc median) / log(threshold / disc median)``, is 0 in
    the quiet Sun and 1 on the border. It is smoothed over 10 Mm and opened with a disc of 10 Mm radius, in which
    filaments and slivers vanish. Regions that reach nowhere within 0.97 solar radii to a
    depth of 1.5, as dark quiet Sun and slivers on the limb, are left out.

    Thresholds at a fraction of the median of intensities are common, e.g. [1]_. That between median and dark
    level is our own, and so are trend, smoothing and depth, which makes this method neither CATCH nor another
    published one, whatever the threshold: they were chosen on images whose labels follow nearly the
    same rule, see :ref:`worth`. A filament that is broad and dark enough counts as a hole.

    References
    ----------
    .. [1] Heinemann et al. (2019), https://doi.org/10.1007/s11207-019-1539-y

    Examples
    --------
    >>> from sunpy_scss.segment import threshold_coronal_holes
    >>> from sunpy_scss.masks import iou
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun()
    >>> mask = threshold_coronal_holes(sun.image)
    >>> iou(sun.coronal_holes.data, mask.data) > 0.85
    True
    >>> smaller = threshold_coronal_holes(sun.image, threshold=0.4)
    >>> bool(smaller.data.sum() < mask.data.sum())
    True
    """
    check_map(smap)
    check_area(min_area, "min_area")
    smap = mended(smap)
    found = canonical_image(smap, _GRID, disk_median=disk_median)
    if threshold is None:
        warn_of(wavelength_caveats(smap, "The default threshold", _CHANNELS[193]))
    doubt, scales = doubt_of(found, _REFERENCE_MEDIAN), ()
    if threshold is None and doubt:
        warn_of_calibration(_REFERENCE_MEDIAN, doubt)
        scales = (_REFERENCE_MEDIAN / found.disk_median,)
    border = _border(threshold, smap, found)
    depth = np.log10(_relative(found.image, found.disk_median)) / np.log10(border / found.disk_median)
    # Twice as deep is the dark level, at which browse images are clipped.
    excess = _smooth(np.minimum(depth, 2)) - 1
    return _mask_map(
        _with_core(_open(excess), _CORE - 1),
        smap,
        min_area,
        missing=found.missing,
        provenance=Provenance.new(
            method="threshold",
            threshold=border,
            given_medians=() if disk_median is None else (str(disk_median),),
            medians=(found.disk_median,),
            scales=scales,
            seen=round(found.seen, 4),
        ),
        history=f"threshold={'half-way to the dark level' if threshold is None else threshold}",
    )


def _border(threshold, smap, found):
    """Return the intensity of the border at disc centre, in the unit of the canonical image."""
    median = found.disk_median
    if threshold is None:
        dark = _DARK_LEVEL if not doubt_of(found, _REFERENCE_MEDIAN) else _DARK_LEVEL * median / _REFERENCE_MEDIAN
        border = np.sqrt(dark * median)
    elif u.Quantity(threshold).unit.is_equivalent(u.dimensionless_unscaled):
        border = u.Quantity(threshold).to_value(u.dimensionless_unscaled) * median
    else:
        border = rate_of(threshold, smap, found.per_second, name="threshold")
    if threshold is None and border >= median:
        msg = (
            f"The disc median, {median:.4g} DN/s, is below the dark level of coronal holes: this is no well "
            "calibrated image of 193 Angstrom. Give a threshold relative to the median, as threshold=0.5."
        )
        raise ValueError(msg)
    if not 0 < border < median:
        msg = f"The threshold must be between 0 and the disc median, {median:.4g} (got {border:.4g})."
        raise ValueError(msg)
    return float(border)


@u.quantity_input
def three_channel_coronal_holes(
    smap_171: sunpy.map.GenericMap,
    smap_193: sunpy.map.GenericMap,
    smap_211: sunpy.map.GenericMap,
    *,
    min_area: u.Quantity[u.Mm**2] = 1000 * u.Mm**2,
    max_gap: u.Quantity[u.s] = 30 * u.min,
) -> sunpy.map.GenericMap:
    """
    Segment coronal holes by the ratios of three channels, with limits of our own.

    Parameters
    ----------
    smap_171, smap_193, smap_211 : sunpy.map.GenericMap
        Helioprojective, of the whole disc, at 171 (or 174), 193 (or 195) and 211 Angstrom; each of any size, scale,
        rotation and centre. Their calibration does not matter: brightness counts relative to the disc median.
        Never changed.
    min_area : astropy.units.Quantity, optional
        Regions with less area on the solar surface, corrected for foreshortening, are left out.
    max_gap : astropy.units.Quantity, optional
        Longest time between the Map at 193 Angstrom and another one. The rotation of the Sun in this time is corrected.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 1 in a coronal hole and 0 elsewhere, on the WCS of ``smap_193``, with the method in the header.

    Raises
    ------
    TypeError
        If one of them is not a Map.
    ValueError
        If they are further apart in time than ``max_gap``.
    `~sunpy_scss.exceptions.InvalidMapError`
        If one has another wavelength, holds no image, is not helioprojective, does not tell the size of the Sun, or is
        an 8-bit image of 211 Angstrom, whose display scale is not known.
    `~sunpy_scss.exceptions.PartialDiskError`
        If one shows too little of the disc.

    Notes
    -----
    The idea is that of [1]_: in the plane of the logarithms of two channels, coronal holes lie on one side of a line,
    and a pixel in a hole does so in each of the three planes, 171-193, 171-211 and 193-211. Filaments absorb in all
    channels alike and so lie on the other side where 171 is one of them.

    This is not CHIMERA: lines, smoothing and opening are our own, and its masks differ from those published under that
    name. Relative to the disc medians, with the centre-to-limb trend of AIA
    193 removed, a hole has less emission at 193 and at 211 than at 171, and half or less at 193 and 211 together (the
    geometric mean). The factor of a half and the line at 171-193 were chosen on 11 pairs of AIA browse images of 2021;
    those with 211 go by analogy and have been tried on synthetic images only. The contrasts are smoothed over 10 Mm,
    and what the three lines leave is opened with a disc of 10 Mm radius.

    The paper further asks that a hole has one magnetic polarity: see ``unipolarity`` and ``field_skewness`` of
    `~sunpy_scss.masks.region_table` with a magnetogram.

    References
    ----------
    .. [1] Garton, Gallagher & Murray (2018), https://doi.org/10.1051/swsc/2017039

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.segment import three_channel_coronal_holes
    >>> from sunpy_scss.masks import iou
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> wavelengths = (171, 193, 211) * u.AA
    >>> suns = [synthetic_sun(wavelength=wavelength) for wavelength in wavelengths]
    >>> mask = three_channel_coronal_holes(*[sun.image for sun in suns])
    >>> iou(suns[1].coronal_holes.data, mask.data) > 0.8
    True
    """
    check_area(min_area, "min_area")
    maps = {}
    for wavelength, smap in zip(_CHANNELS, (smap_171, smap_193, smap_211), strict=True):
        check_map(smap)
        _check_channel(smap, wavelength, smap_193, max_gap)
        maps[wavelength] = mended(smap)
    smap_193 = maps[193]
    surface = surface_of(_canonical_map(smap_193))
    images = np.stack([_on_surface(smap, surface) for smap in maps.values()])
    contrasts = np.stack([_contrast(image) for image in images])
    excess = [limit - np.tensordot(weights, contrasts, axes=1) for weights, limit in _LINES]
    times = "\n".join(f"{wavelength}: {smap.date.isot}" for wavelength, smap in maps.items())
    unknown = ~np.isfinite(images).all(axis=0) & (_GRID.disk)
    return _mask_map(
        _open(np.min(excess, axis=0)),
        smap_193,
        min_area,
        missing=from_canonical(unknown, frame_of(smap_193), _GRID) >= 0.5,
        provenance=Provenance.new(method="three-channel", seen=round(float(1 - unknown.sum() / _GRID.disk.sum()), 4)),
        history=times,
    )


def _check_channel(smap, wavelength, smap_193, max_gap):
    if not np.isclose(angstroms(smap), _CHANNELS[wavelength], atol=0.5).any():
        msg = f"Expected a Map of {wavelength} Angstrom (got {smap.wavelength}); the order is 171, 193, 211."
        raise InvalidMapError(msg)
    gap = abs(smap.date - smap_193.date).to(u.min)
    if gap > max_gap:
        msg = (
            f"The Maps of {wavelength} and 193 Angstrom are {gap:.0f} apart: take images that are closer in time, or "
            "raise max_gap."
        )
        raise ValueError(msg)


def _canonical_map(smap):
    """Return an empty Map on the canonical grid, with the observer and time of another Map."""
    centre = SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame=smap.coordinate_frame)
    scale = 2 * _GRID.half_width * smap.rsun_obs / (_GRID.size * u.pix)
    return sunpy.map.Map(
        np.zeros(_GRID.shape), make_fitswcs_header(_GRID.shape, centre, scale=u.Quantity([scale, scale]))
    )


def _on_surface(smap, surface):
    """Return the intensities of a Map on the canonical grid, with the surface turned to the time of another Map."""
    found = canonical_image(smap, _GRID)  # for its checks
    data, _, _ = intensities(smap, found.frame)
    rows, columns = (grid.ravel() for grid in np.indices(surface.shape))
    on_sun = surface.on_sun(rows, columns)
    rows, columns = rows[on_sun], columns[on_sun]
    image = np.full(surface.shape, np.nan)
    image[rows, columns], _ = sample(sunpy.map.Map(data, smap.meta), surface, rows, columns)
    return image


def _contrast(image):
    """Return log10 of an image relative to the quiet Sun."""
    return _smooth(np.log10(_relative(image, measured_median(image, _GRID))))


def _relative(image, median):
    """Return the ratio to the quiet Sun at the same distance from disc centre; 1 where there are no data."""
    trend = 10 ** limb_brightening(_GRID.radius)
    relative = np.where(np.isfinite(image), image, median * trend) / (median * trend)
    # Noise about zero has no logarithm.
    return np.maximum(relative, 1e-3)


def _smooth(image):
    """Smooth an image, with the disc at the limb continued outwards, so that the sky does not darken the limb."""
    outside = _GRID.radius > 1 - 1 / _GRID.pixels_per_radius
    nearest = ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True)
    return ndimage.gaussian_filter(image[tuple(nearest)], _SMOOTHING)


def _open(excess):
    """Apply a grey opening: its positive part is the opening of the positive part of ``excess``."""
    y, x = np.ogrid[-_OPENING : _OPENING + 1, -_OPENING : _OPENING + 1]
    return ndimage.grey_opening(excess, footprint=x**2 + y**2 <= _OPENING**2)


def _with_core(excess, core):
    """Set the excess to 0 in regions that do not reach ``core`` anywhere well inside the limb."""
    radius = _GRID.radius
    labels, n_regions = ndimage.label((excess > 0) & (radius <= 1), structure=np.ones((3, 3)))
    reliable = np.where(radius <= _CORE_RADIUS, excess, 0)
    deepest = ndimage.maximum(reliable, labels, np.arange(n_regions + 1))
    return np.where((deepest < core)[labels] & (excess > 0), 0, excess)


def _mask_map(excess, smap, min_area, *, missing, provenance, history):
    """Return the mask, on a Map's pixels with data, of where the excess on the canonical grid is positive."""
    mask = from_canonical(excess, frame_of(smap), _GRID) > 0
    if missing is not None:
        mask &= ~missing
    least = (min_area / smap.rsun_meters**2).to_value(u.dimensionless_unscaled)
    return make_mask(
        remove_small_regions(mask, surface_of(smap), least),
        smap,
        replace(provenance, feature="CH", min_area=min_area.to_value(u.Mm**2)),
        history=f"sunpy_scss: coronal holes by {provenance.method}, its own method\n{history}\nmin_area={min_area:g}",
    )
