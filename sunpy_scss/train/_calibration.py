"""The calibration of probabilities: the temperature of a model, and the reliability of its probabilities."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

import astropy.units as u
from astropy.table import QTable

from sunpy_scss.exceptions import ModelNotFoundError, TrainingError
from sunpy_scss.models._store import load_model, write_card
from sunpy_scss.train._datasets import inputs_of
from sunpy_scss.train._splits import block_numbers, check_unseen

if TYPE_CHECKING:
    import os

    from sunpy_scss.models._card import Model
    from sunpy_scss.train._datasets import Dataset


__all__ = [
    "answers",
    "calibrate",
    "calibrate_folder",
    "calibration_error",
    "calibration_scores",
    "fit_temperature",
    "reliability",
    "reliability_sums",
]

_BINS = np.linspace(0, 1, 11)
# Networks answer in single precision, which cannot come nearer to 0 and 1.
_LEAST = 1e-7
_RANGE = (0.1, 10)
# The number of images that are predicted together.
_BATCH = 8
_BLOCK = 28 * u.day


def fit_temperature(model: Model, dataset: Dataset) -> float:
    """
    Fit the temperature of a model to some labels.

    It minimises the negative log likelihood of the labels of the pixels on the disc. A pixel is labelled where labels
    cover at least half of it. The temperature that the model's card already has does not matter.

    Parameters
    ----------
    model : sunpy_scss.models.Model
    dataset : sunpy_scss.train.Dataset
        Made with the card of the model. On these images the reliability will look better than on others.

    Returns
    -------
    float
        A temperature between 0.1 and 10: below 1 for an underconfident model, above 1 for an overconfident one.

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If all pixels or none are labelled, so that nothing can be fitted.

    References
    ----------
    * Guo et al. 2017, Proceedings of Machine Learning Research 70, 1321, https://proceedings.mlr.press/v70/guo17a.html

    Examples
    --------
    A model that says 0.73 where 88 % are labelled should be twice as sure of it, in logits:

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from sunpy_scss.train._calibration import fit_temperature
    >>> from sunpy_scss.models import Model
    >>> labels = np.zeros((1, 50, 50))
    >>> labels[0, :44] = 1
    >>> everywhere = np.ones((50, 50), dtype=bool)
    >>> dataset = SimpleNamespace(
    ...     images=labels, labels=labels, counted=lambda position: everywhere
    ... )
    >>> model = Model(None, lambda images: np.full_like(images, 0.731))
    >>> print(f"{fit_temperature(model, dataset):.2f}")
    0.50
    """
    return _best_temperature(_logits(model, dataset))


def _best_temperature(tally):
    if not tally[0].sum(axis=1).all():
        msg = "No temperature can be fitted where all pixels are labelled or none is; give images with the feature."
        raise TrainingError(msg)
    found = minimize_scalar(lambda log: _surprise(tally, np.exp(log)), bounds=np.log(_RANGE), method="bounded")
    return float(np.exp(found.x))


def _surprise(tally, temperature):
    """Return the mean negative log likelihood of the labels."""
    towards = _mean_logits(tally) * [[1], [-1]]
    return np.average(np.logaddexp(0, towards / temperature), weights=tally[0])


def _error(tally, temperature):
    """Return the `calibration_error` at a temperature."""
    without, inside = tally[0]
    probability = expit(_mean_logits(tally) / temperature)
    sums = sum(
        _sums(np.full(counts.shape, labelled), p, counts)
        for labelled, counts, p in zip((0, 1), (without, inside), probability, strict=True)
    )
    return calibration_error(_table(sums))


def _mean_logits(tally):
    counts, sums = tally
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def _logits(model, dataset):
    """
    Return the number of pixels without and with a label, by bins of the logit, and the sums of their logits.

    The shape is (2, 2, bins). The bins are so fine that a temperature comes out the same as from single pixels, which
    may be too many for the memory.
    """
    edges = np.linspace(logit(_LEAST), logit(1 - _LEAST), 4001)
    counts, sums = np.zeros((2, 2, edges.size - 1))
    for labelled, raw in _on_disk(model, dataset):
        logits = np.clip(logit(np.clip(raw.astype(float), _LEAST, 1 - _LEAST)), edges[0], edges[-1])
        for row, of_row in enumerate((~labelled, labelled)):
            counts[row] += np.histogram(logits[of_row], edges)[0]
            sums[row] += np.histogram(logits[of_row], edges, weights=logits[of_row])[0]
    return np.stack([counts, sums])


def answers(model, dataset):
    """Yield, batch by batch, positions of images and the raw answers of the network, (n, size, size)."""
    for start in range(0, len(dataset.images), _BATCH):
        positions = range(start, min(start + _BATCH, len(dataset.images)))
        images = inputs_of(dataset, positions)
        yield positions, np.asarray(model.predict(images), dtype=np.float32).reshape(images.shape[:3])


def _on_disk(model, dataset):
    """Yield, batch by batch, the labels (bool) of pixels on the disc and the raw answers there, (n, pixels)."""
    for positions, answer in answers(model, dataset):
        counted = np.stack([dataset.counted(at) for at in positions])
        yield np.stack([dataset.labels[at] >= 0.5 for at in positions])[counted], answer[counted]


def calibrate(model: Model, dataset: Dataset) -> Model:
    """
    Return a model with the temperature that fits some labels, if that helps.

    The temperature is fitted to every other block of 28 days and tried on the blocks between, and the other way round.
    The model gets no temperature if, on images to which it was not fitted, the labels become less likely or the
    calibration error larger. Otherwise it gets the temperature that fits all images. The thresholds of its card move
    with the probabilities, so that its masks stay the same. If it has several boundaries, the default one is fitted.

    Parameters
    ----------
    model : sunpy_scss.models.Model
    dataset : sunpy_scss.train.Dataset
        Made with the card of the model, from images that the network was not trained on: it is surer of those than of
        others.

    Returns
    -------
    sunpy_scss.models.Model
        The model with the temperature; ``model`` itself if it was calibrated on the same data before.

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If all pixels or none are labelled, so that nothing can be fitted, or if the model was trained on some of the
        images.
    """
    check_unseen(model, dataset)
    card, alone = model.card, model.at(model.card.scored)
    temperature = round(_helpful_temperature(alone, dataset.at(alone.card)), 3)
    if temperature == card.temperature:
        return model
    new = dataclasses.replace(card, temperature=temperature)

    def moved(threshold):
        return float(new.calibrated(card.uncalibrated(threshold)))

    boundaries = [dataclasses.replace(one, threshold=moved(one.threshold)) for one in card.boundaries]
    new = dataclasses.replace(new, threshold=moved(card.threshold), boundaries=boundaries)
    return dataclasses.replace(model, card=new)


def _helpful_temperature(model, dataset):
    """Return the temperature that fits a data set; 1 where that of half of its blocks does not help the rest."""
    odd = block_numbers(dataset.dates, _BLOCK) % 2 == 1
    halves = [_logits(model, dataset[half]) if half.any() else np.zeros((2, 2, 1)) for half in (~odd, odd)]
    best = _best_temperature(sum(halves))
    if not all(half[0].sum(axis=1).all() for half in halves):
        return 1.0  # it cannot be tried on other images
    pairs = [(half, _best_temperature(other)) for half, other in (halves, halves[::-1])]
    helps = all(
        sum(worth(half, found) for half, found in pairs) < sum(worth(half, 1) for half in halves)
        for worth in (_surprise, _error)
    )
    return best if helps else 1.0


def calibrate_folder(folder: str | os.PathLike, dataset: Dataset) -> Model:
    """
    Calibrate the model in a folder.

    Its ``card.json`` gets the temperature of `calibrate`, the threshold that leaves its masks the same, and the
    calibration error under ``scores``. The weights and their hash stay. A second call changes nothing.

    Parameters
    ----------
    folder : path-like
    dataset : sunpy_scss.train.Dataset
        The validation part, as for `calibrate`. The calibration error is measured on the same images. It is hardly too
        low, as one number was fitted to all of their pixels; `evaluate` on the test part measures it elsewhere.

    Returns
    -------
    sunpy_scss.models.Model

    Raises
    ------
    `~sunpy_scss.exceptions.ModelNotFoundError`
        If the folder holds no model.
    `~sunpy_scss.exceptions.ModelError`
        If the weights or the card cannot be read or do not belong together.
    `~sunpy_scss.exceptions.TrainingError`
        If all pixels or none are labelled, or if the model was trained on some of the images.
    """
    folder = Path(folder).resolve()  # never taken for the name of a bundled model
    if not folder.is_dir():
        msg = f"There is no folder {folder}; calibration writes into the folder of a model, a name will not do."
        raise ModelNotFoundError(msg)
    model = calibrate(load_model(folder), dataset)
    alone = model.at(model.card.scored)
    batches = _on_disk(alone, dataset.at(alone.card))
    measured = calibration_scores(sum(reliability_sums(alone.card, *batch) for batch in batches))
    scores = {**model.card.scores, "model": {**model.card.scores.get("model", {}), **measured}}
    write_card(folder, dataclasses.replace(model.card, scores=scores))
    return load_model(folder)


def calibration_scores(sums):
    """
    Return the calibration errors with and without the temperature of a card.

    Parameters
    ----------
    sums : numpy.ndarray
        The result of `reliability_sums`, summed over all images.

    Returns
    -------
    dict
        ``calibration_error`` and ``uncalibrated_error``; see `calibration_error`.
    """
    names = ("calibration_error", "uncalibrated_error")
    return {name: calibration_error(_table(part)) for name, part in zip(names, sums, strict=True)}


def reliability_sums(card, labelled, raw):
    """
    Return the counts of some images from which `calibration_scores` follow; those of more images are the sum.

    Parameters
    ----------
    card : sunpy_scss.models.ModelCard
    labelled, raw : numpy.ndarray
        Arrays of one shape: bool, and the raw answers of the network.

    Returns
    -------
    numpy.ndarray
        (2, 3, bins): with and without temperature, the pixels, the labelled ones and the sum of probabilities.
    """
    return np.stack([_sums(labelled, probability) for probability in (card.calibrated(raw), raw)])


def reliability(labelled: np.ndarray, probability: np.ndarray) -> QTable:
    """
    Compare probabilities with the share of pixels that are labelled.

    Parameters
    ----------
    labelled, probability : numpy.ndarray
        Arrays of one shape: bool, and in [0, 1].

    Returns
    -------
    astropy.table.QTable
        For ten bins of the probability from ``low`` to ``high``: number of ``pixels``, mean ``probability``, and
        ``labelled``, the share of them inside the feature; both NaN in an empty bin.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.train._calibration import reliability
    >>> labels, found = [True, False, True, True], [0.62, 0.66, 0.64, 0.97]
    >>> table = reliability(np.array(labels), np.array(found))
    >>> print(table[table["pixels"] > 0])
    low high pixels probability labelled
    --- ---- ------ ----------- --------
    0.6  0.7      3        0.64   0.6667
    0.9    1      1        0.97        1
    """
    return _table(_sums(labelled, probability))


def _sums(labelled, probability, counts=1):
    """Return the pixels, the labelled ones and the sum of probabilities, (3, bins); each counts ``counts`` times."""
    weights = (
        counts * weight for weight in (np.ones(labelled.shape), labelled.astype(float), probability.astype(float))
    )
    return np.stack([np.histogram(probability, _BINS, weights=weight)[0] for weight in weights])


def _table(sums):
    pixels, inside, total = sums
    pixels = pixels.astype(int)
    share, mean = (
        np.divide(part, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0) for part in (inside, total)
    )
    table = QTable({"low": _BINS[:-1], "high": _BINS[1:], "pixels": pixels, "probability": mean, "labelled": share})
    for name in ("low", "high", "probability", "labelled"):
        table[name].info.format = ".4g"
    return table


def calibration_error(table: QTable) -> float:
    """
    Return the mean distance between probabilities and the share of pixels that are labelled.

    Parameters
    ----------
    table : astropy.table.QTable
        The result of `reliability`.

    Returns
    -------
    float
        The mean over the bins, weighted by their pixels: the expected calibration error of Naeini et al. (2015,
        https://doi.org/10.1609/aaai.v29i1.9602). It is small because most pixels of a disc are plain quiet Sun.

    Examples
    --------
    >>> import numpy as np
    >>> from sunpy_scss.train._calibration import calibration_error, reliability
    >>> labelled = np.array([True, True, True, False])
    >>> print(f"{calibration_error(reliability(labelled, np.full(4, 0.85))):.2f}")
    0.10
    """
    filled = table[table["pixels"] > 0]
    gaps = np.abs(filled["probability"] - filled["labelled"])
    return float(np.average(gaps, weights=filled["pixels"]))
