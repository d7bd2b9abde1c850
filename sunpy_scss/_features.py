"""The features that are looked for, and what the package takes for granted of each."""

from dataclasses import dataclass

__all__ = ["FEATURES", "Feature", "default_model", "feature_at", "feature_name"]


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
    """

    name: str
    wavelength: int
    wavelengths: tuple[int, ...]
    model: str
    model_of_boundaries: str
    color: str
    is_dark: bool


# By the names that the HEK has for them.
FEATURES = {
    "CH": Feature("coronal hole", 193, (193, 195), "scss-ch-193-2", "scss-ch-193-3", "deepskyblue", is_dark=True),
    "AR": Feature("active region", 171, (171, 174), "scss-ar-171-1", "scss-ar-171-2", "red", is_dark=False),
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
    return facts.model if boundary is None else facts.model_of_boundaries


def feature_name(feature):
    """A feature in words; any type of event of the HEK has some."""
    return FEATURES[feature].name if feature in FEATURES else f"HEK {feature}".strip()
