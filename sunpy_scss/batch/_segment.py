"""Masks of many images, on one machine or many; the work can be stopped at any moment and resumed later."""

from __future__ import annotations

import inspect
import json
import platform
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from astropy.time import Time

from sunpy_scss._features import FEATURES, default_model
from sunpy_scss._save import save_text
from sunpy_scss.batch._inputs import find_images
from sunpy_scss.batch._options import BatchOptions
from sunpy_scss.batch._outcome import Item, Outcome
from sunpy_scss.batch._table import RegionTable
from sunpy_scss.batch._targets import make_target
from sunpy_scss.batch._work import SEGMENT, Job
from sunpy_scss.batch._workers import WorkerError, processors, work_on
from sunpy_scss.exceptions import ModelError, OutputInUseError
from sunpy_scss.models._store import load_model
from sunpy_scss.segment._predict import mask_provenance, segment_feature

if TYPE_CHECKING:
    import os

    from sunpy_scss.batch._inputs import Inputs

__all__ = ["segment_files"]

# Packages whose versions decide results.
_PACKAGES = ("sunpy_scss", "sunpy", "astropy", "numpy", "scipy")


def segment_files(inputs: Inputs, output: str | os.PathLike, *, options: BatchOptions | None = None) -> list[Outcome]:
    """
    Segment many images and write their masks.

    After an interruption at any moment, the same call resumes the work: every file is written whole or not at all, and
    finished files are kept. An image that fails is reported and does not stop the others.

    Parameters
    ----------
    inputs : str, path-like or iterable of str
        Images as `find_images` names them: files, folders, patterns, addresses that fsspec knows.
    output : path-like
        A folder, made if missing: the mask of ``NAME.fits`` is ``NAME_ch.fits`` or ``NAME_ar.fits``. Or a Zarr
        store, ``NAME.zarr``, of the masks of one feature as an array (time, y, x); see `mask_at`.
    options : BatchOptions, optional
        The settings of the masks, the files to write beside them, and the way of working.

    Returns
    -------
    list of Outcome
        One for each image, in their order. The same is in ``segment_report.json`` in the folder, or
        ``NAME_report.json`` beside a store, with the settings, versions and times.

    Raises
    ------
    FileExistsError
        If existing masks were made with other settings.
    `~sunpy_scss.exceptions.OutputInUseError`
        If another run works on the same output.
    OSError
        If the output cannot be made or written, or the disk is full. Finished files stay.
    `~sunpy_scss.exceptions.NoImageError`
        If there are no images.
    ValueError, TypeError, ImportError
        If the options are wrong, or need a package that is not installed. This is checked before any work.

    Examples
    --------
    >>> from sunpy_scss.batch import BatchOptions, segment_files
    >>> options = BatchOptions(jobs=4, regions=True)
    >>> outcomes = segment_files("2017/*.fits", "masks", options=options)  # doctest: +SKIP
    >>> [outcome.failure for outcome in outcomes if outcome.error]  # doctest: +SKIP
    """
    options = options or BatchOptions()
    if options.regions and find_spec("pyarrow") is None:
        msg = 'A table of regions needs pyarrow, which is not installed: pip install "sunpy_scss[archive]".'
        raise ImportError(msg)
    if options.prepare:
        options.prepare()
    features = _features_of(options)
    settings = _settings(features, options.of_masks, options.header)
    target = make_target(output, options, settings)
    same = {name: getattr(options, name) for name in ("overwrite", "flagged", "header", "prepare")}
    job = Job(target, settings, options.of_masks, len(features) > 1, **same)
    paths = find_images(inputs)
    with _only_run(target), _told_to_end():
        return _run(paths, target, job, options)


