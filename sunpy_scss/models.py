"""
Models and their cards: what a network's weights are, where they come from and what they are worth.

A folder with ``card.json`` and ``model.weights.h5`` is a complete model; so are the bundled ones.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path

from scipy.special import expit, logit

from sunpy_scss.exceptions import ModelError, ModelNotFoundError
from sunpy_scss.saving import save_text

__all__ = [
    "Model",
    "ModelCard",
    "Network",
    "Stretch",
    "build_network",
    "list_models",
    "load_model",
    "load_network",
    "save_model",
]

_CARD, _WEIGHTS = "card.json", "model.weights.h5"


@dataclass(frozen=True)
class Stretch:
    """
    How intensities become the network's input; see `sunpy_scss.models.ModelCard`.

    ``x = log10(max(I, floor)) - exponent * log10(disc median)``, scaled so that ``limits`` become 0 and 1.

    Attributes
    ----------
    floor : float
        Lower values are raised to it, in DN/s.
    limits : tuple of float
        The values of x that become 0 and 1.
    exponent : float
        1: contrast to the disc median alone; 0: absolute brightness alone; between: both.
    reference_median : float
        The disc median in DN/s to which an image of unknown calibration is scaled.
    """

    floor: float
    limits: tuple[float, float]
    exponent: float
    reference_median: float

    def __post_init__(self):
        object.__setattr__(self, "limits", tuple(self.limits))


@dataclass(frozen=True)
class Network:
    """
    Arguments of `sunpy_scss.network.scss_net`.

    Attributes
    ----------
    filters, layers, batch_norm, drop_prob, momentum
        As there.
    """

    filters: int = 32
    layers: int = 4
    batch_norm: bool = True
    drop_prob: float = 0.0
    momentum: float = 0.99


@dataclass(frozen=True)
class ModelCard:
    """
    The facts of one set of weights.

    Attributes
    ----------
    name : str
        Never used twice: new weights, new name.
    feature : str
        ``"CH"`` for coronal holes or ``"AR"`` for active regions.
    wavelength : float
        Of the training images, in Angstrom.
    wavelengths : tuple of float
        Those accepted without a warning, in Angstrom.
    grid_size : int
        Pixels of the canonical grid on a side.
    half_width : float
        Half of the canonical grid's side, in apparent solar radii.
    stretch : Stretch
    network : Network
    threshold : float
        Probability, calibrated, from which on a pixel belongs to the feature.
    temperature : float
        By which the logits of the network are divided to calibrate its probabilities; see `sunpy_scss.calibration`.
        The default, 1, leaves them as they are.
    labels : str
        Who or what drew the training labels, in one word for the header of a mask.
    training : dict
        Data, labels and split in words; the configuration of the training.
    scores : dict
        What the model and simpler methods reached, on which images.
    limits : str
        What the model is known to get wrong.
    licence, reference, version : str
        Of the weights; the paper; the version of the package that trained them.
    sha256 : str
        Of the weights file.
    """

    name: str
    feature: str
    wavelength: float
    wavelengths: tuple[float, ...]
    grid_size: int
    half_width: float
    stretch: Stretch
    network: Network
    threshold: float = 0.5
    temperature: float = 1.0
    labels: str = ""
    training: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    limits: str = ""
    licence: str = ""
    reference: str = ""
    version: str = ""
    sha256: str = ""

    def __post_init__(self):
        if self.feature not in ("CH", "AR"):
            msg = f"A card's feature is 'CH' or 'AR' (got {self.feature!r})."
            raise ModelError(msg)
        if not self.temperature > 0:
            msg = f"A card's temperature is a positive number (got {self.temperature!r})."
            raise ModelError(msg)
        object.__setattr__(self, "wavelengths", tuple(self.wavelengths))

    @classmethod
    def from_dict(cls, values):
        """
        A card from plain values, as in ``card.json``.

        Raises
        ------
        `~sunpy_scss.exceptions.ModelError`
            If a value is missing or unknown.
        """
        try:
            nested = {"stretch": Stretch(**values["stretch"]), "network": Network(**values["network"])}
            return cls(**{**values, **nested})
        except (KeyError, TypeError) as error:
            msg = f"This is not a model card: {error}."
            raise ModelError(msg) from error

    def to_dict(self):
        """The card as plain values, for JSON."""
        return dataclasses.asdict(self)

    def calibrated(self, raw):
        """Probabilities from what the network itself says, arrays of any shape."""
        return _tempered(raw, self.temperature)

    def uncalibrated(self, probability):
        """What the network itself says where the calibrated probability is this one."""
        return _tempered(probability, 1 / self.temperature)


def _tempered(probability, temperature):
    # Not computed for 1, where rounding would change the least digits.
    return probability if temperature == 1 else expit(logit(probability) / temperature)


@dataclass(frozen=True)
class Model:
    """
    A card and the function that it describes.

    Attributes
    ----------
    card : ModelCard
    predict : callable
        From (n, size, size, 1) float32 in [0, 1] to probabilities of the same shape, before `ModelCard.calibrated`. Any
        function will do.
    """

    card: ModelCard
    predict: Callable


def list_models():
    """
    Names of the models that come with the package.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from sunpy_scss import list_models
    >>> "scss-ch-193-2" in list_models()
    True
    """
    return sorted(entry.name for entry in _bundled().iterdir() if (entry / _CARD).is_file())


def _bundled():
    return files("sunpy_scss") / "data"


def load_model(model):
    """
    A model by name or folder.

    The weights are compared with the hash in the card, and read when the model is first used.

    Parameters
    ----------
    model : str, path-like or Model
        One of `~sunpy_scss.models.list_models`, or a folder that `~sunpy_scss.models.save_model` or training made; a
        `~sunpy_scss.models.Model` is returned as it is.

    Returns
    -------
    Model

    Raises
    ------
    `~sunpy_scss.exceptions.ModelNotFoundError`
        If there is no such model; the message lists the known ones.
    `~sunpy_scss.exceptions.ModelError`
        If the card is not valid or the weights are not those of the card.

    Examples
    --------
    >>> from sunpy_scss import load_model
    >>> load_model("scss-ch-193-2").card.feature
    'CH'
    """
    if isinstance(model, Model):
        return model
    weights, card = _verified(model)
    return Model(card, partial(_predict, str(weights), card.sha256))


def load_network(model):
    """
    The network of a model, to go on training from.

    Parameters
    ----------
    model : str or path-like
        As for `~sunpy_scss.models.load_model`.

    Returns
    -------
    keras.Model
        A new one at each call.

    Raises
    ------
    `~sunpy_scss.exceptions.ModelError`
        As `~sunpy_scss.models.load_model`.
    """
    weights, card = _verified(model)
    network = build_network(card)
    network.load_weights(weights)
    return network


def _verified(model):
    """The path of a model's weights, which are those of its card, and the card."""
    if not isinstance(model, str | os.PathLike):
        msg = f"A model is a name, a folder or a Model (got {type(model).__name__})."
        raise TypeError(msg)
    folder = _bundled() / os.fspath(model) if model in list_models() else Path(model)
    if not (folder / _CARD).is_file():
        msg = f"No model {os.fspath(model)!r}. Known names: {', '.join(list_models())}; or give a model's folder."
        raise ModelNotFoundError(msg)
    card = _read_card(folder / _CARD)
    _verify(folder / _WEIGHTS, card)
    return folder / _WEIGHTS, card


