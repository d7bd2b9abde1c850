"""Training and validation apart in time: a region that is in both would be known already."""

import numpy as np

import astropy.units as u

from sunpy_scss.exceptions import TrainingError

__all__ = ["check_split", "split_by_time"]


@u.quantity_input
def split_by_time(dates, *, validation=0.2, block: u.day = 28 * u.day, gap: u.day = 14 * u.day, seed=0):
    """
    Part images for training and validation by whole blocks of time, with gaps between them.

    Images of neighbouring days show the same regions, so that one drawn at random for validation has its twins in the
    training part, and its score is of what was learned by heart. Here blocks of time are drawn, and what is too near
    to one of them belongs to neither part.

    Parameters
    ----------
    dates : astropy.time.Time
        (n,) of the images, in any order.
    validation : float, optional
        The least share of the images, from 0 to 1, whose blocks are drawn for validation.
    block : astropy.units.Quantity, optional
        How long the blocks are; time is divided from the first image on. Longer ones lose fewer images to gaps.
    gap : astropy.units.Quantity, optional
        Images less than this away from the validation part are not trained on. A region stays on the disc for about
        13 days; it may come back after 27, grown or decayed.
    seed : int, optional
        Of the drawing.

    Returns
    -------
    numpy.ndarray
        (n,) of ``"train"``, ``"validation"`` and ``"gap"``.

    Raises
    ------
    ValueError
        If a length or the share is out of range.
    `~sunpy_scss.exceptions.TrainingError`
        If a part stays empty.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.time import Time, TimeDelta
    >>> from sunpy_scss.train import split_by_time
    >>> dates = Time("2017-01-01") + TimeDelta(np.arange(365), format="jd")
    >>> part = split_by_time(dates, seed=1)
    >>> {name: int((part == name).sum()) for name in ("train", "validation", "gap")}
    {'train': 203, 'validation': 84, 'gap': 78}
    """
    block, gap = block.to_value(u.day), gap.to_value(u.day)
    if not (0 < validation < 1 and block > 0 and gap >= 0):
        msg = f"The share must be between 0 and 1, block positive, gap not negative (got {validation}, {block}, {gap})."
        raise ValueError(msg)
    days = _days(dates)
    if not days.size:
        msg = "There is nothing to split: no date was given."
        raise TrainingError(msg)
    blocks = ((days - days.min()) // block).astype(int)
    drawn = np.random.default_rng(seed).permutation(np.unique(blocks))
    enough = np.cumsum([np.count_nonzero(blocks == number) for number in drawn]) >= validation * days.size
    held_out = np.isin(blocks, drawn[: np.argmax(enough) + 1])
    near = _nearest(days, np.sort(days[held_out]))[0] < gap
    part = np.where(held_out, "validation", np.where(near, "gap", "train"))
    if "train" not in part:
        msg = (
            f"No image is left for training: {days.size} images over {np.ptp(days):.0f} days are too few or too close "
            f"for blocks of {block:g} and gaps of {gap:g} days. Take shorter blocks, or images of a longer time."
        )
        raise TrainingError(msg)
    return part


@u.quantity_input
def check_split(training, validation, *, gap: u.day = 14 * u.day):
    """
    Raise an error where a data set for training is too near in time to one for validation.

    Parameters
    ----------
    training, validation : sunpy_scss.train.Dataset
    gap : astropy.units.Quantity, optional
        The least time between an image of one and an image of the other.

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If there is less between them; it names the nearest pair.
    """
    own, others = _days(training.dates), _days(validation.dates)
    if not (own.size and others.size):
        return
    order = np.argsort(others)
    apart, index = _nearest(own, others[order])
    worst = np.argmin(apart)
    if apart[worst] < gap.to_value(u.day):
        twin = order[index[worst]]
        one, other = (
            f"{dataset.keys[at]} ({dataset.dates[at].isot})" for dataset, at in ((training, worst), (validation, twin))
        )
        msg = (
            f"Training and validation leak into each other: {one} is in the one and {other} in the other, "
            f"{apart[worst]:.2g} days apart, where {gap:g} are the least. split_by_time parts them."
        )
        raise TrainingError(msg)


def _days(dates):
    return np.atleast_1d(dates.utc.mjd)


def _nearest(days, others):
    """How far the nearest of sorted others is from each, and its index."""
    right = np.clip(np.searchsorted(others, days), 1, max(1, others.size - 1))
    left = right - 1
    right = np.minimum(right, others.size - 1)
    index = np.where(np.abs(days - others[left]) <= np.abs(days - others[right]), left, right)
    return np.abs(days - others[index]), index
