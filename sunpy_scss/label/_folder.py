"""The folder that the page writes: labels in the form for training, and drafts of unfinished images."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock, Timeout

import astropy.units as u
import sunpy.map

from sunpy_scss._mask_map import make_mask
from sunpy_scss._provenance import Provenance
from sunpy_scss._save import save_map, save_whole
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import same_grid
from sunpy_scss.annotations._index import append_row, read_index
from sunpy_scss.exceptions import AnnotationError
from sunpy_scss.images._read import read_map
from sunpy_scss.label._session import labels_of, verdicts_of
from sunpy_scss.masks._compare import reproject_mask

if TYPE_CHECKING:
    from sunpy.map import GenericMap

__all__ = ["LabelFolder", "Labels", "as_ascii", "fitted", "read_labels"]

# Labels belong to another image if their time differs by more than this.
_SAME_TIME = 1 * u.min


@dataclass(frozen=True)
class Labels:
    """
    The labels of an image before somebody continues with it.

    Attributes
    ----------
    verdicts : numpy.ndarray
    origin : str
        Their origin in words.
    moved : bool
        True if they were on other pixels and were brought to those of the image.
    """

    verdicts: np.ndarray
    origin: str
    moved: bool = False


class LabelFolder:
    """
    A folder of labels in the making, for one program at a time.

    Parameters
    ----------
    folder : path-like
        A folder in the form of `sunpy_scss.train.write_folder`, with ``drafts/KEY.npz``; made where missing.

    Raises
    ------
    `~sunpy_scss.exceptions.AnnotationError`
        If another program is writing to it.
    """

    def __init__(self, folder):
        self.path = Path(folder)
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.path / ".label.lock")
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            msg = f"{folder} is open in another run of this page; close that one first, or take another folder."
            raise AnnotationError(msg) from None
        self._done = {row["key"] for row in read_index(self._index)} if self._index.exists() else set()

    def close(self):
        """Let other programs write to the folder."""
        self._lock.release()

    @property
    def _index(self):
        return self.path / "index.csv"

    def is_done(self, key):
        """Return True if the labels of an image are done, and not changed since."""
        return key in self._done and not self.draft_of(key).exists()

    def draft_of(self, key):
        """Return the path of the draft of an image."""
        return self.path / "drafts" / f"{key}.npz"

    def save_draft(self, key, verdicts, origin):
        """Save the labels drawn so far, and their origin."""
        save_whole(self.draft_of(key), lambda path: np.savez_compressed(path, verdicts=verdicts, origin=origin))

    def read_draft(self, key, shape):
        """
        Return the labels of a draft; None where there is none.

        Raises
        ------
        `~sunpy_scss.exceptions.AnnotationError`
            If the draft is damaged, or is of an image of another shape.
        """
        path = self.draft_of(key)
        if not path.exists():
            return None
        try:
            # The file is opened here, as numpy leaves a file open that is not a valid archive.
            with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
                verdicts, origin = file["verdicts"], str(file["origin"])
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            msg = f"{path} is damaged ({error}); remove it to begin this image anew."
            raise AnnotationError(msg) from error
        if verdicts.shape != shape or verdicts.dtype != np.uint8:
            msg = (
                f"{path} is a draft for {verdicts.shape} pixels of {verdicts.dtype}, this image has {shape} of uint8: "
                "it is of another image of this name. Remove the draft, or take another folder."
            )
            raise AnnotationError(msg)
        return Labels(verdicts, origin)

    def read(self, key, smap):
        """Return the labels of an image that were written earlier, as `read_labels` does; None where there are none."""
        paths = [self.path / part / f"{key}.fits" for part in ("masks", "rejected")]
        return read_labels(*paths, smap) if key in self._done else None

    def write(self, key, smap, verdicts, feature, *, annotator, history):
        """
        Write the labels of an image where training finds them, and remove its draft.

        Parameters
        ----------
        key : str
        smap : sunpy.map.GenericMap
            The image.
        verdicts : numpy.ndarray
            The verdicts on its pixels.
        feature : str
        annotator, history : str
            The person who drew them, and the steps.
        """
        mask, rejected = labels_of(verdicts)
        provenance = Provenance.new(feature=feature, method="drawn", labels=as_ascii(annotator))
        image = self.path / "images" / f"{key}.fits"
        if not image.exists():
            save_map(_without_blank(smap), image)
        for part, values in (("rejected", rejected), ("masks", mask)):
            path = self.path / part / f"{key}.fits"
            if part == "rejected" and not values.any():
                path.unlink(missing_ok=True)
            else:
                save_map(make_mask(values, smap, provenance, history=as_ascii(history)), path)
        if key not in self._done:
            append_row(self._index, {"key": key, "date": smap.date.utc.isot, "split": ""})
            self._done.add(key)
        self.draft_of(key).unlink(missing_ok=True)


def _without_blank(smap):
    """Return an image without the keyword BLANK, which FITS has for integers only, if its data are not integers."""
    if "blank" not in smap.meta or smap.data.dtype.kind in "iu":
        return smap
    header = {key: value for key, value in smap.meta.items() if key != "blank"}
    return sunpy.map.Map(smap.data, header, mask=smap.mask)


def read_labels(mask, rejected, smap):
    """
    Read labels from files.

    Parameters
    ----------
    mask, rejected : path-like
        The second file may be missing.
    smap : sunpy.map.GenericMap
        The image of the labels.

    Returns
    -------
    Labels
        On the pixels of the image.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If a file cannot be read.
    `~sunpy_scss.exceptions.AnnotationError`
        If the labels are of another time than the image, or hold other values than -1, 0 and 1.
    """
    maps = [read_map(path) for path in (mask, rejected) if path == mask or Path(path).exists()]
    fitting = [fitted(one, smap) for one in maps]
    moved = any(one is not old for one, old in zip(fitting, maps, strict=True))
    return Labels(verdicts_of(*(one.data for one in fitting)), f"labels of {_source(maps[0])}", moved)


def _source(mask):
    """Return the person who drew a mask, or the method that made it."""
    told = Provenance.of(mask)
    method, drawn_by = told.method or "", told.labels or ""
    return drawn_by if method == "drawn" else method or "unknown origin"


def fitted(mask: GenericMap, smap: GenericMap) -> GenericMap:
    """
    Return labels on the pixels of an image: unchanged, or reprojected where their grid is another.

    Raises
    ------
    `~sunpy_scss.exceptions.AnnotationError`
        If they are of another time than the image, or hold other values than -1, 0 and 1.
    """
    values = np.unique(mask.data)
    if not np.isin(values, (-1, 0, 1)).all():
        msg = f"Labels hold 0, 1 inside and -1 where that is not known (got values from {values[0]} to {values[-1]})."
        raise AnnotationError(msg)
    if abs(mask.date - smap.date) > _SAME_TIME:
        msg = f"The labels are of {mask.date.isot}, the image is of {smap.date.isot}; take another folder for it."
        raise AnnotationError(msg)
    return mask if same_grid(surface_of(mask), surface_of(smap)) else reproject_mask(mask, smap)


def as_ascii(text):
    """Return a text in the letters that a FITS header can hold."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.strip() or "unknown"
