"""The facts of one set of weights, and the scaling of intensities to the input of a network."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np
from scipy.special import expit, logit

from sunpy_scss._features import FEATURES, feature_name
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.exceptions import ModelError
from sunpy_scss.models._choice import chosen
from sunpy_scss.models._split import Split
from sunpy_scss.models._validity import check_card

__all__ = ["OUTER_RADIUS", "Boundary", "Channel", "Model", "ModelCard", "Network", "Stretch"]

# The corona beyond this radius says nothing of what is on the disc.
OUTER_RADIUS = 1.08


@dataclass(frozen=True)
class Stretch:
    """
    The scaling of intensities to the network's input; see `sunpy_scss.models.ModelCard`.

    ``x = log10(max(I, floor)) - exponent * log10(disc median)``, scaled so that ``limits`` become 0 and 1.

    Attributes
    ----------
    floor : float
        Lower values are raised to it, in DN/s.
    limits : tuple of float
        The values of x that become 0 and 1.
    exponent : float
        1: contrast to the disc median alone; 0: absolute brightness alone; between: both.
    reference_median : float
        The disc median in DN/s to which an image of unknown calibration is scaled.
    """

    floor: float
    limits: tuple[float, float]
    exponent: float
    reference_median: float

    def __post_init__(self):
        object.__setattr__(self, "limits", tuple(self.limits))

    def apply(self, image: np.ndarray, radius: np.ndarray, median: float) -> np.ndarray:
        """
        Map intensities to [0, 1], the input of the network.

        Parameters
        ----------
        image : numpy.ndarray
            Intensities; pixels without data (NaN) become quiet Sun.
        radius : numpy.ndarray
            Distance from disc centre in solar radii, same shape; beyond 1.08 the result is 0.
        median : float
            Disc median, in the unit of ``image``.

        Returns
        -------
        numpy.ndarray
            float32, same shape.
        """
        filled = np.where(np.isfinite(image), image, median)
        x = np.log10(np.maximum(filled, self.floor)) - self.exponent * np.log10(median)
        low, high = self.limits
        scaled = np.clip((x - low) / (high - low), 0, 1)
        return np.where(radius <= OUTER_RADIUS, scaled, 0).astype(np.float32)


@dataclass(frozen=True)
class Channel:
    """
    One of the images of a moment that a network sees together.

    Attributes
    ----------
    wavelength : float
        The wavelength of the training images, in Angstrom.
    wavelengths : tuple of float
        Those by which the Map of this channel is told from the others, in Angstrom.
    stretch : Stretch
    """

    wavelength: float
    wavelengths: tuple[float, ...]
    stretch: Stretch


@dataclass(frozen=True)
class Network:
    """
    Arguments of `sunpy_scss.train.scss_net`, or the name of another network and its arguments.

    Attributes
    ----------
    filters, layers, batch_norm, drop_prob, momentum, patch
        The same as in `sunpy_scss.train.scss_net`.
    architecture : str
        Name of a network of your own; see `sunpy_scss.train.register_network`. Empty for SCSS-Net.
    arguments : dict
        Those of that network.
    """

    filters: int = 32
    layers: int = 4
    batch_norm: bool = True
    drop_prob: float = 0.0
    momentum: float = 0.8
    patch: int = 1
    architecture: str = ""
    arguments: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Boundary:
    """
    One of the nested outlines that a network draws.

    Attributes
    ----------
    name : str
        The name that ``boundary=`` takes.
    level : int
        How far in it lies: 1 for the outermost. Labels of a level or more are inside it, and the network has an output
        for each level.
    meaning : str
        Where it runs, in words.
    threshold : float
        Probability, calibrated, from which on a pixel is inside; no lower than that of the boundary around it, so that
        masks are nested.
    dex : float, optional
        The intensity where it runs, in dex above that of the ``dex`` 0 of this card. Between boundaries that tell it,
        any other can be drawn.
    share : float, optional
        The mean area of the labels inside it, in percent of the disc.
    scores : dict
        Those of this boundary, as in `ModelCard`.
    """

    name: str
    level: int
    meaning: str = ""
    threshold: float = 0.5
    dex: float | None = None
    share: float | None = None
    scores: dict = field(default_factory=dict)


@dataclass(frozen=True)
class ModelCard:
    """
    The facts of one set of weights.

    Attributes
    ----------
    name : str
        Never used twice: new weights, new name.
    feature : str
        ``"CH"`` for coronal holes, ``"AR"`` for active regions, or a code of your own for another feature: up to 20
        capital letters, digits and underscores. Masks have it in their header.
    wavelength : float
        The wavelength of the training images, in Angstrom.
    wavelengths : tuple of float
        Those accepted without a warning, in Angstrom.
    grid_size : int
        Pixels of the canonical grid on a side.
    half_width : float
        Half of the canonical grid's side, in apparent solar radii.
    stretch : Stretch
    network : Network
    further_channels : tuple of Channel
        Where the network sees several images of a moment together, the channels after the first one, which is described
        by ``wavelength``, ``wavelengths`` and ``stretch``. See ``channels``.
    feature_name : str
        The name of one feature of your own in words, such as "filament"; empty for CH and AR.
    feature_is_dark : bool
        True if a feature of your own is darker than the quiet Sun; None for CH and AR.
    threshold : float
        Probability, calibrated, from which on a pixel belongs to the feature; that of the first boundary, if there are
        some.
    temperature : float
        By which the logits of the network are divided to calibrate its probabilities; see `sunpy_scss.train.calibrate`.
        The default, 1, leaves them as they are.
    boundaries : tuple of Boundary
        Those that the network draws at once, first the one that scores are of; none where there is but one without a
        name.
    default_boundary : str or float, optional
        The one that is drawn unless another is asked for, by name or in dex; the first one by default.
    area_levels : tuple of float
        Probabilities of the smallest and the largest region that an interval of areas takes in; see
        `sunpy_scss.masks.region_table`.
    labels : str
        Who or what drew the training labels, in one word for the header of a mask.
    training : dict
        Data, labels and split in words; the configuration of the training.
    scores : dict
        The scores of the model and of simpler methods, and the images they are of.
    limits : str
        The known errors of the model.
    licence, reference, version : str
        The licence of the weights; their paper; the version of the package that trained them.
    sha256 : str
        The checksum of the weights file.
    """

    name: str
    feature: str
    wavelength: float
    wavelengths: tuple[float, ...]
    grid_size: int
    half_width: float
    stretch: Stretch
    network: Network
    further_channels: tuple[Channel, ...] = ()
    feature_name: str = ""
    feature_is_dark: bool | None = None
    threshold: float = 0.5
    temperature: float = 1.0
    boundaries: tuple[Boundary, ...] = ()
    default_boundary: str | float | None = None
    area_levels: tuple[float, float] = (0.84, 0.16)
    labels: str = ""
    training: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    limits: str = ""
    licence: str = ""
    reference: str = ""
    version: str = ""
    sha256: str = ""

    def __post_init__(self):
        check_card(self)
        object.__setattr__(self, "wavelengths", tuple(self.wavelengths))
        object.__setattr__(self, "area_levels", tuple(self.area_levels))
        object.__setattr__(self, "boundaries", tuple(self.boundaries))
        object.__setattr__(self, "further_channels", tuple(self.further_channels))
        if self.boundaries:
            self._check_boundaries()
            object.__setattr__(self, "threshold", self.boundaries[0].threshold)

    def _check_boundaries(self):
        inwards = sorted(self.boundaries, key=lambda one: one.level)
        levels, thresholds = [one.level for one in inwards], [one.threshold for one in inwards]
        if len({one.name for one in inwards}) < len(inwards) or len(set(levels)) < len(inwards):
            msg = f"The boundaries of a card differ in name and in level (got {self.boundaries})."
            raise ModelError(msg)
        if thresholds != sorted(thresholds):
            msg = f"The threshold of a boundary is no lower than that of the one around it (got {thresholds}, inwards)."
            raise ModelError(msg)
        dex = [one.dex for one in inwards if one.dex is not None]
        if dex not in (sorted(set(dex)), sorted(set(dex), reverse=True)):
            msg = f"The dex of the boundaries of a card rises or falls from each to the next inwards (got {dex})."
            raise ModelError(msg)
        if self.default_boundary is not None:
            chosen(self, self.default_boundary)  # an error if it is not drawn

    @property
    def feature_in_words(self) -> str:
        """The name of one feature in words, from the table of those known or from this card."""
        return self.feature_name or feature_name(self.feature)

    @property
    def is_dark(self) -> bool:
        """True if the feature is darker than the quiet Sun, from the table of those known or from this card."""
        return FEATURES[self.feature].is_dark if self.feature_is_dark is None else self.feature_is_dark

    @property
    def grid(self) -> CanonicalGrid:
        """The grid of the network's images, with the positions of its pixels in solar radii."""
        return CanonicalGrid(self.grid_size, self.half_width)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All channels, in the order in which the network has them."""
        return (Channel(self.wavelength, self.wavelengths, self.stretch), *self.further_channels)

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels of the boundaries, from the outermost to the innermost."""
        return tuple(sorted(boundary.level for boundary in self.boundaries)) or (1,)

    @property
    def default_level(self) -> int:
        """The level of the first boundary."""
        return self.boundaries[0].level if self.boundaries else 1

    @property
    def scored(self) -> str | None:
        """The name of the boundary that scores are of, the first one; None where it has none."""
        return self.boundaries[0].name if self.boundaries else None

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """
        A card from plain values, as in ``card.json``.

        Raises
        ------
        `~sunpy_scss.exceptions.ModelError`
            If a value is missing or unknown.
        """
        try:
            nested = {
                "stretch": Stretch(**values["stretch"]),
                "network": Network(**values["network"]),
                "boundaries": tuple(Boundary(**one) for one in values.get("boundaries", ())),
                "further_channels": tuple(
                    Channel(**{**one, "wavelengths": tuple(one["wavelengths"]), "stretch": Stretch(**one["stretch"])})
                    for one in values.get("further_channels", ())
                ),
            }
            return cls(**{**values, **nested})
        except (KeyError, TypeError) as error:
            msg = f"This is not a model card: {error}."
            raise ModelError(msg) from error

    def to_dict(self) -> dict:
        """The card as plain values, for JSON."""
        return dataclasses.asdict(self)

    def calibrated(self, raw: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities from the output of the network, arrays of any shape."""
        return _tempered(raw, self.temperature)

    def uncalibrated(self, probability: np.ndarray) -> np.ndarray:
        """Return the output of the network itself for a calibrated probability."""
        return _tempered(probability, 1 / self.temperature)


def _tempered(probability, temperature):
    # Not computed for 1, where rounding would change the least digits.
    return probability if temperature == 1 else expit(logit(probability) / temperature)


@dataclass(frozen=True)
class Model:
    """
    A card and the function that it describes.

    Attributes
    ----------
    card : ModelCard
    predict : callable
        From (n, size, size, channels) float32 in [0, 1] to probabilities (n, size, size, boundaries), before
        `ModelCard.calibrated`; those of outer boundaries first, and no lower than further inside. Any function will do.
    split : Split, optional
        The images that it was trained and validated on, where that is known. Scores on those it was trained on, or on
        images of the days around them, are refused.
    """

    card: ModelCard
    predict: Callable[[np.ndarray], np.ndarray]
    split: Split | None = None

    def at(self, boundary: str | float | None = None) -> Self:
        """
        Return the model of one boundary alone.

        Parameters
        ----------
        boundary : str or float, optional
            The name of a boundary, or where it runs in dex of intensity, as a number or as the header of a mask has it
            (``"-0.05 dex"``). Between two named boundaries the logit of the probability and of the threshold is
            interpolated, and labels are those of the nearer one. The default is ``card.default_boundary``.

        Returns
        -------
        Model
            Its ``predict`` gives (n, size, size, 1); its card has no other boundary.

        Raises
        ------
        `~sunpy_scss.exceptions.ModelError`
            If the model does not draw it; the message says what it draws.

        Examples
        --------
        >>> from sunpy_scss import load_model
        >>> model = load_model("scss-ch-193-5")
        >>> [(boundary.name, boundary.dex) for boundary in model.card.boundaries]
        [('middle', 0.0), ('tight', -0.1), ('wide', 0.1)]
        >>> model.at("tight").card.boundaries[0].level
        3
        >>> model.at(0.03).card.boundaries[0].name
        '+0.03 dex'
        """
        one, shares = chosen(self.card, boundary)
        if len(self.card.boundaries) < 2:
            return self
        card = dataclasses.replace(self.card, boundaries=(one,), default_boundary=None)
        return dataclasses.replace(self, card=card, predict=partial(_mixed, self.predict, shares))


def _mixed(predict, shares, images):
    """Return the probabilities of one boundary, (n, size, size, 1), from those of a network's channels."""
    found = predict(images)
    if len(shares) == 1:
        (channel,) = shares
        return found[..., channel : channel + 1]
    logits = sum(share * logit(_inside(found[..., channel])) for channel, share in shares.items())
    return expit(logits)[..., np.newaxis]


def _inside(probability):
    # The logit of exactly 0 or 1 is infinite.
    return np.clip(probability, 1e-6, 1 - 1e-6)
