"""Canonical images and labels on disk, so that the files they come from are read once."""

import csv
import json
from pathlib import Path

import numpy as np

from astropy.time import Time

from sunpy_scss._save import save_text
from sunpy_scss.exceptions import TrainingError

__all__ = ["CanonicalCache", "kept_levels"]

_PLANES = ("images", "rejected", "known")
_CARD, _INDEX, _ARRAYS = "canonical.json", "index.csv", "canonical.zarr"


def kept_levels(card):
    """
    Return the levels of labels that are kept of an image.

    These are the levels of the card, and 1 and 2, which show if labels are nested at all.
    """
    return card.levels if card.levels == (1,) else tuple(sorted({1, 2, *card.levels}))


class CanonicalCache:
    """
    A folder with a Zarr group of arrays (n, size, size), one image in each chunk.

    Arrays of several channels have another axis. An image counts once its line is in ``index.csv``, which is written
    after its pixels. An image left half-written by a killed program is written again.

    Parameters
    ----------
    folder : path-like
        Made where missing.
    card : sunpy_scss.models.ModelCard
        The card whose grid and stretch the arrays have.

    Raises
    ------
    sunpy_scss.exceptions.TrainingError
        If the folder was made for another grid, stretch or boundaries, is no cache, or is being written to by another
        program.
    """

    def __init__(self, folder, card):
        import zarr  # its import takes as long as that of sunpy, and most trainings do not need it

        self.folder = Path(folder)
        self._claim(card)
        self._lock = _lock(self.folder / "lock")
        group = zarr.open_group(self.folder / _ARRAYS, mode="a")
        size = card.grid_size
        names = (*_PLANES, *(f"level_{level}" for level in kept_levels(card)))
        shapes = dict.fromkeys(names, (size, size))
        if card.further_channels:
            shapes["images"] = (size, size, len(card.channels))
        self._arrays = [
            group[name]
            if name in group
            else group.create_array(name, shape=(0, *shape), chunks=(1, *shape), dtype="float32", fill_value=0)
            for name, shape in shapes.items()
        ]
        lines = self._lines()
        self.rows = {source: row for row, (source, _) in enumerate(lines)}
        self._dates = [date for _, date in lines]

    def _claim(self, card):
        """Write down the grid and the stretch of the cache, so that arrays of others are not mixed with its own."""
        path = self.folder / _CARD
        stretch = {**vars(card.stretch), "limits": list(card.stretch.limits)}
        facts = {"grid_size": card.grid_size, "half_width": card.half_width}
        facts |= {"levels": list(kept_levels(card)), "stretch": stretch}
        if card.further_channels:
            facts["further_channels"] = card.to_dict()["further_channels"]
        if path.exists():
            if path.read_text(encoding="utf-8") != json.dumps(facts):
                msg = (
                    f"{self.folder} holds images on another grid, with another stretch or other boundaries; choose "
                    "another folder."
                )
                raise TrainingError(msg)
        elif self.folder.exists() and any(self.folder.iterdir()):
            msg = f"{self.folder} is not empty and not a cache of canonical images; choose another folder."
            raise TrainingError(msg)
        else:
            save_text(json.dumps(facts), path)

    def close(self):
        """Let others write to the cache; arrays read from it stay usable."""
        if self._lock:
            self._lock.close()

    def _lines(self):
        """Return the fingerprint and date of each image in the cache."""
        path = self.folder / _INDEX
        if not path.exists():
            return []
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:  # killed while it wrote a line
            path.write_text(whole, encoding="utf-8")
        return list(csv.reader(whole.splitlines()))

    def add(self, source, date, planes):
        """Keep the planes of an image and its time under the fingerprint of its source."""
        row = len(self.rows)
        for array, plane in zip(self._arrays, planes, strict=True):
            if array.shape[0] <= row:
                array.resize((row + 1, *array.shape[1:]))
            array[row] = plane
        text = Time(date, precision=9).utc.isot
        with (self.folder / _INDEX).open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow((source, text))
        self.rows[source] = row
        self._dates.append(text)

    def content(self, sources):
        """Return the dates of some sources, and their arrays, read when they are needed."""
        rows = np.array([self.rows[source] for source in sources], dtype=int)
        return [self._dates[row] for row in rows], [Rows(array, rows) for array in self._arrays]


def _lock(path):
    """Return an open file that is locked until it is closed; None where the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        msg = f"Another program is writing to the cache {path.parent}; wait for it, or choose another folder."
        raise TrainingError(msg) from error
    return file


class Rows:
    """
    Some images of an array on disk, as an array that is read image by image.

    Parameters
    ----------
    array : zarr.Array or Rows
        (n, size, size), or with another axis.
    rows : numpy.ndarray
        The indices of the images.
    """

    def __init__(self, array, rows):
        self.array, self.rows = array, rows

    @property
    def shape(self):
        return (len(self.rows), *self.array.shape[1:])

    @property
    def dtype(self):
        return self.array.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, which):
        rows = self.rows[which]
        if np.ndim(rows):
            return Rows(self.array, rows)
        return np.asarray(self.array[int(rows)])

    def __array__(self, dtype=None, copy=None):
        return np.array([self[position] for position in range(len(self))], dtype=dtype).reshape(self.shape)
