"""The images that a model has seen, in a file beside its weights."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sunpy_scss.exceptions import ModelError

if TYPE_CHECKING:
    from astropy.time import Time


__all__ = ["SPLIT_FILE", "Split", "read_split", "split_text"]

SPLIT_FILE = "split.json"
# An index may give days without times.
_DAY = 86400


@dataclass(frozen=True)
class Split:
    """
    The images of a training by the part they played in it, each as a pair of its key and its date (UTC, ISO).

    Attributes
    ----------
    train : tuple
        Images that weights were fitted to.
    validation : tuple
        Images that chose the best epoch and the temperature.
    test : tuple
        Images that chose nothing.
    earlier : tuple
        Images that the model was trained on from which the training started, and those before it.
    gap_days : float
        The least time that was kept between the parts.
    fingerprints : dict
        By part, a hash of its images and labels as the network was given them.
    """

    train: tuple
    validation: tuple
    test: tuple = ()
    earlier: tuple = ()
    gap_days: float = 14.0
    fingerprints: dict = field(default_factory=dict)

    @property
    def seen(self) -> tuple:
        """All images that the weights were fitted to, in this training and before it."""
        return (*self.train, *self.earlier)

    def part_of(self, key: str, date: Time) -> str | None:
        """The part of the image of this key, if its date (`~astropy.time.Time`) is the same to a day; else None."""
        part, other = self._by_key.get(key, (None, None))
        return (
            part if part and abs((date.utc.datetime - datetime.fromisoformat(other)).total_seconds()) < _DAY else None
        )

    @cached_property
    def _by_key(self):
        parts = ("train", "validation", "test")
        return {key: (part, date) for part in parts for key, date in getattr(self, part)}


def split_text(split):
    """Return the contents of ``split.json``."""
    return json.dumps(dataclasses.asdict(split), indent=1) + "\n"


def read_split(folder):
    """
    The split in the folder of a model.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    Split or None
        None if the folder has none: who made the model did not say.

    Raises
    ------
    `~sunpy_scss.exceptions.ModelError`
        If it cannot be read.
    """
    path = Path(folder, SPLIT_FILE)
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        images = ("train", "validation", "test", "earlier")
        return Split(
            **{**values, **{name: tuple((str(key), str(date)) for key, date in values[name]) for name in images}}
        )
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{path} cannot be read as the split of a training: {error!r}"
        raise ModelError(msg) from error
