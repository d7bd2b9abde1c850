"""Folders of labelled images."""

import glob
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

import astropy.units as u
from astropy.time import Time

from sunpy_scss._features import FEATURES
from sunpy_scss.annotations._index import append_row, read_index
from sunpy_scss.annotations._read import Annotation, annotation_to_mask
from sunpy_scss.canonical._intensity import angstroms
from sunpy_scss.exceptions import EmptyPartError, TrainingError
from sunpy_scss.images._read import read_map
from sunpy_scss.images._search import fetch, search_aia
from sunpy_scss.models._split import Split
from sunpy_scss.train._labelled import LabelledFiles, LabelledMap
from sunpy_scss.train._splits import split_by_time

__all__ = [
    "fetch_annotated_images",
    "list_folder",
    "read_folder",
    "write_folder",
]


@u.quantity_input
def list_folder(
    folder: str | os.PathLike,
    split: str | None = None,
    *,
    gap: u.Quantity[u.day] = 14 * u.day,
    seed: int = 0,
    test: float = 0.0,
    known: Split | None = None,
) -> list[LabelledFiles]:
    """
    List the labelled images of a folder.

    The folder holds ``images/KEY.fits`` and ``masks/KEY.fits``, where present ``rejected/KEY.fits``, and for further
    channels ``images_*/KEY.fits``, for example ``images_171/KEY.fits``. Its ``index.csv`` has the column ``key``, and
    perhaps ``split`` and ``date``. A spreadsheet may write the index, with commas, semicolons or tabs.

    Parameters
    ----------
    folder : path-like
    split : str, optional
        The part to list: ``"train"``, ``"validation"`` or ``"test"``; all of them by default. Where the index has no
        parts, `split_by_time` makes them.
    gap, seed, test : optional
        Arguments of `split_by_time`.
    known : sunpy_scss.models.Split, optional
        The split of a model (``model.split``): a folder without parts is parted as for that model, and images added
        later belong to no part.

    Returns
    -------
    list of LabelledFiles

    Raises
    ------
    FileNotFoundError
        If the folder has no index or a file is missing.
    `~sunpy_scss.exceptions.EmptyPartError`
        If no entry belongs to that part.
    `~sunpy_scss.exceptions.TrainingError`
        If the index cannot be read, or the images cannot be split.
    """
    folder = Path(folder)
    rows = read_index(folder / "index.csv")
    listed = [_labelled_files(folder, row["key"]) for row in rows]
    parts = [row.get("split") for row in rows]
    if split is not None and rows and not any(parts):
        dates = _dates(rows, listed)
        if known is None:
            parts = split_by_time(dates, gap=gap, seed=seed, test=test)
        else:
            parts = [known.part_of(row["key"], date) for row, date in zip(rows, dates, strict=True)]
    chosen = [files for files, part in zip(listed, parts, strict=True) if split in (None, part)]
    if not chosen:
        msg = f"{folder / 'index.csv'} lists no image{'' if split is None else _which(split, parts, known)}."
        raise EmptyPartError(msg)
    return chosen


def _which(split, parts, known):
    """Return the end of a message on a part that is empty."""
    if known is not None:
        return f" that the model was given as its part {split!r}; mark some with it in the column split"
    there = ", ".join(sorted({repr(str(part)) for part in parts if part}))
    return f" of the part {split!r} (only {there}); mark some, or empty the column split to have it parted by time"


def _dates(rows, listed):
    """Return the dates of the images, from the index or else from their files."""
    if all(row.get("date") for row in rows):
        try:
            return Time([row["date"] for row in rows])
        except ValueError as error:
            msg = f"The dates of the index must be ISO, as 2017-06-01T12:00:00, or its column date empty: {error}"
            raise TrainingError(msg) from error
    return Time([files.read().image.date for files in tqdm(listed, desc="dates", unit="image")])


def _labelled_files(folder, key):
    image, mask, rejected = (folder / part / f"{key}.fits" for part in ("images", "masks", "rejected"))
    for path in (image, mask):
        if not path.exists():
            msg = f"{folder / 'index.csv'} lists {key}, but there is no {path}."
            raise FileNotFoundError(msg)
    further = tuple(sorted(folder.glob(f"images_*/{glob.escape(key)}.fits")))
    return LabelledFiles(key, image, mask, rejected if rejected.exists() else None, further)


def read_folder(folder: str | os.PathLike, split: str | None = None, **settings: Any) -> Iterator[LabelledMap]:
    """
    Read the labelled images of a folder, one by one.

    Parameters
    ----------
    folder, split, **settings
        The arguments of `list_folder`.

    Yields
    ------
    LabelledMap

    Raises
    ------
    FileNotFoundError
        If the folder has no index or a file is missing.
    `~sunpy_scss.exceptions.EmptyPartError`
        If no entry belongs to that part.
    `~sunpy_scss.exceptions.TrainingError`
        If the index cannot be read, or the images cannot be split.
    """
    for files in list_folder(folder, split, **settings):
        yield files.read()


