"""Which images many inputs are: files, folders, patterns, results of Fido, stretches of time."""

from __future__ import annotations

import glob
import re
import tempfile
from contextlib import contextmanager
from os import fspath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

import astropy.units as u
from astropy.table import QTable
from sunpy.time import TimeRange

from sunpy_scss._features import FEATURES
from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import ArchiveError, MissingImageWarning, UnreadableFileError
from sunpy_scss.images._search import fetch, search_aia

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from astropy.time import Time
    from sunpy.net.fido_factory import UnifiedResponse

    Inputs = str | os.PathLike | TimeRange | QTable | UnifiedResponse | Sequence[str | os.PathLike]

__all__ = ["fetch_files", "find_images", "fingerprint", "local_file", "name_of", "stem_of"]

_ENDING = re.compile(r"\.(fits|fit|fts|asdf|jp2)(\.(gz|bz2|fz))?$", re.IGNORECASE)


def find_images(
    inputs: Inputs,
    folder: str | os.PathLike,
    *,
    features: Sequence[str] = tuple(FEATURES),
    cadence: u.Quantity | None = None,
    source: str = "synoptic",
) -> list[str]:
    """
    The images that inputs name, each once and always in the same order.

    Parameters
    ----------
    inputs : str, path-like, sunpy.time.TimeRange, astropy.table.QTable, sunpy.net.fido_factory.UnifiedResponse or list
        A file, a folder (all images in it and below), a pattern such as ``"2017/*.fits"``, either of them in a store
        that fsspec knows (``"s3://bucket/2017/*.fits"``), several of these, what Fido or
        `~sunpy_scss.images.search_aia` found, what Fido has downloaded, or a stretch of time.
    folder : path-like
        Where to download what is not there yet.
    features : sequence of str, optional
        Whose wavelengths to download for a stretch of time.
    cadence : astropy.units.Quantity, optional
        How far apart the images of a stretch of time are.
    source : str, optional
        The archive, as for `~sunpy_scss.images.search_aia`.

    Returns
    -------
    list of str
        Paths and addresses. A file that is named and is not there is among them; reading it tells.

    Raises
    ------
    ValueError
        If there is nothing: an empty folder or list, or a stretch of time without cadence.
    `~sunpy_scss.exceptions.ArchiveError`
        If an archive does not answer, or not with a single image.
    """
    if isinstance(inputs, TimeRange):
        found = _download(_moments(inputs, cadence), folder, features=features, source=source)
    elif isinstance(inputs, QTable):
        found = fetch(inputs, folder)
    elif hasattr(inputs, "all_colnames"):  # what Fido found; its class is slow to import
        found = _downloaded(_fetch_from_fido(inputs, folder))
    elif hasattr(inputs, "errors"):  # what Fido downloaded
        found = _downloaded(inputs)
    else:
        several = [inputs] if isinstance(inputs, str) or hasattr(inputs, "__fspath__") else inputs
        found = [file for one in several for file in _files_of(fspath(one))]
    if not found:
        msg = f"There is no image to work on in {inputs!r}."
        raise ValueError(msg)
    return list(dict.fromkeys(map(str, found)))


def _files_of(name):
    """The files of a name, which may be a folder or a pattern."""
    if "://" in name:
        import fsspec

        if not glob.has_magic(name):
            return [name]
        system, _, _ = fsspec.get_fs_token_paths(name)
        return [system.unstrip_protocol(path) for path in sorted(system.glob(name))]
    if Path(name).is_dir():
        return sorted(path for path in Path(name).rglob("*") if _ENDING.search(path.name) and path.is_file())
    return sorted(glob.glob(name, recursive=True)) or [name]


def _moments(times, cadence):
    if cadence is None:
        msg = "A stretch of time needs a cadence, as cadence=12 * u.hour."
        raise ValueError(msg)
    steps = (times.seconds / cadence).to_value(u.dimensionless_unscaled)
    return list(times.start + np.arange(int(steps) + 1) * cadence)


def fetch_files(
    times: Sequence[str | Time],
    folder: str | os.PathLike,
    *,
    features: Sequence[str] = tuple(FEATURES),
    **options: Any,
) -> list[Path]:
    """
    Download the AIA images nearest to some times.

    Parameters
    ----------
    times : list
    folder : path-like
        Files that are there are kept and not downloaded again.
    features : sequence of str, optional
        ``"CH"``, ``"AR"``.
    **options
        For `sunpy_scss.images.search_aia`.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If the archive does not answer, or has no image at all.
    """
    found = _search(times, features, **options)
    return fetch(found, folder)


def _search(times, features, **options):
    if unknown := [feature for feature in features if feature not in FEATURES]:
        msg = (
            f"Which images show {unknown[0]} is not known: download them first, as by sunpy-scss fetch, and give files."
        )
        raise ValueError(msg)
    found = search_aia(times, [FEATURES[feature].wavelength for feature in features] * u.AA, **options)
    if not len(found):
        msg = f"The archive has no image near {', '.join(map(str, times))}."
        raise ArchiveError(msg)
    return found


def _download(times, folder, *, features, source):
    """Images of many times; those that cannot be had are named, and found missing when they are to be read."""
    found = _search(times, features, source=source)
    try:
        return fetch(found, folder)
    except ArchiveError as error:
        paths = [Path(folder, str(name)) for name in found["file"]]
        if not any(path.exists() for path in paths):
            raise
        warn_caller(f"Some images could not be downloaded: {error}", MissingImageWarning)
        return paths


def _fetch_from_fido(results, folder):
    from sunpy.net import Fido

    # None of these is downloaded twice: parfive keeps the files that are there.
    return Fido.fetch(results, path=str(Path(folder, "{file}")), overwrite=False)


def _downloaded(files):
    """The files of a download of parfive; an error or a warning tells of those that failed."""
    if files.errors:
        failed = "; ".join(f"{error.url}: {error.exception}" for error in files.errors)
        if not files:
            msg = f"None of the images could be downloaded: {failed}"
            raise ArchiveError(msg)
        warn_caller(f"Some images could not be downloaded: {failed}", MissingImageWarning)
    return sorted(files)


def name_of(path):
    """The name of a path or address without its folder."""
    return PurePosixPath(path).name if "://" in path else Path(path).name


def stem_of(path):
    """The name of an image without what tells its format."""
    return _ENDING.sub("", name_of(path))


@contextmanager
def local_file(path):
    """The file of a path or address on this machine, for as long as it is used."""
    if "://" not in path:
        yield Path(path)
        return
    import fsspec

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name_of(path))
        try:
            with fsspec.open(path, "rb") as remote, file.open("wb") as local:
                while block := remote.read(2**20):
                    local.write(block)
        except FileNotFoundError as error:
            msg = f"{path} cannot be read: there is no such file."
            raise UnreadableFileError(msg) from error
        yield file


def fingerprint(path):
    """Name, size and time of change of a file: what tells without reading it that it is the one of an earlier run."""
    if "://" in path:
        return path
    facts = Path(path).stat()
    return f"{name_of(path)} {facts.st_size} {facts.st_mtime_ns}"
