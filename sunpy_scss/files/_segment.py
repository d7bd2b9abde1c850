"""Masks of many image files: stopped at any moment and gone on with later, here or on many machines."""

from __future__ import annotations

import errno
import inspect
import json
import os
import pickle
import platform
import threading
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

import astropy.units as u
from astropy.time import Time

from sunpy_scss._features import FEATURES, default_model, feature_at
from sunpy_scss._provenance import Provenance
from sunpy_scss._save import save_text
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.files._catalogue import Catalogue
from sunpy_scss.files._inputs import find_images, fingerprint, local_file
from sunpy_scss.files._outcome import Item, Outcome, Result
from sunpy_scss.files._outputs import make_target
from sunpy_scss.files._workers import WorkerError, processors, work_on
from sunpy_scss.images._intensity import angstroms
from sunpy_scss.images._moments import bad_moments
from sunpy_scss.models._store import load_model
from sunpy_scss.segment._predict import (
    mask_provenance,
    predict_probability,
    segment_active_regions,
    segment_coronal_holes,
    segment_feature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from distributed import Client

    from sunpy_scss.files._inputs import Inputs

__all__ = ["SEGMENT", "feature_shown", "segment_files"]

SEGMENT = {"CH": segment_coronal_holes, "AR": segment_active_regions}
# Whose versions decide results.
_PACKAGES = ("sunpy_scss", "sunpy", "astropy", "numpy", "scipy")
# No file after the one that met these would fare better.
_STOPS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
# These pass: a disc or a network that is away for a while.
_PASSES = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET, errno.ENETUNREACH, errno.EHOSTUNREACH}
_ATTEMPTS = 4
# Warnings are caught for the whole process, and matplotlib is not made for threads, of which workers of dask have some.
_ONE_AT_A_TIME = threading.Lock()


def segment_files(
    inputs: Inputs,
    output: str | os.PathLike,
    *,
    features: Sequence[str] = tuple(FEATURES),
    cadence: u.Quantity | None = None,
    source: str = "synoptic",
    plot: str | None = None,
    dpi: float | None = None,
    probability: bool = False,
    regions: bool = False,
    flagged: bool = False,
    overwrite: bool = False,
    jobs: int | None = 1,
    client: Client | None = None,
    notify: Callable[[Outcome], object] | None = None,
    **options: Any,
) -> list[Outcome]:
    """
    Segment many images and write their masks.

    Interrupted or killed at any moment, the same call goes on where it stopped: every file is written whole or not
    at all, and what is finished is kept. A file that fails is told of and stops nothing.

    Parameters
    ----------
    inputs : str, path-like, sunpy.time.TimeRange, astropy.table.QTable, sunpy.net.fido_factory.UnifiedResponse or list
        Image files, folders, patterns such as ``"2017/*.fits"``, addresses that fsspec knows
        (``"s3://bucket/2017/*.fits"``), or several of these; what Fido or `~sunpy_scss.images.search_aia` found, what
        ``Fido.fetch`` returned; or a stretch of time.
    output : path-like
        A folder, made where missing: the mask of ``NAME.fits`` is ``NAME_ch.fits`` or ``NAME_ar.fits``. Or a Zarr
        store, ``NAME.zarr``, of the masks of one feature as an array (time, y, x); see `mask_at`.
    features : sequence of str, optional
        ``"CH"``, ``"AR"``; of several, each image gets the one that its wavelength shows. A model of another feature
        finds that one.
    cadence : astropy.units.Quantity, optional
        How far apart images of a stretch of time are.
    source : str, optional
        The archive to download them from, as for `~sunpy_scss.images.search_aia`.
    plot : str, optional
        Also draw the outline on the image, as a picture of this kind: ``"png"``, ``"pdf"`` or ``"svg"``.
    dpi : float, optional
        Pixels for each inch of a picture.
    probability : bool, optional
        Also write the probability Map, as ``NAME_ch_probability.fits``.
    regions : bool, optional
        Also write the regions of all masks, the rows of `~sunpy_scss.masks.region_table` with intensities, as one
        Parquet table: ``regions.parquet`` in the folder, or ``NAME_regions.parquet`` beside a store.
    flagged : bool, optional
        Segment images of AIA's bad moments, too: eclipses, calibrations, rolls, off-points, and what its team flagged.
        By default they are told of and get no mask.
    overwrite : bool, optional
        Replace files that are there; by default they are kept.
    jobs : int or None, optional
        Processes to work in; None takes as many as there are processors, where there are enough images for it. A
        script that asks for several must start under ``if __name__ == "__main__":``.
    client : distributed.Client, optional
        Work on the workers of dask instead, which must see the same files.
    notify : callable, optional
        Called with each `Outcome` as it is known.
    **options
        For `sunpy_scss.segment_coronal_holes`, `sunpy_scss.segment_active_regions` or `sunpy_scss.segment_feature`.

    Returns
    -------
    list of Outcome
        One for each image, in their order. The same is in ``segment_report.json`` in the folder, or
        ``NAME_report.json`` beside a store, with the settings, versions and times.

    Raises
    ------
    FileExistsError
        If masks are there that were made with other settings, or another run works on the same output.
    OSError
        If the output cannot be made or written, or the disc is full: what is finished stays.
    ValueError, TypeError
        If there are no images, or the options do not fit; before anything is done.
    `~sunpy_scss.exceptions.ArchiveError`
        If images cannot be downloaded.

    Examples
    --------
    >>> from sunpy_scss.files import segment_files
    >>> outcomes = segment_files("2017/*.fits", "masks", jobs=4, regions=True)  # doctest: +SKIP
    >>> [outcome.failure for outcome in outcomes if outcome.error]  # doctest: +SKIP
    """
    features = _features_of(options.get("model"), features)
    settings = _settings(features, options)
    target = make_target(output, plot=plot, dpi=dpi, probability=probability)
    job = _Job(target, settings, options, several=len(features) > 1, overwrite=overwrite, flagged=flagged)
    with _only_run(target):
        started = time.time()
        paths = find_images(inputs, target.images, features=features, cadence=cadence, source=source)
        catalogue = Catalogue(target.catalogue) if regions else None
        items, outcomes = _items(paths)
        items = target.prepare(items, job, catalogue)
        jobs = jobs or _worth_it(len(items))
        try:
            for outcome in list(outcomes.values()) if notify else ():
                notify(outcome)
            for item, result in _with_progress(work_on(items, job, jobs=jobs, client=client), len(items)):
                outcomes[item.number] = _take(item, result, target, catalogue)
                if notify:
                    notify(outcomes[item.number])
                if getattr(outcomes[item.number].error, "errno", None) in _STOPS:
                    raise outcomes[item.number].error
        finally:
            target.close()
            if catalogue:
                catalogue.close()
            _write_report(target.report, outcomes, paths, started, settings)
    return [outcomes[number] for number in range(len(paths))]


