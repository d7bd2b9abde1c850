"""Overlap of masks: exact, in [0, 1], pure numpy."""

import numpy as np

__all__ = ["dice", "iou"]


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
    return tuple(int(np.count_nonzero(part)) for part in (truth & prediction, truth, prediction))


def dice(truth, prediction, *, where=None):
    """
    Dice coefficient (F1 score) of two binary masks, pooled over all pixels.

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
    both, n_truth, n_prediction = _counts(truth, prediction, where)
    total = n_truth + n_prediction
    return 2 * both / total if total else 1.0


def iou(truth, prediction, *, where=None):
    """
    Intersection over union (Jaccard index) of two binary masks, pooled over all pixels.

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
    both, n_truth, n_prediction = _counts(truth, prediction, where)
    union = n_truth + n_prediction - both
    return both / union if union else 1.0
