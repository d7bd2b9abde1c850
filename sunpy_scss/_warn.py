"""Warnings that point to the user's line of code."""

import sys
import warnings

__all__ = ["warn_caller"]


def warn_caller(message, category):
    """
    Warn at the user's line that called the package, however deep inside it the warning arose.

    Parameters
    ----------
    message : str
    category : type
    """
    level, frame = 1, sys._getframe()
    # The unit checks of astropy are between the user and a public function.
    while frame and frame.f_globals.get("__name__", "").split(".")[0] in ("sunpy_scss", "astropy"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
