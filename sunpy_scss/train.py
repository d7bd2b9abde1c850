"""Training: labelled Maps to a data set, a configuration to a model folder, and scores."""

import csv
import dataclasses
import json
import logging
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

import sunpy.map
from astropy.time import Time

import sunpy_scss
from sunpy_scss import _grid, metrics
from sunpy_scss._augment import Augmentation
from sunpy_scss._input import network_input
from sunpy_scss.exceptions import TrainingError
from sunpy_scss.models import Model, ModelCard, build_network, load_network, refuse_to_overwrite, save_model

__all__ = [
    "Augmentation",
    "Configuration",
    "Dataset",
    "LabelledMap",
    "evaluate",
    "make_dataset",
    "read_configuration",
    "read_folder",
    "threshold_scores",
    "train_model",
]

_log = logging.getLogger("sunpy")

# Weights with the state of the optimiser, while a training runs: the best, and those after the last epoch.
_BEST, _AFTER = "best.weights.h5", "epoch_{}.weights.h5"


@dataclass(frozen=True)
class LabelledMap:
    """
    An image and what is known of it.

    Attributes
    ----------
    key : str
        Its name in messages.
    image : sunpy.map.GenericMap
    mask : sunpy.map.GenericMap
        1 inside the feature, on the WCS of the image.
    rejected : sunpy.map.GenericMap, optional
        1 where a look-alike is: what must not be taken for the feature.
    """

    key: str
    image: sunpy.map.GenericMap
    mask: sunpy.map.GenericMap
    rejected: sunpy.map.GenericMap | None = None


@dataclass(frozen=True)
class Dataset:
    """
    Images as the network sees them, with their labels.

    Attributes
    ----------
    keys : tuple of str
    dates : astropy.time.Time
    images : numpy.ndarray
        (n, size, size) float32, stretched to [0, 1].
    labels : numpy.ndarray
        (n, size, size) float32, the share of each pixel that the feature covers.
    rejected : numpy.ndarray
        (n, size, size) float32, the share that look-alikes cover.
    disk : numpy.ndarray
        (size, size) bool, the pixels that count.
    """

    keys: tuple
    dates: Time
    images: np.ndarray
    labels: np.ndarray
    rejected: np.ndarray
    disk: np.ndarray

    def __len__(self):
        return len(self.keys)

    def targets(self, rejected_weight):
        """(n, size, size, 2): label, and weight of each pixel; look-alikes count ``1 + rejected_weight`` times."""
        weights = self.disk * (1 + rejected_weight * self.rejected)
        return np.stack([self.labels, weights.astype(np.float32)], axis=-1)


def read_folder(folder, split):
    """
    Labelled Maps from ``images/KEY.fits``, ``masks/KEY.fits``, where present ``rejected/KEY.fits``, and an
    ``index.csv`` with the columns ``key`` and ``split``.

    Parameters
    ----------
    folder : path-like
    split : str
        Which part to read, ``"train"`` or ``"validation"``.

    Yields
    ------
    LabelledMap

    Raises
    ------
    FileNotFoundError
        If the folder has no index or a file is missing.
    `~sunpy_scss.exceptions.TrainingError`
        If no entry belongs to that part.
    """
    folder = Path(folder)
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        keys = [row["key"] for row in csv.DictReader(file) if row["split"] == split]
    if not keys:
        msg = f"{folder / 'index.csv'} lists no image of the part {split!r}."
        raise TrainingError(msg)
    for key in tqdm(keys, desc=f"reading {split}", unit="image"):
        paths = [folder / part / f"{key}.fits" for part in ("images", "masks")]
        for path in paths:
            if not path.exists():
                msg = f"{folder / 'index.csv'} lists {key}, but there is no {path}."
                raise FileNotFoundError(msg)
        image, mask = map(sunpy.map.Map, paths)
        rejected = folder / "rejected" / f"{key}.fits"
        yield LabelledMap(key, image, mask, sunpy.map.Map(rejected) if rejected.exists() else None)


def make_dataset(labelled_maps, card):
    """
    Bring labelled Maps to a model's grid and stretch, the very ones of segmentation.

    Parameters
    ----------
    labelled_maps : iterable of LabelledMap
    card : sunpy_scss.models.ModelCard

    Returns
    -------
    Dataset

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If there is no Map, or a mask does not belong to its image.
    """
    entries = [_entry(labelled, card) for labelled in labelled_maps]
    if not entries:
        msg = "There is nothing to train on: no labelled Map was given."
        raise TrainingError(msg)
    keys, dates, images, labels, rejected = zip(*entries, strict=True)
    disk = _grid.canonical_radius(card.grid_size, card.half_width) <= 1
    return Dataset(keys, Time(list(dates)), np.stack(images), np.stack(labels), np.stack(rejected), disk)


