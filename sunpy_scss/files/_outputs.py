"""Where the masks of many files go: a folder of FITS files, or a Zarr store."""

from dataclasses import dataclass, replace
from os import scandir
from pathlib import Path

import astropy.units as u
from astropy.io import fits

from sunpy_scss._provenance import Provenance
from sunpy_scss._save import save_figure, save_map
from sunpy_scss.files._inputs import fingerprint, local_file
from sunpy_scss.files._masks import region_rows
from sunpy_scss.files._outcome import Outcome, Result
from sunpy_scss.files._store import MaskStore, mask_at
from sunpy_scss.images._read import read_map
from sunpy_scss.plotting._maps import plot_masks

__all__ = ["make_target"]

# What the name of a probability Map ends on.
_PROBABILITY = "_probability.fits"
_PICTURES = ("png", "pdf", "svg")


def make_target(output, *, plot=None, dpi=None, probability=False):
    """
    Where to write, by the name: a store ends with ``.zarr``, all else is a folder.

    Parameters
    ----------
    output, plot, dpi, probability
        As for `sunpy_scss.files.segment_files`.

    Returns
    -------
    Folder or Store
    """
    if plot not in (None, *_PICTURES):
        msg = f"A picture is one of {', '.join(_PICTURES)} (got {plot!r})."
        raise ValueError(msg)
    path = Path(output)
    if path.suffix != ".zarr":
        return _Folder(path, plot=plot, dpi=dpi, with_probability=probability)
    if plot or probability:
        msg = f"A store holds masks only (got {path.name}); for pictures and probabilities give a folder."
        raise ValueError(msg)
    return _Store(path)


@dataclass(frozen=True)
class _Folder:
    """A folder of FITS files."""

    path: Path
    plot: str | None
    dpi: float | None
    with_probability: bool

    @property
    def images(self):
        return self.path / "images"

    @property
    def report(self):
        return self.path / "segment_report.json"

    @property
    def catalogue(self):
        return self.path / "regions.parquet"

    @property
    def lock(self):
        return self.path / ".sunpy_scss.lock"

    def _mask(self, item, feature):
        return self.path / f"{item.stem}_{feature.lower()}.fits"

    def prepare(self, items, job, catalogue):
        """The items, each with what is known of it; an error if masks were made with other settings."""
        there = {entry.name for entry in scandir(self.path)}
        for item in () if job.overwrite else items:
            for feature in job.settings:
                if (path := self._mask(item, feature)).name in there:
                    _check_settings(path, Provenance.of(_header(path)), job.settings[feature])
        if catalogue is None:
            return items
        measured = {name for name in catalogue.masks if name in there and not job.overwrite}
        return [
            replace(item, measured=any(self._mask(item, feature).name in measured for feature in job.settings))
            for item in items
        ]

    def work(self, job, item, file):
        """Write what is missing for an image."""
        smap = mask = None
        there = [path for feature in job.settings if (path := self._mask(item, feature)).exists()]
        if there and not job.overwrite:
            path, written = there[0], []
            if Provenance.of(_header(path)).source != fingerprint(item.path):
                smap, mask = read_map(file), read_map(path)
                _check_same_image(smap, mask, path)
        else:
            smap = read_map(file)
            mask = job.mask(smap, item)
            path = self._mask(item, Provenance.of(mask).feature)
            save_map(mask, path)
            written = [path]
        missing = [extra for extra in self._extras(path) if job.overwrite or not extra.exists()]
        if missing or not item.measured:
            smap = read_map(file) if smap is None else smap
            mask = read_map(path) if mask is None else mask
        for extra in missing:
            if extra.name.endswith(_PROBABILITY):
                save_map(job.probability(smap, mask), extra)
            else:
                save_figure(plot_masks(smap, mask).figure, extra, dpi=self.dpi)
        written += missing
        kept = [one for one in (path, *self._extras(path)) if one not in written]
        rows = None if item.measured else region_rows(mask, path.name, image=smap)
        return Result(Outcome(item.path, tuple(written), tuple(kept)), rows)

    def _extras(self, path):
        """What is written beside a mask."""
        picture = [path.with_suffix(f".{self.plot}")] if self.plot else []
        return picture + [path.with_name(path.stem + _PROBABILITY)] * self.with_probability

    def name_of(self, item, result):
        """What the table of regions calls a mask."""
        outcome = result.outcome
        return next(path.name for path in (*outcome.written, *outcome.kept))

    def note(self, item, result):
        """Nothing is to be noted of a file."""

    def close(self):
        """Nothing is open."""


