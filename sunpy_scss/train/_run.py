"""Training: labelled Maps to a data set, a configuration to a model folder, and scores."""

import csv
import dataclasses
import io
import json
import logging
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

import astropy.units as u

import sunpy_scss
from sunpy_scss._save import save_text
from sunpy_scss.exceptions import TrainingError
from sunpy_scss.models._card import Model
from sunpy_scss.models._store import build_network, load_network, refuse_to_overwrite, save_model, save_weights
from sunpy_scss.train._calibration import calibrate
from sunpy_scss.train._evaluation import evaluate, threshold_scores
from sunpy_scss.train._splits import check_split

__all__ = ["split_settings", "train_model"]

_log = logging.getLogger("sunpy")
# Weights with the state of the optimiser, while a training runs: the best, and those after the last epoch.
_BEST, _AFTER = "best.weights.h5", "epoch_{}.weights.h5"
_CONFIGURATION = "configuration.json"


def split_settings(model):
    """
    How a model's training split a folder without parts, so that others find the same ones.

    Parameters
    ----------
    model : str or path-like
        Name or folder of a model.

    Returns
    -------
    dict
        ``gap`` and ``seed`` for `list_folder`; none where the configuration of the training is not in the folder.
    """
    path = Path(model) / _CONFIGURATION
    if not path.exists():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    return {"gap": values["gap_days"] * u.day, "seed": values["seed"]}


def train_model(configuration, training, validation, folder):
    """
    Train a network and write it as a model folder.

    After each epoch the weights, the state of the optimiser and the history are in ``folder``; calling again with
    the same arguments goes on from there. The weights of the lowest validation loss are kept. The network is compiled
    by XLA, and trained on a GPU where TensorFlow finds one.

    Parameters
    ----------
    configuration : Configuration
    training, validation : Dataset
    folder : path-like
        Of the model to be.

    Returns
    -------
    sunpy_scss.models.Model

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If the two data sets are less than ``configuration.gap_days`` apart in time, the loss becomes NaN or the disk
        is full (the weights so far stay in ``folder``), or the folder holds an unfinished training with another
        configuration.
    FileExistsError
        If the folder holds a finished model.
    """
    check_split(training, validation, gap=configuration.gap_days * u.day)
    folder = Path(folder)
    refuse_to_overwrite(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, configuration)
    run = _Run(configuration, training, validation, folder)
    bar = tqdm(range(len(run.history), configuration.epochs), desc=configuration.card.name, unit="epoch")
    for epoch in bar:
        if epoch - run.best_epoch > configuration.patience:
            break
        bar.set_postfix(run.epoch(epoch))
    return run.finish()


def _claim(folder, configuration):
    """Write the configuration into the folder of a run; what another one left there must not be gone on with."""
    path = folder / _CONFIGURATION
    text = json.dumps(dataclasses.asdict(configuration), indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        msg = f"{folder} holds a training with another configuration; choose a new folder."
        raise TrainingError(msg)
    save_text(text, path)


def _copy_weights(source, target, name):
    if [variable.shape for variable in source.weights] != [variable.shape for variable in target.weights]:
        msg = f"The network of {name} is another one than the card's: filters and layers must be the same."
        raise TrainingError(msg)
    target.set_weights(source.get_weights())


class _Run:
    """The state of one training, in memory and on disk."""

    def __init__(self, configuration, training, validation, folder):
        from sunpy_scss.models import _network

        self._stop, self._batches = _network.StopAtNaN, _network.Batches
        self.configuration, self.folder = configuration, folder
        self.training, self.validation = training, validation
        self.network = build_network(configuration.card, seed=configuration.seed)
        if configuration.start:
            _copy_weights(load_network(configuration.start), self.network, configuration.start)
        if configuration.freeze_encoder:
            _network.freeze_encoder(self.network)
        steps = -(-len(training) // configuration.batch_size)
        left = configuration.epochs - configuration.warmup_epochs
        _network.compile_network(
            self.network,
            configuration.loss,
            learning_rate=configuration.learning_rate,
            warmup_steps=steps * configuration.warmup_epochs,
            decay_steps=max(1, steps * left) if configuration.schedule == "cosine" else None,
        )
        self.history = self._read_history()
        if self.history:
            self.network.load_weights(self.folder / _AFTER.format(len(self.history) - 1))

    @property
    def best_epoch(self):
        return min(range(len(self.history)), key=lambda epoch: self.history[epoch]["val_loss"], default=0)

    def epoch(self, epoch):
        """Train for one epoch, validate, save; the row of the history."""
        size, seed = self.configuration.batch_size, [self.configuration.seed, epoch]
        order = np.random.default_rng(seed).permutation(len(self.training))
        augment = self.configuration.augmentation
        augmented = self._batches(self._pair(self.training), size, order, augment=augment, seed=seed)
        plain = self._batches(self._pair(self.validation), size, range(len(self.validation)))
        stop = self._stop()
        fitted = self.network.fit(augmented, validation_data=plain, shuffle=False, verbose=0, callbacks=[stop])
        row = {name: float(values[-1]) for name, values in fitted.history.items()}
        if stop.batch is not None:
            self._fail(epoch, self.training, order[stop.batch * size : (stop.batch + 1) * size])
        if not np.isfinite(row["val_loss"]):
            self._fail(epoch, self.validation, range(len(self.validation)))
        self.history.append(row)
        self._save(_AFTER.format(epoch))
        if self.best_epoch == epoch:
            self._save(_BEST)
        self._write_history()  # from here on the epoch counts; killed before, it is trained again from the last one
        (self.folder / _AFTER.format(epoch - 1)).unlink(missing_ok=True)
        _log.debug("epoch %d: %s", epoch, ", ".join(f"{name} {value:.4f}" for name, value in row.items()))
        return row

    def _pair(self, dataset):
        weight = self.configuration.rejected_weight
        return lambda position: (dataset.images[position], dataset.target(position, weight))

    def _fail(self, epoch, dataset, positions):
        """Say where a loss that is not finite comes from, as far as the data show it."""
        arrays = (dataset.images, *dataset.nested.values(), dataset.rejected, dataset.known)
        broken = [at for at in positions if not all(np.isfinite(array[at]).all() for array in arrays)]
        keys = ", ".join(str(dataset.keys[at]) for at in broken or positions)
        cause = f"{keys} hold NaN or infinity" if broken else f"it happened at {keys}; lower the learning rate"
        msg = f"The loss is not finite in epoch {epoch}: {cause}. The weights before are in {self.folder}."
        raise TrainingError(msg)

    def finish(self):
        """The best weights, scored, as a model folder."""
        self.network.load_weights(self.folder / _BEST)
        plain = build_network(self.configuration.card)  # without the optimiser's state, which is twice its size
        plain.set_weights(self.network.get_weights())
        model = save_model(self._card(plain), plain, self.folder)
        for name in (_BEST, _AFTER.format(len(self.history) - 1)):
            (self.folder / name).unlink()
        return model

    def _card(self, network):
        raw = Model(self.configuration.card, lambda images: network.predict(images, batch_size=8, verbose=0))
        scored = calibrate(raw, self.training)
        card = scored.card
        return dataclasses.replace(
            card,
            version=sunpy_scss.__version__,
            training={
                **card.training,
                "training images": len(self.training),
                "validation images": len(self.validation),
                "epochs": len(self.history),
                "best epoch": self.best_epoch,
            },
            scores={
                "model": evaluate(scored, self.validation),
                **threshold_scores(self.training, self.validation, card.feature),
            },
        )

    def _save(self, name):
        scratch = self.folder / f"partial.{name}"
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
