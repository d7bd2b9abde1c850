"""
Models and their cards: what a network's weights are, where they come from and what they are worth.

A folder with ``card.json`` and ``model.weights.h5`` is a complete model; so are the bundled ones. Training adds
``split.json``, the images that the model has seen. Weights that replaced others have their hash in their name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
import warnings
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sunpy_scss._save import save_text, scratch_folder
from sunpy_scss.exceptions import ModelError, ModelNotFoundError
from sunpy_scss.models._architectures import builder_of
from sunpy_scss.models._card import Model, ModelCard
from sunpy_scss.models._split import SPLIT_FILE, read_split, split_text

if TYPE_CHECKING:
    import keras

    from sunpy_scss.models._split import Split


__all__ = ["build_network", "list_models", "load_model", "load_network", "save_model"]

_CARD, _WEIGHTS = "card.json", "model.weights.h5"


def list_models() -> list[str]:
    """
    Names of the models that come with the package.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from sunpy_scss import list_models
    >>> "scss-ch-193-5" in list_models()
    True
    """
    return sorted(entry.name for entry in _bundled().iterdir() if (entry / _CARD).is_file())


def _bundled():
    return files("sunpy_scss") / "data"


def load_model(model: str | os.PathLike | Model) -> Model:
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
    >>> load_model("scss-ch-193-5").card.feature
    'CH'
    """
    if isinstance(model, Model):
        return model
    weights, card = _verified(model)
    if card.network.architecture:
        builder_of(card.network.architecture)  # rather now than at the first image
    return Model(card, partial(_predict, str(weights), card.sha256), read_split(weights.parent))


def load_network(model: str | os.PathLike) -> keras.Model:
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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Keras warns of is an error a moment later
            network.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        msg = f"{weights} does not hold the weights of the network in the card of {card.name}: {error}"
        raise ModelError(msg) from error
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
    weights = _weights_of(folder, card.sha256)
    _verify(weights, card)
    return weights, card


def _weights_of(folder, sha256):
    named = folder / _weights_name(sha256)
    return named if named.is_file() else folder / _WEIGHTS


def _weights_name(sha256):
    return f"model.{sha256[:12]}.weights.h5"


def _read_card(path):
    try:
        return ModelCard.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError, RecursionError) as error:
        msg = f"{path} cannot be read as a model card: {error}"
        raise ModelError(msg) from error


def _verify(weights, card):
    try:
        facts = weights.stat()
        found = _sha256(weights, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        msg = f"The weights of {card.name} cannot be read: {error}"
        raise ModelError(msg) from error
    if found != card.sha256:
        msg = (
            f"{weights} is not what the card of {card.name} describes: its SHA-256 is {found}, "
            f"expected {card.sha256}. Install the package or get the model again."
        )
        raise ModelError(msg)


@lru_cache(maxsize=16)
def _sha256(path, size, changed):  # a file that was written since is another entry
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _predict(weights, sha256, images):
    return _engine(weights, sha256)(images)


@lru_cache(maxsize=4)
def _engine(weights, sha256):  # the hash makes other weights at the same place another entry
    """What predicts: ONNX Runtime, or Keras where there is none for the machine, or for a network of the user's own."""
    folder = Path(weights).parent
    try:
        if _read_card(folder / _CARD).network.architecture:
            return _keras_engine(folder)
        from sunpy_scss.models._onnx import load_predict
    except ImportError:
        return _keras_engine(folder)
    try:
        return load_predict(weights)
    except Exception as error:
        msg = f"{weights} does not hold the weights of a network: {error!r}"
        raise ModelError(msg) from error


def _keras_engine(folder):
    from sunpy_scss.models._network import predict

    return partial(predict, load_network(folder))


def build_network(card: ModelCard, *, seed: int | None = None) -> keras.Model:
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
    from sunpy_scss.models import _network

    if seed is not None:
        _network.set_seed(seed)
    shape, arguments = (card.grid_size, card.grid_size, len(card.channels)), dataclasses.asdict(card.network)
    architecture, own = arguments.pop("architecture"), arguments.pop("arguments")
    if architecture:
        return builder_of(architecture)(shape, outputs=len(card.levels), **own)
    return _network.scss_net(shape, **arguments, outputs=len(card.levels))


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


def save_model(
    card: ModelCard,
    network: keras.Model,
    folder: str | os.PathLike,
    *,
    overwrite: bool = False,
    split: Split | None = None,
) -> Model:
    """
    Write a network and its card as a model folder.

    Parameters
    ----------
    card : ModelCard
        Its hash is set to that of the weights.
    network : keras.Model
    folder : path-like
        Made where missing.
    overwrite : bool, optional
        Replace a model that is there. Until the very last step, renaming the new card, it stays as it was: killed at
        any time, the folder holds the old model or the new one.
    split : Split, optional
        The images that the network was trained on, which no score of it may be of.

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
    there = list(folder.glob("model*.weights.h5"))
    with scratch_folder(folder) as scratch:
        weights = scratch / _WEIGHTS
        save_weights(network, weights)
        card = dataclasses.replace(card, sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
        target = folder / (_weights_name(card.sha256) if there else _WEIGHTS)
        weights.replace(target)
        (folder / SPLIT_FILE).unlink(missing_ok=True)  # of a model that was there
        write_card(folder, card)
        if split is not None:
            save_text(split_text(split), folder / SPLIT_FILE)
    for path in there:
        if path != target:
            path.unlink()
    return load_model(folder)


def write_card(folder, card):
    """Replace the card of a model folder; the weights stay."""
    save_text(_text(card), Path(folder, _CARD))


def _text(card):
    return json.dumps(card.to_dict(), indent=2) + "\n"
