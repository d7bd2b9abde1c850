"""Warnings that point to the line of the user."""

import sys
import warnings

__all__ = ["warn_caller"]


def warn_caller(message, category):
    """
    Warn at the line of the user that called the package, however deep inside it the doubt arose.

    Parameters
    ----------
    message : str
    category : type
    """
    level, frame = 1, sys._getframe()
    # astropy's unit checks stand between the user and a public function.
    while frame and frame.f_globals.get("__name__", "").split(".")[0] in ("sunpy_scss", "astropy"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
