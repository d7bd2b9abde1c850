"""The archives of AIA images: find the image nearest to a time, and download it whole."""

import asyncio
import json
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import aiohttp
import numpy as np
import parfive

import astropy.units as u
from astropy.time import Time
from sunpy.net import Fido, Scraper
from sunpy.net import attrs as a
from sunpy.net.base_client import QueryResponseTable
from sunpy.net.dataretriever.sources.aia_synopsis import AIASynopsisClient
from sunpy.time import TimeRange

from sunpy_scss._save import scratch_folder
from sunpy_scss.exceptions import ArchiveError, UnreadableFileError
from sunpy_scss.images._read import check_image

__all__ = ["ARCHIVES", "CHANNELS", "AIAFile", "ask", "check_folders", "download"]

_HELIOVIEWER = "https://api.helioviewer.org/v2"
# Channels of AIA by their wavelength in Angstrom, with the numbers that Helioviewer gives them.
CHANNELS = {94: 8, 131: 9, 171: 10, 193: 11, 211: 12, 304: 13, 335: 14, 1600: 15, 1700: 16, 4500: 17}
# Seconds before an archive that failed is asked again.
_PAUSE = 2


@dataclass(frozen=True)
class AIAFile:
    """
    One image in an archive.

    Attributes
    ----------
    obstime : astropy.time.Time
    wavelength : astropy.units.Quantity
    name : str
        For the file.
    url : str or None
    record : sunpy.net.base_client.QueryResponseTable or None
        In place of a URL: what the client of sunpy needs to fetch it.
    """

    obstime: Time
    wavelength: u.Quantity
    name: str
    url: str | None = None
    record: QueryResponseTable | None = None


def ask(archive, moment, wavelengths, *, max_gap, timeout, attempts):
    """
    The files of one archive nearest to one moment.

    Parameters
    ----------
    archive : str
        One of `ARCHIVES`.
    moment : astropy.time.Time
    wavelengths : list of int
        In Angstrom.
    max_gap : astropy.units.Quantity
        No file is farther from the moment.
    timeout : float
        Seconds.
    attempts : int
        How often to ask an archive that fails.

    Returns
    -------
    dict
        From wavelength to AIAFile, for those there are.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If the archive does not answer, or not as it should.
    """
    for attempt in range(1, attempts + 1):
        try:
            found = _within(timeout, ARCHIVES[archive], moment, wavelengths, max_gap)
            break
        except Exception as error:  # clients of archives raise whatever they stumble over
            if isinstance(error, HTTPError):
                error.close()  # the connection that it holds
            if attempt == attempts:
                others = ", ".join(sorted(set(ARCHIVES) - {archive}))
                msg = (
                    f"The archive {archive!r} failed {attempts} times to say what it has near {moment.isot} "
                    f"({error!r}). Try later, or another source ({others})."
                )
                raise ArchiveError(msg) from error
        time.sleep(_PAUSE)
    return {wavelength: file for wavelength, file in found.items() if abs(file.obstime - moment) <= max_gap}


def _within(seconds, function, *args, **options):
    """
    Return the result of a function, or raise a TimeoutError.

    Sunpy asks without time limit and takes none as an argument; the one that all sockets have by default belongs to the
    whole program. So a silent server is left waiting in a thread, which ends with the program.
    """
    answer = Future()

    def work():
        try:
            answer.set_result(function(*args, **options))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=work, name="archive", daemon=True).start()
    if not wait([answer], seconds).done:
        msg = f"no answer within {seconds:g} s"
        raise TimeoutError(msg)
    return answer.result()


def _nearest(table, moment):
    """Return the row of a table of sunpy whose time is the nearest, as a table."""
    index = int(np.argmin(np.abs((table["Start Time"] - moment).to_value(u.s))))
    return table[index : index + 1]


def _synoptic(moment, wavelengths, max_gap):
    span = a.Time(moment - max_gap, moment + max_gap)
    # Not through Fido, which gives a query with this level and a wavelength to the VSO alone; and all wavelengths at
    # once, because they share a folder.
    table = AIASynopsisClient().search(span, a.Instrument.aia, a.Level("1.5s"))
    if len(table) == 0:
        check_folders(AIASynopsisClient.pattern, TimeRange(span.start, span.end))
    found = {}
    for wavelength in wavelengths:
        of_this = [int(value) == wavelength for value in table["Wavelength"]] if len(table) else []
        if any(of_this):
            row = _nearest(table[of_this], moment)[0]
            found[wavelength] = AIAFile(row["Start Time"], wavelength * u.AA, Path(row["url"]).name, url=row["url"])
    return found


