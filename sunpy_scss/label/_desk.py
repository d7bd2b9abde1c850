"""The queue, the folder, and the image that somebody draws on: the state behind the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import sunpy_scss
from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError
from sunpy_scss.images._read import read_map
from sunpy_scss.label._folder import Labels, read_labels
from sunpy_scss.label._picture import Picture, blocks, make_picture, pixels
from sunpy_scss.label._queue import neighbours, proposal
from sunpy_scss.label._session import ACCEPTED, OPEN, REJECTED, Session
from sunpy_scss.masks._metrics import iou
from sunpy_scss.segment._predict import segment_feature

if TYPE_CHECKING:
    from sunpy.map import GenericMap

    from sunpy_scss.label._folder import LabelFolder
    from sunpy_scss.label._queue import Item
    from sunpy_scss.models._card import Model

__all__ = ["Desk", "Work"]


@dataclass(frozen=True)
class Work:
    """
    An image that is being labelled.

    Attributes
    ----------
    item : Item
    smap : sunpy.map.GenericMap
    picture : Picture
    session : Session
    labels : Labels
        The labels it began from.
    """

    item: Item
    smap: GenericMap
    picture: Picture
    session: Session
    labels: Labels


class Desk:
    """
    The images to be labelled, one of which is open.

    Parameters
    ----------
    items : list of Item
    folder : LabelFolder
    model : sunpy_scss.models.Model
    annotator : str
    masks : dict
        Files of masks, by key, to begin from instead of the regions of the model.
    other : path-like, optional
        The folder of another annotator, to compare with.

    Attributes
    ----------
    position : int
        The index of the open image in the queue.
    work : Work or None
        The open image; None where it cannot be labelled.
    """

    def __init__(self, items, folder: LabelFolder, model: Model, annotator, *, masks=None, other=None):
        self.items = items
        self.folder = folder
        self.model = model
        self.annotator = annotator
        self.masks = masks or {}
        self.other = None if other is None else Path(other)
        self.work = None
        self.position = next((at for at, item in enumerate(items) if not folder.is_done(item.key)), 0)

    @property
    def item(self):
        return self.items[self.position]

    def open(self, position):
        """
        Open an image of the queue.

        Raises
        ------
        `~sunpy_scss.exceptions.UnreadableFileError`, `~sunpy_scss.exceptions.InvalidMapError`
            If the image or its labels cannot be read, or the image cannot be labelled. `work` is None then.
        `~sunpy_scss.exceptions.AnnotationError`
            If its labels belong to another image.
        """
        self.position, self.work = position % len(self.items), None
        smap = read_map(self.item.path)
        picture = make_picture(smap)
        labels = self._labels(smap, picture)
        verdicts = labels.verdicts
        if verdicts.shape != picture.disk.shape:
            verdicts = _most(verdicts, picture.factor)
        self.work = Work(self.item, smap, picture, Session(picture.brightness, picture.disk, verdicts), labels)

    def _labels(self, smap, picture):
        """Return the draft of an image, its labels, a mask that was given, or the regions of the model."""
        key = self.item.key
        found = self.folder.read_draft(key, picture.disk.shape) or self.folder.read(key, smap)
        if found is None and key in self.masks:
            given = read_labels(self.masks[key], self.folder.path / "none", smap)
            found = Labels(np.where(given.verdicts == ACCEPTED, OPEN, given.verdicts), given.origin, given.moved)
        if found is None:
            mask = proposal(smap, self.model)
            found = Labels((mask.data * OPEN).astype(np.uint8), f"{self.model.card.name} {self.model.card.sha256[:12]}")
        return found

    def keep(self):
        """Save the draft, so that nothing is lost if the page fails."""
        self.folder.save_draft(self.work.item.key, self.work.session.verdicts, self.work.labels.origin)

    def finish(self):
        """Write the labels of the open image where training finds them."""
        work, count = self.work, self.work.session.count
        history = (
            f"sunpy_scss.label {sunpy_scss.__version__}: drawn by {self.annotator}\n"
            f"begun from {work.labels.origin}\n"
            f"{count(ACCEPTED)} accepted, {count(REJECTED)} rejected, {count(OPEN)} left open (-1)"
        )
        verdicts = pixels(work.session.verdicts, work.picture.factor, work.smap.data.shape)
        feature = self.model.card.feature
        self.folder.write(work.item.key, work.smap, verdicts, feature, annotator=self.annotator, history=history)

    def days(self):
        """Return the Sun a day before and a day after on the pixels of the open image; None where there is no image."""
        shown = []
        for item in neighbours(self.items, self.work.item):
            try:
                shown.append(item and (item, make_picture(read_map(item.path)).on_pixels_of(self.work.picture)))
            except (InvalidMapError, UnreadableFileError):
                shown.append(None)
        return shown

    def boundaries(self):
        """Return the masks of all boundaries of the model by name, on the pixels of the page."""
        work = self.work
        names = [one.name for one in self.model.card.boundaries]
        masks = {name: segment_feature(work.smap, model=self.model, boundary=name).data > 0 for name in names}
        return {name: _most(mask, work.picture.factor) for name, mask in masks.items()}

    def others(self):
        """
        Return the verdicts of the other annotator on the open image, on the pixels of the page.

        Returns
        -------
        numpy.ndarray or None
            The verdicts; None where there is no other annotator, or no label of this image.
        """
        if self.other is None:
            return None
        paths = [self.other / part / f"{self.work.item.key}.fits" for part in ("masks", "rejected")]
        if not paths[0].exists():
            return None
        return _most(read_labels(*paths, self.work.smap).verdicts, self.work.picture.factor)

    def disagreement(self, others):
        """
        Return where this annotator and another differ.

        Returns
        -------
        where : numpy.ndarray
            (ny, nx) uint8: 1 where only this one accepted, 2 where only the other did.
        iou : float
            The IoU of the accepted regions of both, without pixels that one of them left open.
        """
        mine = self.work.session.verdicts
        known = (mine != OPEN) & (others != OPEN)
        one, two = (mine == ACCEPTED) & known, (others == ACCEPTED) & known
        return ((one & ~two) + 2 * (two & ~one)).astype(np.uint8), iou(one, two)


def _most(values, factor):
    """Return the most frequent value in each block of pixels, which gives labels of this page back unchanged."""
    if factor == 1:
        return values
    shares = [blocks(values == value, factor) for value in range(int(values.max()) + 1)]
    return np.argmax(shares, axis=0).astype(values.dtype)
