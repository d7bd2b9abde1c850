"""Many files: each read, segmented and written on its own, so that one bad file stops nothing."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from tqdm.auto import tqdm

import astropy.units as u

from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.images import example_map, read_map
from sunpy_scss.plotting import overlay
from sunpy_scss.properties import area_fraction
from sunpy_scss.segment import segment_active_regions, segment_coronal_holes

__all__ = ["Outcome", "demo", "save_figure", "save_map", "segment_files"]

_SEGMENT = {"CH": segment_coronal_holes, "AR": segment_active_regions}
# Which feature an image shows, where both were asked for.
_FEATURE_AT = {193: "CH", 195: "CH", 171: "AR", 174: "AR"}


@dataclass(frozen=True)
class Outcome:
    """
    What became of one file.

    Attributes
    ----------
    path : pathlib.Path
        The image.
    written, kept : tuple of pathlib.Path
        Files that were made, and files that were there already and left as they are.
    error : Exception or None
    """

    path: Path
    written: tuple = ()
    kept: tuple = ()
    error: Exception | None = None


def segment_files(paths, features, folder, *, plot=False, overwrite=False, **options):
    """
    Segment files one by one and write their masks.

    Parameters
    ----------
    paths : sequence of path-like
        Files that `sunpy_scss.images.read_map` reads.
    features : sequence of str
        ``"CH"``, ``"AR"``; of several, each image gets the one that its wavelength shows.
    folder : path-like
        Made where missing. The mask of ``NAME.fits`` is ``NAME_ch.fits`` or ``NAME_ar.fits``.
    plot : bool, optional
        Also draw the outline on the image, as ``NAME_ch.png``.
    overwrite : bool, optional
        Replace files that are there; by default they are kept.
    **options
        For `sunpy_scss.segment_coronal_holes` and `sunpy_scss.segment_active_regions`.

    Returns
    -------
    list of Outcome
        One for each path, in order; an image that failed has its error there and stops nothing.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()  # rather now than after an hour
    outcomes, stems = [], set()
    for path in tqdm([Path(path) for path in paths], unit="file", disable=None):
        if path.stem in stems:
            msg = f"another file of this run is also called {path.stem}; give them folders of their own"
            outcomes.append(Outcome(path, error=FileExistsError(msg)))
            continue
        stems.add(path.stem)
        outcomes.append(_segment_file(path, features, folder, plot, overwrite, options))
    return outcomes


def _segment_file(path, features, folder, plot, overwrite, options):
    try:
        smap = read_map(path)
        feature = features[0] if len(features) == 1 else _feature_of(smap)
        targets = [folder / f"{path.stem}_{feature.lower()}{suffix}" for suffix in (".fits", ".png")[: 1 + plot]]
        wanted = [target for target in targets if overwrite or not target.exists()]
        if wanted:
            mask = _SEGMENT[feature](smap, **options)
        for target in wanted:
            if target.suffix == ".fits":
                save_map(mask, target)
            else:
                save_figure(overlay(smap, mask).figure, target)
    except Exception as error:
        return Outcome(path, error=error)
    return Outcome(path, tuple(wanted), tuple(target for target in targets if target not in wanted))


def _feature_of(smap):
    wavelength = None if smap.wavelength is None else round(smap.wavelength.to_value(u.AA))
    if wavelength not in _FEATURE_AT:
        msg = f"its wavelength is {wavelength or 'unknown'} Angstrom; say which feature to look for"
        raise InvalidMapError(msg)
    return _FEATURE_AT[wavelength]


def save_map(smap, path):
    """
    Save a Map as FITS, whole or not at all; what is there is replaced.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    path : path-like
    """
    _whole(path, lambda scratch: smap.save(scratch))


def save_figure(figure, path):
    """
    Save a figure and close it, whole or not at all; what is there is replaced.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
    """
    _whole(path, figure.savefig)
    plt.close(figure)


def _whole(path, write):
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        scratch = Path(folder) / path.name
        write(scratch)
        scratch.replace(path)


def demo(folder):
    """
    Segment the two real images that come with sunpy, and write the masks and one picture.

    Parameters
    ----------
    folder : path-like
        Made where missing; files of an earlier demo are replaced.

    Yields
    ------
    str
        What was found and written, a line each.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figure = plt.figure(figsize=(12, 6), layout="constrained")
    for position, (wavelength, feature) in enumerate({193: "CH", 171: "AR"}.items(), start=1):
        smap = example_map(wavelength)
        mask = _SEGMENT[feature](smap)
        path = folder / f"aia{wavelength}_{feature.lower()}.fits"
        save_map(mask, path)
        overlay(smap, mask, axes=figure.add_subplot(1, 2, position, projection=smap))
        yield (
            f"AIA {wavelength}, {smap.date.isot[:16]}: {mask.meta['CONTENT'].removesuffix(' mask')}s cover "
            f"{area_fraction(mask):.1f} of the visible hemisphere -> {path}"
        )
    picture = folder / "demo.png"
    save_figure(figure, picture)
    yield f"picture -> {picture}"
