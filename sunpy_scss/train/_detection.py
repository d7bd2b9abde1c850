"""The smallest and faintest regions that a model finds, measured with holes put into real images."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

import astropy.units as u
from astropy.table import QTable
from sunpy.sun.constants import radius as solar_radius

from sunpy_scss.canonical._brightening import limb_brightening
from sunpy_scss.exceptions import TrainingError
from sunpy_scss.masks._metrics import ratio
from sunpy_scss.models._card import Model
from sunpy_scss.train._datasets import Dataset
from sunpy_scss.train._holes import darkened

__all__ = ["detection_curve"]

# A hole counts as found where the model predicts at least this share of it.
_OVERLAP = 0.3
# A place is quiet where the smoothed image is at most this much brighter, in dex, than the usual quiet Sun there.
_QUIET = 0.15
_SMOOTHING = 2.0  # pixels
_TRIES = 200
_BATCH = 8


@u.quantity_input
def detection_curve(
    model: Model,
    dataset: Dataset,
    *,
    areas: u.Quantity[u.Mm**2] = (1000, 2000, 3000, 5000, 10000, 20000) * u.Mm**2,
    contrasts: Sequence[float] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8),
    radii: Sequence[tuple[float, float]] = ((0, 0.5), (0.5, 0.8), (0.8, 0.95)),
    per_image: int = 2,
    seed: int = 0,
) -> QTable:
    """
    Return the share of synthetic coronal holes that a model finds, by size, contrast and place.

    Round holes are put into quiet places of real images: the image there is made darker by a factor, and keeps its
    texture. A hole is found where the model predicts at least 30 % of it, not counting what it predicts there in the
    original image. Real holes differ: they are ragged, and have a texture of their own.

    Parameters
    ----------
    model : sunpy_scss.models.Model
        A model of a dark feature.
    dataset : sunpy_scss.train.Dataset
        Made with the card of the model. Holes are put only where a pixel is neither labelled, nor a hard negative, nor
        unknown, nor as bright as an active region.
    areas : astropy.units.Quantity, optional
        Areas of the holes on the solar surface.
    contrasts : sequence of float, optional
        Differences between a hole and its surroundings in log10 of the intensity: 0.3 is a factor of two.
    radii : sequence of (float, float), optional
        Distances of the middle of the hole from disc centre, in solar radii.
    per_image : int, optional
        Holes in each image, of each size, contrast and distance.
    seed : int, optional
        Seed of the places, which are the same for all contrasts.

    Returns
    -------
    astropy.table.QTable
        ``radius_low``, ``radius_high``, ``area``, ``contrast``, ``holes`` and ``found``, the share of them.

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If the images have no quiet place of that size, or the model looks for something bright or in several channels.

    Examples
    --------
    >>> import numpy as np
    >>> import astropy.units as u
    >>> from sunpy_scss.models import Model, load_model
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> from sunpy_scss.train import LabelledMap, detection_curve, make_dataset
    >>> card = load_model("scss-ch-193-5").at("middle").card
    >>> sun = synthetic_sun(size=256)
    >>> dataset = make_dataset([LabelledMap("sun", sun.image, sun.coronal_holes)], card)
    >>> dark = Model(card, lambda images: np.where(images < 0.25, 0.9, 0.1))
    >>> one = {"areas": [5000] * u.Mm**2, "contrasts": [0.6], "radii": [(0, 0.5)]}
    >>> table = detection_curve(dark, dataset, **one)
    >>> int(table["holes"][0]), float(table["found"][0])
    (2, 1.0)
    """
    model = model.at(model.card.scored)
    if not model.card.is_dark:
        msg = f"Dark holes are put into the images; {model.card.name} looks for {model.card.feature_in_words}s."
        raise TrainingError(msg)
    if len(model.card.channels) > 1:
        msg = f"Holes are put into images of one channel; {model.card.name} sees {len(model.card.channels)} together."
        raise TrainingError(msg)
    dataset = dataset.at(model.card)
    threshold = float(model.card.uncalibrated(model.card.threshold))
    low, high = model.card.stretch.limits
    images = np.asarray(dataset.images)
    predicted = _predictions(model, images, threshold)
    quiet = _quiet(images, model.card)
    free = [_free(dataset, at, predicted[at]) & quiet[at] for at in range(len(dataset))]
    rows = []
    for inner, outer in radii:
        for area in areas:
            rng = np.random.default_rng([seed, int(area.to_value(u.Mm**2)), int(100 * inner)])
            angle = _opening(area)
            caps = [_caps(one, model.card.grid, inner, outer, angle, per_image, rng) for one in free]
            if not any(caps):
                msg = f"The images have no quiet place for {area:g} at {inner} to {outer} solar radii."
                raise TrainingError(msg)
            for contrast in contrasts:
                depth = contrast / (high - low)
                darker = [
                    darkened(image, _together(own, image.shape), depth) for image, own in zip(images, caps, strict=True)
                ]
                after = _predictions(model, np.stack(darker), threshold)
                found = [
                    ratio(np.count_nonzero(new[cap] & ~old[cap]), np.count_nonzero(~old[cap]), 0) >= _OVERLAP
                    for new, old, own in zip(after, predicted, caps, strict=True)
                    for cap in own
                ]
                rows.append((inner, outer, area, contrast, len(found), np.mean(found)))
    return QTable(rows=rows, names=("radius_low", "radius_high", "area", "contrast", "holes", "found"))


def _predictions(model, images, threshold):
    parts = (images[at : at + _BATCH, ..., np.newaxis] for at in range(0, len(images), _BATCH))
    return np.concatenate([model.predict(part)[..., 0] for part in parts]) >= threshold


def _free(dataset, position, predicted):
    """Return the pixels where a hole would be new."""
    taken = (dataset.labels[position] > 0) | (dataset.rejected[position] > 0) | predicted
    return ~ndimage.binary_dilation(taken, iterations=3) & dataset.counted(position)


def _quiet(images, card):
    """Return pixels hardly brighter than the quiet Sun: a dark place in an active region need not be a hole."""
    radius = card.grid.radius
    low, high = card.stretch.limits
    brightest = (limb_brightening(np.minimum(radius, 1)) + _QUIET) / (high - low)
    return [
        (ndimage.gaussian_filter(image, _SMOOTHING) <= np.median(image[radius <= 1]) + brightest) & (radius <= 1)
        for image in images
    ]


def _opening(area):
    """Return the half-angle, in radians, of a cap of this area."""
    return float(np.arccos(1 - (area / (2 * np.pi * solar_radius**2)).to_value(u.dimensionless_unscaled)))


def _caps(free, grid, inner, outer, angle, count, rng):
    """Return at most ``count`` separate caps, (size, size) bool, in the free pixels."""
    x, y = grid.points
    z = np.sqrt(np.maximum(0, 1 - x**2 - y**2))
    free, caps = free.copy(), []
    for _ in range(_TRIES):
        if len(caps) == count:
            break
        distance, turn = np.sqrt(rng.uniform(inner**2, outer**2)), rng.uniform(0, 2 * np.pi)
        middle = distance * np.cos(turn), distance * np.sin(turn), np.sqrt(1 - distance**2)
        cap = (x * middle[0] + y * middle[1] + z * middle[2] >= np.cos(angle)) & grid.disk
        if cap.any() and free[cap].all():
            caps.append(cap)
            free &= ~ndimage.binary_dilation(cap, iterations=3)
    return caps


def _together(caps, shape):
    return np.any(caps, axis=0) if caps else np.zeros(shape, dtype=bool)
