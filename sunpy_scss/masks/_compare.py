"""The agreement of masks: in pairs, pixel by pixel and region by region, weighted by area on the Sun."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

import astropy.units as u
from astropy.table import QTable

from sunpy_scss._mask_map import make_map, pixels_inside, several_masks
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import nearest_pixels, same_grid
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._metrics import dice_of, iou_of, ratio
from sunpy_scss.masks._regions import find_regions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sunpy.map import GenericMap

__all__ = ["compare_masks", "consensus", "disagreement", "match_regions", "reproject_mask"]


def compare_masks(masks: Iterable[GenericMap], *, names: Sequence[str] | None = None) -> QTable:
    """
    Return the overlap of each pair of masks.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        Two or more, 1 inside and 0 outside; of this package, the HEK, a file. On the same pixels or not: they are
        brought to those of the first, as by `~sunpy_scss.masks.reproject_mask`.
    names : sequence of str, optional
        The names of the masks; by default the methods that made them.

    Returns
    -------
    astropy.table.QTable
        A row for each pair with the columns

        ``first``, ``second``
            the names of the two
        ``iou``, ``dice``
            intersection over union, and twice the intersection over the sum, from 0 to 1; two empty masks agree
            fully: 1
        ``area_first``, ``area_second``, ``overlap``
            on the sphere, in Mm2
        ``area_ratio``
            that of the second over that of the first; NaN if both are empty

    Raises
    ------
    TypeError
        If one of them is not a Map.
    ValueError
        If there are fewer than two, or not as many names.
    `~sunpy_scss.exceptions.InvalidMapError`
        If one has coordinates that are neither helioprojective nor heliographic, other values than 0 and 1, or a time
        more than a solar rotation away.

    Notes
    -----
    Only surface that all of them show is compared. Each pixel counts by its area on the sphere, so that a difference
    near the limb weighs as much as it does on the Sun.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.masks import compare_masks
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> holes = [Cap(0 * u.deg, 0 * u.deg, radius) for radius in (20, 10) * u.deg]
    >>> large, small = (
    ...     synthetic_sun(coronal_holes=[hole], active_regions=[]).coronal_holes
    ...     for hole in holes
    ... )
    >>> table = compare_masks([large, small], names=["large", "small"])
    >>> table["iou"].info.format = table["area_ratio"].info.format = ".3f"
    >>> print(table["first", "second", "iou", "area_ratio"])
    first second  iou  area_ratio
    ----- ------ ----- ----------
    large  small 0.252      0.252
    """
    masks = list(several_masks(masks))
    panel = _panel(masks)
    names = _names(masks) if names is None else list(names)
    if len(names) != len(masks):
        msg = f"There must be a name for each mask (got {len(names)} names for {len(masks)} masks)."
        raise ValueError(msg)
    overlaps = (panel.inside * panel.areas) @ panel.inside.T
    first, second = np.transpose(list(combinations(range(len(masks)), 2)))
    both, one, other = overlaps[first, second], overlaps[first, first], overlaps[second, second]
    return QTable(
        {
            "first": np.array(names)[first],
            "second": np.array(names)[second],
            "iou": iou_of(both, one, other),
            "dice": dice_of(both, one, other),
            "area_first": one * u.Mm**2,
            "area_second": other * u.Mm**2,
            "overlap": both * u.Mm**2,
            "area_ratio": ratio(other, one),
        },
        meta=Provenance.common(masks).keywords(),
    )


def consensus(masks: Iterable[GenericMap]) -> GenericMap:
    """
    Return the number of masks that have each pixel inside.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        The same as for `compare_masks`.

    Returns
    -------
    sunpy.map.GenericMap
        int16 from 0 to the number of masks, on the WCS of the first; 0 where any of them does not show the surface.

    Raises
    ------
    TypeError, ValueError, `~sunpy_scss.exceptions.InvalidMapError`
        If `compare_masks` rejects the masks.

    Examples
    --------
    The mask of a majority of three:

    >>> import sunpy.map
    >>> from sunpy_scss.masks import consensus
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> masks = [synthetic_sun(size=64, seed=seed).coronal_holes for seed in range(3)]
    >>> votes = consensus(masks)
    >>> majority = sunpy.map.Map((votes.data >= 2).astype("int16"), votes.meta)
    """
    return _votes_map(masks, "consensus", lambda votes, number: votes)


def disagreement(masks: Iterable[GenericMap]) -> GenericMap:
    """
    Return the number of masks that differ from the majority at each pixel.

    Parameters
    ----------
    masks : iterable of sunpy.map.GenericMap
        The same as for `compare_masks`.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 0 where all masks agree and up to half their number where they are at odds, on the WCS of the first; 0
        where any of them does not show the surface. For two masks, 1 in what only one of them has.

    Raises
    ------
    TypeError, ValueError, `~sunpy_scss.exceptions.InvalidMapError`
        If `compare_masks` rejects the masks.

    Examples
    --------
    >>> from sunpy_scss.masks import disagreement
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> one, other = (synthetic_sun(size=64, seed=seed).coronal_holes for seed in (1, 2))
    >>> bool(disagreement([one, other]).data.any())
    True
    >>> bool(disagreement([one, one]).data.any())
    False
    """
    return _votes_map(masks, "disagreement", lambda votes, number: np.minimum(votes, number - votes))


def match_regions(first: GenericMap, second: GenericMap) -> QTable:
    """
    Match the regions of two masks that belong together.

    Parameters
    ----------
    first, second : sunpy.map.GenericMap
        The same as for `compare_masks`.

    Returns
    -------
    astropy.table.QTable
        A row for each pair of regions that overlap, then for each region that has no partner, with the columns

        ``first``, ``second``
            their ``id`` in the `~sunpy_scss.masks.region_table` of each mask; 0 if there is none
        ``overlap``
            the area that they share, in Mm2
        ``share_first``, ``share_second``
            that as a share of each region; NaN if there is none
        ``iou``
            intersection over union of the two

    Raises
    ------
    TypeError, ValueError, `~sunpy_scss.exceptions.InvalidMapError`
        If `compare_masks` rejects the masks.

    Notes
    -----
    Areas are those of the surface that both masks show. A region that is wholly out of sight of the other mask is
    left out: nothing is known of its partners.

    Examples
    --------
    One hole in the first mask is two in the second:

    >>> import astropy.units as u
    >>> from sunpy_scss.masks import match_regions
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> one = [Cap(0 * u.deg, 0 * u.deg, 20 * u.deg)]
    >>> two = [Cap(lon * u.deg, 0 * u.deg, 8 * u.deg) for lon in (-10, 10)]
    >>> masks = [
    ...     synthetic_sun(size=128, coronal_holes=holes, active_regions=[]).coronal_holes
    ...     for holes in (one, two)
    ... ]
    >>> table = match_regions(*masks)
    >>> table["share_first"].info.format = ".2f"
    >>> print(table["first", "second", "share_first"])
    first second share_first
    ----- ------ -----------
        1      1        0.16
        1      2        0.16
    """
    panel = _panel([first, second])
    labels = [find_regions(mask).labels for mask in (first, second)]
    here, there = (numbers.ravel()[pixels] for numbers, pixels in zip(labels, panel.pixels, strict=True))
    shape = tuple(numbers.max(initial=0) + 1 for numbers in labels)
    flat = np.ravel_multi_index((here, there), shape)
    overlaps = np.bincount(flat, weights=panel.areas, minlength=shape[0] * shape[1]).reshape(shape)
    totals = overlaps.sum(axis=1), overlaps.sum(axis=0)
    pairs = np.argwhere(overlaps[1:, 1:]) + 1
    alone = [np.setdiff1d(np.flatnonzero(total[1:]) + 1, pairs[:, axis]) for axis, total in enumerate(totals)]
    rows = [*pairs, *((number, 0) for number in alone[0]), *((0, number) for number in alone[1])]
    one, other = np.array(rows, dtype=int).reshape(-1, 2).T
    both = np.where((one > 0) & (other > 0), overlaps[one, other], 0)
    areas = [np.where(numbers > 0, total[numbers], 0) for numbers, total in zip((one, other), totals, strict=True)]
    return QTable(
        {
            "first": one,
            "second": other,
            "overlap": both * u.Mm**2,
            "share_first": ratio(both, areas[0]),
            "share_second": ratio(both, areas[1]),
            "iou": iou_of(both, *areas),
        },
        meta=Provenance.common([first, second]).keywords(),
    )


def _names(masks):
    names = [Provenance.of(mask).method or "mask" for mask in masks]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, start=1)]
    return names


@dataclass(frozen=True)
class _Panel:
    """
    Masks on the pixels of the first, where any of them is set and all show the surface.

    Attributes
    ----------
    rows, columns : numpy.ndarray
        (n,) indices of those pixels.
    areas : numpy.ndarray
        (n,) in Mm2.
    pixels : list of numpy.ndarray
        For each mask (n,), indices into its own flattened data.
    inside : numpy.ndarray
        (masks, n) bool.
    """

    rows: np.ndarray
    columns: np.ndarray
    areas: np.ndarray
    pixels: list
    inside: np.ndarray


def _panel(masks):
    if len(masks) < 2:
        msg = f"It takes two masks or more to compare (got {len(masks)})."
        raise ValueError(msg)
    surfaces = [surface_of(mask) for mask in masks]
    surface = surfaces[0]
    flat = [pixels_inside(mask).ravel() for mask in masks]
    own = np.arange(flat[0].size)
    pixels = [own if same_grid(one, surface) else nearest_pixels(one, surface).ravel() for one in surfaces]
    shown = np.all([index >= 0 for index in pixels], axis=0)
    chosen = np.flatnonzero(shown & np.any([inside[index] for inside, index in zip(flat, pixels, strict=True)], axis=0))
    rows, columns = np.unravel_index(chosen, surface.shape)
    on_sun = surface.on_sun(rows, columns)
    chosen, rows, columns = chosen[on_sun], rows[on_sun], columns[on_sun]
    pixels = [index[chosen] for index in pixels]
    inside = np.stack([inside[index] for inside, index in zip(flat, pixels, strict=True)])
    areas = surface.areas(rows, columns) * masks[0].rsun_meters.to_value(u.Mm) ** 2
    return _Panel(rows, columns, areas, pixels, inside)


def _votes_map(masks, content, count):
    masks = list(several_masks(masks))
    panel = _panel(masks)
    data = np.zeros(masks[0].data.shape, dtype=np.int16)
    data[panel.rows, panel.columns] = count(panel.inside.sum(axis=0), len(masks))
    history = f"sunpy_scss.{content} of\n" + "\n".join(_names(masks))
    return make_map(
        data, masks[0], replace(Provenance.common(masks), content=content), history=history, highest=len(masks)
    )


def reproject_mask(mask: GenericMap, target: GenericMap) -> GenericMap:
    """
    Bring a mask to the pixels of another Map.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
        Whole numbers, 0 outside: a mask, or labels from `~sunpy_scss.masks.label_regions`. Helioprojective
        or heliographic.
    target : sunpy.map.GenericMap
        Any other such Map, whose grid, time and observer are wanted. Its data do not matter.

    Returns
    -------
    sunpy.map.GenericMap
        int16, on the WCS of ``target``, with the header keywords on the origin of the mask. Each pixel has the value
        of the nearest one of the mask; 0 off the disc and where the mask does not show the surface. Between different
        times the surface turns with the Sun.

    Raises
    ------
    TypeError
        If one of them is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If coordinates are neither helioprojective nor heliographic, the mask holds other than whole numbers, or the
        two are more than a solar rotation apart.

    Notes
    -----
    `sunpy.map.GenericMap.reproject_to` interpolates by default, which leaves fractions and NaN in a mask, it loses all
    keywords but those of the WCS, and the Sun does not turn. Differential rotation is that of [1]_.

    References
    ----------
    .. [1] Howard, Harvey & Forgach (1990), https://doi.org/10.1007/BF00156795

    Examples
    --------
    >>> from sunpy_scss.masks import reproject_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> small = synthetic_sun(size=128, seed=2).coronal_holes
    >>> large = synthetic_sun(size=256, seed=2).coronal_holes
    >>> mask = reproject_mask(small, large)
    >>> mask.data.shape, mask.data.dtype, mask.meta["SCSSMOD"]
    ((256, 256), dtype('int16'), 'synthetic')
    """
    surface, wanted = surface_of(mask), surface_of(target)
    if not (mask.data == np.rint(mask.data)).all():
        msg = "A mask holds whole numbers only; apply a threshold to probabilities first, as in mask.data >= 0.5."
        raise InvalidMapError(msg)
    if same_grid(surface, wanted):
        data = mask.data
    else:
        nearest = nearest_pixels(surface, wanted)
        data = np.where(nearest >= 0, mask.data.ravel()[nearest], 0)
    history = f"{mask.meta.get('history', '')}\nsunpy_scss.reproject_mask: from {mask.date.isot}".strip()
    highest = data.max(initial=0)
    return make_map(data.astype(np.int16), target, Provenance.of(mask), history=history, highest=highest)
