"""Networks and their weights: built, loaded, saved, and run in Keras where ONNX Runtime does not."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sunpy_scss._save import save_text, scratch_folder
from sunpy_scss.exceptions import ModelError
from sunpy_scss.models._engines import add_engine, engine_of
from sunpy_scss.models._split import SPLIT_FILE, split_text
from sunpy_scss.models._store import WEIGHTS, load_model, refuse_to_overwrite, verified, weights_name, write_card

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import keras

    from sunpy_scss.models._card import Model, ModelCard
    from sunpy_scss.models._split import Split


__all__ = ["build_network", "device", "load_network", "register_network", "save_model", "save_weights", "use_keras"]

_BUILDERS = {}


def register_network(build: Callable, name: str | None = None) -> str:
    """
    Register a network of your own, so that it can be trained, saved and loaded like the package's own.

    The folder of a model holds weights and the name of the network, but no code: register the network before you load
    the model.

    Parameters
    ----------
    build : callable
        ``build(input_shape, outputs=1, **arguments)`` gives a `keras.Model` from (n, ny, nx, channels) to probabilities
        (n, ny, nx, outputs) in [0, 1]. ``arguments`` are those of the card; see `~sunpy_scss.models.Network`.
    name : str, optional
        The name in model cards; ``"module:function"`` by default.

    Returns
    -------
    str
        The name.

    Raises
    ------
    ValueError
        If another network has that name.

    Examples
    --------
    >>> from sunpy_scss.models import Network
    >>> from sunpy_scss.train import register_network
    >>> def shallow(input_shape, outputs=1, width=8):
    ...     import keras
    ...
    ...     image = keras.Input(input_shape)
    ...     x = keras.layers.Conv2D(width, 5, padding="same", activation="relu")(image)
    ...     x = keras.layers.Conv2D(outputs, 1, activation="sigmoid")(x)
    ...     return keras.Model(image, x)
    >>> architecture = register_network(shallow, "shallow")
    >>> network = Network(architecture=architecture, arguments={"width": 4})
    """
    name = name or f"{build.__module__}:{build.__qualname__}"
    if _BUILDERS.setdefault(name, build) is not build:
        msg = f"There is another network called {name!r}; give this one a name of its own."
        raise ValueError(msg)
    add_engine(name, load_predict)
    return name


def _builder_of(name):
    engine_of(name)  # raises an error if the name is unknown
    return _BUILDERS[name]


def use_keras() -> None:
    """
    Run the package's own networks in Keras from now on, not in ONNX Runtime.

    It is for machines without ONNX Runtime, and for GPUs that Keras uses. The answers differ by rounding.

    Examples
    --------
    >>> from sunpy_scss.train import use_keras
    >>> use_keras()  # doctest: +SKIP
    """
    add_engine("", load_predict)


def device():
    """Return the device on which networks are trained, in words."""
    from sunpy_scss.train import _keras

    return _keras.device()


def load_predict(weights, card):
    """Return the function that predicts; see `add_engine`."""
    from sunpy_scss.train._keras import predict

    return partial(predict, _with_weights(card, weights))


def build_network(card: ModelCard, *, seed: int | None = None) -> keras.Model:
    """
    Build the untrained network of a card.

    Parameters
    ----------
    card : ModelCard
    seed : int, optional
        Seed for Python, numpy and Keras, which gives the same initial weights at each call.

    Returns
    -------
    keras.Model
    """
    from sunpy_scss.train import _keras

    if seed is not None:
        _keras.set_seed(seed)
    shape, arguments = (card.grid_size, card.grid_size, len(card.channels)), dataclasses.asdict(card.network)
    architecture, own = arguments.pop("architecture"), arguments.pop("arguments")
    if architecture:
        return _builder_of(architecture)(shape, outputs=len(card.levels), **own)
    return _keras.scss_net(shape, **arguments, outputs=len(card.levels))


def load_network(model: str | os.PathLike) -> keras.Model:
    """
    Load the network of a model, to continue its training.

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
        If there is no such model, or its weights or card cannot be read or do not belong together.
    """
    weights, card = verified(model)
    return _with_weights(card, weights)


def _with_weights(card, weights):
    network = build_network(card)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an error follows where Keras warns here
            network.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        msg = f"{weights} does not hold the weights of the network in the card of {card.name}: {error}"
        raise ModelError(msg) from error
    return network


def save_weights(network, path):
    """
    Write the weights of a network, and the state of its optimiser if it has one.

    HDF5 crashes the interpreter if the disk is full. Therefore a file of zeros tests the room first.

    Raises
    ------
    OSError
        If there is no room on the disk.
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
        The card, whose hash is set to that of the weights.
    network : keras.Model
    folder : path-like
        Made where missing.
    overwrite : bool, optional
        Replace a model in the folder. The old model stays until the last step, which renames the new card. If the
        program is killed, the folder holds the old model or the new one.
    split : Split, optional
        The images on which the network was trained. It must not be scored on them.

    Returns
    -------
    Model
        The model, as `~sunpy_scss.models.load_model` reads it back.

    Raises
    ------
    FileExistsError
        If the folder holds a model and ``overwrite`` is not set.
    """
    folder = Path(folder)
    if not overwrite:
        refuse_to_overwrite(folder)
    folder.mkdir(parents=True, exist_ok=True)
    there = list(folder.glob("model*.weights.h5"))
    with scratch_folder(folder) as scratch:
        weights = scratch / WEIGHTS
        save_weights(network, weights)
        card = dataclasses.replace(card, sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
        target = folder / (weights_name(card.sha256) if there else WEIGHTS)
        weights.replace(target)
        (folder / SPLIT_FILE).unlink(missing_ok=True)  # the split of a replaced model
        write_card(folder, card)
        if split is not None:
            save_text(split_text(split), folder / SPLIT_FILE)
    for path in there:
        if path != target:
            path.unlink()
    return load_model(folder)
