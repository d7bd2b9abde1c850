"""The evaluation of a model: scores by place and time with intervals, and the reliability of its probabilities."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import astropy.units as u
from astropy.table import QTable
from sunpy.coordinates.sun import B0

from sunpy_scss._save import plain, plain_rows
from sunpy_scss.masks._metrics import iou_of
from sunpy_scss.models._card import Model, ModelCard
from sunpy_scss.train._calibration import answers, calibration_error, calibration_scores, reliability, reliability_sums
from sunpy_scss.train._datasets import Dataset, inputs_of
from sunpy_scss.train._scores import LATITUDES, RADII, disk_sums, measures, overlap_measures, pooled, zone_sums
from sunpy_scss.train._splits import block_numbers, check_unseen
from sunpy_scss.train._steadiness import flicker

__all__ = ["Evaluation", "evaluate", "scores_of", "threshold_scores"]

_UNITS = {"boundary_distance": u.deg, "boundary_on_sky": u.arcsec}
_THRESHOLDS = np.linspace(0, 1, 101)
_SUMMARY = ("images", "iou", "dice", "mean_iou", "mean_dice", "hard_negative_fraction")
_RESAMPLES = 1000
_CONFIDENCE = 0.95
# Resampling fewer blocks than this says little about other blocks.
_FEWEST_BLOCKS = 5


@dataclass(frozen=True)
class Evaluation:
    """
    The scores of a model on labelled images.

    A measure that is not defined is NaN, for example precision where the model predicts nothing.

    Attributes
    ----------
    model : str
        The name of the model.
    threshold : float
        The probability from which on a pixel counts as predicted.
    best_threshold : float
        The threshold with the highest pooled IoU on these images; NaN where nothing is labelled. To put it into a model
        card, take it from images on which no score is reported.
    calibration_error, uncalibrated_error : float
        The mean distance between probabilities and the share of pixels that are labelled, over ten bins, weighted by
        their pixels (Naeini et al. 2015, https://doi.org/10.1609/aaai.v29i1.9602); with and without the temperature of
        the model.
    scores : astropy.table.QTable
        One row for all of the disc, each zone of latitude and of distance from disc centre, and each year, whole,
        beyond 60 degrees of latitude and at the limb. Columns:
        ``by``, ``zone``; ``images``, ``labelled`` (images with the feature there), ``blocks`` of time;
        ``iou``, ``dice``, ``precision``, ``recall``, pooled over all pixels; ``mean_iou``, ``mean_dice``, over images;
        ``area_ratio``, predicted to labelled area on the sphere; ``boundary_distance``, mean along the sphere from the
        outline of either to the nearest point of the other, in images that have both; ``hard_negative_fraction``, the
        share of hard negatives that is predicted; ``boundary_on_sky``, as ``boundary_distance``, but on the sky from
        the Earth; ``found`` and ``confirmed``, the share of labelled, and of predicted, regions over 0.4 % of the disc
        of which the other has at least 30 %. For each measure, ``_low`` and ``_high`` are its 95 % interval.
    images : astropy.table.QTable
        One row for each image in the order of the data set, with ``key``, ``date``, ``block``, ``labelled_area``,
        ``predicted_area`` in percent of the hemisphere, and the same measures.
    thresholds : astropy.table.QTable
        Pooled ``iou`` by ``threshold``.
    reliability : astropy.table.QTable
        A row for each of ten bins of the calibrated probability, from ``low`` to ``high``, with the number of
        ``pixels``, their mean ``probability``, and ``labelled``, the share of them inside the feature; both NaN in an
        empty bin.
    flicker : dict
        The change of the masks of the model, and of the labels, from one day to the next after the Sun's rotation, over
        ``pairs`` of images: ``changed``, the area that one mask of a pair alone has over the mean area of both, and
        ``area_change``, the difference of their areas over the mean area.
    predicted : numpy.ndarray
        (n, size, size) bool on the canonical grid, in the order of the data set.
    """

    model: str
    threshold: float
    best_threshold: float
    calibration_error: float
    uncalibrated_error: float
    scores: QTable
    images: QTable
    thresholds: QTable
    reliability: QTable
    flicker: dict
    predicted: np.ndarray

    def to_dict(self) -> dict:
        """Return all but the pixels as values for JSON: tables as lists of rows, times as ISO text, NaN as None."""
        names = ("threshold", "best_threshold", "calibration_error", "uncalibrated_error")
        numbers = {name: getattr(self, name) for name in names}
        tables = {name: getattr(self, name) for name in ("scores", "images", "thresholds", "reliability")}
        return {
            "model": self.model,
            **{name: plain(number) for name, number in numbers.items()},
            **{name: plain_rows(table)[0] for name, table in tables.items()},
            "flicker": {name: {key: plain(one) for key, one in of.items()} for name, of in self.flicker.items()},
        }

    def summary(self) -> dict:
        """Return the main scores of the whole disc and ``flicker`` as plain values for JSON."""
        values = self.to_dict()
        disk = values["scores"][0]
        errors = {name: values[name] for name in ("calibration_error", "uncalibrated_error")}
        return {**{name: disk[name] for name in _SUMMARY}, **errors, "flicker": values["flicker"]}


@u.quantity_input
def evaluate(
    model: Model, dataset: Dataset, *, block_length: u.Quantity[u.day] = 14 * u.day, seed: int = 0
) -> Evaluation:
    """
    Score a model on labelled images, by place and time, with intervals.

    All is counted on the disc of the canonical grid. A pixel is labelled where labels cover at least half of it.
    Latitudes are those for an observer on Earth.

    Images of neighbouring days show the same regions, so that their errors are not independent. The intervals come
    from drawing whole blocks of time with replacement (Künsch 1989, https://doi.org/10.1214/aos/1176347265); they are
    NaN where fewer than five blocks define a measure, and rough below some ten.

    Parameters
    ----------
    model : sunpy_scss.models.Model
        The model to score. ``Model(card, lambda images: probabilities)`` makes one of probabilities that you have.
    dataset : sunpy_scss.train.Dataset
        Made with the card of the model.
    block_length : astropy.units.Quantity, optional
        A block holds the images less than this after its first one. A region stays on the disc for about 13 days.
    seed : int, optional
        Seed of the drawing of blocks.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If there is no image, or the data set was made for another grid than the model's.
    `~sunpy_scss.exceptions.TrainingError`
        If the model was trained on some of the images, or on others from the days around them.

    Examples
    --------
    >>> from sunpy_scss.train import evaluate
    >>> from sunpy_scss.models import Model, ModelCard, Network, Stretch
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> from sunpy_scss.train import LabelledMap, make_dataset
    >>> stretch = Stretch(floor=21, limits=(0.2, 2.2), exponent=0.5, reference_median=70)
    >>> grid = {"grid_size": 128, "half_width": 1.25}
    >>> card = ModelCard(
    ...     "dark", "CH", 193, (193,), **grid, stretch=stretch, network=Network()
    ... )
    >>> model = Model(card, lambda images: 1 - images)  # the darker, the likelier
    >>> suns = [
    ...     synthetic_sun(f"2017-0{month}-01", size=256, seed=month) for month in range(1, 6)
    ... ]
    >>> labelled = [LabelledMap("", sun.image, sun.coronal_holes) for sun in suns]
    >>> dataset = make_dataset(labelled, card)
    >>> evaluation = evaluate(model, dataset)
    >>> evaluation.scores.colnames[:6]
    ['by', 'zone', 'images', 'labelled', 'blocks', 'iou']
    >>> disk = evaluation.scores[0]
    >>> bool(disk["iou_low"] <= disk["iou"] <= disk["iou_high"])
    True
    """
    model, dataset = _checked(model, dataset)
    answer = model.predict(inputs_of(dataset, range(len(dataset))))
    raw = np.asarray(answer, dtype=np.float32).reshape(len(dataset), *dataset.disk.shape)
    predicted, probabilities = _predicted(model.card, raw) & dataset.disk, model.card.calibrated(raw)
    counted = np.stack([dataset.counted(at) for at in range(len(dataset))])
    labelled, likely = np.asarray(dataset.labels)[counted] >= 0.5, probabilities[counted]
    sums = zone_sums(dataset, predicted, B0(dataset.dates).to_value(u.rad), model.card.grid)
    blocks = block_numbers(dataset.dates, block_length)
    thresholds, bins = _by_threshold(labelled, likely), reliability(labelled, likely)
    return Evaluation(
        model=model.card.name,
        threshold=model.card.threshold,
        best_threshold=_best(thresholds) if labelled.any() else np.nan,
        calibration_error=calibration_error(bins),
        uncalibrated_error=calibration_error(reliability(labelled, raw[counted])),
        scores=_readable(_score_table(sums, dataset.dates, blocks, seed)),
        images=_readable(_image_table(sums, dataset, blocks)),
        thresholds=_readable(thresholds),
        reliability=bins,
        flicker={
            "model": flicker(predicted & counted, dataset.dates, half_width=model.card.half_width),
            "labels": flicker(
                (np.asarray(dataset.labels) >= 0.5) & counted, dataset.dates, half_width=model.card.half_width
            ),
        },
        predicted=predicted,
    )


def _checked(model, dataset):
    """Return the model of one boundary and the labels for it; raise an error if it has learned from them."""
    check_unseen(model, dataset)
    model = model.at(model.card.scored)
    card, dataset = model.card, dataset.at(model.card)
    if not len(dataset):
        msg = "There is nothing to score: the data set has no image."
        raise ValueError(msg)
    if not np.array_equal(dataset.disk, card.grid.disk):
        msg = (
            f"The data set is not on the grid of the model {card.name!r} ({card.grid_size} pixels, half-width "
            f"{card.half_width:g}); make it with make_dataset(labelled_maps, model.card)."
        )
        raise ValueError(msg)
    return model, dataset


def _predicted(card, raw):
    """Return the pixels where a network predicts the feature; like masks, they do not depend on its temperature."""
    return raw >= float(card.uncalibrated(card.threshold))


def _score_table(sums, dates, blocks, seed):
    names, sums = _with_years(sums, dates)
    n_images, n_blocks = len(blocks), blocks.max() + 1
    whole, by_block = pooled(sums, np.ones((1, n_images))), pooled(sums, np.arange(n_blocks)[:, np.newaxis] == blocks)
    drawn = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), _RESAMPLES)
    samples = pooled(sums, drawn[:, blocks])
    table = QTable(rows=names, names=("by", "zone"))
    table["images"], table["labelled"] = (np.count_nonzero(sums[name], axis=0) for name in ("pixels", "labelled"))
    table["blocks"] = np.isfinite(by_block["iou"]).sum(axis=0)
    for name, (values,) in whole.items():
        low, high = _interval(samples[name], np.isfinite(by_block[name]).sum(axis=0) >= _FEWEST_BLOCKS)
        for suffix, column in (("", values), ("_low", low), ("_high", high)):
            table[name + suffix] = column * _UNITS.get(name, 1)
    return table


def _with_years(sums, dates):
    """Return pairs of the kind of a zone and its name, and the sums with a zone added for each year."""
    of_image = dates.ymdhms["year"]
    years = np.unique(of_image)
    names = [("disc", "all")]
    names += [("latitude", f"{low} to {high} deg") for low, high in pairwise(LATITUDES)]
    names += [("radius", f"{low} to {high} R") for low, high in pairwise(RADII)]
    # The order of zones: the disc, the latitudes, the distances from disc centre with the limb last.
    south, north, limb = 1, len(LATITUDES) - 1, len(names) - 1
    zones = {"year": [0], "year, poles": [south, north], "year, limb": [limb]}
    names += [(by, str(year)) for by in zones for year in years]
    own_year = of_image[:, np.newaxis] == years

    def with_years(values):
        parts = (values[:, own].sum(axis=1, keepdims=True) * own_year for own in zones.values())
        return np.hstack([values, *parts])

    return names, {name: with_years(values) for name, values in sums.items()}


def _interval(samples, enough):
    """Return the ends, (2, zones), of the central interval of the samples (resamples, zones)."""
    bounds = np.full((2, samples.shape[1]), np.nan)
    tail = (1 - _CONFIDENCE) / 2
    bounds[:, enough] = np.nanquantile(samples[:, enough], (tail, 1 - tail), axis=0)
    return bounds


def _image_table(sums, dataset, blocks):
    disk = {name: values[:, 0] for name, values in sums.items()}
    table = QTable({"key": list(dataset.keys), "date": dataset.dates, "block": blocks})
    for name in ("labelled_area", "predicted_area"):
        table[name] = disk[name] * u.percent
    for name, values in measures(disk).items():
        table[name] = values * _UNITS.get(name, 1)
    return table


def _readable(table):
    """Return the table, which prints four digits; files hold all of them."""
    for column in table.itercols():
        if getattr(getattr(column, "dtype", None), "kind", None) == "f":
            column.info.format = ".4g"
    return table


def _by_threshold(labelled, likely):
    both, predicted = (
        np.histogram(values, _THRESHOLDS)[0][::-1].cumsum()[::-1][1:] for values in (likely[labelled], likely)
    )
    return QTable({"threshold": _THRESHOLDS[1:-1], "iou": iou_of(both, np.count_nonzero(labelled), predicted)})


def _best(thresholds):
    return float(thresholds["threshold"][np.argmax(thresholds["iou"])])


def scores_of(model: Model, dataset: Dataset) -> dict:
    """
    Return the scores of a model on the disc of the canonical grid.

    Parameters
    ----------
    model : sunpy_scss.models.Model
        If it has several boundaries, the default one is scored; ``model.at("core")`` takes another.
    dataset : Dataset
        Made with the card of the model, or with one that has more boundaries.

    Returns
    -------
    dict
        ``iou`` and ``dice`` pooled over all pixels, ``mean_iou`` and ``mean_dice`` over images,
        ``hard_negative_fraction``, the share of the hard negatives' pixels that the model takes for the feature (None
        where none are marked), and with and without its temperature ``calibration_error`` and ``uncalibrated_error``.
    """
    model, dataset = _checked(model, dataset)
    bins = []

    def masks():
        for positions, raw in answers(model, dataset):
            counted = np.stack([dataset.counted(at) for at in positions])
            labelled = np.stack([dataset.labels[at] >= 0.5 for at in positions])
            bins.append(reliability_sums(model.card, labelled[counted], raw[counted]))
            yield positions, _predicted(model.card, raw)

    return {**_scores(dataset, masks()), **calibration_scores(sum(bins))}


def _scores(dataset, masks):
    """Return the scores of masks, given as pairs of positions and (n, size, size) bool."""
    parts = [disk_sums(dataset[positions], predicted) for positions, predicted in masks]
    sums = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    found = pooled(sums, np.ones((1, len(dataset))), overlap_measures)
    return {"images": len(dataset), **{name: plain(found[name][0]) for name in _SUMMARY[1:]}}


def _one_by_one(dataset, predict):
    """Yield masks for `_scores`, one for each image: the answer of ``predict`` for its position."""
    return (([at], predict(at)[np.newaxis]) for at in range(len(dataset)))


def threshold_scores(training: Dataset, validation: Dataset, card: ModelCard) -> dict:
    """
    Return the scores of simpler methods, to compare a model with.

    Parameters
    ----------
    training, validation : Dataset
        If they have several channels, the first one counts.
    card : sunpy_scss.models.ModelCard
        The card of the model to compare with. It says if the feature is dark.

    Returns
    -------
    dict
        The scores (see `scores_of`) on the validation part. ``threshold``: of the threshold on the stretched image with
        the best pooled IoU on the training part. ``without_review``, if there are hard negatives: of the labels
        together with the hard negatives.
    """
    sign = -1 if card.is_dark else 1
    level = _best_level(training, sign)
    scores = {
        "threshold": _scores(
            validation, _one_by_one(validation, lambda at: sign * inputs_of(validation, [at])[0, ..., 0] >= level)
        )
    }
    if any(validation.rejected[at].any() for at in range(len(validation))):
        unreviewed = _one_by_one(validation, lambda at: validation.labels[at] + validation.rejected[at] >= 0.5)
        scores["without_review"] = _scores(validation, unreviewed)
    return scores


def _best_level(dataset, sign):
    """Return the threshold, of 97 levels of ``sign`` times the image, with the best overlap with the labels."""
    levels = np.sort(sign * np.linspace(0.02, 0.98, 97))
    inside, everywhere = np.zeros((2, levels.size + 1))
    for at in range(len(dataset)):
        counted = dataset.counted(at)
        reached = np.searchsorted(levels, sign * inputs_of(dataset, [at])[0, counted, 0], side="right")
        label = dataset.labels[at][counted] >= 0.5
        inside += np.bincount(reached[label], minlength=levels.size + 1)
        everywhere += np.bincount(reached, minlength=levels.size + 1)
    both, predicted = (counts[::-1].cumsum()[::-1][1:] for counts in (inside, everywhere))
    return levels[np.argmax(iou_of(both, inside.sum(), predicted))]
