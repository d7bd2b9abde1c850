"""
Models and their cards: what a network's weights are, where they come from and what they are worth.

A folder with ``card.json`` and ``model.weights.h5`` is a complete model; so are the bundled ones. Training adds
``split.json``, the images that the model has seen. Weights that replaced others have their hash in their name.
"""

import hashlib
import json
import os
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path

from sunpy_scss._save import save_text
from sunpy_scss.exceptions import ModelError, ModelNotFoundError
from sunpy_scss.models._card import Model, ModelCard
from sunpy_scss.models._engines import engine_of
from sunpy_scss.models._split import read_split

__all__ = [
    "WEIGHTS",
    "list_models",
    "load_model",
    "read_card",
    "refuse_to_overwrite",
    "verified",
    "weights_name",
    "write_card",
]

_CARD, WEIGHTS = "card.json", "model.weights.h5"


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
    Load a model by name or folder.

    The weights are compared with the hash in the card, and read when the model is first used.

    Parameters
    ----------
    model : str, path-like or Model
        One of `~sunpy_scss.models.list_models`, or a folder that `~sunpy_scss.train.save_model` or training made; a
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
    weights, card = verified(model)
    architecture = card.network.architecture
    engine_of(architecture)  # rather now than at the first image
    return Model(card, partial(_predict, str(weights), card.sha256, architecture), read_split(weights.parent))


def verified(model):
    """Return the path of a model's weights, which are those of its card, and the card."""
    if not isinstance(model, str | os.PathLike):
        msg = f"A model is a name, a folder or a Model (got {type(model).__name__})."
        raise TypeError(msg)
    folder = _bundled() / os.fspath(model) if model in list_models() else Path(model)
    if not (folder / _CARD).is_file():
        msg = f"No model {os.fspath(model)!r}. Known names: {', '.join(list_models())}; or give a model's folder."
        raise ModelNotFoundError(msg)
    card = read_card(folder)
    weights = _weights_of(folder, card.sha256)
    _verify(weights, card)
    return weights, card


def _weights_of(folder, sha256):
    named = folder / weights_name(sha256)
    return named if named.is_file() else folder / WEIGHTS


def weights_name(sha256):
    """Return the name of weights that replaced others."""
    return f"model.{sha256[:12]}.weights.h5"


def read_card(folder):
    """Return the card in the folder of a model."""
    path = Path(folder, _CARD)
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


def _predict(weights, sha256, architecture, images):
    return _loaded(weights, sha256, engine_of(architecture))(images)


@lru_cache(maxsize=4)
def _loaded(weights, sha256, load):  # the hash makes other weights at the same place another entry
    try:
        return load(weights, read_card(Path(weights).parent))
    except (ImportError, ModelError):
        raise
    except Exception as error:
        msg = f"{weights} does not hold the weights of a network: {error!r}"
        raise ModelError(msg) from error


def refuse_to_overwrite(folder):
    """Raise FileExistsError if a folder holds a model."""
    if (Path(folder) / _CARD).exists():
        msg = f"{folder} holds a model already; choose another folder, or remove it first."
        raise FileExistsError(msg)


def write_card(folder, card):
    """Replace the card of a model folder; the weights stay."""
    save_text(_text(card), Path(folder, _CARD))


def _text(card):
    return json.dumps(card.to_dict(), indent=2) + "\n"
