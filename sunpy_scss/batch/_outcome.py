"""One image of a batch: what is asked of it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sunpy_scss.batch._inputs import name_of, stem_of

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.table import QTable

    from sunpy_scss._provenance import Provenance

__all__ = ["Item", "Outcome", "Result"]


@dataclass(frozen=True)
class Outcome:
    """
    What became of one image.

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
        The time that it took.
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
    made : sunpy_scss._provenance.Provenance or None
        Of its mask, if the mask is there and is to be kept.
    measured : dict or None
        Origins of its masks in the table of regions; None if there is no table.
    """

    number: int
    path: str
    place: int = 0
    made: Provenance | None = None
    measured: dict | None = None

    @property
    def name(self):
        """The name of the file, without its folder."""
        return name_of(self.path)

    @property
    def stem(self):
        """The name without the end that tells the format."""
        return stem_of(self.path)


@dataclass(frozen=True)
class Result:
    """
    What a worker gives back.

    Attributes
    ----------
    outcome : Outcome
    name, origin : str
        Of the mask in the table of regions.
    rows : astropy.table.QTable or None
        Its regions, if they have been measured.
    header : dict or None
        Of a mask that is new.
    time : int
        Of that mask, in milliseconds since 1970.
    stops : bool
        Whether no other image would fare better, as where the disc is full.
    """

    outcome: Outcome
    name: str = ""
    origin: str = ""
    rows: QTable | None = None
    header: dict | None = None
    time: int = 0
    stops: bool = False
