"""The facts of one set of weights, and how intensities become the input of a network."""

import dataclasses
import numbers
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit

from sunpy_scss._features import FEATURES
from sunpy_scss.exceptions import ModelError

__all__ = ["OUTER_RADIUS", "Boundary", "Model", "ModelCard", "Network", "Stretch", "stretch"]

# The corona beyond this radius says nothing of what is on the disc.
OUTER_RADIUS = 1.08


def stretch(image, radius, median, *, floor, limits, exponent):
    """
    Map intensities to [0, 1], the input of the network.

    ``x = log10(max(image, floor)) - exponent * log10(median)``, scaled so that ``limits`` become 0 and 1.
    The exponent says how far the brightness of the quiet Sun sets the scale: 1 takes contrast alone,
    0 absolute brightness alone.

    Parameters
    ----------
    image : numpy.ndarray
        Intensities; pixels without data (NaN) become quiet Sun.
    radius : numpy.ndarray
        Distance from disc centre in solar radii, same shape; beyond `OUTER_RADIUS` the result is 0.
    median : float
        Disc median, in the unit of ``image``.
    floor, limits, exponent : float, (float, float), float
        See `sunpy_scss.models.Stretch`.

    Returns
    -------
    numpy.ndarray
        float32, same shape.
    """
    filled = np.where(np.isfinite(image), image, median)
    x = np.log10(np.maximum(filled, floor)) - exponent * np.log10(median)
    low, high = limits
    scaled = np.clip((x - low) / (high - low), 0, 1)
    return np.where(radius <= OUTER_RADIUS, scaled, 0).astype(np.float32)


# Cards beyond these are mistakes; they would not fit into memory.
_MOST_FILTERS, _MOST_LAYERS, _MOST_PIXELS, _WIDEST = 1024, 8, 8192, 10


def _require(holds, rule, got):
    if not holds:
        msg = f"This is not a model card: its {rule} (got {got!r})."
        raise ModelError(msg)


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and bool(np.isfinite(value))


