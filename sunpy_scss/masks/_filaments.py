"""Filament or coronal hole: the evidence for either in each dark region, and its sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.special import expit

import astropy.units as u
from astropy.table import QTable

from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import same_grid
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._intensity import intensities
from sunpy_scss.canonical._resample import to_canonical
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._measures import field
from sunpy_scss.masks._outlines import perimeters
from sunpy_scss.masks._regions import find_regions

if TYPE_CHECKING:
    from sunpy.map import GenericMap

    from sunpy_scss.masks._regions import Regions

__all__ = ["filament_score"]

# Brightness is measured on the grid of the training images, so that the size of pixels hardly matters.
_GRID = CanonicalGrid(512, 1.25)
# Where training images of 193 Angstrom clip, in DN/s.
_FLOOR = 21
# The surroundings of a region reach as far as this many pixels of that grid.
_REACH = 10
# A bright point is the brightest in a square of so many pixels, and so much brighter than the region, in log10.
_SQUARE, _BRIGHTER = 5, 0.2
# Rings of equal area: fine towards the limb, where brightness rises.
_ANNULI = np.sqrt(np.linspace(0, 1, 41))
# For each part: the neutral value, and the logit for each unit above it: a logistic regression on the
# training part of the labels behind scss-ch-193-2, as benchmarks/filaments.py prints it.
_COEFFICIENTS = {
    "width": (1.65, -7.3),  # of log10
    "contrast": (0.253, -9.5),
    "bright_points": (0.85, -0.45),
    "sharpness": (0.0139, -175.0),
}
_REASONS = {
    "width": "narrow",
    "contrast": "low contrast",
    "bright_points": "few bright points",
    "sharpness": "soft boundary",
}


def filament_score(mask: GenericMap | Regions, image: GenericMap, *, magnetogram: GenericMap | None = None) -> QTable:
    """
    Score how much each region of a coronal-hole mask looks like a filament or another hard negative.

    Filaments and filament channels are as dark at 193 Angstrom as coronal holes, and masks contain some. Nothing is
    removed here: the score, the parts that it is made of, and the reasons are for you to judge.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        1 in coronal holes and 0 elsewhere, helioprojective; or its regions.
    image : sunpy.map.GenericMap
        193 or 195 Angstrom, on the pixels of the mask.
    magnetogram : sunpy.map.GenericMap, optional
        The same as for `~sunpy_scss.masks.region_table`.

    Returns
    -------
    astropy.table.QTable
        A row for each region, none for an empty mask, with these columns:

        ``id``
            as in `~sunpy_scss.masks.region_table`
        ``score``
            from 0, like the regions that were kept as coronal holes, to 1, like those that were rejected. At 0.5 both
            are equally likely, provided that there are as many of one kind as of the other.
        ``filament``
            True if the score is at least 0.5
        ``reasons``
            the parts that speak for a hard negative, the strongest first, such as "narrow, low contrast"
        ``width``
            twice the area over the perimeter, on the sphere, in Mm
        ``contrast``
            the contrast to its surroundings within 34 Mm: the difference of the medians of log10 intensity
        ``bright_points``
            the number per 10 000 Mm2 of local maxima that are 0.2 in log10 brighter than the median of the region
        ``sharpness``
            the gradient of log10 intensity, per Mm in the plane of the sky; its median along the outline
        ``elongation``
            the ratio of the long to the short axis on the sphere, from the second moments of the area. It has no part
            in the score, because regions that were kept and rejected do not differ in it.
        ``by_width``, ``by_contrast``, ``by_bright_points``, ``by_sharpness``
            the logit of each part; their sum is that of the score. Above 0 it speaks for a hard negative. 0 where
            the part is unknown.

        with ``magnetogram``, as in `~sunpy_scss.masks.region_table`:

        ``unipolarity``, ``field_skewness``, ``field_coverage``
            coronal holes have one dominant polarity, filaments lie between both [1]_. No labelled regions with
            magnetograms were at hand to weigh this by, so that it has no part in the score.

        Unknown values are NaN, such as the contrast of a region without surroundings on the disc.

    Raises
    ------
    TypeError
        If an argument is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the mask is not helioprojective or has other values than 0 and 1, the image is not on its pixels, or the
        magnetogram has no unit of a magnetic field.

    Notes
    -----
    The weights are those of a logistic regression on dark regions that an intensity rule found, and that automated
    reviewers (no solar physicist) kept as coronal holes or rejected. The rejected ones are filaments, dark quiet Sun
    and slivers at the limb: the score finds hard negatives, not filaments alone. Most of it is width and contrast, so
    that a wide filament channel passes for a hole. How well it does by latitude is in :ref:`worth`. Beyond 60 degrees
    it is unreliable: no region there was used in the fit, as some labels leave out what look like polar holes.

    Intensities are taken relative to the quiet Sun at the same distance from disc centre, outside of the mask, on a
    grid of 3.4 Mm; those of AIA below 21 DN/s are raised to that, as in the training images. Images of fewer than
    some 500 pixels across the disc show fewer bright points and softer boundaries than there are.

    References
    ----------
    .. [1] Reiss et al. 2015, https://doi.org/10.1051/swsc/2015025

    Examples
    --------
    >>> from sunpy_scss import segment_coronal_holes
    >>> from sunpy_scss.masks import filament_score
    >>> from sunpy_scss.images import example_map
    >>> smap = example_map(193)
    >>> table = filament_score(segment_coronal_holes(smap), smap)
    >>> bool(((0 <= table["score"]) & (table["score"] <= 1)).all())
    True
    """
    regions = find_regions(mask)
    if not regions.surface.is_image:
        msg = "The mask must be helioprojective, as the image that it was made from."
        raise InvalidMapError(msg)
    if not same_grid(surface_of(image), regions.surface):
        msg = "The image must be on the pixels of the mask; give the one that the mask was made from."
        raise InvalidMapError(msg)
    parts = {**_shape(regions), **_brightness(regions, image)}
    shares = _contributions(parts)
    score = expit(np.sum([*shares.values()], axis=0))
    columns = {
        "id": regions.ids,
        "score": score,
        "filament": score >= 0.5,
        "reasons": _reasons(shares),
        **parts,
        **{f"by_{name}": share for name, share in shares.items()},
    }
    if magnetogram is not None:
        magnetic = field(regions, magnetogram)
        columns |= {name: magnetic[name] for name in ("unipolarity", "field_skewness", "field_coverage")}
    table = QTable(columns, meta=Provenance.of(regions.mask).keywords())
    for column in table.itercols():
        if column.dtype.kind == "f":
            column.info.format = ".3g"
    return table


def _contributions(parts):
    known = {name: u.Quantity(parts[name]).value for name in _COEFFICIENTS}
    known["width"] = np.log10(known["width"])
    return {name: np.nan_to_num(weight * (known[name] - middle)) for name, (middle, weight) in _COEFFICIENTS.items()}


def _reasons(shares):
    """Return the evidence in words for each region, the strongest first."""
    names, values = list(shares), np.array([*shares.values()])
    order = np.argsort(-values, axis=0)
    return np.array(
        [
            ", ".join(_REASONS[names[part]] for part in parts if values[part, region] > 0)
            for region, parts in enumerate(order.T)
        ],
        dtype=str,
    )


def _shape(regions):
    """Return the widths and the elongations of regions."""
    total = regions.sum(regions.solid_angles)
    centre = regions.sum(regions.solid_angles * regions.points)
    centre = centre / np.linalg.norm(centre, axis=0)
    offset = regions.points - centre[:, regions.number]
    moments = regions.sum(regions.solid_angles * offset[:, np.newaxis] * offset) / total
    # A pixel has an extent of its own, without which a line of them would be infinitely thin.
    own = total / regions.sum(np.ones_like(regions.solid_angles)) / 12
    _, short, long = np.linalg.eigvalsh(np.moveaxis(moments, -1, 0)).T + own
    width = 2 * total / perimeters(regions)
    return {"width": width * regions.mask.rsun_meters.to(u.Mm), "elongation": np.sqrt(long / short)}


def _brightness(regions, image):
    """Contrast, density of bright points and sharpness of the border."""
    frame, rsun = frame_of(regions.mask), regions.mask.rsun_meters.to(u.Mm)
    labels = _canonical_labels(regions.labels, frame)
    flat = _flat(to_canonical(_intensity(image, frame), frame, _GRID), labels)
    known = np.isfinite(flat)
    filled = np.where(known, flat, 0)
    peaks = known & (filled == ndimage.maximum_filter(filled, _SQUARE))
    gradients = ndimage.gaussian_gradient_magnitude(filled, 1)
    contrast, points, gradient = np.full((3, len(regions)), np.nan)
    for region, box in enumerate(ndimage.find_objects(labels, len(regions))):
        if box is None:
            continue
        box = tuple(slice(max(0, side.start - _REACH), side.stop + _REACH) for side in box)
        inside = (labels[box] == region + 1) & known[box]
        if not inside.any():
            continue
        middle = np.median(flat[box][inside])
        points[region] = np.count_nonzero(inside & peaks[box] & (flat[box] > middle + _BRIGHTER))
        around = (ndimage.distance_transform_edt(~inside) <= _REACH) & (labels[box] == 0) & known[box]
        if around.any():
            contrast[region] = np.median(flat[box][around]) - middle
            outline = inside & ~ndimage.binary_erosion(inside | ~known[box], border_value=1)
            gradient[region] = np.median(gradients[box][outline]) if outline.any() else np.nan
    return {
        "contrast": contrast,
        "bright_points": points / regions.sum(regions.areas).to(1e4 * u.Mm**2),
        "sharpness": gradient / (_GRID.step * rsun),
    }


def _intensity(image, frame):
    data, per_second, doubt = intensities(image, frame)
    return np.maximum(data * per_second, _FLOOR) if not doubt else data


def _canonical_labels(labels, frame):
    """The labels of the nearest pixels."""
    first = frame.matrix @ _GRID.axis[[0, 0]] + frame.centre
    return ndimage.affine_transform(
        labels,
        frame.matrix[::-1, ::-1] * _GRID.step,
        first[::-1],
        output_shape=_GRID.shape,
        order=0,
        mode="constant",
    )


def _flat(image, labels):
    """log10 of the intensity over that of the Sun outside of all regions at that radius; NaN where it is not known."""
    radius = _GRID.radius
    known = (radius <= 1) & (image > 0)
    flat = np.log10(image, out=np.full(image.shape, np.nan), where=known)
    annulus = np.digitize(radius, _ANNULI)
    quiet = known & (labels == 0)
    order = np.argsort(annulus[quiet])
    ends = np.searchsorted(annulus[quiet][order], np.arange(len(_ANNULI)), side="right")
    rings = np.split(flat[quiet][order], ends)
    levels = np.array([np.median(ring) if ring.size else np.nan for ring in rings])
    filled = np.isfinite(levels)
    if not filled.any():
        return np.full_like(flat, np.nan)
    return flat - np.interp(np.arange(len(levels)), filled.nonzero()[0], levels[filled])[annulus]
