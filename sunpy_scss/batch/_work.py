"""The work on one image, in this process or another."""

import errno
import inspect
import pickle
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import zip_longest

import astropy.units as u

from sunpy_scss._features import FEATURES, default_model, feature_at
from sunpy_scss._provenance import Provenance
from sunpy_scss.batch._inputs import fingerprint, forget_ahead, local_file, read_ahead, same_image
from sunpy_scss.batch._outcome import Outcome, Result
from sunpy_scss.batch._table import region_rows
from sunpy_scss.batch._targets import origin_of
from sunpy_scss.canonical._intensity import angstroms
from sunpy_scss.canonical._quality import flaws
from sunpy_scss.exceptions import InvalidMapError, OutputExistsError
from sunpy_scss.images._image import read_image
from sunpy_scss.segment._predict import (
    predict_probability,
    segment_active_regions,
    segment_coronal_holes,
    segment_feature,
)

__all__ = ["SEGMENT", "Job", "feature_shown"]

SEGMENT = {"CH": segment_coronal_holes, "AR": segment_active_regions}
# After one of these, every later file would fail, too.
_STOPS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_FULL = ("no space left", "not enough space", "disk quota exceeded", "read-only file system")
# These pass: a disk or a network that is away for a while.
_PASSES = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET, errno.ENETUNREACH, errno.EHOSTUNREACH}
_ATTEMPTS = 4
# Warnings are caught for the whole process, and matplotlib is not safe with the threads of dask workers.
_ONE_AT_A_TIME = threading.Lock()


class _FlaggedError(InvalidMapError):
    """The image is from one of the bad moments of the instrument."""


@dataclass(frozen=True)
class Job:
    """
    The work to do on each `Item`: a callable that takes one and returns a `Result`.

    Attributes
    ----------
    target : object
        The target to write to.
    settings : dict
        For each feature, the `Provenance` that its masks share.
    options : dict
        Keywords for the functions that segment.
    several : bool
        True if the wavelength of each image decides the feature.
    overwrite, flagged, header, prepare
        As in `sunpy_scss.batch.BatchOptions`.
    """

    target: object
    settings: dict
    options: dict
    several: bool
    overwrite: bool
    flagged: bool
    header: dict
    prepare: object

    def __call__(self, item):
        start = time.perf_counter()
        if self.prepare:
            self.prepare()
        with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = self._tried(item)
        caveats = tuple(dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning)))
        seconds = round(time.perf_counter() - start, 3)
        return replace(result, outcome=replace(result.outcome, caveats=caveats, seconds=seconds))

    def each(self, items):
        """Yield the results of items. The file of the next one is read during the work on each."""
        with ThreadPoolExecutor(1) as reader:
            try:
                for item, following in zip_longest(items, items[1:]):
                    if following is not None and following.made is None:
                        read_ahead(following.path, reader)
                    yield self(item)
            finally:
                forget_ahead()

    def differs(self, made):
        """Return True if a mask was made with other settings than those for its feature."""
        return made.feature in self.settings and not self.settings[made.feature].same_settings(made)

    def _tried(self, item):
        for attempt in range(_ATTEMPTS):
            try:
                with local_file(item.path) as file:
                    return self._work(item, file)
            except Exception as error:
                if attempt + 1 < _ATTEMPTS and _passes(error):
                    time.sleep(2**attempt)
                    continue
                if self.overwrite:
                    self.target.discard(item, self.settings)
                outcome = Outcome(item.path, error=_portable(error), flagged=isinstance(error, _FlaggedError))
                return Result(outcome, stops=_stops(error))

    def _work(self, item, file):
        """Write the files that are missing for an image."""
        target, made, smap, mask = self.target, item.made, None, None
        if made is not None and not same_image(item.path, made.source or ""):
            # The mask is made anew if another version has replaced the image.
            smap, made = read_image(file, self.header), None
            _check_same_time(smap, target.load(item), target.path)
        is_new = made is None
        if is_new:
            smap = read_image(file, self.header) if smap is None else smap
            mask = self.mask(smap, item)
            target.save(item, mask)
            made = Provenance.of(mask)
        missing, kept = target.extras(item, made, anew=is_new)
        name, origin = target.names(item, [made.feature])[0], origin_of(made)
        measured = item.measured is None or item.measured.get(name) == origin
        if missing or not measured:
            smap = read_image(file, self.header) if smap is None else smap
            mask = target.load(item) if mask is None else mask
        for extra in missing:
            target.save_extra(extra, self, smap, mask)
        rows = None if measured else region_rows(mask, name, image=smap)
        files = (target.file(item, made),)
        outcome = Outcome(item.path, (*files[:is_new], *missing), (*files[is_new:], *kept))
        if not is_new:
            return Result(outcome, name, origin, rows)
        header = {key.upper(): value for key, value in mask.meta.items()}
        return Result(outcome, name, origin, rows, header, round(mask.coordinate_frame.obstime.utc.unix * 1000))

    def mask(self, smap, item):
        """Return the mask of an image; its header has all that a later run needs to know."""
        feature = feature_shown(smap, tuple(FEATURES) if self.several else tuple(self.settings))
        if feature not in self.settings:
            msg = f"its wavelength shows {FEATURES[feature].name}s, which the model does not find"
            raise InvalidMapError(msg)
        if not self.flagged and (reasons := flaws(smap)):
            msg = f"left out: {'; '.join(reasons)}"
            raise _FlaggedError(msg)
        mask = SEGMENT.get(feature, segment_feature)(smap, **self.options)
        made = Provenance(source=fingerprint(item.path), mended=self.settings[feature].mended)
        mask.meta.update(made.keywords())
        return mask

    def probability(self, smap, mask):
        """Return the probability Map of a mask, from the same model and variants."""
        known = inspect.signature(predict_probability).parameters
        options = {name: value for name, value in self.options.items() if name in known}
        made = Provenance.of(mask)
        options["model"] = options.get("model") or default_model(made.feature, options.get("boundary"))
        probability = predict_probability(smap, **options)
        probability.meta.update(Provenance(source=made.source, mended=made.mended).keywords())
        return probability


def feature_shown(smap, features):
    """Return the one of several features that the wavelength of a Map shows."""
    if len(features) == 1:
        return features[0]
    feature = feature_at(angstroms(smap))
    if feature is None:
        known = "unknown" if smap.wavelength is None else smap.wavelength
        msg = f"its wavelength is {known}; say which feature to look for"
        raise InvalidMapError(msg)
    return feature


def _check_same_time(smap, mask, path):
    if abs(smap.date - mask.date) > 1 * u.ms:
        problem = (
            f"{path} has a mask of this name that belongs to another image, of {mask.date.isot}, not of "
            f"{smap.date.isot}."
        )
        raise OutputExistsError(
            problem,
            "To replace it, pass overwrite=True; or choose another output.",
            in_shell="To replace it, pass --overwrite; or choose another output.",
        )


def _passes(error):
    """Return True if another attempt may succeed."""
    return any(
        isinstance(one, ConnectionError | TimeoutError) or getattr(one, "errno", None) in _PASSES
        for one in _causes(error)
    )


def _stops(error):
    """Return True if nothing more can be written, whatever the library that raised the error calls it."""
    return any(
        getattr(one, "errno", None) in _STOPS or any(sign in str(one).lower() for sign in _FULL)
        for one in _causes(error)
    )


def _causes(error):
    """Yield an error, then its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _portable(error):
    """Return an error that survives the way from one process to another."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
