"""The options of a batch, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sunpy_scss._features import FEATURES

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client

    import astropy.units as u

    from sunpy_scss.batch._outcome import Outcome
    from sunpy_scss.models import Model

__all__ = ["BatchOptions"]

# The keywords of `segment_coronal_holes` and its siblings.
_OF_MASKS = ("model", "boundary", "threshold", "min_area", "disk_median", "samples")
_PICTURES = ("png", "pdf", "svg")


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """
    The options of `segment_files`: the settings of the masks, the files to write, and the way of working.

    Attributes
    ----------
    features : sequence of str
        ``"CH"``, ``"AR"`` or both. If there are several, each image gets the one that its wavelength shows. A model of
        another feature finds that one.
    model, boundary, threshold, min_area, disk_median, samples
        Arguments of `sunpy_scss.segment_coronal_holes`; None takes the default there.
    header : dict
        Keywords to replace in, or add to, a wrong header of each image, such as ``{"BUNIT": "DN/s"}``.
    flagged : bool
        Also segment flagged images of AIA: eclipses, calibrations, rolls, off-points, and those that its team flagged.
        By default they are reported and get no mask.
    plot : str or None
        Also draw the outline on the image, as a picture of this kind: ``"png"``, ``"pdf"`` or ``"svg"``.
    dpi : float or None
        Pixels per inch of a picture.
    probability : bool
        Also write the probability Map, as ``NAME_ch_probability.fits``.
    regions : bool
        Also write the regions of all masks, the rows of `~sunpy_scss.masks.region_table` with intensities, as one
        Parquet table: ``regions.parquet`` in the folder, or ``NAME_regions.parquet`` beside a store.
    overwrite : bool
        Replace existing files; by default they are kept.
    jobs : int or None
        The number of processes; None takes one for each processor, if there are enough images. A script that asks for
        several must start under ``if __name__ == "__main__":``.
    client : distributed.Client or None
        Work on the workers of dask instead, which must see the same files.
    notify : callable or None
        Called with each `Outcome` as it is known.
    prepare : callable or None
        Called in each process before each image, to provide what a model needs there; for example
        ``partial(register_network, build, name)`` with `sunpy_scss.train.register_network`.

    Raises
    ------
    ValueError
        If ``plot`` is none of the three.

    Examples
    --------
    >>> from sunpy_scss.batch import BatchOptions
    >>> options = BatchOptions(features=["CH"], threshold=0.4, jobs=4, regions=True)
    """

    features: Sequence[str] = tuple(FEATURES)
    model: str | os.PathLike | Model | None = None
    boundary: str | float | None = None
    threshold: float | None = None
    min_area: u.Quantity | None = None
    disk_median: u.Quantity | None = None
    samples: int | None = None
    header: Mapping[str, Any] = field(default_factory=dict)
    flagged: bool = False
    plot: str | None = None
    dpi: float | None = None
    probability: bool = False
    regions: bool = False
    overwrite: bool = False
    jobs: int | None = 1
    client: Client | None = None
    notify: Callable[[Outcome], object] | None = None
    prepare: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        if self.plot not in (None, *_PICTURES):
            msg = f"A picture is one of {', '.join(_PICTURES)} (got {self.plot!r})."
            raise ValueError(msg)

    @property
    def of_masks(self) -> dict:
        """The keywords for `sunpy_scss.segment_coronal_holes` and its siblings, without those that are None."""
        return {name: value for name in _OF_MASKS if (value := getattr(self, name)) is not None}
