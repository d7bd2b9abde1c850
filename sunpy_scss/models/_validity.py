"""The rules for the values of a card, checked whenever one is made from Python, JSON or TOML."""

import math
from itertools import combinations

from sunpy_scss._features import FEATURES, is_feature
from sunpy_scss.exceptions import ModelError

__all__ = ["check_card"]

_TEXTS = ("name", "labels", "limits", "licence", "reference", "version", "sha256")
_TABLES = ("training", "scores")
# Beyond these a network of that size fits no computer.
_LARGEST_GRID, _MOST_FILTERS, _MOST_LAYERS = 8192, 1024, 10
# Labels are pixels of 8 bits.
_MOST_LEVELS = 255


def check_card(card):
    """
    Raise an error where a card cannot describe a model.

    Parameters
    ----------
    card : sunpy_scss.models.ModelCard

    Raises
    ------
    `~sunpy_scss.exceptions.ModelError`
        It names the first value that is not what it must be.
    """
    for what, holds, value in _rules(card):
        if not holds:
            msg = f"In a model card, {what} (got {value!r})."
            raise ModelError(msg)


def _rules(card):
    """Yield each rule, True if it holds, and the value; a rule is checked when those before it hold."""
    for name in _TEXTS:
        yield f"{name} is a text", isinstance(getattr(card, name), str), getattr(card, name)
    for name in _TABLES:
        yield f"{name} is a table", isinstance(getattr(card, name), dict), getattr(card, name)
    yield from _rules_of_feature(card)
    yield "further_channels is a list", isinstance(card.further_channels, list | tuple), card.further_channels
    for channel in card.channels:
        yield from _rules_of_channel(channel)
    for one, other in combinations(card.channels, 2):
        apart = all(abs(a - b) > 1 for a in one.wavelengths for b in other.wavelengths)
        yield "no two channels have a wavelength in common", apart, (one.wavelengths, other.wavelengths)
    yield (
        f"grid_size is a whole number from 2 to {_LARGEST_GRID}",
        _whole(card.grid_size, 2, _LARGEST_GRID),
        card.grid_size,
    )
    yield (
        "half_width is a number from 0.5 to 10",
        _number(card.half_width) and 0.5 <= card.half_width <= 10,
        card.half_width,
    )
    yield "threshold is between 0 and 1", _number(card.threshold) and 0 < card.threshold < 1, card.threshold
    yield "temperature is a positive number", _positive(card.temperature), card.temperature
    high_low = card.area_levels
    are = isinstance(high_low, list | tuple) and len(high_low) == 2 and all(map(_number, high_low))
    are = are and 1 > high_low[0] > high_low[1] > 0
    yield "area_levels are two numbers between 1 and 0, the first one larger", are, high_low
    yield "boundaries is a list", isinstance(card.boundaries, list | tuple), card.boundaries
    for boundary in card.boundaries:
        yield from _rules_of_boundary(boundary)
    yield from _rules_of_network(card.network)


def _rules_of_feature(card):
    feature, name, is_dark = card.feature, card.feature_name, card.feature_is_dark
    yield f"feature is {', '.join(FEATURES)} or a code of capital letters and digits", is_feature(feature), feature
    if feature in FEATURES:
        known = FEATURES[feature]
        yield f"feature_name of {feature} is {known.name!r}, or left out", name in ("", known.name), name
        yield f"feature_is_dark of {feature} is {known.is_dark}, or left out", is_dark in (None, known.is_dark), is_dark
        return
    yield f"feature_name says in words, of ASCII letters, what {feature} is", _is_ascii(name), name
    yield f"feature_is_dark says whether a {name} is darker than the quiet Sun", isinstance(is_dark, bool), is_dark


def _rules_of_boundary(boundary):
    name, level, share = boundary.name, boundary.level, boundary.share
    yield "the name of a boundary is of ASCII letters", _is_ascii(name), name
    yield f"the level of a boundary is a whole number from 1 to {_MOST_LEVELS}", _whole(level, 1, _MOST_LEVELS), level
    yield "the meaning of a boundary is a text", isinstance(boundary.meaning, str), boundary.meaning
    threshold = boundary.threshold
    yield "the threshold of a boundary is between 0 and 1", _number(threshold) and 0 < threshold < 1, threshold
    dex = boundary.dex
    yield "the dex of a boundary is a number, or left out", dex is None or _number(dex), dex
    are = share is None or (_number(share) and 0 <= share <= 100)
    yield "the share of a boundary is a number from 0 to 100, or left out", are, share
    yield "the scores of a boundary are a table", isinstance(boundary.scores, dict), boundary.scores


def _rules_of_channel(channel):
    yield "wavelength is a positive number", _positive(channel.wavelength), channel.wavelength
    listed = channel.wavelengths
    are = isinstance(listed, list | tuple) and listed and all(map(_positive, listed))
    yield "wavelengths is a list of positive numbers", are, listed
    yield from _rules_of_stretch(channel.stretch)


def _rules_of_stretch(stretch):
    yield "stretch.floor is a positive number", _positive(stretch.floor), stretch.floor
    limits = stretch.limits
    are = isinstance(limits, list | tuple) and len(limits) == 2 and all(map(_number, limits)) and limits[0] < limits[1]
    yield "stretch.limits are two numbers, the second one larger", are, limits
    exponent = stretch.exponent
    yield "stretch.exponent is a number from 0 to 1", _number(exponent) and 0 <= exponent <= 1, exponent
    yield "stretch.reference_median is a positive number", _positive(stretch.reference_median), stretch.reference_median


def _rules_of_network(network):
    filters, layers = network.filters, network.layers
    yield f"network.filters is a whole number from 1 to {_MOST_FILTERS}", _whole(filters, 1, _MOST_FILTERS), filters
    yield f"network.layers is a whole number from 1 to {_MOST_LAYERS}", _whole(layers, 1, _MOST_LAYERS), layers
    yield "network.patch is a whole number from 1 to 4", _whole(network.patch, 1, 4), network.patch
    yield "network.batch_norm is true or false", isinstance(network.batch_norm, bool), network.batch_norm
    yield "network.architecture is a text", isinstance(network.architecture, str), network.architecture
    yield "network.arguments is a table", isinstance(network.arguments, dict), network.arguments
    for name in ("drop_prob", "momentum"):
        value = getattr(network, name)
        yield f"network.{name} is a number from 0 to below 1", _number(value) and 0 <= value < 1, value


def _is_ascii(value):
    """Return True if the header of a mask can store the value, a text in printable ASCII."""
    return isinstance(value, str) and bool(value.strip()) and value.isascii() and value.isprintable()


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _positive(value):
    return _number(value) and value > 0


def _whole(value, least, most):
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
