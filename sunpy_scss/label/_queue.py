"""The images to be labelled in their order: first those of which the model is least sure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

import astropy.units as u
from astropy.time import Time

from sunpy_scss._save import save_text
from sunpy_scss._warn import warn_caller
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.exceptions import InvalidMapError, MissingImageWarning, UnreadableFileError
from sunpy_scss.images._read import read_map
from sunpy_scss.segment._predict import (
    predict_probability,
    segment_active_regions,
    segment_coronal_holes,
    segment_feature,
)

if TYPE_CHECKING:
    from sunpy_scss.models._card import Model

__all__ = ["ORDERS", "Item", "make_queue", "neighbours", "proposal"]

_ENDING = re.compile(r"(\.(fits|fit|fts|jp2|asdf))?(\.(gz|bz2|fz|Z))?$", re.IGNORECASE)

ORDERS = ("doubt", "date", "given")

# A model without nested boundaries doubts where its probability is between these.
_DOUBTFUL = (0.25, 0.75)
# The distance in days of the other images that show if a region lasts.
_DAYS = (0.25, 3)


@dataclass(frozen=True)
class Item:
    """
    An image of the queue.

    Attributes
    ----------
    key : str
        The name of its file without the ending.
    path : pathlib.Path
    date : astropy.time.Time
    doubt : float
        The share of the disc, from 0 to 1, that is inside the widest boundary of the model and outside the tightest.
    """

    key: str
    path: Path
    date: Time
    doubt: float


def proposal(smap, model):
    """Return the mask of a model, by the function that has the smallest area of its feature."""
    segment = {"CH": segment_coronal_holes, "AR": segment_active_regions}.get(model.card.feature, segment_feature)
    return segment(smap, model=model)


def make_queue(paths: Sequence[Path], model: Model, folder: Path, *, order: str = "doubt") -> list[Item]:
    """
    Put images in the order in which they are to be labelled.

    Parameters
    ----------
    paths : list of pathlib.Path
    model : sunpy_scss.models.Model
    folder : pathlib.Path
        The folder where the doubts of the images are kept, so that the next start takes no time.
    order : str, optional
        One of `ORDERS`.

    Returns
    -------
    list of Item

    Raises
    ------
    ValueError
        If two files have the same name.
    `~sunpy_scss.exceptions.UnreadableFileError`
        If no file holds an image that the model can segment.

    Warns
    -----
    `~sunpy_scss.exceptions.MissingImageWarning`
        If a file holds no such image; once for each file.
    """
    of_key = {}
    for path in paths:
        key = _ENDING.sub("", path.name)
        if key in of_key:
            msg = f"{of_key[key]} and {path} have one name, by which their labels would be told apart: rename one."
            raise ValueError(msg)
        of_key[key] = path
    cache = folder / "queue.json"
    known = _read_cache(cache, model)
    items = []
    for key, path in tqdm(of_key.items(), desc="images", unit="image", disable=set(of_key) <= set(known)):
        try:
            if key not in known:
                smap = read_map(path)
                doubt = _doubt(smap, model) if order == "doubt" else np.nan
                known[key] = [smap.date.utc.isot, doubt]
        except (InvalidMapError, UnreadableFileError) as error:
            warn_caller(f"{path} is left out: {error}", MissingImageWarning)
            continue
        date, doubt = known[key]
        items.append(Item(key, path, Time(date), doubt))
    if not items:
        msg = f"None of the {len(of_key)} files holds an image that can be labelled."
        raise UnreadableFileError(msg)
    if order == "doubt":
        save_text(json.dumps({"model": model.card.sha256, "images": known}, indent=1), cache)
    if order == "given":
        return items
    return sorted(items, key=lambda item: -item.doubt if order == "doubt" else item.date.unix)


def _read_cache(path, model):
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return dict(kept["images"]) if kept["model"] == model.card.sha256 else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _doubt(smap, model):
    """Return the share of the disc between the widest and the tightest boundary."""
    boundaries = sorted(model.card.boundaries, key=lambda one: one.level)
    if len(boundaries) > 1:
        masks = [segment_feature(smap, model=model, boundary=one.name).data for one in (boundaries[0], boundaries[-1])]
        between = masks[0] != masks[1]
    else:
        probability = predict_probability(smap, model=model).data
        between = (probability > _DOUBTFUL[0]) & (probability < _DOUBTFUL[1])
    return float(between.sum() / (np.pi * frame_of(smap).pixels_per_radius ** 2))


def neighbours(items, item):
    """Return the images before and after another that are nearest to a day away; None where none is within three."""
    found = []
    for sign in (-1, 1):
        days = {one.key: sign * (one.date - item.date).to_value(u.day) for one in items}
        near = [one for one in items if _DAYS[0] <= days[one.key] <= _DAYS[1]]
        found.append(min(near, key=lambda one: abs(days[one.key] - 1), default=None))
    return found
