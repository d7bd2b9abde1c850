"""Parts of a data set, separated in time, so that no region is in two of them."""

import numpy as np

import astropy.units as u
from astropy.time import Time

from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import SplitWarning, TrainingError
from sunpy_scss.models._card import Model
from sunpy_scss.train._datasets import Dataset

__all__ = ["block_numbers", "check_split", "check_unseen", "images_of", "split_by_time"]

# Two images closer in time than this are the same one.
_SAME_TIME = 1 / 1440


@u.quantity_input
def split_by_time(
    dates: Time,
    *,
    validation: float = 0.2,
    test: float = 0.0,
    block: u.Quantity[u.day] = 28 * u.day,
    gap: u.Quantity[u.day] = 14 * u.day,
    seed: int = 0,
) -> np.ndarray:
    """
    Part images for training, validation and test by whole blocks of time, with gaps between them.

    Images of neighbouring days show the same regions. An image drawn at random for validation has its twins in the
    training part, and its score shows only what was learned by heart. Here whole blocks of time are drawn, and images
    too near to one of them belong to neither part.

    Parameters
    ----------
    dates : astropy.time.Time
        The dates (n,) of the images, in any order.
    validation : float, optional
        The least share of the images, from 0 to 1, whose blocks are drawn for validation.
    test : float, optional
        The same for a third part, which chooses neither the epoch nor the threshold; none by default.
    block : astropy.units.Quantity, optional
        The length of the blocks, counted from the first image on. Longer ones lose fewer images to gaps.
    gap : astropy.units.Quantity, optional
        Images less than this away from the test part belong to no other part, and those less than this away from the
        validation part are not in the training part. A region stays on the disc for about 13 days; it may come back
        after 27, grown or decayed.
    seed : int, optional
        Seed of the drawing.

    Returns
    -------
    numpy.ndarray
        The part of each image (n,): ``"train"``, ``"validation"``, ``"test"`` or ``"gap"``.

    Raises
    ------
    ValueError
        If a length or a share is out of range.
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
    if not (0 < validation < 1 and 0 <= test < 1 - validation and block > 0 and gap >= 0):
        msg = (
            "The shares must be between 0 and 1 in sum, block positive, gap not negative "
            f"(got {validation} and {test}, {block}, {gap})."
        )
        raise ValueError(msg)
    days = _days(dates)
    if not days.size:
        msg = "There is nothing to split: no date was given."
        raise TrainingError(msg)
    blocks = ((days - days.min()) // block).astype(int)
    drawn = np.random.default_rng(seed).permutation(np.unique(blocks))
    part = np.full(days.size, "validation")  # the longest name
    part[:] = "train"
    for name, share in (("validation", validation), ("test", test)):
        if share:
            counts = np.cumsum([np.count_nonzero(blocks == number) for number in drawn])
            enough = np.argmax(counts >= share * days.size) + 1 if counts.size else 0
            part[np.isin(blocks, drawn[:enough])], drawn = name, drawn[enough:]
    for name, others in (("test", ("validation", "train")), ("validation", ("train",))):
        apart, _ = _nearest(days, np.sort(days[part == name]))
        part[np.isin(part, others) & (apart < gap)] = "gap"
    missing = [
        name for name, share in (("train", 1), ("validation", validation), ("test", test)) if share and name not in part
    ]
    if missing:
        msg = (
            f"No image is left for {missing[0]}: {days.size} images over {np.ptp(days):.0f} days are too few or too "
            f"close for blocks of {block:g} and gaps of {gap:g} days. Take shorter blocks, or images of a longer time."
        )
        raise TrainingError(msg)
    return part


@u.quantity_input
def check_split(training: Dataset, validation: Dataset, *, gap: u.Quantity[u.day] = 14 * u.day) -> None:
    """
    Raise an error where a data set for training is too near in time to one for validation or test.

    Parameters
    ----------
    training, validation : sunpy_scss.train.Dataset
    gap : astropy.units.Quantity, optional
        The least time between an image of one and an image of the other.

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If there is less time between them. The message names the nearest pair.
    """
    gap = gap.to_value(u.day)
    pair = _too_near(images_of(training), images_of(validation), gap)
    if pair:
        msg = f"Two parts leak into each other: {pair}, where {gap:g} are the least. split_by_time parts them."
        raise TrainingError(msg)


def check_unseen(model: Model, dataset: Dataset, *, and_validation: bool = False, allowed: bool = False) -> None:
    """
    Raise an error where a model was trained on images of a data set, or of the days around them.

    Parameters
    ----------
    model : sunpy_scss.models.Model
        A model without weights, for example a function of your own, was trained on no images.
    dataset : sunpy_scss.train.Dataset
    and_validation : bool, optional
        Refuse also the images that chose the best epoch, for a part that must not have chosen anything.
    allowed : bool, optional
        Warn instead of raising an error.

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If there are such images. The message names the nearest pair.

    Warns
    -----
    `~sunpy_scss.exceptions.SplitWarning`
        If the model has weights, but no list of the images that they were fitted to. Or if its own validation or test
        part holds training images of the model from which it started.
    """
    split = model.split
    if split is None:
        if model.card.sha256:
            msg = (
                f"It is not known which images {model.card.name} was trained on: it comes without split.json. Where "
                "some of these, or of the days around them, were among those, its scores are too high."
            )
            warn_caller(msg, SplitWarning)
        return
    images, parts = images_of(dataset), {*split.validation, *split.test}
    gap = max(split.gap_days, _SAME_TIME)
    fitted = (*split.train, *split.validation) if and_validation else split.train
    others = [image for image in images if image not in parts]
    pair = _too_near(fitted, images, gap) or _too_near(split.earlier, others, gap)
    # Its own parts gave a warning in its training already.
    told = _too_near(split.earlier, images, gap)
    if not (pair or told):
        return
    msg = (
        f"{model.card.name}{'' if pair else ', or the model that it started from,'} has seen these images or their "
        f"neighbours: {pair or told}, where {split.gap_days:g} are the least. A score on them flatters it"
    )
    if pair and not allowed:
        msg = f"{msg}; take images of other days, or of the part that it left out."
        raise TrainingError(msg)
    warn_caller(f"{msg}.", SplitWarning)


def block_numbers(dates, length):
    """Return the block number of each image; a block holds the images less than ``length`` after its first."""
    blocks, first, number = np.zeros(len(dates), dtype=int), None, -1
    for image in np.argsort(dates):
        if first is None or dates[image] - first >= length:
            number, first = number + 1, dates[image]
        blocks[image] = number
    return blocks


def images_of(dataset):
    """Return the pairs of key and date of a data set, as a split holds them."""
    return tuple(zip(map(str, dataset.keys), np.atleast_1d(dataset.dates.utc.isot).tolist(), strict=True))


def _too_near(ones, others, gap):
    """Return the nearest pair of two lists of images in words; None if it is ``gap`` days apart or more."""
    if not (ones and others):
        return None
    own, days = (_days(Time([date for _, date in images])) for images in (ones, others))
    order = np.argsort(days)
    apart, index = _nearest(own, days[order])
    worst = np.argmin(apart)
    if not apart[worst] < gap:
        return None
    one, other = ("{} ({})".format(*images[at]) for images, at in ((ones, worst), (others, order[index[worst]])))
    return f"{one} is in the one and {other} in the other, {apart[worst]:.2g} days apart"


def _days(dates):
    return np.atleast_1d(dates.utc.mjd)


def _nearest(days, others):
    """Return the distance from each day to the nearest of the sorted others, and its index."""
    if not others.size:
        return np.full(days.shape, np.inf), np.zeros(days.shape, dtype=int)
    right = np.clip(np.searchsorted(others, days), 1, max(1, others.size - 1))
    left = right - 1
    right = np.minimum(right, others.size - 1)
    index = np.where(np.abs(days - others[left]) <= np.abs(days - others[right]), left, right)
    return np.abs(days - others[index]), index
