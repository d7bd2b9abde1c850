"""The counts behind all scores: sums over the pixels of each zone of each image, and the measures they define."""

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from sunpy_scss._sun.surface import canonical_surface
from sunpy_scss.masks._metrics import dice_of, iou_of, ratio

__all__ = ["LATITUDES", "RADII", "disk_sums", "measures", "overlap_measures", "pooled", "zone_sums"]

# Edges of the zones: heliographic latitude in degrees, distance from disc centre in apparent solar radii.
LATITUDES = (-90, -60, -30, 0, 30, 60, 90)
RADII = (0, 0.5, 0.8, 0.9, 1)
# The distance of an observer on Earth from Sun centre, in solar radii.
_DISTANCE = 215
# The mean apparent radius of the Sun from the Earth, in arcsec.
_RADIUS = 959.63
# Regions are counted from this share of the disc on. They are found, or confirmed, by this share of overlap.
_LEAST_REGION, _OVERLAP = 0.004, 0.3


def disk_sums(dataset, predicted):
    """
    Return the sums over the pixels of the disc of each image, from which `overlap_measures` follow.

    Parameters
    ----------
    dataset : sunpy_scss.train.Dataset
    predicted : numpy.ndarray
        (n, size, size) bool, True where a model predicts the feature.

    Returns
    -------
    dict
        Arrays (n,) by name.
    """
    rows = [_overlap(*_masks(dataset, image, predicted[image]), dataset.disk) for image in range(len(dataset))]
    return {name: np.array([row[name].sum() for row in rows], dtype=float) for name in rows[0]}


def _masks(dataset, image, predicted):
    """Return the pixels that count, are labelled, are predicted, are hard negatives; (size, size) bool."""
    counted = dataset.counted(image)
    label, reject = (counted & (plane[image] >= 0.5) for plane in (dataset.labels, dataset.rejected))
    return counted, label, counted & predicted, reject & ~label


def _overlap(counted, label, found, reject, disk):
    """Return the quantities that are summed over the pixels of the disc."""
    planes = {
        "pixels": counted,
        "both": label & found,
        "labelled": label,
        "predicted": found,
        "rejected": reject,
        "hard_negative_fraction": reject & found,
    }
    return {name: plane[disk] for name, plane in planes.items()}


def zone_sums(dataset, predicted, tilts, grid):
    """
    Return the sums over the pixels of each zone of each image, from which all measures follow.

    Parameters
    ----------
    dataset : sunpy_scss.train.Dataset
    predicted : numpy.ndarray
        (n, size, size) bool, True where a model predicts the feature.
    tilts : numpy.ndarray
        (n,) heliographic latitude of disc centre in radians.
    grid : CanonicalGrid

    Returns
    -------
    dict
        Arrays (n, zones) by name. The zones are the disc, then those of latitude and of radius.
    """
    disk = dataset.disk
    surface, inside = canonical_surface(grid, _DISTANCE), disk.nonzero()
    points, areas = surface.points(*inside), surface.areas(*inside) / (2 * np.pi) * 100
    radii = grid.radius[disk]
    rows = []
    for image, tilt in enumerate(tilts):
        sines = points[2] * np.cos(tilt) + points[0] * np.sin(tilt)
        latitudes = np.degrees(np.arcsin(np.clip(sines, -1, 1)))
        zones = [np.ones_like(radii), *_between(LATITUDES, latitudes), *_between(RADII, radii)]
        values = _values(*_masks(dataset, image, predicted[image]), disk, points, areas)
        rows.append(np.stack(zones).astype(float) @ np.stack([*values.values()], axis=1))
    return dict(zip(values, np.moveaxis(rows, -1, 0), strict=True))


def _between(edges, values):
    index = np.clip(np.digitize(values, edges) - 1, 0, len(edges) - 2)
    return [index == zone for zone in range(len(edges) - 1)]


