"""Checks of arguments that many functions share."""

import numbers

import numpy as np

import astropy.units as u

__all__ = ["check_area", "check_count", "check_number", "check_type"]


def check_number(value, name, *, above, below):
    """
    Return a number between two others, exclusively, as a float.

    Raises
    ------
    TypeError
        If it is not a number, but text, an array, or a Quantity with a unit.
    ValueError
        If it is not between them, or is NaN.
    """
    plain = value.to_value(u.dimensionless_unscaled) if isinstance(value, u.Quantity) else value
    if np.ndim(plain) != 0 or not isinstance(plain := np.asarray(plain)[()], numbers.Real | np.bool_):
        msg = f"{name} must be one number (got {value!r})."
        raise TypeError(msg)
    if not above < plain < below:
        msg = f"{name} must be between {above:g} and {below:g} (got {value})."
        raise ValueError(msg)
    return float(plain)


def check_count(value, name, *, least, most):
    """
    Return a whole number between two others, inclusively, as an int.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is not between them.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        msg = f"{name} must be a whole number (got {value!r})."
        raise TypeError(msg)
    if not least <= value <= most:
        msg = f"{name} must be between {least} and {most} (got {value})."
        raise ValueError(msg)
    return int(value)


def check_area(value, name):
    """Raise a ValueError unless a Quantity of area is one finite number that is not negative."""
    if not value.isscalar or not 0 <= value.value < np.inf:
        msg = f"{name} must be one area, 0 or more, as 1000 * u.Mm**2 (got {value})."
        raise ValueError(msg)


def check_type(value, kind, words):
    """Raise a TypeError, with words for what is expected, unless a value is of that type."""
    if not isinstance(value, kind):
        msg = f"Expected {words} (got {type(value).__name__})."
        raise TypeError(msg)
