"""Labelled Maps as what a network learns from."""

from contextlib import closing
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

import astropy.units as u
from astropy.time import Time

from sunpy_scss._sun.canonical import canonical_radius, frame_of, to_canonical
from sunpy_scss.exceptions import TrainingError
from sunpy_scss.segment._input import network_input
from sunpy_scss.train._cache import CanonicalCache

__all__ = ["Dataset", "make_dataset"]

# Image and mask are of one time if they differ by less.
_SAME_TIME = 1 * u.min


@dataclass(frozen=True)
class Dataset:
    """
    Images as the network sees them, with their labels.

    ``dataset[which]``, by indices, a slice or an array of bool, is a data set of some of them.

    Attributes
    ----------
    keys : tuple of str
    dates : astropy.time.Time
    images : array_like
        (n, size, size) float32, stretched to [0, 1]. Like the next two a `numpy.ndarray`, or with a cache something
        that reads from disk what is asked for; `numpy.asarray` reads all of it.
    labels : array_like
        (n, size, size) float32, the share of each pixel that the feature covers.
    rejected : array_like
        (n, size, size) float32, the share that look-alikes cover.
    disk : numpy.ndarray
        (size, size) bool, the pixels that count.
    """

    keys: tuple
    dates: Time
    images: np.ndarray
    labels: np.ndarray
    rejected: np.ndarray
    disk: np.ndarray

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, which):
        index = np.atleast_1d(np.arange(len(self))[which])
        keys = tuple(self.keys[position] for position in index)
        return Dataset(keys, self.dates[index], self.images[index], self.labels[index], self.rejected[index], self.disk)

    def target(self, position, rejected_weight):
        """(size, size, 2): label, and weight of each pixel; look-alikes count ``1 + rejected_weight`` times."""
        weight = self.disk * (1 + rejected_weight * self.rejected[position])
        return np.stack([self.labels[position], weight.astype(np.float32)], axis=-1)


def make_dataset(labelled, card, *, cache=None):
    """
    Bring labelled images to a model's grid and stretch, the very ones of segmentation.

    Parameters
    ----------
    labelled : iterable of LabelledMap or LabelledFiles
        Images may differ in size, scale, rotation and instrument. They are taken one by one, so that a generator, or
        files, need no more memory than one of them.
    card : sunpy_scss.models.ModelCard
    cache : path-like, optional
        A folder where the result is kept (Zarr), made where missing. It needs no memory then, however many images
        there are, and what is in there already is not read again from files that have not changed. By default, the
        result is held in memory: 0.8 MB for each image at 256 pixels.

    Returns
    -------
    Dataset

    Raises
    ------
    `~sunpy_scss.exceptions.TrainingError`
        If there is no image, a mask does not belong to its image or holds other values than 0 and 1, or the cache is
        of another grid or stretch or being written to by another program.

    Examples
    --------
    >>> from sunpy_scss.models import load_model
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> from sunpy_scss.train import LabelledMap, make_dataset
    >>> suns = {size: synthetic_sun(size=size) for size in (128, 200)}
    >>> labelled = [LabelledMap(f"{size} pixels", sun.image, sun.coronal_holes) for size, sun in suns.items()]
    >>> dataset = make_dataset(labelled, load_model("scss-ch-193-2").card)
    >>> len(dataset), dataset.images.shape
    (2, (2, 256, 256))
    """
    bar = tqdm(labelled, desc="images", unit="image")
    keys, dates, planes = _in_memory(bar, card) if cache is None else _on_disk(bar, card, cache)
    if not keys:
        msg = "There is nothing to train on: no labelled Map was given."
        raise TrainingError(msg)
    disk = canonical_radius(card.grid_size, card.half_width) <= 1
    return Dataset(tuple(keys), Time(dates), *planes, disk)


def _in_memory(labelled, card):
    keys, dates, planes = [], [], []
    for one in labelled:
        read = one.read()
        keys.append(one.key)
        dates.append(read.image.date)
        planes.append(_planes(read, card))
    return keys, dates, [np.stack(plane) for plane in zip(*planes, strict=True)]


def _on_disk(labelled, card, folder):
    keys, sources = [], []
    with closing(CanonicalCache(folder, card)) as cache:
        for one in labelled:
            source = one.source()
            if source not in cache.rows:
                read = one.read()
                cache.add(source, read.image.date, _planes(read, card))
            keys.append(one.key)
            sources.append(source)
        return keys, *cache.content(sources)


def _planes(labelled, card):
    """Image, label and look-alikes on the canonical grid."""
    prepared = network_input(labelled.image, card)
    label = _share(labelled.mask, labelled, prepared.frame, card)
    if labelled.rejected is None:
        return prepared.image, label, np.zeros_like(label)
    return prepared.image, label, _share(labelled.rejected, labelled, prepared.frame, card)


def _share(mask, labelled, frame, card):
    """The share of each canonical pixel that a mask covers."""
    if mask.data.shape != labelled.image.data.shape or not np.isin(mask.data, (0, 1)).all():
        msg = f"{labelled.key}: a mask holds 0 and 1 on the pixels of its image."
        raise TrainingError(msg)
    if abs(mask.date - labelled.image.date) > _SAME_TIME:
        msg = f"{labelled.key}: image and mask are of different times ({labelled.image.date.isot}, {mask.date.isot})."
        raise TrainingError(msg)
    own = frame_of(mask)
    if not (np.allclose(own.centre, frame.centre, atol=0.5) and np.allclose(own.matrix, frame.matrix, atol=0.5)):
        msg = f"{labelled.key}: image and mask have different coordinates."
        raise TrainingError(msg)
    share = to_canonical(mask.data, frame, size=card.grid_size, half_width=card.half_width)
    return np.nan_to_num(share)
