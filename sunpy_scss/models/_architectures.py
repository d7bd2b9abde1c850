"""Networks of others, which a card names and never brings along: code is given, not loaded."""

from collections.abc import Callable

from sunpy_scss.exceptions import ModelError

__all__ = ["builder_of", "register_network"]

_BUILDERS = {}


def register_network(build: Callable, name: str | None = None) -> str:
    """
    Make a network of your own known, so that it can be trained, saved and loaded as the package's own.

    A model's folder holds weights and the name of the network, no code: who loads it registers the network first.

    Parameters
    ----------
    build : callable
        ``build(input_shape, outputs=1, **arguments)`` gives a `keras.Model` from (n, ny, nx, channels) to probabilities
        (n, ny, nx, outputs) in [0, 1]. ``arguments`` are those of the card; see `Network`.
    name : str, optional
        By which cards call it; ``"module:function"`` by default.

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
    >>> from sunpy_scss.models import Network, register_network
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
    return name


def builder_of(name):
    """The function that builds the network of a name."""
    try:
        return _BUILDERS[name]
    except KeyError:
        known = f"known are {', '.join(map(repr, _BUILDERS))}" if _BUILDERS else "none is known"
        msg = (
            f"The network {name!r} is not known ({known}). Import the function that builds it and call "
            "sunpy_scss.models.register_network(function, name), in the shell --network module:function."
        )
        raise ModelError(msg) from None
