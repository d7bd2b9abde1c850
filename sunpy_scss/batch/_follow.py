"""Images as they arrive: each gets its mask, a row in the table of its day, alerts and a page, all once."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import astropy.units as u
from astropy.table import QTable, vstack
from astropy.time import Time

from sunpy_scss._save import save_table, save_text
from sunpy_scss._sun.view import longitude_latitude, unit_vectors
from sunpy_scss.batch._inputs import find_images, fingerprint, same_image, stem_of
from sunpy_scss.batch._segment import _only_run, _told_to_end, segment_files
from sunpy_scss.evolution._meridian import central_meridian_fraction
from sunpy_scss.exceptions import ArchiveError, NoImageError, UnreadableFileError
from sunpy_scss.images._image import read_image
from sunpy_scss.images._search import fetch, search_aia
from sunpy_scss.masks._read import read_mask
from sunpy_scss.masks._regions import find_regions
from sunpy_scss.masks._table import area_fraction, region_table
from sunpy_scss.report._page import write_report

__all__ = ["Followed", "follow", "follow_once", "newest_from"]

_STEP = np.radians(0.25)


@dataclass(frozen=True)
class Followed:
    """
    The folder that a run fills.

    Attributes
    ----------
    path : pathlib.Path
        ``images`` has images from an archive, ``masks`` the masks, ``days`` a table for each day, ``pages`` a page for
        each image. ``alerts.txt`` has the alerts, and ``set_aside.json`` the failed images with the reasons.
    """

    path: Path

    @property
    def lock(self):
        return self.path / ".follow.lock"

    @property
    def aside(self):
        """The failed images, from path to their fingerprint and the reason."""
        file = self.path / "set_aside.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def page(self, image):
        """Return the page of an image. It is written last: an image with a page is done."""
        return self.path / "pages" / f"{stem_of(image)}.html"

    def set_aside(self, image, reason):
        """Keep the reason why an image failed; it is tried again when the file changes."""
        mark = fingerprint(image) if Path(image).exists() else ""
        aside = self.aside | {str(image): {"fingerprint": mark, "reason": reason}}
        save_text(json.dumps(aside, indent=1, sort_keys=True), self.path / "set_aside.json")

    def waiting(self, images):
        """Return the images that are neither done nor set aside."""
        aside = self.aside
        known = {
            path for path, entry in aside.items() if Path(path).exists() and same_image(path, entry["fingerprint"])
        }
        return [image for image in images if image not in known and not self.page(image).exists()]


def newest_from(source, folder, *, within, now=None):
    """
    Download the newest image of coronal holes that an archive has.

    Parameters
    ----------
    source : str
        An archive, as for `sunpy_scss.images.search_aia`.
    folder : path-like
    within : astropy.units.Quantity
        The largest age of an image.
    now : astropy.time.Time, optional

    Raises
    ------
    sunpy_scss.exceptions.ArchiveError
        If the archive does not answer.
    sunpy_scss.exceptions.NoImageError
        If its newest image is older.
    """
    found = search_aia(now or Time.now(), 193 * u.AA, source=source, max_gap=within)
    if not len(found):
        msg = f"The archive {source!r} has no image of the last {within:g}: it is behind."
        raise NoImageError(msg)
    return fetch(found, folder, progress=False)


def follow_once(find, output, *, options, tell, stale=None):
    """
    Do the remaining work on the images that are there now.

    Parameters
    ----------
    find : callable
        Returns an argument for `find_images`.
    output : path-like
        A folder, see `Followed`.
    options : sunpy_scss.batch.BatchOptions
    tell : callable
        Takes each line for the operator.
    stale : astropy.units.Quantity, optional
        Tell the operator if the newest image is older than this.

    Returns
    -------
    done, failed : int
        Numbers of images.

    Raises
    ------
    sunpy_scss.exceptions.NoImageError
        If there is nothing new.
    sunpy_scss.exceptions.OutputInUseError
        If another run holds the output.
    sunpy_scss.exceptions.ArchiveError
        If the archive does not answer.
    """
    place = Followed(Path(output))
    with _told_to_end(), _only_run(place):
        waiting = place.waiting(find_images(find()))
        if not waiting:
            msg = f"There is no new image for {place.path}."
            raise NoImageError(msg)
        times = []
        for image in waiting:
            time = _one(image, place, options, tell)
            if time is not None:
                times.append(time)
    if times and stale is not None and (age := (Time.now() - max(times)).to(u.hour)) > stale:
        tell(f"stale: the newest image is {age:.1f} old")
    return len(times), len(waiting) - len(times)


def _one(image, place, options, tell):
    """Do all work on one image and return its time; None if it failed."""
    (outcome,) = segment_files([image], place.path / "masks", options=replace(options, features=("CH",), jobs=1))
    if outcome.error:
        passes = isinstance(outcome.error, OSError) and not isinstance(outcome.error, UnreadableFileError)
        if not passes:
            place.set_aside(image, outcome.failure)
        tell(f"{'failed' if passes else 'set aside'}: {outcome.failure}")
        return None
    (path,) = (file for file in (*outcome.written, *outcome.kept) if file.name.endswith("_ch.fits"))
    mask = read_mask(path)
    time, row, alerts = _facts(mask, path.name)
    _add_row(row, place.path / "days" / f"{time.isot[:10]}.ecsv")
    _add_lines(alerts, place.path / "alerts.txt")
    for line in alerts:
        tell(f"alert: {line}")
    page = place.page(image)
    write_report(read_image(image, dict(options.header)), mask, page, overwrite=True)
    tell(f"done: {page}")
    return time


def _facts(mask, name):
    """Return the time of a mask, its row in the table of the day, and a line for each hole on the meridian."""
    regions = find_regions(mask)
    table, crossing = region_table(regions), _on_meridian(regions)
    time, slice_ = Time(mask.date), central_meridian_fraction([mask])
    row = {
        "time": [time.utc.isot],
        "mask": [name],
        "holes": [len(regions)],
        "crossing": [len(crossing)],
        "area": [area_fraction(mask).to_value(u.percent)] * u.percent,
        "slice_fraction": [float(slice_["fraction"][0])],
        "slice_coverage": [float(slice_["coverage"][0])],
    }
    alerts = [
        f"{time.utc.isot[:19]} {name}: hole {hole['id']} crosses the central meridian, "
        f"{hole['area_percent'].value:.2f} % of the hemisphere, latitude {hole['lat_min'].value:+.0f} "
        f"to {hole['lat_max'].value:+.0f} deg"
        for hole in table[np.isin(table["id"], crossing)]
    ]
    return time, QTable(row), alerts


def _on_meridian(regions):
    """Return the numbers of the regions that lie on the central meridian of the observer."""
    longitude, _ = longitude_latitude(regions.surface.observer)
    latitudes = np.arange(-np.pi / 2, np.pi / 2, _STEP)
    pixels = regions.surface.nearest(unit_vectors(np.full_like(latitudes, longitude), latitudes))
    found = np.unique(regions.labels.ravel()[pixels[pixels >= 0]])
    return found[found > 0]


def _add_row(row, path):
    """Put a row into the table of a day, in order of time; it replaces a row of the same mask."""
    if path.exists():
        there = QTable.read(path)
        row = vstack([there[there["mask"] != row["mask"][0]], row])
        row.sort(["time", "mask"])
    save_table(row, path)


def _add_lines(lines, path):
    """Put lines into a file, each once, in order."""
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if set(lines) - set(there):
        save_text("".join(f"{line}\n" for line in sorted({*there, *lines})), path)


def _waits(every, failures):
    """Return the seconds to wait: half a minute after an outage, then twice as long each time."""
    return every if not failures else min(every, 30 * 2 ** (failures - 1))


def follow(find, output, *, every, sleep, tell, **settings):
    """Repeat `follow_once` until SIGTERM or Ctrl-C ends it."""
    failures = 0
    with _told_to_end():
        while True:
            try:
                follow_once(find, output, tell=tell, **settings)
                failures = 0
            except NoImageError as error:
                tell(f"nothing to do: {error}")
                failures = 0
            except ArchiveError as error:
                failures += 1
                tell(f"failed: {error}")
            sleep(_waits(every, failures))
