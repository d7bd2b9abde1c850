"""A series of masks that belong together: of one feature, by one method, each image once."""

from sunpy_scss._mask_map import several_masks
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["checked"]


def checked(masks, *, mixed_models):
    """
    Yield masks of one feature, of different images and, unless mixed ones are wanted, drawn by one rule.

    Raises
    ------
    TypeError
        If they are one Map.
    sunpy_scss.exceptions.InvalidMapError
        When the first that does not belong to the others is reached.
    """
    first, views = None, []
    for mask in several_masks(masks):
        surface = surface_of(mask)
        told = Provenance.of(mask)
        first = first or told
        _check_same("features", "feature", first, told)
        if not mixed_models:
            _check_same_rule(first, told)
        view = (surface.obstime.isot, *surface.observer.round(2).tolist())
        if view in views:
            msg = f"There are two masks of {view[0]} from the same place: give one of each image."
            raise InvalidMapError(msg)
        views.append(view)
        yield mask
        del mask  # before the next one is read


def _check_same_rule(first, other):
    """Raise `InvalidMapError` unless the outlines of two masks were drawn by one rule."""
    rule = {"models": "method", "weights": "weights", "boundaries": "boundary"}
    if first.weights:  # a classical method has a threshold for each image
        rule["thresholds"] = "threshold"
    for name, field in rule.items():
        _check_same(name, field, first, other, "If that is meant, pass mixed_models=True.")


def _check_same(name, field, first, other, remedy=""):
    one, another = getattr(first, field), getattr(other, field)
    if one != another:
        problem = f"The masks must not mix {name} (got {one!r} and {another!r})."
        raise InvalidMapError(problem, remedy, in_shell="")