class _Store:
    """A Zarr store; workers write into it, and the process that they work for keeps the account of what is there."""

    def __init__(self, path):
        self.path, self._account = path, None

    def __getstate__(self):
        return {"path": self.path, "_account": None}

    def _beside(self, ending):
        return self.path.with_name(f"{self.path.stem}{ending}")

    @property
    def images(self):
        return self._beside("_images")

    @property
    def report(self):
        return self._beside("_report.json")

    @property
    def catalogue(self):
        return self._beside("_regions.parquet")

    @property
    def lock(self):
        return self._beside(".lock")

    def prepare(self, items, job, catalogue):
        """The items with their places; an error if the store was made with other settings."""
        if len(job.settings) > 1:
            msg = f"A store holds masks of one feature (got {', '.join(job.settings)}): choose it by features=['CH']."
            raise ValueError(msg)
        ((_, settings),) = job.settings.items()
        if not self.path.exists():
            MaskStore.make(self.path, _first_shape(items), settings)
        self._account = MaskStore(self.path)
        if self._account.settings.method and not job.overwrite:
            _check_settings(self.path, self._account.settings, settings)
        places = self._account.begin([item.name for item in items], settings, anew=job.overwrite)
        measured = set() if catalogue is None or job.overwrite else catalogue.masks
        return [
            replace(
                item,
                place=places[item.name],
                done=bool(self._account.done[places[item.name]]),
                measured=catalogue is None or item.name in measured,
            )
            for item in items
        ]

    def work(self, job, item, file):
        """Write what is missing for an image."""
        if item.done:
            rows = None
            if not item.measured:
                rows = region_rows(mask_at(self.path, item.place), item.name, image=read_map(file))
            return Result(Outcome(item.path, kept=(self.path,)), rows)
        smap = read_map(file)
        mask = job.mask(smap, item)
        MaskStore(self.path).write(item.place, mask)
        rows = None if item.measured else region_rows(mask, item.name, image=smap)
        header = {key.upper(): value for key, value in mask.meta.items()}
        return Result(Outcome(item.path, (self.path,)), rows, header, mask.date)

    def name_of(self, item, result):
        """What the table of regions calls a mask."""
        return item.name

    def note(self, item, result):
        """Enter a mask that has been written into the account."""
        if result.header is not None:
            self._account.note(item.place, result.header, result.date)

    def close(self):
        """Write what is known so far."""
        if self._account is not None:
            self._account.close()


def _first_shape(items):
    """The shape of the first image that can be read."""
    for item in items:
        try:
            with local_file(item.path) as file:
                return read_map(file).data.shape
        except OSError as error:
            failed = error
    raise failed


def _header(path):
    """The header of a mask; empty where there is none."""
    try:
        return fits.getheader(path)
    except OSError:
        return {}


def _check_same_image(smap, mask, path):
    if abs(smap.date - mask.date) > 1 * u.ms:
        msg = (
            f"{path} is there and belongs to another image, of {mask.date.isot}, not of {smap.date.isot}: "
            "to replace it, pass overwrite=True; or choose another output."
        )
        raise FileExistsError(msg)


def _check_settings(path, there, settings):
    """
    Raise an error unless masks that are there were made with the same settings.

    Parameters
    ----------
    path : path-like
        Of a mask, or a store of masks.
    there : sunpy_scss._provenance.Provenance
        What they tell.
    settings : sunpy_scss._provenance.Provenance
        Those of this run.

    Raises
    ------
    FileExistsError
    """
    if there.same_settings(settings):
        return
    replaced = "To replace it and all others, pass overwrite=True; or choose another output."
    if there.method is None:
        msg = f"{path} is there and does not tell by which settings it was made. {replaced}"
        raise FileExistsError(msg)
    others = [f"{name}={old} (now {new})" for name, (old, new) in there.other_settings(settings).items()]
    msg = f"{path} is there and was made with other settings: {', '.join(others)}. {replaced}"
    raise FileExistsError(msg)
