"""The boundary that is meant by a name or by dex of intensity."""

import dataclasses
from itertools import pairwise
from numbers import Real

from scipy.special import expit, logit

from sunpy_scss.exceptions import ModelError

__all__ = ["chosen"]


def chosen(card, boundary):
    """
    Return a boundary of a card, and what share of it each channel of the network has.

    Parameters
    ----------
    card : sunpy_scss.models.ModelCard
    boundary : str, float or None
        The same as for `sunpy_scss.models.Model.at`.

    Returns
    -------
    tuple of sunpy_scss.models.Boundary and dict
        The boundary, None where the only one has no name; and the shares, which add up to 1, by channel.

    Raises
    ------
    `~sunpy_scss.exceptions.ModelError`
        If the card has no such boundary.
    """
    boundary = card.default_boundary if boundary is None else boundary
    named = {one.name: one for one in card.boundaries}
    if boundary is None:
        boundary = next(iter(named), None)
    if boundary is None or boundary in named:
        one = named.get(boundary)
        return one, {0 if one is None else card.levels.index(one.level): 1}
    dex = _dex(boundary)
    steps = sorted((one for one in card.boundaries if one.dex is not None), key=lambda one: one.dex)
    for low, high in pairwise(steps):
        if low.dex <= dex <= high.dex:
            return _between(card, low, high, dex)
    drawn = [f"it draws {', '.join(map(repr, named))}" if named else "it draws one, which has no name"]
    if len(steps) > 1:
        drawn.append(f"and any from {steps[0].dex:g} to {steps[-1].dex:g} dex")
    msg = f"{card.name} does not draw the boundary {boundary!r}: {' '.join(drawn)}."
    raise ModelError(msg)


def _dex(boundary):
    """Return a number of dex as it is given or written; NaN, which is between no others, for anything else."""
    if isinstance(boundary, Real) and not isinstance(boundary, bool):
        return float(boundary)
    try:
        return float(boundary.removesuffix("dex"))
    except (AttributeError, ValueError):
        return float("nan")


def _between(card, low, high, dex):
    for one in (low, high):
        if dex == one.dex:
            return one, {card.levels.index(one.level): 1}
    share = (dex - low.dex) / (high.dex - low.dex)
    threshold = float(expit((1 - share) * logit(low.threshold) + share * logit(high.threshold)))
    nearer = low if share < 0.5 else high
    one = dataclasses.replace(
        nearer,
        name=f"{dex:+g} dex",
        meaning=f"{share:.0%} of the way from {low.name} to {high.name}, in log intensity",
        threshold=threshold,
        dex=dex,
        share=None,
        scores={},
    )
    return one, {card.levels.index(low.level): 1 - share, card.levels.index(high.level): share}
