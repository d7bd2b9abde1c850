"""The engines that run a network: ONNX Runtime, or the engine that a user added for an architecture."""

from sunpy_scss.exceptions import ModelError

__all__ = ["add_engine", "engine_of"]

_ENGINES = {}


def add_engine(architecture, load):
    """
    Register the engine that runs the networks of an architecture.

    Parameters
    ----------
    architecture : str
        The name that cards use; empty for SCSS-Net, which then no longer runs in ONNX Runtime.
    load : callable
        ``load(weights, card)`` gives the function that predicts; see `sunpy_scss.models.Model`.
    """
    _ENGINES[architecture] = load


def engine_of(architecture):
    """
    Return the engine of an architecture.

    Parameters
    ----------
    architecture : str

    Returns
    -------
    callable
        The same as for `add_engine`.

    Raises
    ------
    `~sunpy_scss.exceptions.ModelError`
        If none is known.
    """
    if architecture in _ENGINES:
        return _ENGINES[architecture]
    if architecture:
        known = f"known are {', '.join(map(repr, filter(None, _ENGINES)))}" if any(_ENGINES) else "none is known"
        msg = (
            f"The network {architecture!r} is not known ({known}). Import the function that builds it and call "
            "sunpy_scss.train.register_network(function, name), in the shell --network module:function."
        )
        raise ModelError(msg)
    return _in_onnx_runtime


def _in_onnx_runtime(weights, card):
    from sunpy_scss.models._onnx import load_predict

    return load_predict(weights)