def _is_whole(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@dataclass(frozen=True)
class Stretch:
    """
    How intensities become the network's input; see `sunpy_scss.models.ModelCard`.

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
        _require(_is_number(self.floor) and self.floor > 0, "floor of the stretch is a positive number", self.floor)
        limits = self.limits
        pair = isinstance(limits, list | tuple) and len(limits) == 2 and all(map(_is_number, limits))
        _require(pair and limits[0] < limits[1], "limits of the stretch are two rising numbers", limits)
        between = _is_number(self.exponent) and 0 <= self.exponent <= 1
        _require(between, "exponent of the stretch is between 0 and 1", self.exponent)
        median = self.reference_median
        _require(_is_number(median) and median > 0, "reference_median of the stretch is a positive number", median)
        object.__setattr__(self, "limits", tuple(limits))


@dataclass(frozen=True)
class Network:
    """
    Arguments of `sunpy_scss.models.scss_net`.

    Attributes
    ----------
    filters, layers, batch_norm, drop_prob, momentum
        As there.
    """

    filters: int = 32
    layers: int = 4
    batch_norm: bool = True
    drop_prob: float = 0.0
    momentum: float = 0.99

    def __post_init__(self):
        for name, most in (("filters", _MOST_FILTERS), ("layers", _MOST_LAYERS)):
            value = getattr(self, name)
            _require(_is_whole(value) and 1 <= value <= most, f"{name} of the network is from 1 to {most}", value)
        _require(isinstance(self.batch_norm, bool), "batch_norm of the network is true or false", self.batch_norm)
        for name in ("drop_prob", "momentum"):
            value = getattr(self, name)
            _require(_is_number(value) and 0 <= value < 1, f"{name} of the network is at least 0 and below 1", value)


@dataclass(frozen=True)
class Boundary:
    """
    One of the nested outlines that a network draws.

    Attributes
    ----------
    name : str
        As ``boundary=`` has it.
    level : int
        How far in it lies: 1 for the outermost. Labels of a level or more are inside it, and the network has an output
        for each level.
    meaning : str
        Where it runs, in words.
    threshold : float
        Probability, calibrated, from which on a pixel is inside; no lower than that of the boundary around it, so that
        masks are nested.
    share : float, optional
        What the labels have inside it on the mean, in percent of the disc.
    scores : dict
        Those of this boundary, as in `ModelCard`.
    """

    name: str
    level: int
    meaning: str = ""
    threshold: float = 0.5
    share: float | None = None
    scores: dict = field(default_factory=dict)

    def __post_init__(self):
        _require(isinstance(self.name, str) and self.name, "boundaries have names", self.name)
        _require(_is_whole(self.level) and self.level >= 1, "boundaries have levels of 1 or more", self.level)
        inside = _is_number(self.threshold) and 0 < self.threshold < 1
        _require(inside, "boundaries have thresholds between 0 and 1", self.threshold)


@dataclass(frozen=True)
class ModelCard:
    """
    The facts of one set of weights.

    Attributes
    ----------
    name : str
        Never used twice: new weights, new name.
    feature : str
        ``"CH"`` for coronal holes or ``"AR"`` for active regions.
    wavelength : float
        Of the training images, in Angstrom.
    wavelengths : tuple of float
        Those accepted without a warning, in Angstrom.
    grid_size : int
        Pixels of the canonical grid on a side.
    half_width : float
        Half of the canonical grid's side, in apparent solar radii.
    stretch : Stretch
    network : Network
    threshold : float
        Probability, calibrated, from which on a pixel belongs to the feature; that of the first boundary, if there are
        some.
    temperature : float
        By which the logits of the network are divided to calibrate its probabilities; see `sunpy_scss.train.calibrate`.
        The default, 1, leaves them as they are.
    boundaries : tuple of Boundary
        Those that the network draws at once, the default one first; none where there is but one without a name.
    area_levels : tuple of float
        Probabilities of the smallest and the largest region that an interval of areas takes in; see
        `sunpy_scss.masks.region_table`.
    labels : str
        Who or what drew the training labels, in one word for the header of a mask.
    training : dict
        Data, labels and split in words; the configuration of the training.
    scores : dict
        What the model and simpler methods reached, on which images.
    limits : str
        What the model is known to get wrong.
    licence, reference, version : str
        Of the weights; the paper; the version of the package that trained them.
    sha256 : str
        Of the weights file.
    """

    name: str
    feature: str
    wavelength: float
    wavelengths: tuple[float, ...]
    grid_size: int
    half_width: float
    stretch: Stretch
    network: Network
    threshold: float = 0.5
    temperature: float = 1.0
    boundaries: tuple[Boundary, ...] = ()
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
        known = isinstance(self.feature, str) and self.feature in FEATURES
        _require(known, f"feature is one of {', '.join(FEATURES)}", self.feature)
        self._check_types()
        self._check_numbers()
        object.__setattr__(self, "wavelengths", tuple(self.wavelengths))
        object.__setattr__(self, "area_levels", tuple(self.area_levels))
        object.__setattr__(self, "boundaries", tuple(self.boundaries))
        if self.boundaries:
            self._check_boundaries()
            object.__setattr__(self, "threshold", self.boundaries[0].threshold)

    def _check_types(self):
        for name in ("name", "labels", "limits", "licence", "reference", "version", "sha256"):
            _require(isinstance(getattr(self, name), str), f"{name} is text", getattr(self, name))
        _require(self.name, "name is not empty", self.name)
        for name, kind in (("training", dict), ("scores", dict), ("stretch", Stretch), ("network", Network)):
            _require(isinstance(getattr(self, name), kind), f"{name} is a {kind.__name__}", getattr(self, name))

    def _check_numbers(self):
        several = isinstance(self.wavelengths, list | tuple) and len(self.wavelengths) > 0
        _require(several, "wavelengths are a list of numbers", self.wavelengths)
        for value in (self.wavelength, *self.wavelengths):
            _require(_is_number(value) and value > 0, "wavelengths are positive numbers", value)
        step = 2**self.network.layers
        fits = _is_whole(self.grid_size) and 0 < self.grid_size <= _MOST_PIXELS and self.grid_size % step == 0
        _require(fits, f"grid_size is a multiple of {step} up to {_MOST_PIXELS}", self.grid_size)
        whole_disk = _is_number(self.half_width) and 1 <= self.half_width <= _WIDEST
        _require(whole_disk, f"half_width is from 1 to {_WIDEST}, in solar radii", self.half_width)
        inside = _is_number(self.threshold) and 0 < self.threshold < 1
        _require(inside, "threshold is a number between 0 and 1", self.threshold)
        warm = _is_number(self.temperature) and self.temperature > 0
        _require(warm, "temperature is a positive number", self.temperature)

    def _check_boundaries(self):
        inwards = sorted(self.boundaries, key=lambda one: one.level)
        levels, thresholds = [one.level for one in inwards], [one.threshold for one in inwards]
        if len({one.name for one in inwards}) < len(inwards) or len(set(levels)) < len(inwards) or levels[0] < 1:
            msg = f"The boundaries of a card differ in name and in level, 1 or more (got {self.boundaries})."
            raise ModelError(msg)
        if thresholds != sorted(thresholds):
            msg = f"The threshold of a boundary is no lower than that of the one around it (got {thresholds}, inwards)."
            raise ModelError(msg)

    @property
    def levels(self):
        """Of the boundaries, from the outermost to the innermost."""
        return tuple(sorted(boundary.level for boundary in self.boundaries)) or (1,)

    @property
    def default_level(self):
        """Of the default boundary."""
        return self.boundaries[0].level if self.boundaries else 1

    @classmethod
    def from_dict(cls, values):
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
            }
            return cls(**{**values, **nested})
        except (KeyError, TypeError, AttributeError) as error:
            msg = f"This is not a model card: {error}."
            raise ModelError(msg) from error

    def to_dict(self):
        """The card as plain values, for JSON."""
        return dataclasses.asdict(self)

    def calibrated(self, raw):
        """Probabilities from what the network itself says, arrays of any shape."""
        return _tempered(raw, self.temperature)

    def uncalibrated(self, probability):
        """What the network itself says where the calibrated probability is this one."""
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
        From (n, size, size, 1) float32 in [0, 1] to probabilities (n, size, size, boundaries), before
        `ModelCard.calibrated`; those of outer boundaries first, and no lower than further inside. Any function will do.
    """

    card: ModelCard
    predict: Callable

    def at(self, boundary=None):
        """
        The model of one boundary alone.

        Parameters
        ----------
        boundary : str, optional
            Its name; that of the card's default by default.

        Returns
        -------
        Model
            Its ``predict`` gives (n, size, size, 1); its card has no other boundary.

        Raises
        ------
        `~sunpy_scss.exceptions.ModelError`
            If the model does not draw it; the message lists those it does.

        Examples
        --------
        >>> from sunpy_scss import load_model
        >>> [boundary.name for boundary in load_model("scss-ar-171-2").card.boundaries]
        ['full', 'core']
        >>> load_model("scss-ar-171-2").at("core").card.boundaries[0].level
        2
        """
        known = {one.name: one for one in self.card.boundaries}
        if boundary is not None and boundary not in known:
            those = f"it draws {', '.join(map(repr, known))}" if known else "it draws one, which has no name"
            msg = f"{self.card.name} does not draw the boundary {boundary!r}: {those}."
            raise ModelError(msg)
        if len(known) < 2:
            return self
        chosen = self.card.boundaries[0] if boundary is None else known[boundary]
        channel = self.card.levels.index(chosen.level)
        card = dataclasses.replace(self.card, boundaries=(chosen,))
        return Model(card, lambda images: self.predict(images)[..., channel : channel + 1])
