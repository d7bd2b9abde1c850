"""Many files: each read, segmented and written on its own, so that one bad file stops nothing."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from tqdm.auto import tqdm

import astropy.units as u

from sunpy_scss.exceptions import ArchiveError, InvalidMapError
from sunpy_scss.hek import hek_to_mask, search_hek
from sunpy_scss.images import example_map, fetch, read_map, search_aia
from sunpy_scss.metrics import iou
from sunpy_scss.plotting import cases, evaluation_page, overlay
from sunpy_scss.properties import area_fraction
from sunpy_scss.segment import segment_active_regions, segment_coronal_holes

__all__ = [
    "HEKAgreement",
    "Outcome",
    "compare_with_hek",
    "demo",
    "fetch_images",
    "hek_mask_file",
    "save_figure",
    "save_map",
    "segment_files",
    "write_evaluation",
]

_SEGMENT = {"CH": segment_coronal_holes, "AR": segment_active_regions}
# The wavelengths in Angstrom that show a feature, and the feature an image shows where both were asked for.
_WAVELENGTH_OF = {"CH": 193, "AR": 171}
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
    # Tight: the layout of a figure does not know of the titles of WCSAxes.
    _whole(path, lambda scratch: figure.savefig(scratch, bbox_inches="tight"))
    plt.close(figure)


def _whole(path, write):
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        scratch = Path(folder) / path.name
        write(scratch)
        scratch.replace(path)


def fetch_images(times, features, folder, **options):
    """
    Download the AIA images nearest to some times, in the wavelengths that show the features.

    Parameters
    ----------
    times : list
    features : sequence of str
        ``"CH"``, ``"AR"``.
    folder : path-like
        Files that are there are kept and not downloaded again.
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
    found = search_aia(times, [_WAVELENGTH_OF[feature] for feature in features] * u.AA, **options)
    if not len(found):
        msg = f"The archive has no image near {', '.join(map(str, times))}."
        raise ArchiveError(msg)
    return fetch(found, folder)


@dataclass(frozen=True)
class HEKAgreement:
    """
    A mask beside that of the HEK.

    Attributes
    ----------
    path : pathlib.Path
        The mask of the HEK's events, on the pixels of ours.
    events : int
        How many were drawn; with none, there is nothing to compare with.
    iou : float
    area, area_hek : astropy.units.Quantity
        In percent of the visible hemisphere.
    """

    path: Path
    events: int
    iou: float
    area: u.Quantity
    area_hek: u.Quantity


def compare_with_hek(path, *, client=None):
    """
    Draw SPoCA's events of the HEK beside a mask file, and say how far they agree.

    Parameters
    ----------
    path : path-like
        A mask that this package wrote; ``NAME_ch.fits`` gets ``NAME_ch_hek.fits`` beside it, replaced if it is there.
    client : sunpy_scss.hek.HEKServer, optional

    Returns
    -------
    HEKAgreement

    Raises
    ------
    `~sunpy_scss.exceptions.HEKError`
        If the HEK does not answer.
    """
    path = Path(path)
    mask = read_map(path)
    drawn = _hek_mask(mask, mask.meta["SCSSFEAT"], client=client)
    target = path.with_name(f"{path.stem}_hek.fits")
    save_map(drawn, target)
    return HEKAgreement(
        target,
        drawn.meta["HEKDRAWN"],
        iou(drawn.data, mask.data),
        area_fraction(mask),
        area_fraction(drawn),
    )


def hek_mask_file(path, target, feature, *, time_range, frm_name, max_gap, labels, overwrite, client):
    """
    Search the HEK around an image and write the mask of what it has.

    Parameters
    ----------
    path, target : path-like
        The image, and the mask to write, whole or not at all.
    feature : str
        ``"CH"`` or ``"AR"``.
    time_range : tuple or None
        As for `sunpy_scss.hek.search_hek`; ``max_gap`` about the image by default.
    frm_name, max_gap, labels, client
        As for `sunpy_scss.hek.search_hek` and `sunpy_scss.hek.hek_to_mask`.
    overwrite : bool
        Whether to replace a mask that is there.

    Returns
    -------
    sunpy.map.GenericMap
        The mask.

    Raises
    ------
    FileExistsError
        If the mask is there and is not to be replaced.
    `~sunpy_scss.exceptions.HEKError`
        If the HEK does not answer.
    """
    if Path(target).exists() and not overwrite:
        msg = f"{target} is there already; --overwrite replaces it."
        raise FileExistsError(msg)
    mask = _hek_mask(
        read_map(path), feature, time_range=time_range, frm_name=frm_name, max_gap=max_gap, labels=labels, client=client
    )
    save_map(mask, target)
    return mask


def _hek_mask(smap, feature, *, client, time_range=None, frm_name="SPoCA", max_gap=6 * u.hour, labels=False):
    """The mask of what the HEK has around a Map."""
    around = time_range or (smap.date - max_gap, smap.date + max_gap)
    events = search_hek(around, feature, frm_name=frm_name, client=client)
    return hek_to_mask(events, smap, labels=labels, max_gap=max_gap)


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


def write_evaluation(evaluation, dataset, folder):
    """
    Write the scores of a model as JSON and as plots; what is there is replaced.

    Parameters
    ----------
    evaluation : sunpy_scss.evaluation.Evaluation
    dataset : sunpy_scss.train.Dataset
        What was scored.
    folder : path-like
        Made where missing.

    Returns
    -------
    list of pathlib.Path
        ``scores.json``, ``scores.png`` and ``cases.png``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.to_dict(), indent=2)
    paths = [folder / name for name in ("scores.json", "scores.png", "cases.png")]
    _whole(paths[0], lambda scratch: scratch.write_text(text, encoding="utf-8"))
    save_figure(evaluation_page(evaluation), paths[1])
    save_figure(cases(dataset, evaluation), paths[2])
    return paths
