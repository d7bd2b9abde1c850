"""The training of a network, from a configuration and data sets to a model folder with scores."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

import sunpy_scss
from sunpy_scss._save import save_text
from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import NothingFoundWarning, TrainingError
from sunpy_scss.models._card import Model
from sunpy_scss.models._split import SPLIT_FILE, split_text
from sunpy_scss.models._store import load_model, refuse_to_overwrite
from sunpy_scss.train._calibration import calibrate
from sunpy_scss.train._datasets import inputs_of
from sunpy_scss.train._evaluation import scores_of, threshold_scores
from sunpy_scss.train._parts import checked_split, of_labels
from sunpy_scss.train._weights import build_network, load_network, save_model, save_weights

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import keras

    from sunpy_scss.train._configuration import Configuration
    from sunpy_scss.train._datasets import Dataset


__all__ = ["train_model"]

_log = logging.getLogger("sunpy")
# Files, while a training runs, of weights with the state of the optimiser: the best, and those of the last epoch.
_BEST, _AFTER, _MEAN = "best.weights.h5", "epoch_{}.weights.h5", "mean_{}.npz"
_PARTIAL = "partial.{}"
# Steps of a training.
_WORTH_COMPILING = 500
_CONFIGURATION = "configuration.json"


def train_model(
    configuration: Configuration,
    training: Dataset,
    validation: Dataset,
    folder: str | os.PathLike,
    *,
    test: Dataset | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> Model:
    """
    Train a network and write it as a model folder.

    After each epoch the weights, the state of the optimiser and the history are in ``folder``. A second call with the
    same arguments goes on from there, and ends with the same weights as an unbroken training. The weights of the
    lowest validation loss are kept. Training runs on the backend of Keras that ``KERAS_BACKEND`` names (``tensorflow``,
    ``jax``, ``torch``), on a GPU where that finds one.

    Beside the model, ``split.json`` keeps the keys and dates of all images. With it, scoring the model on images of its
    training raises an error.

    Parameters
    ----------
    configuration : Configuration
    training, validation : Dataset
        The validation part chooses the best epoch and fits the temperature; see `calibrate`.
    folder : path-like
        The folder of the model.
    test : Dataset, optional
        A third part, which chooses nothing: the model is scored on it at the end.
    callbacks : iterable of keras.callbacks.Callback, optional
        Each epoch is a ``fit`` of its own, so that callbacks see a beginning and an end of training in each epoch. One
        that sets ``model.stop_training`` ends the training after its epoch.

    Returns
    -------
    sunpy_scss.models.Model

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If two parts are less than ``configuration.gap_days`` apart in time, or one of them has no pixel of the feature.
        If the model from which the training starts was trained on images of the validation or test part. If the folder
        holds an unfinished training with another configuration or on other data. If the loss becomes NaN or the disk is
        full (the weights so far stay in ``folder``).
    FileExistsError
        If the folder holds a finished model.

    Warns
    -----
    `~sunpy_scss.exceptions.SplitWarning`
        If the model from which the training starts does not list its training images, or if it was trained on images of
        the validation or test part, as ``configuration.start_has_seen`` allows.
    `~sunpy_scss.exceptions.NothingFoundWarning`
        If the trained network finds nothing in the validation part.
    """
    folder = Path(folder)
    refuse_to_overwrite(folder)
    parts = {"train": training, "validation": validation} | ({} if test is None else {"test": test})
    configuration = of_labels(configuration, training)
    split = checked_split(configuration, parts)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, _CONFIGURATION, json.dumps(dataclasses.asdict(configuration), indent=2) + "\n", "configuration")
    _claim(folder, SPLIT_FILE, split_text(split), "images or labels")
    run = _Run(configuration, parts, split, folder, callbacks)
    bar = tqdm(range(len(run.history), configuration.epochs), desc=configuration.card.name, unit="epoch")
    for epoch in bar:
        if epoch - run.best_epoch > configuration.patience or run.stopped:
            break
        bar.set_postfix(run.epoch(epoch))
    return run.finish()


def _claim(folder, name, text, what):
    """Write a file into the folder of a run; raise an error if the run was begun with another text."""
    path = folder / name
    if path.exists() and path.read_text(encoding="utf-8") != text:
        msg = f"{folder} holds a training with another {what} ({name} differs); choose a new folder."
        raise TrainingError(msg)
    save_text(text, path)


def _copy_weights(start, target, card):
    """Copy the weights of a model to a network; each boundary takes those of the same or the default boundary."""
    model, weights = load_model(start).card, load_network(start).get_weights()
    wanted = [tuple(variable.shape) for variable in target.weights]
    if not card.network.architecture:
        at = [model.levels.index(_level_in(model, card, level)) for level in card.levels]
        axis = -1 if model.network.patch == 1 else -2  # the axis of the outputs, last but for a transposed convolution
        weights[-2:] = [np.take(weights[-2], at, axis=axis), weights[-1][at]]
    if [values.shape for values in weights] != wanted:
        ours, theirs = (f"{one.network.filters} filters in {one.network.layers} layers" for one in (card, model))
        msg = (
            f"The network of {model.name} is another one than that of the card {card.name}: {theirs}, not {ours}. "
            "Filters, layers, channels and batch_norm must be the same to start from its weights."
        )
        raise TrainingError(msg)
    target.set_weights(weights)


def _level_in(model, card, level):
    """Return the level, in the card of a model, of the boundary with the same name, or of its default boundary."""
    name = next((one.name for one in card.boundaries if one.level == level), None)
    return next((one.level for one in model.boundaries if one.name == name), model.default_level)


class _Run:
    """The state of one training, in memory and on disk."""

    def __init__(self, configuration, parts, split, folder, callbacks):
        from sunpy_scss.train import _keras

        self._keras = _keras
        self.configuration, self.folder, self.callbacks = configuration, folder, list(callbacks)
        self.split, self.parts, self.training, self.validation = split, parts, parts["train"], parts["validation"]
        with _keras.precision(configuration.precision):
            self.network = build_network(configuration.card, seed=configuration.seed)
        if configuration.start:
            _copy_weights(configuration.start, self.network, configuration.card)
        if configuration.freeze_encoder:
            _keras.freeze_encoder(self.network)
        steps = -(-len(self.training) // configuration.batch_size)
        left = configuration.epochs - configuration.warmup_epochs
        _keras.compile_network(
            self.network,
            configuration.loss,
            learning_rate=configuration.learning_rate,
            warmup_steps=steps * configuration.warmup_epochs,
            decay_steps=max(1, steps * left) if configuration.schedule == "cosine" else None,
            compiled=steps * configuration.epochs >= _WORTH_COMPILING,
        )
        self.history = self._read_history()
        if self.history:
            self.network.load_weights(self.folder / _AFTER.format(len(self.history) - 1))
        self._mean = None
        if configuration.averaging:
            self._mean = self._keras.RunningMean(configuration.averaging, *self._read_mean())

    @property
    def best_epoch(self):
        return min(range(len(self.history)), key=lambda epoch: self.history[epoch]["val_loss"], default=0)

    @property
    def stopped(self):
        """Return True if a callback ended the training."""
        return bool(self.network.stop_training)

    def epoch(self, epoch):
        """Train for one epoch, validate and save; return the row of the history."""
        # All random numbers of an epoch follow from these two, so that no state has to be kept.
        size, seed = self.configuration.batch_size, [self.configuration.seed, epoch]
        self._keras.seed_dropout(self.network, seed)
        order = np.random.default_rng(seed).permutation(len(self.training))
        augment = self.configuration.augmentation
        augmented = self._keras.Batches(self._pair(self.training), size, order, augment=augment, seed=seed)
        plain = self._keras.Batches(self._pair(self.validation), size, range(len(self.validation)))
        stop, own = self._keras.StopAtNaN(), [] if self._mean is None else [self._mean]
        fitted = self.network.fit(
            augmented,
            validation_data=plain,
            shuffle=False,
            verbose=0,
            callbacks=[stop, *own, *self.callbacks],
            initial_epoch=epoch,
            epochs=epoch + 1,
        )
        row = {name: float(values[-1]) for name, values in fitted.history.items()}
        if stop.batch is not None:
            self._fail(epoch, self.training, order[stop.batch * size : (stop.batch + 1) * size])
        if not np.isfinite(row["val_loss"]):
            self._fail(epoch, self.validation, range(len(self.validation)))
        self.history.append(row)
        self._save(_AFTER.format(epoch))
        if self._mean is not None:
            np.savez(self.folder / _MEAN.format(epoch), *self._mean.weights, steps=self._mean.steps)
        if self.best_epoch == epoch:
            self._save(_BEST)
        self._write_history()  # the epoch counts from here on; killed before, it is trained again
        for name in (_AFTER, _MEAN):
            (self.folder / name.format(epoch - 1)).unlink(missing_ok=True)
        _log.debug("epoch %d: %s", epoch, ", ".join(f"{name} {value:.4f}" for name, value in row.items()))
        return row

    def _pair(self, dataset):
        weight = self.configuration.rejected_weight
        return lambda position: (inputs_of(dataset, [position])[0], dataset.target(position, weight))

    def _fail(self, epoch, dataset, positions):
        """Raise an error that tells the source of a loss that is not finite, as far as the data show it."""
        arrays = (dataset.images, *dataset.nested.values(), dataset.rejected, dataset.known)
        broken = [at for at in positions if not all(np.isfinite(array[at]).all() for array in arrays)]
        keys = ", ".join(str(dataset.keys[at]) for at in broken or positions)
        cause = f"{keys} hold NaN or infinity" if broken else f"it happened at {keys}; lower the learning rate"
        msg = f"The loss is not finite in epoch {epoch}: {cause}. The weights before are in {self.folder}."
        raise TrainingError(msg)

    def finish(self):
        """Write the best weights, or their mean, as a model folder with scores."""
        plain = build_network(self.configuration.card)  # without the optimiser's state, which is twice its size
        if self._mean is None:
            self.network.load_weights(self.folder / _BEST)
            plain.set_weights(self.network.get_weights())
        else:
            plain.set_weights(self._mean.weights)
        model = save_model(self._card(plain), plain, self.folder, split=self.split)
        self._warn_of_nothing(model.card)
        for pattern in (_BEST, _AFTER.format("*"), _MEAN.format("*"), _PARTIAL.format("*")):  # a killed run's too
            for path in self.folder.glob(pattern):
                path.unlink()
        return model

    def _warn_of_nothing(self, card):
        if card.scores["model"]["iou"] == 0:
            steps = len(self.history) * -(-len(self.training) // self.configuration.batch_size)
            msg = (
                f"{card.name} finds no {card.feature_in_words} in any validation image after {steps} steps: train it "
                "for more epochs, with smaller batches or another learning rate, or start from a bundled model."
            )
            warn_caller(msg, NothingFoundWarning)

    def _card(self, network):
        raw = Model(self.configuration.card, partial(self._keras.predict, network))
        model = calibrate(raw, self.validation)
        card = model.card
        scores = {
            "model": scores_of(model, self.validation),
            **threshold_scores(self.training, self.validation, card),
        }
        if "test" in self.parts:
            scores["test"] = scores_of(model, self.parts["test"])
        names = {"train": "training", "validation": "validation", "test": "test"}
        return dataclasses.replace(
            card,
            version=sunpy_scss.__version__,
            training={
                **card.training,
                **{f"{names[part]} images": len(dataset) for part, dataset in self.parts.items()},
                "epochs": len(self.history),
                "best epoch": self.best_epoch,
            },
            boundaries=[
                dataclasses.replace(one, scores=scores_of(model.at(one.name), self.validation))
                for one in card.boundaries
            ],
            scores=scores,
        )

    def _save(self, name):
        scratch = self.folder / _PARTIAL.format(name)
        try:
            save_weights(self.network, scratch)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            msg = (
                f"The weights could not be written to {self.folder} ({error}); those of the epoch before are there. "
                "Free some space and start again: the training goes on from them."
            )
            raise TrainingError(msg) from error
        scratch.replace(self.folder / name)

    def _read_mean(self):
        """Read the weights and steps of the running mean after the last epoch."""
        path = self.folder / _MEAN.format(len(self.history) - 1)
        if not path.exists():
            return ()
        with np.load(path) as kept:
            return [kept[f"arr_{number}"] for number in range(len(kept.files) - 1)], int(kept["steps"])

    def _write_history(self):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.history[0])
        writer.writeheader()
        writer.writerows(self.history)
        save_text(text.getvalue(), self.folder / "history.csv")

    def _read_history(self):
        try:
            with (self.folder / "history.csv").open(newline="", encoding="utf-8") as file:
                return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        except FileNotFoundError:
            return []
