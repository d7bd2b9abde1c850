"""The features that are looked for, and what the package takes for granted of each."""

import re
from dataclasses import dataclass, field

__all__ = ["FEATURES", "Feature", "default_model", "feature_at", "feature_name", "is_feature"]

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,19}")


@dataclass(frozen=True)
class Feature:
    """
    Facts of a feature.

    Attributes
    ----------
    name : str
        In words, one of them.
    wavelength : int
        Of the images that show it best, in Angstrom.
    wavelengths : tuple of int
        Of all images in which it is looked for unless the caller says what to look for.
    model : str
        The bundled model that finds it by default: the one whose outline agrees best with labels.
    model_of_boundaries : str
        The bundled model that draws nested boundaries, which the caller names.
    color : str
        Of its outlines in figures.
    is_dark : bool
        Whether it is darker than the quiet Sun.
    models_of_others : dict
        The bundled models that draw further boundaries, by the names of these.
    """

    name: str
    wavelength: int
    wavelengths: tuple[int, ...]
    model: str
    model_of_boundaries: str
    color: str
    is_dark: bool
    models_of_others: dict = field(default_factory=dict)


# By the names that the HEK has for them.
FEATURES = {
    "CH": Feature("coronal hole", 193, (193, 195), "scss-ch-193-5", "scss-ch-193-5", "deepskyblue", is_dark=True),
    "AR": Feature(
        "active region",
        171,
        (171, 174),
        "scss-ar-171-1",
        "scss-ar-171-3",
        "red",
        is_dark=False,
        models_of_others={"volunteers": "scss-ar-171-4"},
    ),
}


def feature_at(wavelength):
    """The feature that images of a wavelength, a number in Angstrom, show; None if it is neither's."""
    for name, facts in FEATURES.items():
        if any(abs(wavelength - known) <= 0.5 for known in facts.wavelengths):
            return name
    return None


def default_model(feature, boundary=None):
    """The name of the bundled model for a feature, and for a boundary of it where one is asked for by name."""
    facts = FEATURES[feature]
    if boundary is None:
        return facts.model
    return facts.models_of_others.get(str(boundary), facts.model_of_boundaries)


def is_feature(code):
    """Whether something can be the code of a feature, of the table or of a user's own: short and in capital letters."""
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


def feature_name(feature):
    """A feature in words; of one that is not in the table, which a card may name, its code."""
    return FEATURES[feature].name if feature in FEATURES else feature
