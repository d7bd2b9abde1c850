"""One image among many: what is asked of it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from astropy.table import QTable
from astropy.time import Time

from sunpy_scss.files._inputs import name_of, stem_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Item", "Outcome", "Result"]


@dataclass(frozen=True)
class Outcome:
    """
    What became of one file.

    Attributes
    ----------
    path : str
        The image.
    written, kept : tuple of pathlib.Path
        Files that were made, and files that were there already and left as they are.
    error : Exception or None
        Why there is no mask.
    flagged : bool
        Whether that is because the image is from one of the bad moments of the instrument.
    caveats : tuple of str
        Warnings that were given.
    seconds : float
        What it took.
    """

    path: str
    written: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    error: Exception | None = None
    flagged: bool = False
    caveats: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """``"written"``, ``"kept"`` (all files were there), ``"flagged"`` or ``"failed"``."""
        if self.error:
            return "flagged" if self.flagged else "failed"
        return "written" if self.written else "kept"

    @property
    def failure(self) -> str:
        """The error in one line that names the file, once."""
        text = " ".join(str(self.error).split()) or type(self.error).__name__
        return text if str(self.path) in text else f"{self.path}: {text}"


@dataclass(frozen=True)
class Item:
    """
    An image to work on.

    Attributes
    ----------
    number : int
        Among all.
    path : str
    place : int
        In a store.
    done : bool
        Whether it has its mask in the store.
    measured : bool
        Whether its regions need not be measured.
    """

    number: int
    path: str
    place: int = 0
    done: bool = False
    measured: bool = True

    @property
    def name(self):
        """Of the file, without its folder."""
        return name_of(self.path)

    @property
    def stem(self):
        """The name without what tells the format."""
        return stem_of(self.path)


@dataclass(frozen=True)
class Result:
    """What a worker gives back: the outcome; the rows of the mask; of a store the header and time of the mask."""

    outcome: Outcome
    rows: QTable | None = None
    header: dict | None = None
    date: Time | None = None