def _entry(labelled, card):
    prepared = network_input(labelled.image, card)
    label = _share(labelled.mask, labelled, prepared.frame, card)
    if labelled.rejected is None:
        rejected = np.zeros_like(label)
    else:
        rejected = _share(labelled.rejected, labelled, prepared.frame, card)
    return labelled.key, labelled.image.date, prepared.image, label, rejected


def _share(mask, labelled, frame, card):
    """The share of each canonical pixel that a mask covers."""
    if mask.data.shape != labelled.image.data.shape or not np.isin(mask.data, (0, 1)).all():
        msg = f"{labelled.key}: a mask holds 0 and 1 on the pixels of its image."
        raise TrainingError(msg)
    if not np.allclose(_grid.frame_of(mask).centre, frame.centre, atol=0.5):
        msg = f"{labelled.key}: image and mask have different coordinates."
        raise TrainingError(msg)
    share = _grid.to_canonical(mask.data, frame, size=card.grid_size, half_width=card.half_width)
    return np.nan_to_num(share)


@dataclass(frozen=True)
class Configuration:
    """
    All that a training needs besides its data.

    Attributes
    ----------
    card : sunpy_scss.models.ModelCard
        Of the model to be; scores and hash are filled in.
    epochs : int
        The most passes over the training part; the learning rate decays to nothing over them.
    batch_size : int
    learning_rate : float
        The highest, after ``warmup_epochs``.
    warmup_epochs : float
    patience : int
        Stop after so many epochs without a lower validation loss.
    bce, dice : float
        Shares of binary cross-entropy and soft Dice in the loss.
    rejected_weight : float
        Extra weight of look-alikes.
    start : str
        Name or folder of a model whose weights the training starts from, of the same network; empty for random ones.
    freeze_encoder : bool
        Train the bottleneck and the decoder only.
    seed : int
    augmentation : sunpy_scss.train.Augmentation
    """

    card: ModelCard
    epochs: int = 30
    batch_size: int = 8
    learning_rate: float = 2e-3
    warmup_epochs: float = 1.0
    patience: int = 8
    bce: float = 2.0
    dice: float = 0.5
    rejected_weight: float = 2.0
    start: str = ""
    freeze_encoder: bool = False
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


def read_configuration(path):
    """
    A training configuration from a TOML file.

    Its tables are ``[card]`` with ``[card.stretch]`` and ``[card.network]``, ``[training]`` and ``[augmentation]``;
    their keys are the attributes of `Configuration`, `~sunpy_scss.models.ModelCard` and the augmentation.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Configuration

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If a table or key is missing or unknown.
    """
    with Path(path).open("rb") as file:
        try:
            tables = tomllib.load(file)
            card = ModelCard.from_dict(tables.pop("card"))
            augmentation = Augmentation(**tables.pop("augmentation", {}))
            configuration = Configuration(card=card, augmentation=augmentation, **tables.pop("training", {}))
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path} is not a training configuration: {error}"
            raise TrainingError(msg) from error
    if tables:
        msg = f"{path} has unknown tables: {', '.join(tables)}."
        raise TrainingError(msg)
    return configuration


def train_model(configuration, training, validation, folder):
    """
    Train a network and write it as a model folder.

    After each epoch the weights, the state of the optimiser and the history are in ``folder``; calling again with
    the same arguments goes on from there. The weights of the lowest validation loss are kept.

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
        If the loss becomes NaN (the best weights so far stay in ``folder``), or if the folder holds an unfinished
        training with another configuration.
    FileExistsError
        If the folder holds a finished model.
    """
    folder = Path(folder)
    refuse_to_overwrite(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, configuration)
    run = _Run(configuration, training, validation, folder)
    bar = tqdm(range(len(run.history), configuration.epochs), desc=configuration.card.name, unit="epoch")
    for epoch in bar:
        if epoch - run.best_epoch >= configuration.patience:
            break
        bar.set_postfix(run.epoch(epoch))
    return run.finish()


