"""Overlap of masks: exact, in [0, 1], pure numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["dice", "dice_of", "iou", "iou_of", "ratio"]


def ratio(part, whole, empty=np.nan):
    """Return the quotient of arrays, or ``empty`` where nothing is there to divide by."""
    result = np.broadcast_to(empty, np.shape(whole)).astype(float)
    return np.divide(part, whole, out=result, where=np.asarray(whole) > 0)


def iou_of(both, one, other, empty=1.0):
    """Return the intersection over union from the shared amount and that of each mask, arrays of counts or areas."""
    return ratio(both, one + other - both, empty)


def dice_of(both, one, other, empty=1.0):
    """Return the Dice coefficient from the shared amount and that of each mask, arrays of counts or areas."""
    return ratio(2 * both, one + other, empty)


def _counts(truth, prediction, where):
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        msg = f"The masks must have one shape (got {truth.shape} and {prediction.shape})."
        raise ValueError(msg)
    for mask in (truth, prediction):
        if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
            msg = "Masks hold 0 and 1 only; apply a threshold to probabilities first."
            raise ValueError(msg)
    truth, prediction = truth.astype(bool), prediction.astype(bool)
    if where is not None:
        truth, prediction = truth & where, prediction & where
    return tuple(np.count_nonzero(part) for part in (truth & prediction, truth, prediction))


def dice(truth: ArrayLike, prediction: ArrayLike, *, where: ArrayLike | None = None) -> float:
    """
    Return the Dice coefficient (F1 score) of two binary masks, pooled over all pixels.

    Parameters
    ----------
    truth, prediction : array_like
        Masks of one shape, of 0 and 1 or bool; a stack of images is pooled.
    where : array_like of bool, optional
        Pixels that count, broadcast to the masks; all by default.

    Returns
    -------
    float
        ``2 |A and B| / (|A| + |B|)``, in [0, 1]; two empty masks agree fully: 1.

    Raises
    ------
    ValueError
        If the shapes differ or a mask holds anything but 0 and 1.

    Examples
    --------
    >>> from sunpy_scss.masks import dice
    >>> dice([0, 1, 1], [0, 0, 1])
    0.6666666666666666
    >>> dice([0, 0], [0, 0])
    1.0
    """
    return float(dice_of(*_counts(truth, prediction, where)))


def iou(truth: ArrayLike, prediction: ArrayLike, *, where: ArrayLike | None = None) -> float:
    """
    Return the intersection over union (Jaccard index) of two binary masks, pooled over all pixels.

    Parameters
    ----------
    truth, prediction : array_like
        Masks of one shape, of 0 and 1 or bool; a stack of images is pooled.
    where : array_like of bool, optional
        Pixels that count, broadcast to the masks; all by default.

    Returns
    -------
    float
        ``|A and B| / |A or B|``, in [0, 1]; two empty masks agree fully: 1.

    Raises
    ------
    ValueError
        If the shapes differ or a mask holds anything but 0 and 1.

    Examples
    --------
    >>> from sunpy_scss.masks import iou
    >>> iou([0, 1, 1], [0, 0, 1])
    0.5
    """
    return float(iou_of(*_counts(truth, prediction, where)))