@u.quantity_input
def fetch_annotated_images(
    annotations: Iterable[Annotation],
    folder: str | os.PathLike,
    *,
    split: str = "",
    source: str = "synoptic",
    max_gap: u.Quantity[u.s] = 30 * u.min,
) -> list[str]:
    """
    Get the image on which each annotation was drawn, and write both as a folder to train from.

    The images are the nearest in time, at 193 Angstrom for coronal holes and at 171 for active regions. The masks are
    drawn on the pixels of the images, turned with the Sun where the times differ. A second call goes on where the
    first one ended: images in the index of the folder are not downloaded again. The original files are in
    ``downloads`` and can be deleted.

    Parameters
    ----------
    annotations : iterable of sunpy_scss.annotations.Annotation
        From `sunpy_scss.annotations.read_annotations`.
    folder : path-like
        The folder, in the form of `write_folder`, with the names of the annotations as keys.
    split : str, optional
        The part of the images, ``"train"``, ``"validation"`` or ``"test"``. None by default: the folder is parted by
        time in the training.
    source : str, optional
        The archive; see `sunpy_scss.images.search_aia`.
    max_gap : astropy.units.Quantity, optional
        The longest time between an annotation and its image.

    Returns
    -------
    list of str
        The keys written by this call. An annotation is not among them where the archive has no image near its time.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If the archive does not answer, or some files could not be downloaded.

    Warns
    -----
    `~sunpy_scss.exceptions.MissingImageWarning`
        If the archive has no image near some times.

    Examples
    --------
    >>> from sunpy_scss.annotations import read_annotations
    >>> from sunpy_scss.train import fetch_annotated_images
    >>> annotations = read_annotations("ch_custom.zip")  # doctest: +SKIP
    >>> keys = fetch_annotated_images(annotations, "coronal_holes")  # doctest: +SKIP
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    known = _keys(folder / "index.csv")
    wanted = [annotation for annotation in annotations if annotation.name not in known]
    written = []
    for feature, facts in FEATURES.items():
        chosen = [annotation for annotation in wanted if annotation.feature == feature]
        if chosen:
            found = search_aia([one.date for one in chosen], facts.wavelength * u.AA, source=source, max_gap=max_gap)
            paths = fetch(found, folder / "downloads")
            drawn_on = list(zip(_of_times(chosen, found["time"]), paths, strict=True))
            write_folder((_labelled(*pair, max_gap) for pair in drawn_on), folder, split=split)
            written += [annotation.name for annotation, _ in drawn_on]
    return written


def _of_times(annotations, times):
    """Return the annotation for each time; each is taken once where several have the same time."""
    of_time = defaultdict(list)
    for annotation in annotations:
        of_time[annotation.date.isot].append(annotation)
    return [of_time[time.isot].pop(0) for time in times]


def _labelled(annotation, path, max_gap):
    image = read_map(path)
    return LabelledMap(annotation.name, image, annotation_to_mask(annotation, image, max_gap=max_gap))


def write_folder(labelled_maps: Iterable[LabelledMap], folder: str | os.PathLike, *, split: str = "") -> None:
    """
    Write images and masks as the folder that `sunpy_scss.train.read_folder` reads.

    The files are ``images/KEY.fits``, ``masks/KEY.fits``, ``rejected/KEY.fits`` where there are hard negatives, and
    ``images_171/KEY.fits`` for further images at, for example, 171 Angstrom. Each image gets a line in ``index.csv``
    after its files are complete. A second call adds to the folder, for example the validation part.

    Parameters
    ----------
    labelled_maps : iterable of sunpy_scss.train.LabelledMap
        The images are written one by one, so that a generator needs no more memory than one of them.
    folder : path-like
        Made where missing.
    split : str, optional
        The part of the images, ``"train"``, ``"validation"`` or ``"test"``. None by default: they are split by time.
        Keep at least 14 days between two parts: a region stays on the disc for so long, and a model must not be tested
        on regions that it has seen.

    Raises
    ------
    ValueError
        If a key is in the folder already, or a mask does not have the shape of its image.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> from sunpy_scss.train import LabelledMap, write_folder
    >>> folder = Path(tempfile.mkdtemp())
    >>> suns = [synthetic_sun(size=64, seed=seed) for seed in range(2)]
    >>> labelled = [
    ...     LabelledMap(f"sun{n}", sun.image, sun.coronal_holes)
    ...     for n, sun in enumerate(suns)
    ... ]
    >>> write_folder(labelled, folder, split="train")
    >>> sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.fits"))
    ['images/sun0.fits', 'images/sun1.fits', 'masks/sun0.fits', 'masks/sun1.fits']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    keys = _keys(folder / "index.csv")
    for labelled in labelled_maps:
        if labelled.key in keys:
            msg = f"{folder} holds {labelled.key} already; give each pair a key of its own."
            raise ValueError(msg)
        _write(labelled, folder)
        append_row(folder / "index.csv", {"key": labelled.key, "date": labelled.image.date.utc.isot, "split": split})
        keys.add(labelled.key)


def _keys(index):
    return {row["key"] for row in read_index(index)} if index.exists() else set()


def _write(labelled, folder):
    parts = {"images": labelled.image, "masks": labelled.mask, "rejected": labelled.rejected}
    parts |= {f"images_{angstroms(smap):g}": smap for smap in labelled.further_images}
    for part, smap in parts.items():
        if smap is None:
            continue
        if part in ("masks", "rejected") and smap.data.shape != labelled.image.data.shape:
            msg = (
                f"{labelled.key}: {part} are of the shape {smap.data.shape}, the image of {labelled.image.data.shape}."
            )
            raise ValueError(msg)
        (folder / part).mkdir(exist_ok=True)
        # Files of an interrupted run are no obstacle: they are not in the index.
        smap.save(folder / part / f"{labelled.key}.fits", overwrite=True)
