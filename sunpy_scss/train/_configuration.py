"""The settings of a training besides its data, and the files that hold them."""

import dataclasses
import difflib
import json
import math
import os
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Self

from sunpy_scss.exceptions import TrainingError
from sunpy_scss.models._card import ModelCard, Network, Stretch
from sunpy_scss.models._store import list_models, load_model
from sunpy_scss.train._augment import Augmentation

__all__ = ["Configuration", "Loss", "read_configuration"]

# Recipes without weights.
_RECIPES = ("scss-net-2021",)
# Settings for fine-tuning on about ten images: small steps, as the model knows most already.
_FINE_TUNING = {"epochs": 20, "batch_size": 2, "learning_rate": 5e-4, "warmup_epochs": 1.0, "patience": 6}
_PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True)
class Loss:
    """
    The shares of losses in a sum; all are weighted by pixel, and a share of 0 costs no time.

    Attributes
    ----------
    bce : float
        Share of the binary cross-entropy, a mean over pixels.
    dice : float
        Share of one minus the soft Dice coefficient of a batch.
    tversky : float
        Share of one minus the Tversky index of a batch (Salehi et al. 2017,
        https://doi.org/10.1007/978-3-319-67389-9_44): a Dice coefficient in which false positives count
        ``tversky_alpha`` and false negatives ``1 - tversky_alpha``.
    focal : float
        Share of the focal loss, a mean over pixels (Lin et al. 2017, https://doi.org/10.1109/ICCV.2017.324):
        cross-entropy times ``(1 - p) ** focal_gamma``, where ``p`` is the probability of the true class.
    tversky_alpha, focal_gamma : float
    """

    bce: float = 2.0
    dice: float = 0.5
    tversky: float = 0.0
    focal: float = 0.0
    tversky_alpha: float = 0.5
    focal_gamma: float = 2.0

    def __post_init__(self):
        _require_finite(self)
        shares = (self.bce, self.dice, self.tversky, self.focal)
        _require(min(shares) >= 0 and sum(shares) > 0, "the shares of the losses must not be negative, nor all be 0")
        _require(0 <= self.tversky_alpha <= 1, "tversky_alpha must be between 0 and 1")
        _require(self.focal_gamma >= 0, "focal_gamma must not be negative")


