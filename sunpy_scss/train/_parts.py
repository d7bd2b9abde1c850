"""The checks of a training before it begins, and the record of its data."""

import dataclasses
import hashlib
from itertools import combinations

import numpy as np

import astropy.units as u

from sunpy_scss.exceptions import TrainingError
from sunpy_scss.models._split import Split
from sunpy_scss.models._store import load_model
from sunpy_scss.train._splits import check_split, check_unseen, images_of

__all__ = ["check_start", "checked_split", "of_labels"]


def of_labels(configuration, training):
    """
    Return a configuration for the boundaries that the labels of its training part have.

    Parameters
    ----------
    configuration : sunpy_scss.train.Configuration
    training : sunpy_scss.train.Dataset

    Returns
    -------
    sunpy_scss.train.Configuration
        The same configuration where the labels have all boundaries of its card. Where they have the default one alone,
        the new card has no other, and says so.
    """
    card = configuration.card
    if len(card.boundaries) < 2 or list(training.nested) != [card.default_level]:
        return configuration
    kept, *dropped = card.boundaries
    said = f"the labels are of one boundary: {kept.name} is kept, {' and '.join(one.name for one in dropped)} dropped"
    card = dataclasses.replace(card, boundaries=(kept,), training={**card.training, "boundaries": said})
    return dataclasses.replace(configuration, card=card)


def checked_split(configuration, parts):
    """
    Return the split of a training, after a check of its data.

    Parameters
    ----------
    configuration : sunpy_scss.train.Configuration
    parts : dict
        The data sets ``train``, ``validation`` and perhaps ``test``.

    Returns
    -------
    sunpy_scss.models.Split

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If parts have another grid than the card, are less than ``gap_days`` apart, lack the feature, or were seen by
        the model from which the training starts; or if the card has the name, labels or limits of that model.

    Warns
    -----
    `~sunpy_scss.exceptions.SplitWarning`
        If the model from which the training starts does not list the images that it has seen.
    """
    card = configuration.card
    start = load_model(configuration.start) if configuration.start else None
    _check_words(card, start)
    for name, dataset in parts.items():
        _check_part(name, dataset, card)
    for one, other in combinations(parts.values(), 2):
        check_split(one, other, gap=configuration.gap_days * u.day)
    if start:
        check_start(start, parts, allowed=configuration.start_has_seen)
    images = {name: images_of(dataset) for name, dataset in parts.items()}
    fingerprints = {name: _fingerprint(dataset) for name, dataset in parts.items()}
    earlier = start.split.seen if start and start.split else ()
    return Split(**images, earlier=earlier, gap_days=configuration.gap_days, fingerprints=fingerprints)


def _check_part(name, dataset, card):
    grid = (card.grid_size, card.grid_size)
    if dataset.images.shape[3:] != (() if len(card.channels) == 1 else (len(card.channels),)):
        msg = f"The part {name!r} has other channels than the card's {len(card.channels)}; make it with it."
        raise TrainingError(msg)
    if dataset.images.shape[1:3] != grid:
        msg = f"The part {name!r} is on a grid of {dataset.images.shape[1:3]}, the card wants {grid}; make it with it."
        raise TrainingError(msg)
    if tuple(dataset.nested) != card.levels:
        levels = " ".join(map(str, dataset.nested))
        msg = (
            f"The part {name!r} has labels of the levels {levels}, the card wants {' '.join(map(str, card.levels))}: "
            "masks hold 1 inside the outermost boundary and one more for each further in, or 0 and 1 in all parts."
        )
        raise TrainingError(msg)
    for level, labels in dataset.nested.items():
        if not any((labels[at] >= 0.5)[dataset.counted(at)].any() for at in range(len(dataset))):
            inside = "" if len(dataset.nested) == 1 else f" inside the boundary of level {level}"
            msg = f"The part {name!r} has no {card.feature_in_words}{inside} in any of its {len(dataset)} images."
            raise TrainingError(msg)


def check_start(start, parts, allowed):
    """Raise an error, or warn where allowed, if the model from which a training starts has seen some images."""
    for name in ("validation", "test"):
        if name in parts:
            check_unseen(start, parts[name], and_validation=name == "test", allowed=name in allowed)


def _check_words(card, start):
    """Raise an error if a card repeats the name, labels or limits of the card from which the training starts."""
    if start is None:
        return
    own, words = _words(card), _words(start.card)
    copied = [name for name in own if own[name] and own[name] == words[name]]
    if copied:
        msg = (
            f"The card {card.name} has the {', '.join(copied)} of {start.card.name}, from which the training starts. "
            "It will be another model, so say what is true of yours."
        )
        raise TrainingError(msg)


def _words(card):
    training = {f"training.{name}": card.training.get(name) for name in ("data", "labels", "split")}
    return {"name": card.name, "labels": card.labels, "limits": card.limits, **training}


def _fingerprint(dataset):
    """Return a hash of all images and targets of a data set."""
    digest = hashlib.sha256()
    for at in range(len(dataset)):
        digest.update(np.ascontiguousarray(dataset.images[at]))
        digest.update(np.ascontiguousarray(dataset.target(at, 1.0)))
    return digest.hexdigest()