def check_folders(pattern, span):
    """
    Raise what sunpy's scraper keeps to itself: it takes a folder that the server fails to list for an empty one.

    Parameters
    ----------
    pattern : str
        The pattern of the scraper.
    span : sunpy.time.TimeRange

    Raises
    ------
    urllib.error.HTTPError
        If the server answers with an error other than that the folder does not exist.
    """
    for folder in Scraper(format=pattern).range(span):
        try:
            urlopen(folder).close()
        except HTTPError as error:
            if error.code != 404:
                raise


def _vso(moment, wavelengths, max_gap):
    found = {}
    for wavelength in wavelengths:
        span = a.Time(moment - max_gap, moment + max_gap, near=moment)
        answer = Fido.search(span, a.Instrument.aia, a.Wavelength(wavelength * u.AA))
        # sunpy 8 keeps the errors of clients here, where 7 raises them.
        for error in getattr(answer, "errors", []):
            raise ArchiveError(str(error))
        tables = [table for table in answer if len(table)]
        if tables:
            record = _nearest(tables[0], moment)
            obstime = record["Start Time"][0]
            name = f"aia_lev1_{obstime.strftime('%Y%m%d_%H%M%S')}_{wavelength:04d}.fits"
            found[wavelength] = AIAFile(obstime, wavelength * u.AA, name, record=record)
    return found


def _helioviewer(moment, wavelengths, max_gap):
    found = {}
    for wavelength in wavelengths:
        query = {"date": f"{moment.isot}Z", "sourceId": CHANNELS[wavelength]}
        with urlopen(f"{_HELIOVIEWER}/getClosestImage/?{urlencode(query)}") as response:
            answer = json.load(response)
        if "date" not in answer:
            raise ArchiveError(str(answer))
        obstime = Time(answer["date"])
        query["date"] = f"{obstime.isot}Z"
        name = f"{obstime.strftime('%Y_%m_%d__%H_%M_%S')}__SDO_AIA_AIA_{wavelength}.jp2"
        url = f"{_HELIOVIEWER}/getJP2Image/?{urlencode(query)}"
        found[wavelength] = AIAFile(obstime, wavelength * u.AA, name, url=url)
    return found


ARCHIVES = {"synoptic": _synoptic, "vso": _vso, "helioviewer": _helioviewer}


def download(files, folder, *, timeout, attempts, progress):
    """
    Download files, each of which appears in the folder when it is whole.

    Parameters
    ----------
    files : iterable of AIAFile
    folder : pathlib.Path
    timeout : float
        Seconds without a byte after which a download has failed.
    attempts : int
    progress : bool
        Show progress bars if True.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If some failed at every attempt; the others are there.
    """
    pending = {file.name: file for file in files}
    for attempt in range(attempts):
        if not pending:
            break
        if attempt:
            time.sleep(_PAUSE)
        failures = _download_once(pending, folder, timeout, progress)
        pending = {name: pending[name] for name in failures}
    if pending:
        reasons = "; ".join(f"{name}: {failures[name]}" for name in sorted(failures))
        msg = f"{len(pending)} files could not be downloaded to {folder} ({reasons}). Call again for these only."
        raise ArchiveError(msg)


def _download_once(files, folder, timeout, progress):
    """Try each file; return the reason for the name of each file that failed."""
    with scratch_folder(folder) as temporary:
        reasons = _run_parfive(files, temporary, timeout, progress)
        for name in files:
            # The archive may name it otherwise.
            arrived = list((temporary / name).glob("*"))
            if not arrived:
                reasons.setdefault(name, "nothing arrived")
                continue
            try:
                check_image(arrived[0])
            except UnreadableFileError as error:
                reasons[name] = str(error).rpartition(" cannot be read: ")[2].rstrip(".")
            else:
                reasons.pop(name, None)
                arrived[0].replace(folder / name)
    return reasons


def _run_parfive(files, folder, timeout, progress):
    limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
    config = parfive.SessionConfig(timeouts=limits, file_progress=progress)
    downloader = parfive.Downloader(progress=progress, config=config)
    reasons, names = {}, {}
    for name, file in files.items():
        if file.record is None:
            names[file.url] = name
            downloader.enqueue_file(file.url, path=folder / name, filename=name)
            continue
        try:
            path = f"{folder / name}/{{file}}"
            options = {"path": path, "downloader": downloader, "progress": progress, "wait": False}
            _within(timeout, file.record.client.fetch, file.record, **options)
        except Exception as error:
            reasons[name] = repr(error)
    for failure in _run(downloader).errors:
        if failure.url in names:
            reasons[names[failure.url]] = repr(failure.exception)
    return reasons


def _run(downloader):
    """Run ``downloader.download()`` and close the event loop, which it leaves open itself."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(downloader.run_download())
    # In a notebook a loop is running in this thread.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: asyncio.run(downloader.run_download())).result()