def _claim(folder, configuration):
    """Write the configuration into the folder of a run; what another one left there must not be gone on with."""
    path = folder / "configuration.json"
    text = json.dumps(dataclasses.asdict(configuration), indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        msg = f"{folder} holds a training with another configuration; choose a new folder."
        raise TrainingError(msg)
    path.write_text(text, encoding="utf-8")


def _copy_weights(source, target, name):
    if [variable.shape for variable in source.weights] != [variable.shape for variable in target.weights]:
        msg = f"The network of {name} is another one than the card's: filters, layers and size must be the same."
        raise TrainingError(msg)
    target.set_weights(source.get_weights())


class _Run:
    """The state of one training, in memory and on disk."""

    def __init__(self, configuration, training, validation, folder):
        from sunpy_scss import network

        self._batches = network.Batches
        self.configuration, self.folder = configuration, folder
        self.training, self.validation = training, validation
        self.targets = training.targets(configuration.rejected_weight)
        self.validation_targets = validation.targets(configuration.rejected_weight)
        steps = -(-len(training) // configuration.batch_size)
        self.network = build_network(configuration.card, seed=configuration.seed)
        if configuration.start:
            _copy_weights(load_network(configuration.start), self.network, configuration.start)
        if configuration.freeze_encoder:
            network.freeze_encoder(self.network)
        network.compile_network(
            self.network,
            learning_rate=configuration.learning_rate,
            decay_steps=max(1, steps * (configuration.epochs - configuration.warmup_epochs)),
            warmup_steps=steps * configuration.warmup_epochs,
            bce=configuration.bce,
            dice=configuration.dice,
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
        augmented = self._batches(
            self.training.images, self.targets, size, order, augment=self.configuration.augmentation, seed=seed
        )
        plain = self._batches(self.validation.images, self.validation_targets, size, range(len(self.validation)))
        logs = self.network.fit(augmented, validation_data=plain, shuffle=False, verbose=0).history
        row = {name: float(values[-1]) for name, values in logs.items()}
        if not np.isfinite(row["loss"] + row["val_loss"]):
            msg = f"The loss became {row['loss']} in epoch {epoch}; the best weights so far are in {self.folder}."
            raise TrainingError(msg)
        self.history.append(row)
        self._save(_AFTER.format(epoch))
        if self.best_epoch == epoch:
            self._save(_BEST)
        self._write_history()  # from here on the epoch counts; killed before, it is trained again from the last one
        (self.folder / _AFTER.format(epoch - 1)).unlink(missing_ok=True)
        _log.debug("epoch %d: %s", epoch, ", ".join(f"{name} {value:.4f}" for name, value in row.items()))
        return row

    def finish(self):
        """The best weights, scored, as a model folder."""
        self.network.load_weights(self.folder / _BEST)
        plain = build_network(self.configuration.card)  # without the optimiser's state, which is twice its size
        plain.set_weights(self.network.get_weights())
        model = save_model(self.folder, self._card(plain), plain)
        for name in (_BEST, _AFTER.format(len(self.history) - 1)):
            (self.folder / name).unlink()
        return model

    def _card(self, network):
        card = self.configuration.card
        scored = Model(card, lambda images: network.predict(images, batch_size=8, verbose=0))
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
        self.network.save_weights(scratch)
        scratch.replace(self.folder / name)

    def _write_history(self):
        scratch = self.folder / "partial.history.csv"
        with scratch.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.history[0])
            writer.writeheader()
            writer.writerows(self.history)
        scratch.replace(self.folder / "history.csv")

    def _read_history(self):
        try:
            with (self.folder / "history.csv").open(newline="", encoding="utf-8") as file:
                return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        except FileNotFoundError:
            return []


def evaluate(model, dataset):
    """
    Scores of a model on the disc of the canonical grid.

    Parameters
    ----------
    model : sunpy_scss.models.Model
    dataset : Dataset

    Returns
    -------
    dict
        ``iou`` and ``dice`` pooled over all pixels, ``mean_iou`` and ``mean_dice`` over images, and
        ``rejected_claimed``, the share of the look-alikes' area that the model takes for the feature (None where
        none are marked).
    """
    probabilities = model.predict(dataset.images[..., np.newaxis])[..., 0]
    return _scores(dataset, probabilities >= model.card.threshold)


def _scores(dataset, predicted):
    truth = dataset.labels >= 0.5
    rejected = (dataset.rejected >= 0.5) & ~truth & dataset.disk
    pairs = list(zip(truth, predicted, strict=True))
    n_rejected = np.count_nonzero(rejected)
    return {
        "images": len(dataset),
        "iou": metrics.iou(truth, predicted, where=dataset.disk),
        "dice": metrics.dice(truth, predicted, where=dataset.disk),
        "mean_iou": float(np.mean([metrics.iou(*pair, where=dataset.disk) for pair in pairs])),
        "mean_dice": float(np.mean([metrics.dice(*pair, where=dataset.disk) for pair in pairs])),
        "rejected_claimed": np.count_nonzero(rejected & predicted) / n_rejected if n_rejected else None,
    }


def threshold_scores(training, validation, feature):
    """
    Scores of simpler methods, to compare a model with.

    Parameters
    ----------
    training, validation : Dataset
    feature : str
        ``"CH"``, dark, or ``"AR"``, bright.

    Returns
    -------
    dict
        ``threshold``: the scores (see `evaluate`) of that one threshold on the stretched image that gives the best
        pooled IoU on the training part; with look-alikes also ``without_review``: the labels before they were left
        out. Each holds the scores on the validation part.
    """
    sign = -1 if feature == "CH" else 1
    candidates = np.linspace(0.02, 0.98, 97)
    tuned = max(candidates, key=lambda level: _scores(training, sign * (training.images - level) >= 0)["iou"])
    scores = {"threshold": _scores(validation, sign * (validation.images - tuned) >= 0)}
    if validation.rejected.any():
        scores["without_review"] = _scores(validation, validation.labels + validation.rejected >= 0.5)
    return scores
