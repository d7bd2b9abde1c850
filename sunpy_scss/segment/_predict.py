"""Coronal holes and active regions of a Map, as a mask Map on the same WCS."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import astropy.units as u
from sunpy.map import GenericMap, MapSequence

from sunpy_scss._arguments import check_area, check_count, check_number
from sunpy_scss._features import default_model, feature_at, feature_name
from sunpy_scss._mask_map import make_map, make_mask
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import remove_small_regions, surface_of
from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._intensity import angstroms
from sunpy_scss.canonical._resample import from_canonical
from sunpy_scss.canonical._threshold import above_threshold
from sunpy_scss.exceptions import InvalidMapError, ModelError
from sunpy_scss.models._card import Model
from sunpy_scss.models._store import load_model
from sunpy_scss.segment._input import NetworkInput, maps_of_channels, network_input

__all__ = [
    "predict_probability",
    "predict_spread",
    "segment_active_regions",
    "segment_coronal_holes",
    "segment_feature",
]

# A list where several Maps were given. Any, since mask.data would otherwise be an error to type checkers.
_OneOrList = GenericMap | Any


@u.quantity_input
def segment_coronal_holes(
    smap: GenericMap | MapSequence | Sequence[GenericMap],
    *,
    model: str | os.PathLike | Model | None = None,
    boundary: str | float | None = None,
    threshold: float | None = None,
    min_area: u.Quantity[u.Mm**2] = 1000 * u.Mm**2,
    disk_median: u.Quantity | None = None,
    samples: int = 1,
) -> _OneOrList:
    """
    Segment the coronal holes of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap, sunpy.map.MapSequence or list of sunpy.map.GenericMap
        Helioprojective, of 193 or 195 Angstrom, showing the disc; of any size, scale, rotation and centre, in DN with
        exposure time or in DN/s. Never changed.
    model : str, path-like or sunpy_scss.models.Model, optional
        One of `sunpy_scss.list_models`, the folder of a model of your own, or a model. The bundled one by default.
    boundary : str or float, optional
        The brightness of the outline, in dex above the middle one: from -0.1, also called ``"tight"``, over 0,
        ``"middle"``, to 0.1, ``"wide"``. The middle one runs half-way in log intensity between a hole's floor and the
        quiet Sun. -0.05 by default; see :ref:`how-to-boundaries`.
    threshold : float, optional
        The least probability of a pixel in a mask. By default the one that the model's card has for the boundary.
    min_area : astropy.units.Quantity, optional
        Regions with less area on the solar surface, corrected for foreshortening, are left out.
    disk_median : astropy.units.Quantity, optional
        Median intensity of the disc inside 0.9 solar radii, in DN/s or in the Map's unit. Needed for a Map that shows
        too little of the disc to measure it.
    samples : int, optional
        The number of predictions to average; see `predict_probability`.

    Returns
    -------
    sunpy.map.GenericMap or list of sunpy.map.GenericMap
        int16, 1 in a coronal hole and 0 elsewhere, on the WCS of ``smap``; a list for a sequence or list. Pixels
        without data are 0 too. The header tells the model, its labels, all settings, the share of the disc that has
        data, and the factor by which an image of unknown calibration was scaled; see :ref:`header-keywords`.

    Raises
    ------
    TypeError
        If ``smap`` is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the Map holds no image, is not helioprojective, does not tell the size of the Sun or the time, has a value of
        the wrong kind in its header, or the limb of the image is far from where the header has it.
    `~sunpy_scss.exceptions.PartialDiskError`
        If too little of the disc is visible and ``disk_median`` is not given.
    `~sunpy_scss.exceptions.ModelNotFoundError`
        If there is no such model.
    `~sunpy_scss.exceptions.ModelError`
        If the model does not draw that boundary, finds another feature, or gives values that are not probabilities.

    Warns
    -----
    `~sunpy_scss.exceptions.WavelengthWarning`, `~sunpy_scss.exceptions.CalibrationWarning`
        If the Map is of a wavelength or a calibration for which the model was not made.
    `~sunpy_scss.exceptions.MissingDataWarning`, `~sunpy_scss.exceptions.QualityWarning`
        If part of the disc has no data or is eclipsed, or the instrument team flagged the image.
    `~sunpy_scss.exceptions.LimbWarning`
        If the limb of the image is not quite where the header has it.

    References
    ----------
    * Mackovjak et al. 2021, MNRAS 508, 3111, https://doi.org/10.1093/mnras/stab2536

    Examples
    --------
    >>> from sunpy_scss import segment_coronal_holes
    >>> from sunpy_scss.images import example_map
    >>> smap = example_map(193)
    >>> mask = segment_coronal_holes(smap)
    >>> mask.data.shape == smap.data.shape, mask.data.dtype
    (True, dtype('int16'))
    """
    return segment_feature(
        smap,
        model=_model_of("CH", model, boundary),
        boundary=boundary,
        threshold=threshold,
        min_area=min_area,
        disk_median=disk_median,
        samples=samples,
    )


@u.quantity_input
def segment_active_regions(
    smap: GenericMap | MapSequence | Sequence[GenericMap],
    *,
    model: str | os.PathLike | Model | None = None,
    boundary: str | float | None = None,
    threshold: float | None = None,
    min_area: u.Quantity[u.Mm**2] = 300 * u.Mm**2,
    disk_median: u.Quantity | None = None,
    samples: int = 1,
) -> _OneOrList:
    """
    Segment the active regions of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap, sunpy.map.MapSequence or list of sunpy.map.GenericMap
        Helioprojective, of 171 or 174 Angstrom, showing the disc; of any size, scale, rotation and centre. Its
        calibration does not matter: brightness counts relative to the disc median. Never changed.
    boundary : str or float, optional
        ``"full"`` is the whole region. ``"core"`` is the bright plage and loops, about a sixth of its area. These two
        are nested. ``"volunteers"`` is the outline that people draw around a region with a few corners; another model
        draws it. The card describes each boundary; see :ref:`how-to-boundaries`.
    model, threshold, min_area, disk_median, samples : optional
        As for `segment_coronal_holes`.

    Returns
    -------
    sunpy.map.GenericMap or list of sunpy.map.GenericMap
        int16, 1 in an active region and 0 elsewhere; otherwise like the result of `segment_coronal_holes`.

    Raises
    ------
    TypeError
        If ``smap`` is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the Map holds no image, is not helioprojective, or its header or limb is wrong.
    `~sunpy_scss.exceptions.ModelNotFoundError`
        If there is no such model.

    References
    ----------
    * Mackovjak et al. 2021, MNRAS 508, 3111, https://doi.org/10.1093/mnras/stab2536

    Examples
    --------
    >>> from sunpy_scss import segment_active_regions
    >>> from sunpy_scss.images import example_map
    >>> whole = segment_active_regions(example_map(171))
    >>> core = segment_active_regions(example_map(171), boundary="core")
    >>> core.meta["SCSSFEAT"], core.meta["SCSSBND"]
    ('AR', 'core')
    >>> bool(core.data.sum() < whole.data.sum())
    True
    """
    return segment_feature(
        smap,
        model=_model_of("AR", model, boundary),
        boundary=boundary,
        threshold=threshold,
        min_area=min_area,
        disk_median=disk_median,
        samples=samples,
    )


def _model_of(feature, model, boundary):
    """Return a model that finds a feature; the bundled one by default."""
    model = load_model(default_model(feature, boundary) if model is None else model)
    if model.card.feature != feature:
        msg = f"{model.card.name} finds {model.card.feature_in_words}s, not {feature_name(feature)}s."
        raise ModelError(msg)
    return model


@u.quantity_input
def segment_feature(
    smaps: GenericMap | MapSequence | Sequence[GenericMap] | Sequence[Sequence[GenericMap]],
    *,
    model: str | os.PathLike | Model,
    boundary: str | float | None = None,
    threshold: float | None = None,
    min_area: u.Quantity[u.Mm**2] = 0 * u.Mm**2,
    disk_median: u.Quantity | Sequence[u.Quantity] | None = None,
    samples: int = 1,
) -> _OneOrList:
    """
    Segment the feature of a model in a Map, or in an exposure set of Maps that the model sees together.

    It takes models of your own for any feature. `segment_coronal_holes` and `segment_active_regions` do the same with
    the bundled models.

    Parameters
    ----------
    smaps : sunpy.map.GenericMap, sunpy.map.MapSequence or list of sunpy.map.GenericMap
        As for `segment_coronal_holes`. For a model with several channels, an exposure set: a Map for each channel, all
        of one time, in any order, known by their wavelengths; or a list of such lists.
    model : str, path-like or sunpy_scss.models.Model
        The folder of a model of your own, a model, or one of `sunpy_scss.list_models`.
    boundary, threshold, samples : optional
        As for `segment_coronal_holes`.
    min_area : astropy.units.Quantity, optional
        Regions with less area on the solar surface are left out; none by default.
    disk_median : astropy.units.Quantity, optional
        As for `segment_coronal_holes`; for a model with several channels, one value for each in their order.

    Returns
    -------
    sunpy.map.GenericMap or list of sunpy.map.GenericMap
        A mask like those of `segment_coronal_holes` for each exposure set, on the WCS of the Map of the first channel.
        The header tells the feature, and the wavelength and the disc median of each further channel.

    Raises
    ------
    TypeError
        If an item is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If a Map cannot be segmented (see `segment_coronal_holes`), a channel has no Map or several, or the Maps of an
        exposure set are more than ten minutes apart or were taken from different places.
    `~sunpy_scss.exceptions.ModelError`
        If there is no such model, it does not draw that boundary, or gives values that are not probabilities.

    Examples
    --------
    >>> from sunpy_scss import segment_feature
    >>> from sunpy_scss.images import example_map
    >>> mask = segment_feature(example_map(193), model="scss-ch-193-5")
    >>> mask.meta["SCSSFEAT"], mask.meta["CONTENT"]
    ('CH', 'coronal hole mask')
    """
    model = load_model(model).at(boundary)
    card = model.card
    made = replace(
        mask_provenance(card, threshold=threshold, min_area=min_area, disk_median=disk_median, samples=samples),
        content=f"{card.feature_in_words} mask",
    )
    threshold = made.threshold
    exposure_sets, alone = _exposure_sets(smaps, card)
    history = (
        f"sunpy_scss: {card.feature_in_words}s by {card.name}\n"
        f"threshold={threshold:g}, min_area={min_area:g}, samples={samples}"
    )
    results = [
        make_mask(found.mask(threshold, min_area), found.smap, replace(made, **found.facts_of_image()), history=history)
        for found in _predictions(exposure_sets, model, disk_median, samples)
    ]
    return results[0] if alone else results


def predict_probability(
    smap: GenericMap | MapSequence | Sequence[GenericMap],
    *,
    model: str | os.PathLike | Model | None = None,
    boundary: str | float | None = None,
    disk_median: u.Quantity | None = None,
    samples: int = 1,
) -> _OneOrList:
    """
    Return the probability of the feature of a model in each pixel of a Map.

    Parameters
    ----------
    smap : sunpy.map.GenericMap, sunpy.map.MapSequence or list of sunpy.map.GenericMap
        As for `segment_coronal_holes`.
    model : str, path-like or sunpy_scss.models.Model
        One of `sunpy_scss.list_models`, the folder of a model of your own, or a model.
    boundary : str or float, optional
        The outline, of those that the model draws, for which the probability to be inside is returned.
    disk_median : astropy.units.Quantity, optional
        As for `segment_coronal_holes`.
    samples : int, optional
        The number of variants of the image to average over, up to eight: the image itself, mirrored east-west,
        north-south and both, and the same four shifted by five pixels of the network's grid. The time grows with their
        number. `predict_spread` tells how far the variants differ.

    Returns
    -------
    sunpy.map.GenericMap or list of sunpy.map.GenericMap
        float32 in [0, 1], 0 off the disc and NaN where the image has no data on it, on the WCS of ``smap``.

    Raises
    ------
    TypeError
        If ``smap`` is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the Map holds no image, is not helioprojective, or its header or limb is wrong.
    `~sunpy_scss.exceptions.ModelNotFoundError`
        If there is no such model.

    Examples
    --------
    >>> from sunpy_scss import predict_probability
    >>> from sunpy_scss.images import example_map
    >>> probability = predict_probability(example_map(193), model="scss-ch-193-5")
    >>> float(probability.max()) <= 1
    True
    """
    return _predict(smap, model, boundary, disk_median, samples, "probability", _Prediction.probability)


def predict_spread(
    smap: GenericMap | MapSequence | Sequence[GenericMap],
    *,
    model: str | os.PathLike | Model | None = None,
    boundary: str | float | None = None,
    disk_median: u.Quantity | None = None,
    samples: int = 8,
) -> _OneOrList:
    """
    Return the standard deviation of the probability of each pixel over variants of the image.

    The variants show the same Sun to the network in another way. Where its answers differ it is not sure, even if the
    probability is not near 0.5. The standard deviation is a lower bound of the uncertainty: an error that all variants
    share, such as a filament taken for a hole, does not add to it.

    Parameters
    ----------
    smap : sunpy.map.GenericMap, sunpy.map.MapSequence or list of sunpy.map.GenericMap
        As for `segment_coronal_holes`.
    model : str, path-like or sunpy_scss.models.Model
        One of `sunpy_scss.list_models`, the folder of a model of your own, or a model.
    boundary : str or float, optional
        The outline, of those that the model draws, for which the probability to be inside is returned.
    disk_median : astropy.units.Quantity, optional
        As for `segment_coronal_holes`.
    samples : int, optional
        The number of variants of the image, as in `predict_probability`; from 2 to 8.

    Returns
    -------
    sunpy.map.GenericMap or list of sunpy.map.GenericMap
        float32 from 0 to 0.5, the standard deviation of the probability over the variants; 0 off the disc and NaN
        where the image has no data on it; on the WCS of ``smap``.

    Raises
    ------
    ValueError
        If ``samples`` is not between 2 and 8.
    TypeError
        If ``smap`` is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If the Map holds no image, is not helioprojective, or its header or limb is wrong.
    `~sunpy_scss.exceptions.ModelNotFoundError`
        If there is no such model.

    Examples
    --------
    >>> from sunpy_scss import predict_spread
    >>> from sunpy_scss.images import example_map
    >>> spread = predict_spread(example_map(193), model="scss-ch-193-5", samples=2)
    >>> bool(0 < spread.max() <= 0.5)
    True
    """
    check_count(samples, "samples", least=2, most=len(_VARIANTS))
    return _predict(smap, model, boundary, disk_median, samples, "probability spread", _Prediction.spread)


def _predict(smap, model, boundary, disk_median, samples, quantity, on_pixels):
    """Return a Map of the values that ``on_pixels`` makes of each `_Prediction`."""
    check_count(samples, "samples", least=1, most=len(_VARIANTS))
    model = load_model(_model_for(smap, boundary) if model is None else model).at(boundary)
    exposure_sets, alone = _exposure_sets(smap, model.card)
    content = f"{model.card.feature_in_words} {quantity}"
    sure, maybe = model.card.area_levels
    made = replace(_provenance(model.card, disk_median, samples), content=content, sure=sure, maybe=maybe)
    results = [
        make_map(
            on_pixels(found),
            found.smap,
            replace(made, **found.facts_of_image()),
            history=f"sunpy_scss: {content} by {model.card.name}\nsamples={samples}",
        )
        for found in _predictions(exposure_sets, model, disk_median, samples)
    ]
    return results[0] if alone else results


def _model_for(smaps, boundary):
    """Return the bundled model for the one feature that the wavelength of all Maps shows."""
    maps = _listed(smaps)
    for smap in maps:
        check_map(smap)
    found = {feature_at(angstroms(smap)) for smap in maps}
    if len(found) == 1 and (feature := found.pop()):
        return default_model(feature, boundary)
    msg = "The wavelengths do not tell which feature to look for; give the model, one of sunpy_scss.list_models()."
    raise InvalidMapError(msg)


def _exposure_sets(smaps, card):
    """Return the checked Maps of each exposure set in the order of the channels, and True if there is one set only."""
    listed = _listed(smaps)
    alone = isinstance(smaps, GenericMap)
    if len(card.channels) > 1 and listed and all(isinstance(one, GenericMap) for one in listed):
        listed, alone = [listed], True
    return [maps_of_channels(maps, card) for maps in listed], alone


def _listed(smaps):
    return list(smaps) if isinstance(smaps, MapSequence | list | tuple) else [smaps]


# Maps are prepared and predicted in groups of this many, so that a long list needs the memory of one group only.
_BATCH = 8
# Steps along rows and columns (-1 mirrors) and shift in pixels, by which the pooling sees other phases of the image.
_VARIANTS = [(rows, columns, shift) for shift in (0, 5) for rows in (1, -1) for columns in (1, -1)]


@dataclass(frozen=True)
class _Prediction:
    """The Map of the first channel, and the network's answer for each variant, (samples, size, size) canonical."""

    smap: GenericMap
    model: Model
    network_input: NetworkInput
    variants: np.ndarray

    def probability(self):
        return self._where_seen(self.model.card.calibrated(self._to_pixels(from_canonical, self._mean())))

    def spread(self):
        spread = self.model.card.calibrated(self.variants).std(axis=0)
        return self._where_seen(self._to_pixels(from_canonical, spread))

    def _where_seen(self, values):
        """Return the values with NaN on the disc where the image has no data."""
        missing = self.network_input.missing
        if missing is None:
            return values
        rows, columns = self.network_input.frame.disk_slices()
        on_disk = self.network_input.frame.radius(*np.ogrid[rows, columns]) <= 1
        values[rows, columns][missing[rows, columns] & on_disk] = np.nan
        return values

    def _mean(self):
        return self.variants.mean(axis=0, dtype=float)

    def _to_pixels(self, bring, values, **options):
        return bring(values, self.network_input.frame, self.model.card.grid, **options)

    def mask(self, threshold, min_area):
        # Values are interpolated and averaged before calibration, so that masks do not depend on the temperature.
        raw = float(self.model.card.uncalibrated(threshold))
        mask = self._to_pixels(above_threshold, self._mean(), threshold=raw)
        if self.network_input.missing is not None:
            mask &= ~self.network_input.missing
        least = (min_area / self.smap.rsun_meters**2).to_value(u.dimensionless_unscaled)
        return remove_small_regions(mask, surface_of(self.smap), least)

    def facts_of_image(self):
        """Return the fields of a provenance that the image decides."""
        channels = self.network_input.channels
        return {
            "seen": round(self.network_input.seen, 4),
            "medians": tuple(channel.disk_median for channel in channels),
            "scales": tuple(channel.scale if channel.rescaled else None for channel in channels),
        }


