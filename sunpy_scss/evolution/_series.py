"""Masks that belong into one series: of one feature, by one method, each image once."""

from sunpy_scss._mask_map import several_masks
from sunpy_scss._sun.surface import surface_of
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["checked", "origin_of_all"]


def checked(masks, *, mixed_models):
    """
    Masks, one by one, that are of one feature, of different images and, unless mixed ones are wanted, by one rule.

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
        first = mask.meta if first is None else first
        _same("SCSSFEAT", "features", first, mask.meta)
        if not mixed_models:
            _same_rule(first, mask.meta)
        view = (surface.obstime.isot, *surface.observer.round(2).tolist())
        if view in views:
            msg = f"There are two masks of {view[0]} from the same place: give one of each image."
            raise InvalidMapError(msg)
        views.append(view)
        yield mask
        del mask  # before the next one is read


def _same_rule(first, header):
    """Raise an error unless the outlines of two masks were drawn by one rule."""
    keys = {"SCSSMOD": "models", "SCSSBND": "boundaries"}
    if "SCSSHASH" in first:  # of a network: classical methods have a threshold for each image
        keys["SCSSTHR"] = "thresholds"
    for key, name in keys.items():
        _same(key, name, first, header, "; pass mixed_models=True if that is meant")


def _same(key, name, first, header, advice=""):
    one, other = first.get(key), header.get(key)
    if one != other:
        msg = f"The masks must not mix {name} (got {key} {one!r} and {other!r}){advice}."
        raise InvalidMapError(msg)


def origin_of_all(shared):
    """The keywords that say where a series of masks comes from, of those that all of them share."""
    return {key: value for key, value in shared.items() if key not in ("DATE-OBS", "PARENT")}
