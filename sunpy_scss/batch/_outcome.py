"""One image of a batch: the work to do on it, and its outcome."""

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
    The outcome of one image.

    Attributes
    ----------
    path : str
        The image.
    written, kept : tuple of pathlib.Path
        Files that were made, and existing files that were left as they are.
    error : Exception or None
        The reason why there is no mask.
    flagged : bool
        True if the reason is a flaw of the exposure, such as an eclipse or a calibration.
    caveats : tuple of str
        The warnings about this image.
    seconds : float
        The time that the work took.
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
        """The status ``"written"``, ``"kept"`` (all files existed), ``"flagged"`` or ``"failed"``."""
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
        Its number among all images.
    path : str
    place : int
        Its index in a store.
    made : sunpy_scss._provenance.Provenance or None
        The provenance of its mask, if there is one to keep.
    measured : dict or None
        The origins of its masks in the table of regions; None if there is no table.
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
        """The name without the suffix of the format."""
        return stem_of(self.path)


@dataclass(frozen=True)
class Result:
    """
    The result that a worker returns.

    Attributes
    ----------
    outcome : Outcome
    name, origin : str
        The name and origin of the mask in the table of regions.
    rows : astropy.table.QTable or None
        The regions of the mask, if they were measured.
    header : dict or None
        The header of a new mask.
    time : int
        The time of that mask, in milliseconds since 1970.
    stops : bool
        True if every other image would fail, too, for instance because the disk is full.
    """

    outcome: Outcome
    name: str = ""
    origin: str = ""
    rows: QTable | None = None
    header: dict | None = None
    time: int = 0
    stops: bool = False
