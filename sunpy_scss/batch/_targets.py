"""The targets of a batch, to which masks are written: a folder of FITS files, or a Zarr store."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from astropy.io import fits

from sunpy_scss._provenance import Provenance
from sunpy_scss._save import save_figure, save_map
from sunpy_scss.batch._inputs import local_file
from sunpy_scss.batch._store import MaskStore, mask_at
from sunpy_scss.exceptions import OutputExistsError
from sunpy_scss.images._image import read_image
from sunpy_scss.images._read import read_map
from sunpy_scss.plotting._maps import plot_masks

__all__ = ["make_target", "origin_of"]

_PROBABILITY = "_probability.fits"
_PICTURES = (".png", ".pdf", ".svg")


def make_target(output, options, settings):
    """
    Return the target that a name means: a store if it ends with ``.zarr``, else a folder.

    Parameters
    ----------
    output : path-like
    options : sunpy_scss.batch.BatchOptions
    settings : dict
        For each feature, all settings that decide its masks.

    Returns
    -------
    _Folder or _Store
    """
    path = Path(output)
    if path.suffix != ".zarr":
        return _Folder(path, options.plot, options.dpi, options.probability)
    if options.plot or options.probability:
        msg = f"A store holds masks only (got {path.name}); for pictures and probabilities give a folder."
        raise ValueError(msg)
    if len(settings) > 1:
        msg = f"A store holds masks of one feature (got {', '.join(settings)}): choose one feature, CH or AR."
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
    def report(self):
        return self.path / "segment_report.json"

    @property
    def table(self):
        return self.path / "regions.parquet"

    @property
    def lock(self):
        return self.path / ".sunpy_scss.lock"

    def names(self, item, features):
        """Return the names that the masks of an image may have."""
        return [f"{item.stem}_{feature.lower()}.fits" for feature in features]

    def file(self, item, made):
        """Return the file of the mask of an image, given how it was made."""
        return self.path / self.names(item, [made.feature])[0]

    def prepare(self, items, job, table):
        """Return the items, each with its mask on file; raise an error if masks were made with other settings."""
        if not job.overwrite:
            items = [replace(item, made=self._made(item, job.settings)) for item in items]
        if table is None:
            return items
        given = {name for item in items for name in self.names(item, job.settings)}

        def still_true(name, origin):
            made = _made(self.path / name)
            return origin == origin_of(made) and not (job.overwrite and (name in given or job.differs(made)))

        table.keep_only(still_true)
        known = ({name: table.origins.get(name) for name in self.names(item, job.settings)} for item in items)
        return [replace(item, measured=measured) for item, measured in zip(items, known, strict=True)]

    def _made(self, item, settings):
        """Return how the mask of an image was made; None if there is no mask."""
        for name, some in zip(self.names(item, settings), settings.values(), strict=True):
            if (path := self.path / name).exists():
                made = _made(path)
                _check_settings(path, made, some)
                return made
        return None

    def load(self, item):
        """Return the mask of an image from its file."""
        return read_map(self.file(item, item.made))

    def save(self, item, mask):
        """Write the mask of an image."""
        save_map(mask, self.file(item, Provenance.of(mask)))

    def extras(self, item, made, *, anew):
        """Return the files still to be written beside a mask, and those that exist and were made from the same."""
        path = self.file(item, made)
        paths = [path.with_suffix(f".{self.plot}")] if self.plot else []
        paths += [path.with_name(path.stem + _PROBABILITY)] if self.with_probability else []
        kept = [path for path in paths if not anew and path.exists() and self._is_of(path, made)]
        return [path for path in paths if path not in kept], kept

    def _is_of(self, extra, made):
        if extra.name.endswith(_PROBABILITY):
            # The file depends on neither of these.
            others = {**made.other_settings(found := _made(extra)), "threshold": None, "min_area": None}
            return len(others) == 2 and found.source == made.source
        return self._sign(made).encode() in extra.read_bytes()

    def _sign(self, made):
        """Return the text by which a picture tells its mask and settings."""
        return f"sunpy_scss {sha256(f'{origin_of(made)} {self.dpi}'.encode()).hexdigest()[:32]}"

    def save_extra(self, extra, job, smap, mask):
        """Write a picture, or a probability Map."""
        if extra.name.endswith(_PROBABILITY):
            save_map(job.probability(smap, mask), extra)
        else:
            figure = plot_masks(smap, mask).figure
            save_figure(figure, extra, dpi=self.dpi, sign=self._sign(Provenance.of(mask)))

    def discard(self, item, features):
        """Remove the files that an earlier run made of an image that can no longer be segmented."""
        for path in (self.path / name for name in self.names(item, features)):
            for file in (path, path.with_name(path.stem + _PROBABILITY), *map(path.with_suffix, _PICTURES)):
                file.unlink(missing_ok=True)

    def note(self, item, result):
        """Do nothing: a file is its own record."""

    def close(self):
        """Do nothing: nothing is open."""


class _Store:
    """A Zarr store. Workers write masks into it; the main process records which masks are done."""

    def __init__(self, path):
        self.path, self._account = path, None

    def __getstate__(self):
        return {"path": self.path, "_account": None}

    def _beside(self, ending):
        return self.path.with_name(f"{self.path.stem}{ending}")

    @property
    def report(self):
        return self._beside("_report.json")

    @property
    def table(self):
        return self._beside("_regions.parquet")

    @property
    def lock(self):
        return self._beside(".lock")

    def names(self, item, features):
        """Return the name of the mask of an image: the name of the image."""
        return [item.name]

    def file(self, item, made):
        """Return the file of a mask: the store."""
        return self.path

    def prepare(self, items, job, table):
        """Return the items, each with its mask on record; raise an error if the store has other settings."""
        (settings,) = job.settings.values()
        names = [item.name for item in items]
        if self.path.exists():
            self._account = MaskStore(self.path)
            if not job.overwrite:
                _check_settings(self.path, self._account.made, settings)
        if self._account is None or not settings.same_settings(self._account.made):
            self._account = MaskStore.make(self.path, _first_shape(items), settings)
        places = self._account.begin(names, anew=job.overwrite)
        masks = self._account.masks()
        if table is not None:
            table.keep_only(lambda name, origin: name in masks and origin == origin_of(masks[name]))
        return [
            replace(
                item,
                place=places[item.name],
                made=masks.get(item.name),
                measured=None if table is None else {item.name: table.origins.get(item.name)},
            )
            for item in items
        ]

    def load(self, item):
        """Return the mask of an image from the store."""
        return mask_at(self.path, item.place)

    def save(self, item, mask):
        """Write the mask of an image."""
        MaskStore(self.path).write(item.place, mask)

    def extras(self, item, made, *, anew):
        """Return nothing to write and nothing to keep: a store holds masks only."""
        return [], []

    def discard(self, item, features):
        """Do nothing: masks to be made anew have already been removed."""

    def note(self, item, result):
        """Record that a mask has been written."""
        self._account.note(item.place, result.header, result.time)

    def close(self):
        """Write the records that are still in memory."""
        if self._account is not None:
            self._account.close()


def _first_shape(items):
    """Return the shape of the first image that can be read."""
    for item in items:
        try:
            with local_file(item.path) as file:
                return read_image(file).data.shape
        except (OSError, ValueError) as error:
            failed = error
    raise failed


def _made(path):
    """Return how a mask was made; an empty provenance if there is no mask."""
    try:
        return Provenance.of(fits.getheader(path))
    except OSError:
        return Provenance()


def origin_of(made):
    """Return the origin of a mask: a text that differs for another image or other settings."""
    # FITS does not keep the last digits of a number.
    settings = [f"{value:.12g}" if isinstance(value, float) else str(value) for value in made.settings.values()]
    return f"{', '.join(settings)} of {made.source}"


def _check_settings(path, made, settings):
    """
    Raise an error unless existing masks were made with the same settings.

    Parameters
    ----------
    path : path-like
        A mask, or a store of masks.
    made, settings : sunpy_scss._provenance.Provenance
        The provenance of the existing masks, and that of this run.

    Raises
    ------
    sunpy_scss.exceptions.OutputExistsError
        If a setting differs.
    """
    others = made.other_settings(settings)
    if not others:
        return
    if made.method is None:
        how = "does not tell by which settings it was made"
    else:
        named = (
            f"{name.replace('_', ' ')} {_value(name, there)} (now {_value(name, now)})"
            for name, (there, now) in others.items()
        )
        how = f"was made with other settings: {', '.join(named)}"
    problem = f"{path} is there and {how}."
    remedy = "To replace it and all others, pass {}; or choose another output."
    raise OutputExistsError(problem, remedy.format("overwrite=True"), in_shell=remedy.format("--overwrite"))


def _value(name, value):
    return f"{value:g} Mm2" if name == "min_area" and value is not None else value
