"""Many files: each read, segmented and written on its own, so that one bad file stops nothing."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from tqdm.auto import tqdm

import astropy.units as u

from sunpy_scss._features import FEATURES, feature_at
from sunpy_scss._save import refuse_existing, save_figure, save_map, save_text
from sunpy_scss.exceptions import ArchiveError, InvalidMapError
from sunpy_scss.files._masks import read_mask
from sunpy_scss.images._intensity import angstroms
from sunpy_scss.images._read import example_map, read_map
from sunpy_scss.images._search import fetch, search_aia
from sunpy_scss.masks._table import area_fraction
from sunpy_scss.plotting._maps import plot_cases, plot_masks
from sunpy_scss.plotting._scores import plot_evaluation
from sunpy_scss.report._page import write_report
from sunpy_scss.segment._predict import predict_probability, segment_active_regions, segment_coronal_holes

__all__ = ["Outcome", "demo", "fetch_files", "report_files", "segment_files", "write_evaluation"]

_SEGMENT = {"CH": segment_coronal_holes, "AR": segment_active_regions}
# What the name of a probability Map ends on.
_PROBABILITY = "_probability.fits"
# A mask that is farther from all images in time belongs to none of them.
_LONGEST_GAP = 6 * u.hour


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

    @property
    def failure(self):
        """The error in one line that names the file, once."""
        text = " ".join(str(self.error).split()) or type(self.error).__name__
        return text if str(self.path) in text else f"{self.path}: {text}"


def segment_files(
    paths, folder, *, features=tuple(FEATURES), plot=False, probability=False, overwrite=False, **options
):
    """
    Segment files one by one and write their masks.

    Parameters
    ----------
    paths : sequence of path-like
        Files that `sunpy_scss.images.read_map` reads.
    folder : path-like
        Made where missing. The mask of ``NAME.fits`` is ``NAME_ch.fits`` or ``NAME_ar.fits``.
    features : sequence of str, optional
        ``"CH"``, ``"AR"``; of several, each image gets the one that its wavelength shows.
    plot : bool, optional
        Also draw the outline on the image, as ``NAME_ch.png``.
    probability : bool, optional
        Also write the probability Map, as ``NAME_ch_probability.fits``.
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
        endings = [".fits", *[".png"] * plot, *[_PROBABILITY] * probability]
        outcomes.append(_segment_file(path, features, folder, endings, overwrite, options))
    return outcomes


def _segment_file(path, features, folder, endings, overwrite, options):
    try:
        smap = read_map(path)
        feature = _feature_of(smap, features)
        targets = [folder / f"{path.stem}_{feature.lower()}{ending}" for ending in endings]
        wanted = [target for target in targets if overwrite or not target.exists()]
        if wanted:
            mask = _SEGMENT[feature](smap, **options)
        for target in wanted:
            if target.name.endswith(_PROBABILITY):
                save_map(_probability(smap, mask, **options), target)
            elif target.suffix == ".fits":
                save_map(mask, target)
            else:
                save_figure(plot_masks(smap, mask).figure, target)
    except Exception as error:
        return Outcome(path, error=error)
    return Outcome(path, tuple(wanted), tuple(target for target in targets if target not in wanted))


def _probability(smap, mask, *, model=None, boundary=None, samples=1, disk_median=None, **_):
    """What a mask was made of, by the same model and variants."""
    model = model or mask.meta["SCSSMOD"]
    return predict_probability(smap, model=model, boundary=boundary, samples=samples, disk_median=disk_median)


def _feature_of(smap, features):
    """Of several features the one that the wavelength shows."""
    if len(features) == 1:
        return features[0]
    feature = feature_at(angstroms(smap))
    if feature is None:
        known = "unknown" if smap.wavelength is None else smap.wavelength
        msg = f"its wavelength is {known}; say which feature to look for"
        raise InvalidMapError(msg)
    return feature


def report_files(paths, target, *, masks=(), features=tuple(FEATURES), title=None, overwrite=False):
    """
    Write a report of image files, with masks that are there or new ones.

    Parameters
    ----------
    paths : sequence of path-like
        Files that `sunpy_scss.images.read_map` reads.
    target : path-like
        The page.
    masks : sequence of path-like, optional
        Each goes with the image that is nearest in time, of those of its wavelength if there are any. By default the
        images are segmented.
    features : sequence of str, optional
        What to look for, as for `segment_files`.
    title, overwrite
        As for `sunpy_scss.report.write_report`.

    Returns
    -------
    list of Outcome
        One for each image and mask; what failed has its error there, and the report is on the others. There is none
        if all images failed.

    Raises
    ------
    FileExistsError
        If the page is there and is not to be replaced.
    """
    refuse_existing(target, overwrite=overwrite)
    outcomes, smaps, found = [], [], []
    for path in tqdm([Path(path) for path in paths], unit="file", disable=None):
        try:
            smap = read_map(path)
            smap.meta["filename"] = path.name  # which neither Map nor mask would know
            some = [] if masks else [_SEGMENT[_feature_of(smap, features)](smap)]
        except Exception as error:
            outcomes.append(Outcome(path, error=error))
        else:
            outcomes.append(Outcome(path, (target,)))
            smaps.append(smap)
            found.append(some)
    for path in map(Path, masks if smaps else ()):
        try:
            mask = read_mask(path)
            found[_image_of(mask, smaps)].append(mask)
        except (OSError, ValueError) as error:
            outcomes.append(Outcome(path, error=error))
    if smaps:
        write_report(smaps, found, target, title=title, overwrite=overwrite)
    return outcomes


def _image_of(mask, smaps):
    """Index of the image that a mask belongs to."""
    gaps = u.Quantity([abs(smap.date - mask.date).to(u.hour) for smap in smaps])
    if gaps.min() > _LONGEST_GAP:
        msg = f"It is of {mask.date.isot[:16]}, more than {_LONGEST_GAP:g} away from any of the images."
        raise InvalidMapError(msg)
    others = [smap.wavelength != mask.wavelength for smap in smaps]
    return min(range(len(smaps)), key=lambda number: (gaps[number] > _LONGEST_GAP, others[number], gaps[number]))


def fetch_files(times, folder, *, features=tuple(FEATURES), **options):
    """
    Download the AIA images nearest to some times, in the wavelengths that show the features.

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
    found = search_aia(times, [FEATURES[feature].wavelength for feature in features] * u.AA, **options)
    if not len(found):
        msg = f"The archive has no image near {', '.join(map(str, times))}."
        raise ArchiveError(msg)
    return fetch(found, folder)


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
    for position, (feature, facts) in enumerate(FEATURES.items(), start=1):
        smap = example_map(facts.wavelength)
        mask = _SEGMENT[feature](smap)
        path = folder / f"aia{facts.wavelength}_{feature.lower()}.fits"
        save_map(mask, path)
        plot_masks(smap, mask, axes=figure.add_subplot(1, 2, position, projection=smap))
        yield (
            f"AIA {facts.wavelength}, {smap.date.isot[:16]}: {facts.name}s cover "
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
    evaluation : sunpy_scss.train.Evaluation
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
    save_text(text, paths[0])
    save_figure(plot_evaluation(evaluation), paths[1])
    save_figure(plot_cases(dataset, evaluation), paths[2])
    return paths