def mask_provenance(card, *, threshold=None, min_area, disk_median=None, samples=1):
    """
    Return the provenance that all masks of a model with these settings have in common.

    Parameters
    ----------
    card : sunpy_scss.models.ModelCard
        The card at the boundary of the masks.
    threshold, min_area, disk_median, samples
        As for `segment_feature`.

    Returns
    -------
    sunpy_scss._provenance.Provenance

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """
    threshold = check_number(card.threshold if threshold is None else threshold, "threshold", above=0, below=1)
    check_area(min_area, "min_area")
    check_count(samples, "samples", least=1, most=len(_VARIANTS))
    made = _provenance(card, disk_median, samples)
    return replace(made, threshold=float(threshold), min_area=float(min_area.to_value(u.Mm**2)))


def _provenance(card, disk_median, samples):
    given = () if disk_median is None else disk_median if np.ndim(disk_median) else [disk_median]
    return Provenance.new(
        feature=card.feature,
        method=card.name,
        weights=card.sha256[:12] or None,
        labels=card.labels,
        boundary=card.boundaries[0].name if card.boundaries else None,
        samples=int(samples),
        given_medians=tuple(map(str, given)),
        temperature=card.temperature,
        # The mask has the wavelength of the first channel.
        wavelengths=(None, *(channel.wavelength for channel in card.channels[1:])),
    )