@dataclass(frozen=True)
class Configuration:
    """
    The settings of a training besides its data.

    Attributes
    ----------
    card : sunpy_scss.models.ModelCard
        The card of the model to be trained. Scores, hash and the temperature, fitted to the validation part, are filled
        in. The threshold is the one before calibration, and moves with the probabilities.
    epochs : int
        The largest number of passes over the training part.
    batch_size : int
        Images in a step. Small batches are best for few images; on a GPU, take as many as fit its memory.
    precision : str
        The precision of the computation in training: ``"float32"``, or on a GPU, faster and in half the memory,
        ``"mixed_float16"`` or ``"mixed_bfloat16"``. The weights are in single precision in all cases.
    learning_rate : float
        The learning rate of Adam: the highest one, reached after ``warmup_epochs``.
    warmup_epochs : float
        Epochs in which the learning rate rises, from a tenth.
    schedule : str
        ``"cosine"``, down to a hundredth over the epochs that are left, or ``"constant"``.
    patience : int
        Stop after so many epochs without a lower validation loss.
    averaging : float
        The factor by which the old running mean of the weights counts after each step, for example 0.98. The mean at
        the end makes the model. With 0, the weights of the epoch with the lowest validation loss make it.
    loss : sunpy_scss.train.Loss
    rejected_weight : float
        Extra weight of hard negatives.
    start : str
        Name or folder of a model with the same network, whose weights the training starts from; empty for random
        weights. The grid may be another. If that model draws one boundary, all boundaries start from it.
    start_has_seen : tuple of str
        The parts, of ``"validation"`` and ``"test"``, that may hold images on which that model was trained, where no
        others are left; the test part may also hold images that chose its epoch. Scores on them flatter the model: say
        so in its card.
    freeze_encoder : bool
        Train the bottleneck and the decoder only.
    gap_days : float
        The least time between images of two parts. With 0 they leak into each other.
    test_share : float
        The share of the images for the test part, where a folder without parts is split by time.
    seed : int
    augmentation : sunpy_scss.train.Augmentation
    """

    card: ModelCard
    epochs: int = 30
    batch_size: int = 2
    precision: str = "float32"
    learning_rate: float = 2e-3
    warmup_epochs: float = 1.0
    schedule: str = "cosine"
    patience: int = 8
    averaging: float = 0.0
    loss: Loss = field(default_factory=Loss)
    rejected_weight: float = 2.0
    start: str = ""
    start_has_seen: tuple[str, ...] = ()
    freeze_encoder: bool = False
    gap_days: float = 14.0
    test_share: float = 0.0
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self):
        _require_finite(self)
        _require(self.epochs >= 1 and self.batch_size >= 1, "epochs and batch_size must be 1 or more")
        _require(self.precision in _PRECISIONS, f"precision must be one of {', '.join(_PRECISIONS)}")
        _require(self.learning_rate > 0, "learning_rate must be positive")
        _require(0 <= self.warmup_epochs <= self.epochs, "warmup_epochs must be between 0 and epochs")
        _require(self.schedule in ("cosine", "constant"), "schedule must be 'cosine' or 'constant'")
        _require(self.patience >= 1, "patience must be 1 or more")
        _require(0 <= self.averaging < 1, "averaging must be at least 0 and below 1")
        _require(self.rejected_weight >= 0 and self.gap_days >= 0, "rejected_weight and gap_days must not be negative")
        known = all(part in ("validation", "test") for part in self.start_has_seen)
        _require(known and not isinstance(self.start_has_seen, str), "start_has_seen lists 'validation' or 'test'")
        object.__setattr__(self, "start_has_seen", tuple(self.start_has_seen))
        _require(0 <= self.test_share < 0.8, "test_share must be between 0 and 0.8; 0.2 is for validation")
        _require(self.seed >= 0, "seed must not be negative")
        alone = self.card.is_dark and len(self.card.channels) == 1
        _require(alone or not self.augmentation.holes, "holes are for a dark feature seen in one channel")
        network, size = self.card.network, self.card.grid_size
        unit = network.patch * 2**network.layers
        fits = bool(network.architecture) or size % unit == 0
        _require(fits, f"grid_size must divide by {unit} for {network.layers} layers (it is {size})")

    @classmethod
    def starting_from(cls, model: str | os.PathLike, name: str) -> Self:
        """
        Make a configuration to fine-tune a model on labels of your own.

        Parameters
        ----------
        model : str or path-like
            Name or folder of the model whose weights the training starts from.
        name : str
            The name of the model to be trained.

        Returns
        -------
        Configuration
            A configuration with the grid, stretch, network, boundaries and augmentation of ``model``. It may be trained
            on the images of that model, as the labels are others; a `~sunpy_scss.exceptions.SplitWarning` tells so.

        Raises
        ------
        `~sunpy_scss.exceptions.ModelError`
            If there is no such model, or it does not agree with its card.

        Examples
        --------
        >>> from sunpy_scss.train import Configuration
        >>> configuration = Configuration.starting_from("scss-ch-193-5", "mine")
        >>> configuration.card.name, configuration.start, configuration.epochs
        ('mine', 'scss-ch-193-5', 20)
        """
        start = load_model(model).card
        boundaries = tuple(dataclasses.replace(one, threshold=0.5, share=None, scores={}) for one in start.boundaries)
        card = dataclasses.replace(
            start,
            name=name,
            threshold=0.5,
            temperature=1.0,
            boundaries=boundaries,
            labels=f"labels of {name}",
            limits="",
            training={},
            scores={},
            licence="",
            version="",
            sha256="",
            area_levels=ModelCard.area_levels,
        )
        return cls(
            card,
            **_FINE_TUNING,
            start=os.fspath(model),
            start_has_seen=("validation", "test"),
            augmentation=_augmentation_of(model),
        )

    def to_toml(self) -> str:
        """
        Return the configuration as TOML that `read_configuration` reads.

        Returns
        -------
        str

        Examples
        --------
        >>> from sunpy_scss.train import Configuration
        >>> print(Configuration.starting_from("scss-ar-171-3", "mine").to_toml())
        [card]
        name = "mine"
        feature = "AR"
        ...
        """
        values = dataclasses.asdict(self)
        tables = {"card": values.pop("card"), "loss": values.pop("loss"), "augmentation": values.pop("augmentation")}
        return _toml({"card": tables.pop("card"), "training": values, **tables})


def _augmentation_of(model):
    """Return the augmentation of a model's training, without the holes, which follow a rule of its own labels."""
    kept = Path(model, "configuration.json")
    if kept.is_file():
        own = Augmentation(**json.loads(kept.read_text(encoding="utf-8"))["augmentation"])
    elif str(model) in list_models():
        own = read_configuration(model).augmentation
    else:
        own = Augmentation()
    return dataclasses.replace(own, holes=0.0)


