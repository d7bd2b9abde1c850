"""Files, folders, patterns and addresses: the images that a batch works on."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import tempfile
import threading
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sunpy_scss.exceptions import NoImageError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    Inputs = str | os.PathLike | Iterable[str | os.PathLike]

__all__ = ["find_images", "fingerprint", "forget_ahead", "local_file", "name_of", "read_ahead", "same_image", "stem_of"]

_ENDING = re.compile(r"\.(fits|fit|fts|asdf|jp2)(\.(gz|bz2|fz))?$", re.IGNORECASE)

# Suffixes of browse images. Folders are not searched for these, because pictures of masks lie there, too.
_PICTURE = re.compile(r"\.(jpg|jpeg|png)$", re.IGNORECASE)


def find_images(inputs: Inputs) -> list[str]:
    """
    Return the images that the inputs name, each once and always in the same order.

    Parameters
    ----------
    inputs : str, path-like or iterable of str
        A file, a folder (all images in it and below), a pattern such as ``"2017/*.fits"``, an address or a pattern in a
        store that fsspec knows (``"s3://bucket/2017/*.fits"``), or several of these. What ``Fido.fetch`` and
        `sunpy_scss.images.fetch` return is such a list.

    Returns
    -------
    list of str
        Paths and addresses. A named file that does not exist is among them, and so is a pattern or a folder without
        images beside others: it fails when it is read.

    Raises
    ------
    `~sunpy_scss.exceptions.NoImageError`
        If nothing is found: the folder, list or pattern is empty.

    Examples
    --------
    >>> from sunpy_scss.batch import find_images
    >>> find_images(["day1.fits", "day2.fits", "day1.fits"])
    ['day1.fits', 'day2.fits']
    """
    several = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
    files = {name: _files_of(name) for name in map(os.fspath, several)}
    if not any(files.values()):
        msg = f"There is no image to work on in {several}."
        raise NoImageError(msg)
    return list(dict.fromkeys(file for name, found in files.items() for file in found or [name]))


def _files_of(name):
    """Return the files of a name, which may be a folder or a pattern."""
    if "://" in name:
        import fsspec

        if not glob.has_magic(name):
            return [name]
        system, _, _ = fsspec.get_fs_token_paths(name)
        return [system.unstrip_protocol(path) for path in sorted(system.glob(name))]
    if Path(name).is_dir():
        found = (path for path in Path(name).rglob("*") if _ENDING.search(path.name) and path.is_file())
        return sorted(map(str, found))
    found = sorted(glob.glob(name, recursive=True))
    return found if found or (glob.has_magic(name) and not Path(name).exists()) else [name]


def name_of(path):
    """Return the name of a path or address without its folder."""
    return PurePosixPath(path).name if "://" in path else Path(path).name


def stem_of(path):
    """Return the name of an image without the suffix of its format."""
    return _PICTURE.sub("", _ENDING.sub("", name_of(path)))


# For each address that is read ahead, its download, under way or done. Every thread has its own.
_ahead = threading.local()


@contextmanager
def local_file(path):
    """Yield a local file of a path or address, for as long as it is used."""
    if "://" not in path:
        yield Path(path)
        return
    download = vars(_ahead).pop(path, None)
    with download.result() if download else _download(path) as name:
        yield Path(name, name_of(path))


def read_ahead(path, reader):
    """Let an executor read the next image: a file into the cache of the system, an address onto this machine."""
    if "://" in path:
        vars(_ahead)[path] = reader.submit(_download, path)
    else:
        reader.submit(fingerprint, path)


def forget_ahead():
    """Remove the downloads that are no longer needed."""
    while vars(_ahead):
        _, download = vars(_ahead).popitem()
        if not download.cancel() and not download.exception():
            download.result().cleanup()


def _download(path):
    """Return a folder with a copy of the file of an address."""
    import fsspec

    folder = tempfile.TemporaryDirectory()
    try:
        with fsspec.open(path, "rb") as remote, Path(folder.name, name_of(path)).open("wb") as local:
            shutil.copyfileobj(remote, local, 2**20)
    except BaseException as error:
        folder.cleanup()
        if not isinstance(error, FileNotFoundError):
            raise
        problem = f"{path} cannot be read: there is no such file."
        raise UnreadableFileError(problem) from error
    return folder


def fingerprint(path):
    """Return size, time of change and hash, by which a later run recognises an image; an address as it is."""
    return path if "://" in path else f"{(stamp := _stamp(path))} {_hash(path, stamp)}"


def same_image(path, known):
    """Return True if a file has a known fingerprint. It is read only if it was copied or changed since."""
    if "://" in path:
        return path == known
    stamp, _, content = known.rpartition(" ")
    return stamp == (now := _stamp(path)) or content == _hash(path, now)


def _stamp(path):
    facts = os.stat(path)
    return f"{facts.st_size} {facts.st_mtime_ns}"


@lru_cache(maxsize=64)  # the cache of files read ahead; the time stamp tells whether a file has changed since
def _hash(path, stamp):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