def _predictions(exposure_sets, model, disk_median, samples):
    """Yield a `_Prediction` for each exposure set; they are made in groups, on which networks are fastest."""
    for start in range(0, len(exposure_sets), _BATCH):
        group = exposure_sets[start : start + _BATCH]
        inputs = [network_input(maps, model.card, disk_median=disk_median) for maps in group]
        variants = _variants(model, np.stack([one.image for one in inputs]), samples)
        for number, (maps, prepared) in enumerate(zip(group, inputs, strict=True)):
            yield _Prediction(maps[0], model, prepared, variants[:, number])


def _variants(model, images, samples):
    """Return predictions for variants of images (n, size, size, channels), turned back: (samples, n, size, size)."""
    found = []
    for rows, columns, shift in _VARIANTS[:samples]:
        variant = np.roll(images, shift, axis=(1, 2))[:, ::rows, ::columns]
        found.append(np.roll(_predicted(model, variant)[:, ::rows, ::columns, 0], -shift, axis=(1, 2)))
    return np.stack(found)


def _predicted(model, images):
    """Return predictions for images (n, size, size, channels), checked as probabilities: (n, size, size, 1)."""
    found = np.asarray(model.predict(images))
    rounding = 1e-6
    if found.shape != (*images.shape[:3], 1):
        msg = f"{model.card.name} must give an array of the shape {(*images.shape[:3], 1)} (got {found.shape})."
        raise ModelError(msg)
    if not ((found >= -rounding) & (found <= 1 + rounding)).all():
        low, high = found.min(), found.max()
        msg = f"{model.card.name} must give probabilities, from 0 to 1 (got values from {low:g} to {high:g})."
        raise ModelError(msg)
    return found