def _read_card(path):
    try:
        return ModelCard.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError) as error:
        msg = f"{path} cannot be read as a model card: {error}"
        raise ModelError(msg) from error


def _verify(weights, card):
    try:
        found = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        msg = f"The weights of {card.name} cannot be read: {error}"
        raise ModelError(msg) from error
    if found != card.sha256:
        msg = (
            f"{weights} is not what the card of {card.name} describes: its SHA-256 is {found}, "
            f"expected {card.sha256}. Install the package or get the model again."
        )
        raise ModelError(msg)


def _predict(weights, sha256, images):
    from sunpy_scss.network import predict

    return predict(_cached_network(weights, sha256), images)


@lru_cache(maxsize=4)
def _cached_network(weights, sha256):  # the hash makes other weights at the same place another entry
    return load_network(Path(weights).parent)


def build_network(card, *, seed=None):
    """
    The untrained network of a card.

    Parameters
    ----------
    card : ModelCard
    seed : int, optional
        Sets the random numbers of Python, numpy and Keras, for the same initial weights at each call.

    Returns
    -------
    keras.Model
    """
    from sunpy_scss import network

    if seed is not None:
        network.set_seed(seed)
    return network.scss_net((card.grid_size, card.grid_size, 1), **dataclasses.asdict(card.network))


def refuse_to_overwrite(folder):
    """Raise FileExistsError if a folder holds a model."""
    if (Path(folder) / _CARD).exists():
        msg = f"{folder} holds a model already; choose another folder, or remove it first."
        raise FileExistsError(msg)


def save_weights(network, path):
    """
    Write the weights of a network, and the state of its optimiser if it has one.

    HDF5 crashes the interpreter where a disk is full, so that the room is made sure of with plain zeros first.

    Raises
    ------
    OSError
        If there is no room.
    """
    path = Path(path)
    with tempfile.TemporaryFile(dir=path.parent) as file:
        # Adam keeps two numbers of four bytes for each weight; a megabyte is for the structure of the file.
        for _ in range(1 + network.count_params() * 12 // 2**20):
            file.write(bytes(2**20))
        file.flush()
    network.save_weights(path)


def save_model(folder, card, network, *, overwrite=False):
    """
    Write a network and its card as a model folder.

    Parameters
    ----------
    folder : path-like
        Made where missing; the weights and the card appear whole or not at all.
    card : ModelCard
        Its hash is set to that of the weights.
    network : keras.Model
    overwrite : bool, optional
        Replace a model that is there.

    Returns
    -------
    Model
        As `load_model` reads it back.

    Raises
    ------
    FileExistsError
        If a model is there and ``overwrite`` is not set.
    """
    folder = Path(folder)
    if not overwrite:
        refuse_to_overwrite(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        weights, card_file = Path(scratch, _WEIGHTS), Path(scratch, _CARD)
        save_weights(network, weights)
        card = dataclasses.replace(card, sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
        card_file.write_text(_text(card), encoding="utf-8")
        weights.replace(folder / _WEIGHTS)
        card_file.replace(folder / _CARD)
    return load_model(folder)


def write_card(folder, card):
    """Replace the card of a model folder; the weights stay."""
    save_text(_text(card), Path(folder, _CARD))


def _text(card):
    return json.dumps(card.to_dict(), indent=2) + "\n"
