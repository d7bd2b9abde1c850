"""Masks of the HEK's events beside images and masks in files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import astropy.units as u

from sunpy_scss._mask_map import feature_of, pixels_inside
from sunpy_scss._provenance import Provenance
from sunpy_scss._save import refuse_existing, save_map
from sunpy_scss.hek._masks import hek_to_mask
from sunpy_scss.hek._search import search_hek
from sunpy_scss.images._read import read_map
from sunpy_scss.masks._metrics import iou
from sunpy_scss.masks._table import area_fraction

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sunpy.map import GenericMap

    from sunpy_scss.hek._search import HEKServer

__all__ = ["HEKAgreement", "compare_with_hek", "hek_mask_file"]


@dataclass(frozen=True)
class HEKAgreement:
    """
    A mask beside that of the HEK.

    Attributes
    ----------
    path : pathlib.Path
        The mask of the HEK's events, on the pixels of ours.
    events, left_out : int
        How many were drawn, and how many were not. With none drawn, there is nothing to compare with, and HISTORY in
        the file says why none was.
    iou : float
    area, area_hek : astropy.units.Quantity
        In percent of the visible hemisphere.
    """

    path: Path
    events: int
    left_out: int
    iou: float
    area: u.Quantity
    area_hek: u.Quantity


def compare_with_hek(path: str | os.PathLike, *, client: HEKServer | None = None) -> HEKAgreement:
    """
    Draw SPoCA's events of the HEK beside a mask file, and say how far they agree.

    Parameters
    ----------
    path : path-like
        A mask that this package wrote; ``NAME_ch.fits`` gets ``NAME_ch_hek.fits`` beside it, replaced if it is there.
    client : sunpy_scss.hek.HEKServer, optional

    Returns
    -------
    HEKAgreement

    Raises
    ------
    `~sunpy_scss.exceptions.HEKError`
        If the HEK does not answer.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the file holds other values than 0 and 1, or its header does not name the feature.
    """
    path = Path(path)
    mask = read_map(path)
    inside = pixels_inside(mask)
    drawn = _hek_mask(mask, feature_of(mask), client=client)
    told = Provenance.of(drawn)
    target = path.with_name(f"{path.stem}_hek.fits")
    save_map(drawn, target)
    return HEKAgreement(
        target,
        told.hek_drawn,
        told.hek_left,
        iou(drawn.data, inside),
        area_fraction(mask),
        area_fraction(drawn),
    )


def hek_mask_file(
    path: str | os.PathLike,
    feature: str,
    target: str | os.PathLike,
    *,
    time_range: tuple | None,
    frm_name: str | Sequence[str],
    max_gap: u.Quantity,
    labels: bool,
    overwrite: bool,
    client: HEKServer | None,
) -> GenericMap:
    """
    Search the HEK around an image and write the mask of what it has.

    Parameters
    ----------
    path : path-like
        The image.
    feature : str
        ``"CH"`` or ``"AR"``.
    target : path-like
        The mask to write, whole or not at all.
    time_range : tuple or None
        As for `sunpy_scss.hek.search_hek`; ``max_gap`` about the image by default.
    frm_name, max_gap, labels, client
        As for `sunpy_scss.hek.search_hek` and `sunpy_scss.hek.hek_to_mask`.
    overwrite : bool
        Whether to replace a mask that is there.

    Returns
    -------
    sunpy.map.GenericMap
        The mask.

    Raises
    ------
    FileExistsError
        If the mask is there and is not to be replaced.
    `~sunpy_scss.exceptions.HEKError`
        If the HEK does not answer.
    """
    refuse_existing(target, overwrite=overwrite)
    mask = _hek_mask(
        read_map(path), feature, time_range=time_range, frm_name=frm_name, max_gap=max_gap, labels=labels, client=client
    )
    save_map(mask, target)
    return mask


def _hek_mask(smap, feature, *, client, time_range=None, frm_name="SPoCA", max_gap=6 * u.hour, labels=False):
    """The mask of what the HEK has around a Map."""
    around = time_range or (smap.date - max_gap, smap.date + max_gap)
    events = search_hek(around, feature, frm_name=frm_name, client=client)
    return hek_to_mask(events, smap, labels=labels, max_gap=max_gap)
