"""The change of masks from one day to the next after the Sun's rotation."""

import numpy as np
from numpy.typing import ArrayLike

import astropy.units as u
from astropy.time import Time
from sunpy.coordinates import get_earth
from sunpy.sun.constants import radius as solar_radius

from sunpy_scss._sun.transfer import drift
from sunpy_scss._sun.view import view_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.masks._metrics import ratio

__all__ = ["flicker"]

# Farther than 60 degrees from disc centre, foreshortening changes the masks.
_LARGEST_RADIUS = np.sin(np.deg2rad(60))


@u.quantity_input
def flicker(
    masks: ArrayLike, dates: Time, *, half_width: float = 1.25, gap: u.Quantity[u.day] = (0.4, 1.6) * u.day
) -> dict[str, float]:
    """
    Measure the change of masks from one day to the next, after the Sun's rotation.

    Only the surface that both images show within 60 degrees of disc centre counts. Real regions grow and decay, so that
    true masks change too: compare a model with the labels of the same images.

    Parameters
    ----------
    masks : array_like
        (n, size, size) bool on the canonical grid.
    dates : astropy.time.Time
        The dates (n,) of the masks.
    half_width : float, optional
        Half the side of the grid, in solar radii.
    gap : astropy.units.Quantity, optional
        The shortest and longest time between the images of a pair. Each image is compared with the next one in this
        range.

    Returns
    -------
    dict
        ``pairs``; ``changed``, the area that only one mask of a pair has over the mean area of both, and
        ``area_change``, the difference of their areas over the mean area; both pooled over all pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.time import Time
    >>> from sunpy_scss.train._steadiness import flicker
    >>> still = np.zeros((2, 64, 64), dtype=bool)
    >>> still[:, 28:36, 28:36] = True  # does not turn with the Sun
    >>> found = flicker(still, Time(["2017-06-07", "2017-06-08"]))
    >>> found["pairs"], found["changed"] > 1
    (1, True)
    """
    dates = dates.utc
    order = np.argsort(dates.mjd)
    grid = CanonicalGrid(np.shape(masks)[-1], half_width)
    low, high = gap.to_value(u.day)
    changed, difference, total, pairs = 0.0, 0.0, 0.0, 0
    for place, first in enumerate(order[:-1]):
        later = [other for other in order[place + 1 :] if low <= dates.mjd[other] - dates.mjd[first] <= high]
        if not later:
            continue
        before, after = _aligned([masks[first], masks[later[0]]], dates[[first, later[0]]], grid)
        pairs += 1
        changed += np.count_nonzero(before != after)
        difference += abs(np.count_nonzero(before) - np.count_nonzero(after))
        total += (np.count_nonzero(before) + np.count_nonzero(after)) / 2
    return {"pairs": pairs, "changed": float(ratio(changed, total)), "area_change": float(ratio(difference, total))}


def _aligned(masks, dates, grid):
    """Return the values of two masks at the same points of the Sun."""
    start, end = (view_of(get_earth(date), solar_radius) for date in dates)
    near = grid.radius < _LARGEST_RADIUS
    points = drift(start.surface_at(np.stack(grid.points)[:, near]), *dates)
    x, y = end.sky(points) / end.limb
    seen = end.is_visible(points) & (np.hypot(x, y) < _LARGEST_RADIUS)
    before, after = map(np.asarray, masks)
    return before[near][seen], after[grid.nearest(x[seen], y[seen])]