def _run(paths, target, job, options):
    """Do the work; whatever ends it, write the table and the report of the finished part."""
    started = time.time()
    items, outcomes = _items(paths)
    table = RegionTable(target.table) if options.regions else None
    items = target.prepare(items, job, table)
    notify = options.notify or (lambda outcome: None)
    results = work_on(items, job, jobs=options.jobs or _worth_it(len(items)), client=options.client)
    try:
        for outcome in outcomes.values():
            notify(outcome)
        # Shown only on a terminal, with the rate and the remaining time.
        for item, result in tqdm(results, total=len(items), unit="file", disable=None, smoothing=0.05):
            outcomes[item.number] = _take(item, result, target, table)
            notify(outcomes[item.number])
            if getattr(result, "stops", False):
                error = outcomes[item.number].error
                raise error if isinstance(error, OSError) else OSError(str(error)) from error
    finally:
        target.close()
        if table:
            table.close([name for item in items for name in target.names(item, job.settings)])
        _write_report(target.report, outcomes, paths, started, job.settings)
    return [outcomes[number] for number in range(len(paths))]


def _features_of(options):
    """Return the features to look for. A model of another feature decides it, unless features are named."""
    if options.model is not None and tuple(options.features) == tuple(FEATURES):
        feature = load_model(options.model).card.feature
        if feature not in FEATURES:
            return (feature,)
    return tuple(options.features)


def _is_for(feature, keywords):
    """Return True if the keywords that name a model or a boundary can be meant for this one of several features."""
    model, boundary = keywords.get("model"), keywords.get("boundary")
    model = load_model(model or default_model(feature, boundary))
    try:
        return model.at(boundary).card.feature == feature
    except ModelError:
        return False


def _settings(features, keywords, header):
    """Return for each feature the `Provenance` that its masks share; raise an error for wrong keywords."""
    mended = ", ".join(f"{key.upper()}={value}" for key, value in sorted(header.items())) or None
    found = {}
    for feature in features:
        if len(features) > 1 and not _is_for(feature, keywords):
            continue
        segment = SEGMENT.get(feature, segment_feature)
        segment([], **keywords)  # this checks the keywords as for an image
        defaults = inspect.signature(segment).parameters.values()
        values = {one.name: one.default for one in defaults if one.kind is one.KEYWORD_ONLY} | keywords
        card = load_model(values["model"] or default_model(feature, values["boundary"])).at(values["boundary"]).card
        named = ("threshold", "min_area", "disk_median", "samples")
        made = mask_provenance(card, **{name: values[name] for name in named})
        found[feature] = replace(made, mended=mended)
    if not found:
        SEGMENT[features[0]]([], **keywords)  # its error says what is wrong with model or boundary
    return found


@contextmanager
def _only_run(target):
    """Lock the output for one run."""
    target.lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.lock, timeout=0):
            yield
    except Timeout as error:
        msg = f"Another run works on {target.path}: let it finish, or give this one an output of its own."
        raise OutputInUseError(msg) from error


@contextmanager
def _told_to_end():
    """Let SIGTERM end the run as Ctrl-C does, with the finished part on record; 143 is the usual exit status."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _items(paths):
    """Return the images to work on, and failed outcomes of those whose results would have another's name."""
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
    """Return the number of processes that saves time: each takes some seconds to start."""
    return max(1, min(processors(), images // 32))


def _take(item, result, target, table):
    """Return the outcome of an item, and store the rest of its result."""
    if isinstance(result, WorkerError):
        return Outcome(item.path, error=result)
    if result.header is not None:
        target.note(item, result)
    if table is not None and result.rows is not None:
        table.add(result.name, result.origin, result.rows)
    return result.outcome


def _write_report(path, outcomes, paths, started, settings):
    """Write the outcome of each image, for programs to read."""
    known = [outcomes[number] for number in sorted(outcomes)]
    report = {
        "started": Time(started, format="unix").isot,
        "seconds": round(time.time() - started, 3),
        "complete": len(known) == len(paths),
        "images": len(paths),
        **Counter(outcome.status for outcome in known),
        "settings": {feature: made.settings for feature, made in settings.items()},
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