def _values(counted, label, found, reject, disk, points, areas):
    """Return the quantities of `_overlap` and those of areas, outlines and regions."""
    outlines = _outline(label, disk)[disk], _outline(found, disk)[disk]
    overlap = _overlap(counted, label, found, reject, disk)
    label, found = overlap["labelled"], overlap["predicted"]
    return {
        **overlap,
        "labelled_area": label * areas,
        "predicted_area": found * areas,
        **_outline_distances(*outlines, points),
        **_regions("labelled", label, found, disk),
        **_regions("predicted", found, label, disk),
    }


def _regions(name, own, other, disk):
    """Mark one pixel of each region of some size, and mark it again if the other mask shares enough of it."""
    plane = np.zeros(disk.shape, dtype=bool)
    plane[disk] = own
    numbers, _ = ndimage.label(plane, np.ones((3, 3)))
    numbers = numbers[disk]
    sizes = np.bincount(numbers)
    sizes[0] = 0
    shared = np.bincount(numbers, weights=other, minlength=sizes.size)
    there, agreed = np.zeros((2, numbers.size))
    for number in np.flatnonzero(sizes > _LEAST_REGION * numbers.size):
        pixel = _middle_pixel(numbers == number, disk)
        there[pixel], agreed[pixel] = 1, shared[number] > _OVERLAP * sizes[number]
    return {f"{name}_regions": there, f"{name}_agreed": agreed}


def _middle_pixel(inside, disk):
    """Return the index, among the pixels of the disc, of the pixel of a region nearest to its middle."""
    places = np.stack(disk.nonzero(), axis=1)
    own = places[inside]
    return np.flatnonzero(inside)[np.argmin(((own - own.mean(axis=0)) ** 2).sum(axis=1))]


def _outline(mask, disk):
    """Return the pixels of a mask with a neighbour outside it on the disc; the limb is no outline."""
    return mask & disk & ~ndimage.binary_erosion(mask | ~disk, border_value=1)


def _outline_distances(one, other, points):
    """
    Return the number of outlines on each pixel, and the distances from there to the other outline.

    Distances are in degrees along the surface and in solar radii on the sky.
    """
    count, distance, on_sky = np.zeros((3, *one.shape))
    if one.any() and other.any():
        for own, target in ((one, other), (other, one)):
            chord, _ = KDTree(points[:, target].T).query(points[:, own].T)
            count[own] += 1
            distance[own] += np.degrees(2 * np.arcsin(chord / 2))
            on_sky[own] += KDTree(points[:2, target].T).query(points[:2, own].T)[0]
    return {"outline": count, "distance": distance, "sky_distance": on_sky}


def overlap_measures(sums):
    """Return the measures that sums of `disk_sums` define, in arrays of any shape."""
    # Two empty masks agree fully, but a zone without pixels has no measure.
    empty = np.where(sums["pixels"] > 0, 1, np.nan)
    counts = sums["both"], sums["labelled"], sums["predicted"]
    return {
        "iou": iou_of(*counts, empty),
        "dice": dice_of(*counts, empty),
        "precision": ratio(sums["both"], sums["predicted"]),
        "recall": ratio(sums["both"], sums["labelled"]),
        "hard_negative_fraction": ratio(sums["hard_negative_fraction"], sums["rejected"]),
    }


def measures(sums):
    """Return the measures that sums of `zone_sums` define, in arrays of any shape."""
    return {
        **overlap_measures(sums),
        "area_ratio": ratio(sums["predicted_area"], sums["labelled_area"]),
        "boundary_distance": ratio(sums["distance"], sums["outline"]),
        "boundary_on_sky": ratio(sums["sky_distance"], sums["outline"]) * _RADIUS,
        "found": ratio(sums["labelled_agreed"], sums["labelled_regions"]),
        "confirmed": ratio(sums["predicted_agreed"], sums["predicted_regions"]),
    }


def pooled(sums, weights, define=measures):
    """
    Return the measures pooled over images with weights (..., images), and the means of the measures of single images.
    """
    seen, weights = sums["pixels"] > 0, weights.astype(float)
    each = define(sums)
    means = {f"mean_{name}": ratio(weights @ np.where(seen, each[name], 0), weights @ seen) for name in ("iou", "dice")}
    return {**define({name: weights @ values for name, values in sums.items()}), **means}