class _FlaggedError(InvalidMapError):
    """The image is from one of the bad moments of the instrument."""


@dataclass(frozen=True)
class _Job:
    """What to do with each `Item`, in this process or another; called with one it returns a `Result`."""

    target: object
    settings: dict
    options: dict
    several: bool
    overwrite: bool
    flagged: bool

    def __call__(self, item):
        start = time.perf_counter()
        with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = self._tried(item)
        caveats = tuple(dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning)))
        return replace(
            result, outcome=replace(result.outcome, caveats=caveats, seconds=round(time.perf_counter() - start, 3))
        )

    def _tried(self, item):
        for attempt in range(_ATTEMPTS):
            try:
                with local_file(item.path) as file:
                    return self.target.work(self, item, file)
            except Exception as error:
                if attempt + 1 < _ATTEMPTS and _passes(error):
                    time.sleep(2**attempt)
                    continue
                outcome = Outcome(item.path, error=_portable(error), flagged=isinstance(error, _FlaggedError))
                return Result(outcome)

    def mask(self, smap, item):
        """The mask of an image, with what a later run has to know in its header."""
        feature = feature_shown(smap, tuple(FEATURES) if self.several else tuple(self.settings))
        if feature not in self.settings:
            msg = f"its wavelength shows {FEATURES[feature].name}s, which the model does not find"
            raise InvalidMapError(msg)
        if not self.flagged and (reasons := bad_moments(smap)):
            msg = f"left out: {'; '.join(reasons)}"
            raise _FlaggedError(msg)
        mask = SEGMENT.get(feature, segment_feature)(smap, **self.options)
        mask.meta.update(Provenance(source=fingerprint(item.path)).keywords())
        return mask

    def probability(self, smap, mask):
        """What a mask was made of, by the same model and variants."""
        known = inspect.signature(predict_probability).parameters
        options = {name: value for name, value in self.options.items() if name in known}
        options["model"] = options.get("model") or default_model(Provenance.of(mask).feature, options.get("boundary"))
        return predict_probability(smap, **options)


