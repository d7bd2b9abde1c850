"""Caveats of a mask, and of the agreement of several: sentences for users."""

import numpy as np

import astropy.units as u

from sunpy_scss._provenance import Provenance
from sunpy_scss.models._store import list_models, load_model
from sunpy_scss.segment._input import caveats

__all__ = ["card_of", "comparison_caveats", "mask_caveats"]

# Masks further apart in time also differ because the Sun has changed.
_SAME_SUN = 6 * u.hour
# A disc of which a smaller share was seen counts as incomplete.
_NEARLY_ALL = 0.995
# From this share of its area beyond 60 degrees from disc centre on, the errors at the limb rule an area.
_AT_LIMB = 0.5


def card_of(mask):
    """Return the card of the bundled model that drew a mask; None for another method or other weights."""
    told = Provenance.of(mask)
    if told.method not in list_models() or told.weights is None:
        return None
    card = load_model(told.method).card
    return card if card.sha256.startswith(told.weights) else None


def mask_caveats(smap, mask, regions):
    """
    Yield the reasons why the mask of an image may be wrong.

    Parameters
    ----------
    smap, mask : sunpy.map.GenericMap
    regions : astropy.table.QTable
        `~sunpy_scss.masks.region_table` of the mask.
    """
    card = card_of(mask)
    if card:
        yield from (message for message, _ in caveats(smap, card))
    else:
        yield "No card of a bundled model tells what this mask is worth."
    told = Provenance.of(mask)
    if told.seen is not None and told.seen < _NEARLY_ALL:
        yield f"Only {told.seen:.1%} of the disc has data: regions and areas leave out the rest."
    for factor in told.scales:
        if factor is not None:
            yield f"The calibration of the image was unknown and guessed, a factor of {factor:.3g}: areas depend on it."
    if abs(mask.date - smap.date) > 1 * u.min:
        times = f"The mask is of {mask.date.isot[:16]}, the image of {smap.date.isot[:16]}"
        yield f"{times}: the outlines were turned with the Sun."
    for column, what in (("touches_limb", "the limb"), ("touches_edge", "the edge of the image")):
        cut = regions["id"][regions[column]]
        if len(cut):
            yield f"{_regions(cut)} cut by {what}: what is beyond it is not counted."
    near = regions["id"][regions["beyond_60"] > _AT_LIMB]
    if len(near):
        yield f"{_regions(near)} mostly more than 60 degrees from disc centre, where outlines are unsafe."


def _regions(numbers):
    numbers = ", ".join(map(str, np.asarray(numbers)))
    return f"Regions {numbers} are" if "," in numbers else f"Region {numbers} is"


def comparison_caveats(masks):
    """Yield the reasons why the agreement of masks may say little."""
    features = sorted({feature for mask in masks if (feature := Provenance.of(mask).feature)})
    if len(features) > 1:
        yield f"The masks are of different features: {', '.join(features)}."
    times = sorted(mask.date for mask in masks)
    if times[-1] - times[0] > _SAME_SUN:
        yield (
            f"The masks are of times from {times[0].isot[:16]} to {times[-1].isot[:16]}: the Sun was turned by its "
            "rotation, and what has changed since counts as disagreement."
        )