def _toml(table, name=""):
    """Return a table in TOML, its values first, then its tables; texts, numbers and lists are as in JSON."""
    values = {key: value for key, value in table.items() if value is not None}
    inner = {key: value for key, value in values.items() if _is_table(value)}
    lines = [
        f"{key if key.isidentifier() else json.dumps(key)} = {json.dumps(value)}"
        for key, value in values.items()
        if key not in inner and value not in ("", [], (), {})
    ]
    parts = ["\n".join([f"[{name}]", *lines])] if name else []
    for key, value in inner.items():
        path = f"{name}.{key}".removeprefix(".")
        if isinstance(value, dict):
            parts.append(_toml(value, path))
        else:
            parts += [_toml(one, path).replace(f"[{path}]", f"[[{path}]]", 1) for one in value]
    return "\n\n".join(parts)


def _is_table(value):
    return bool(value) and (isinstance(value, dict) or (isinstance(value, list | tuple) and isinstance(value[0], dict)))


def _require_finite(values):
    for name, value in vars(values).items():
        _require(
            not isinstance(value, float) or math.isfinite(value), f"{name} must be a finite number (it is {value})"
        )


def _require(holds, rule):
    if not holds:
        msg = f"In a training configuration, {rule}."
        raise TrainingError(msg)


def read_configuration(source: str | os.PathLike) -> Configuration:
    """
    Read a training configuration from a TOML file, or return that of a bundled model.

    Its tables are ``[card]`` with ``[card.stretch]`` and ``[card.network]``, ``[training]``, ``[loss]`` and
    ``[augmentation]``; their keys are the attributes of `Configuration`, `~sunpy_scss.models.ModelCard` and those of
    its parts.

    Parameters
    ----------
    source : path-like
        A file, the name of a bundled model, or ``"scss-net-2021"``, the recipe of Mackovjak et al. (2021) [1]_ for
        coronal holes on this package's grid and stretch; it has not been run in full here.

    Returns
    -------
    Configuration

    Raises
    ------
    FileNotFoundError
        If it is neither a file nor a known name.
    `~sunpy_scss.exceptions.TrainingError`
        If a table or key is missing or unknown, or a value out of range.

    References
    ----------
    .. [1] Mackovjak et al. 2021, MNRAS 508, 3111, https://doi.org/10.1093/mnras/stab2536

    Examples
    --------
    >>> from sunpy_scss.train import read_configuration
    >>> published = read_configuration("scss-net-2021")
    >>> published.card.network.filters, published.learning_rate, published.batch_size, published.epochs
    (32, 0.001, 20, 100)
    """
    path = _path_of(source)
    with path.open("rb") as file:
        try:
            return _from_tables(tomllib.load(file))
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{source} is not a training configuration: {_reason(error)}"
            raise TrainingError(msg) from error


def _path_of(source):
    bundled = files("sunpy_scss") / "data"
    if str(source) in _RECIPES:
        return bundled / f"{source}.toml"
    if str(source) in list_models():
        return bundled / str(source) / "train.toml"
    if not Path(source).is_file():
        known = ", ".join([*_RECIPES, *list_models()])
        msg = f"{source} is neither a file nor a known configuration (those are {known})."
        raise FileNotFoundError(msg)
    return Path(source)


def _reason(error):
    return f"the table or key {error} is missing." if isinstance(error, KeyError) else str(error)


def _from_tables(tables):
    _check_names("", tables, ("card", "training", "loss", "augmentation"))
    card = tables["card"]
    _check("[card]", card, ModelCard)
    _check("[card.stretch]", card["stretch"], Stretch)
    _check("[card.network]", card["network"], Network)
    training = tables.get("training", {})
    _check("[training]", training, Configuration, without=("card", "loss", "augmentation"))
    parts = {"loss": Loss, "augmentation": Augmentation}
    for name, kind in parts.items():
        _check(f"[{name}]", tables.get(name, {}), kind)
    made = {name: kind(**tables.get(name, {})) for name, kind in parts.items()}
    return Configuration(card=ModelCard.from_dict(card), **training, **made)


def _check(table, values, kind, without=()):
    """Raise an error that names an unknown key, or one whose value has the wrong type."""
    types = {one.name: one.type for one in dataclasses.fields(kind) if one.name not in without}
    _check_names(table, values, list(types))
    for name, value in values.items():
        wanted = {float: (int, float)}.get(types[name], (types[name],))
        if types[name] in (int, float, str, bool) and type(value) not in wanted:
            msg = f"{table} needs {types[name].__name__} for {name} (got {value!r})."
            raise ValueError(msg)
        if isinstance(value, float) and not math.isfinite(value):
            msg = f"{table} needs a finite number for {name} (got {value!r})."
            raise ValueError(msg)


def _check_names(table, values, known):
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            msg = f"{table or 'it'} has the unknown key {name!r}; the nearest known one is {near[0]!r}."
            raise ValueError(msg)