def feature_shown(smap, features):
    """Of several features the one that the wavelength of a Map shows."""
    if len(features) == 1:
        return features[0]
    feature = feature_at(angstroms(smap))
    if feature is None:
        known = "unknown" if smap.wavelength is None else smap.wavelength
        msg = f"its wavelength is {known}; say which feature to look for"
        raise InvalidMapError(msg)
    return feature


def _features_of(model, features):
    """The features to look for; unless they are named, that of a model alone which finds another than those."""
    if model is not None and tuple(features) == tuple(FEATURES):
        feature = load_model(model).card.feature
        if feature not in FEATURES:
            return (feature,)
    return features


def _is_for(feature, options):
    """Whether the options that name a model or a boundary can be meant for a feature, of several."""
    model, boundary = options.get("model"), options.get("boundary")
    card = load_model(model or default_model(feature, boundary)).card
    return card.feature == feature and (boundary is None or boundary in [one.name for one in card.boundaries])


def _settings(features, options):
    """Return for each feature the provenance that its masks have in common; wrong options are an error."""
    found = {}
    for feature in features:
        if len(features) > 1 and not _is_for(feature, options):
            continue
        segment = SEGMENT.get(feature, segment_feature)
        segment([], **options)  # checks them as it would for an image
        defaults = inspect.signature(segment).parameters.values()
        values = {one.name: one.default for one in defaults if one.kind is one.KEYWORD_ONLY} | options
        card = load_model(values["model"] or default_model(feature, values["boundary"])).at(values["boundary"]).card
        others = {name: value for name, value in values.items() if name not in ("model", "boundary")}
        found[feature] = mask_provenance(card, **others)
    if not found:
        SEGMENT[features[0]]([], **options)  # which says what is wrong with model or boundary
    return found


@contextmanager
def _only_run(target):
    """Hold the output for one run."""
    target.lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.lock, timeout=0):
            yield
    except Timeout as error:
        msg = f"Another run works on {target.path}: let it finish, or give this one an output of its own."
        raise FileExistsError(msg) from error


def _items(paths):
    """Images to work on, and the outcomes of those whose results would have the name of another's."""
    items, outcomes, stems = [], {}, set()
    for number, path in enumerate(paths):
        item = Item(number, path)
        if item.stem in stems:
            msg = f"another file of this run is also called {item.stem}; give them folders of their own"
            outcomes[number] = Outcome(path, error=FileExistsError(msg))
        else:
            items.append(item)
        stems.add(item.stem)
    return items, outcomes


def _worth_it(images):
    """How many processes are worth it: each takes some seconds to start."""
    return max(1, min(processors(), images // 32))


def _with_progress(results, total):
    # Shown on a terminal only, with the rate and the time that is left.
    return tqdm(results, total=total, unit="file", disable=None, smoothing=0.05)


def _take(item, result, target, catalogue):
    """The outcome of an item; what else came with it is kept in its place."""
    if isinstance(result, WorkerError):
        return Outcome(item.path, error=result)
    target.note(item, result)
    if catalogue is not None and result.rows is not None:
        catalogue.add(target.name_of(item, result), result.rows)
    return result.outcome


def _passes(error):
    """Whether something else may come of another attempt."""
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError) or getattr(error, "errno", None) in _PASSES:
            return True
        error = error.__cause__
    return False


def _portable(error):
    """An error that comes whole from one process to another."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")


def _write_report(path, outcomes, paths, started, settings):
    """What became of each image, for programs."""
    known = [outcomes[number] for number in sorted(outcomes)]
    report = {
        "started": Time(started, format="unix").isot,
        "seconds": round(time.time() - started, 3),
        "complete": len(known) == len(paths),
        "images": len(paths),
        **Counter(outcome.status for outcome in known),
        "settings": {feature: one.settings for feature, one in settings.items()},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "files": [
            {
                "path": str(outcome.path),
                "status": outcome.status,
                "reason": outcome.failure if outcome.error else None,
                "caveats": outcome.caveats,
                "seconds": outcome.seconds,
                "files": [str(file) for file in (*outcome.written, *outcome.kept)],
            }
            for outcome in known
        ],
    }
    save_text(json.dumps(report, indent=1), path)
