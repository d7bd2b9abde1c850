"""The features to look for, and the facts that the package assumes about each."""

import re
from dataclasses import dataclass, field

__all__ = ["FEATURES", "Feature", "default_model", "feature_at", "feature_name", "is_feature"]

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,19}")


@dataclass(frozen=True)
class Feature:
    """
    The facts of a feature.

    Attributes
    ----------
    name : str
        The name in words, in the singular.
    wavelength : int
        The wavelength of the images that show it best, in Angstrom.
    wavelengths : tuple of int
        The wavelengths of the images in which it is looked for, unless the caller names a feature.
    model : str
        The bundled model that finds it by default: the one whose outline agrees best with labels.
    model_of_boundaries : str
        The bundled model that draws nested boundaries, which the caller names.
    color : str
        The colour of its outlines in figures.
    is_dark : bool
        True if it is darker than the quiet Sun.
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


# Keys are the codes of the HEK.
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
    """Return the feature that images of a wavelength, a number in Angstrom, show; None if there is none."""
    for name, facts in FEATURES.items():
        if any(abs(wavelength - known) <= 0.5 for known in facts.wavelengths):
            return name
    return None


def default_model(feature, boundary=None):
    """Return the name of the bundled model for a feature, and for one of its boundaries if that is named."""
    facts = FEATURES[feature]
    if boundary is None:
        return facts.model
    return facts.models_of_others.get(str(boundary), facts.model_of_boundaries)


def is_feature(code):
    """Return True for the code of a feature, in the table or a user's own: a short text in capital letters."""
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


def feature_name(feature):
    """Return the name of a feature in words, or its code if the table does not have it."""
    return FEATURES[feature].name if feature in FEATURES else feature
