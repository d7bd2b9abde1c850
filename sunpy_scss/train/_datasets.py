"""Data sets of labelled Maps, from which a network learns."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

import astropy.units as u
from astropy.time import Time

from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._resample import to_canonical
from sunpy_scss.exceptions import TrainingError
from sunpy_scss.segment._input import maps_of_channels, network_input
from sunpy_scss.train._cache import CanonicalCache, kept_levels

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from sunpy_scss.models._card import ModelCard
    from sunpy_scss.train._labelled import LabelledFiles, LabelledMap


__all__ = ["Dataset", "inputs_of", "make_dataset"]

# An image and a mask are of the same time if they differ by less than this.
_SAME_TIME = 1 * u.min


@dataclass(frozen=True)
class Dataset:
    """
    Images as the network sees them, with their labels.

    ``dataset[which]``, with indices, a slice or an array of bool, is a data set of some of the images.

    Attributes
    ----------
    keys : tuple of str
    dates : astropy.time.Time
    images : array_like
        (n, size, size) float32, stretched to [0, 1]; (n, size, size, channels) for several channels. This and the next
        attributes are `numpy.ndarray`, or with a cache arrays on disk, of which single images are read when they are
        needed and `numpy.asarray` reads all.
    nested : dict
        For each level, from the outermost inwards, (n, size, size) float32: the share of the known area of each pixel
        that lies inside that boundary.
    rejected : array_like
        (n, size, size) float32, the share of each pixel that hard negatives cover.
    known : array_like
        (n, size, size) float32, the share of each pixel whose label is known.
    disk : numpy.ndarray
        (size, size) bool, the pixels that count.
    level : int
        The level of the boundary that is scored.
    """

    keys: tuple
    dates: Time
    images: np.ndarray
    nested: dict
    rejected: np.ndarray
    known: np.ndarray
    disk: np.ndarray
    level: int = 1

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, which):
        index = np.atleast_1d(np.arange(len(self))[which])
        keys = tuple(self.keys[position] for position in index)
        nested = {level: plane[index] for level, plane in self.nested.items()}
        images, rejected, known = self.images[index], self.rejected[index], self.known[index]
        return Dataset(keys, self.dates[index], images, nested, rejected, known, self.disk, self.level)

    @property
    def labels(self) -> np.ndarray:
        """Return the share of each pixel inside the boundary that is scored, (n, size, size)."""
        return self.nested[self.level]

    def at(self, card: ModelCard) -> Dataset:
        """Return the same images with the labels of the first boundary of a card."""
        if card.default_level not in self.nested:
            there = ", ".join(map(str, self.nested))
            msg = (
                f"The data set has labels of level {there}, not of level {card.default_level}; make it with the card "
                "of that boundary: make_dataset(labelled, model.at(boundary).card)."
            )
            raise TrainingError(msg)
        return replace(self, level=card.default_level)

    def counted(self, position: int) -> np.ndarray:
        """Return the pixels on the disc with known labels in an image, (size, size) bool."""
        return self.disk & (np.asarray(self.known[position]) >= 0.5)

    def target(self, position: int, rejected_weight: float) -> np.ndarray:
        """
        Return the labels, outermost first, and the weight of each pixel: (size, size, boundaries + 1).

        Hard negatives count ``1 + rejected_weight`` times. Unknown pixels do not count.
        """
        known = np.where(self.counted(position), self.known[position], 0)
        weight = known * (1 + rejected_weight * self.rejected[position])
        return np.stack([*(plane[position] for plane in self.nested.values()), weight.astype(np.float32)], axis=-1)


def inputs_of(dataset, positions):
    """Return the images of some positions as a network takes them, (n, size, size, channels)."""
    images = np.stack([dataset.images[at] for at in positions])
    return images if images.ndim == 4 else images[..., np.newaxis]


def make_dataset(
    labelled: Iterable[LabelledMap | LabelledFiles], card: ModelCard, *, cache: str | os.PathLike | None = None
) -> Dataset:
    """
    Bring labelled images to a model's grid and stretch, as segmentation does.

    Parameters
    ----------
    labelled : iterable of LabelledMap or LabelledFiles
        Images may differ in size, scale, rotation and instrument. They are taken one by one, so that a generator, or
        files, need no more memory than one of them.
    card : sunpy_scss.models.ModelCard
        Its boundaries have levels: a pixel is inside one where its mask has this level or more. Masks without any label
        over 1 have one boundary, the default one of the card; the data set then has no other. If the card has several
        channels, each takes the image of its wavelength.
    cache : path-like, optional
        A folder where the result is kept (Zarr), made where missing. The result then needs no memory, however many
        images there are, and files that have not changed are not read again. By default the result is held in memory:
        1 MB for each image at 256 pixels, and 0.3 MB for each further boundary.

    Returns
    -------
    Dataset

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidMapError`
        If an image cannot be segmented, or one of the card's channels is missing.
    `~sunpy_scss.exceptions.TrainingError`
        If there is no image; if a mask does not belong to its image or holds other values than whole numbers from -1
        on; or if the cache has another grid, stretch or boundaries, or another program writes to it.

    Examples
    --------
    >>> from sunpy_scss.models import load_model
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> from sunpy_scss.train import LabelledMap, make_dataset
    >>> suns = {size: synthetic_sun(size=size) for size in (128, 200)}
    >>> labelled = [
    ...     LabelledMap(f"{size} pixels", sun.image, sun.coronal_holes)
    ...     for size, sun in suns.items()
    ... ]
    >>> dataset = make_dataset(labelled, load_model("scss-ch-193-5").card)
    >>> len(dataset), dataset.images.shape
    (2, (2, 336, 336))
    """
    bar = tqdm(labelled, desc="images", unit="image")
    keys, dates, planes = _in_memory(bar, card) if cache is None else _on_disk(bar, card, cache)
    if not keys:
        msg = "There is nothing to train on: no labelled Map was given."
        raise TrainingError(msg)
    images, rejected, known, *nested = planes
    nested = _meant(dict(zip(kept_levels(card), nested, strict=True)), card)
    return Dataset(tuple(keys), Time(dates), images, nested, rejected, known, card.grid.disk, card.default_level)


def _meant(nested, card):
    """Return the labels of each boundary, or of the default one alone where no label is over 1."""
    deeper = (plane for level, plane in nested.items() if level > 1)
    if nested.keys() == {1} or any(np.any(plane[at]) for plane in deeper for at in range(len(plane))):
        return {level: nested[level] for level in card.levels}
    return {card.default_level: nested[1]}


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
    """Return image, hard negatives, known share and the label of each boundary on the canonical grid."""
    single = len(card.channels) == 1
    shown = labelled.image if single else (labelled.image, *labelled.further_images)
    prepared = network_input(maps_of_channels(shown, card), card)
    image, frame = prepared.image[..., 0] if single else prepared.image, frame_of(labelled.image)
    label = _checked(labelled.mask, labelled, frame)
    unknown = label.data < 0 if label.mask is None else (label.data < 0) | label.mask

    def share(values):
        return np.nan_to_num(to_canonical(values.astype(np.float32), frame, card.grid))

    known = share(~unknown)
    # A pixel that is known in part has the label of this part.
    shares = [share((label.data >= level) & ~unknown) for level in kept_levels(card)]
    nested = [np.divide(part, known, out=np.zeros_like(known), where=known > 0.01).clip(0, 1) for part in shares]
    if labelled.rejected is None:
        return image, np.zeros_like(known), known, *nested
    return image, share(_checked(labelled.rejected, labelled, frame).data == 1), known, *nested


def _checked(mask, labelled, frame):
    """Return a mask Map, or raise an error if it does not belong to its image."""
    if mask.data.shape != labelled.image.data.shape or not (
        np.isfinite(mask.data).all() and (mask.data >= -1).all() and (mask.data == np.round(mask.data)).all()
    ):
        msg = (
            f"{labelled.key}: a mask holds 0, 1 inside the feature (2 and more inside further boundaries) and -1 where "
            "that is not known, on the pixels of its image."
        )
        raise TrainingError(msg)
    if abs(mask.date - labelled.image.date) > _SAME_TIME:
        msg = f"{labelled.key}: image and mask are of different times ({labelled.image.date.isot}, {mask.date.isot})."
        raise TrainingError(msg)
    own = frame_of(mask)
    if not (np.allclose(own.centre, frame.centre, atol=0.5) and np.allclose(own.matrix, frame.matrix, atol=0.5)):
        msg = f"{labelled.key}: image and mask have different coordinates."
        raise TrainingError(msg)
    return mask
