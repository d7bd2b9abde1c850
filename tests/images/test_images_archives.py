"""Searching archives and fetching from them, against a server on this machine."""

import asyncio
import gc
import json
import socket
import threading
import warnings
from io import BytesIO

import numpy as np
import pytest
from file_server import Faults, file_server
from test_images_read import HEADER, write_jp2

import astropy.units as u
from astropy.io import fits
from astropy.time import Time
from sunpy.net import Fido
from sunpy.net.base_client import BaseClient, QueryResponseTable
from sunpy.net.dataretriever.sources.aia_synopsis import AIASynopsisClient

from sunpy_scss.exceptions import ArchiveError, MissingImageWarning
from sunpy_scss.images import _archives, fetch, read_map, search_aia

FOLDER = "/synoptic/2017/01/03/H{hour:02d}00/AIA20170103_{hour:02d}{minute:02d}_{wavelength:04d}.fits"


def fits_bytes(value=1.0):
    buffer = BytesIO()
    fits.PrimaryHDU(np.full((32, 32), value), fits.Header(HEADER)).writeto(buffer)
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(_archives, "_PAUSE", 0)
    with file_server() as server:
        pattern = AIASynopsisClient.pattern.replace("https://jsoc1.stanford.edu/data/aia", server.url)
        monkeypatch.setattr(AIASynopsisClient, "pattern", pattern)
        monkeypatch.setattr(_archives, "_HELIOVIEWER", f"{server.url}/v2")
        yield server
    # A search that was given up went on waiting for the server, until now; sunpy does not close its connection.
    for thread in threading.enumerate():
        if thread.name == "archive":
            thread.join(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def synoptic(server):
    """A server with synoptic files of 171, 193 and 304 Angstrom around 2017-01-03 12:00."""
    for hour, minute in ((11, 52), (11, 58), (12, 2), (12, 30)):
        for wavelength in (171, 193, 304):
            server.files[FOLDER.format(hour=hour, minute=minute, wavelength=wavelength)] = fits_bytes(minute)
    return server


def test_nearest_of_both_wavelengths(synoptic):
    found = search_aia("2017-01-03T12:01")
    assert list(found["file"]) == ["AIA20170103_1202_0171.fits", "AIA20170103_1202_0193.fits"]
    assert found.colnames == ["time", "obstime", "wavelength", "source", "file", "url"]
    assert (found["time"] == Time("2017-01-03T12:01")).all()
    assert (found["obstime"] == Time("2017-01-03T12:02")).all()
    assert found["wavelength"].to_value(u.AA).tolist() == [171, 193]


@pytest.mark.parametrize(
    "times", [["2017-01-03T11:50", "2017-01-03T12:29"], Time(["2017-01-03T11:50", "2017-01-03T12:29"])]
)
def test_several_times_of_one_wavelength(synoptic, times):
    found = search_aia(times, 19.3 * u.nm)
    assert list(found["file"]) == ["AIA20170103_1152_0193.fits", "AIA20170103_1230_0193.fits"]


def test_wavelengths_come_from_one_listing(synoptic):
    search_aia("2017-01-03T12:30", max_gap=5 * u.min)
    assert synoptic.requests == ["/synoptic/2017/01/03/H1200/"]


def test_times_without_image_are_left_out(synoptic):
    with pytest.warns(MissingImageWarning, match=r"synoptic has no image within 30.0 min .*, 2 times") as record:
        found = search_aia(["2017-01-03T12:30", "2017-02-03T12:30"])
    assert len(found) == 2
    assert record[0].filename == __file__


def test_nothing_at_all_is_an_empty_table(synoptic, tmp_path):
    with pytest.warns(MissingImageWarning):
        found = search_aia("2017-02-03T12:30")
    assert len(found) == 0
    assert found.colnames == ["time", "obstime", "wavelength", "source", "file", "url"]
    assert fetch(found, tmp_path) == []


@pytest.mark.parametrize("fault", [Faults.broken, Faults.silence])
def test_outage_is_not_an_absence(synoptic, fault):
    synoptic.faults["/synoptic/2017/01/03/H1200/"] = [fault] * 9
    with pytest.raises(ArchiveError, match=r"'synoptic' failed 2 times .* another source \(helioviewer, vso\)"):
        search_aia("2017-01-03T12:30", max_gap=5 * u.min, timeout=0.2 * u.s, attempts=2)


def test_passing_outage(synoptic):
    synoptic.faults["/synoptic/2017/01/03/H1200/"] = [Faults.silence]
    assert len(search_aia("2017-01-03T12:30", max_gap=5 * u.min, timeout=1 * u.s)) == 2


def test_the_time_limit_of_all_sockets_is_left_alone(synoptic, tmp_path, monkeypatch):
    def refuse(seconds):
        raise AssertionError(seconds)

    monkeypatch.setattr(socket, "setdefaulttimeout", refuse)
    (path,) = fetch(search_aia("2017-01-03T12:30", 193 * u.AA), tmp_path, progress=False)
    assert read_map(path).data[0, 0] == 30


def test_nobody_there(synoptic, monkeypatch):
    monkeypatch.setattr(
        AIASynopsisClient, "pattern", AIASynopsisClient.pattern.replace(synoptic.url, "http://127.0.0.1:9")
    )
    with pytest.raises(ArchiveError, match="synoptic"):
        search_aia("2017-01-03T12:30")


def test_unknown_source_and_channel():
    with pytest.raises(ValueError, match=r"one of synoptic, vso, helioviewer \(got 'soho'\)"):
        search_aia("2017-01-03", source="soho")
    with pytest.raises(ValueError, match="no channel of 195 Angstrom; its channels are 94, 131"):
        search_aia("2017-01-03", 195 * u.AA)


def test_fetched_files_are_maps(synoptic, tmp_path):
    paths = fetch(search_aia(["2017-01-03T12:30", "2017-01-03T11:57"]), tmp_path / "new", progress=False)
    names = ["AIA20170103_1230_0171", "AIA20170103_1230_0193", "AIA20170103_1158_0171", "AIA20170103_1158_0193"]
    assert [path.stem for path in paths] == names
    assert [read_map(path).data[0, 0] for path in paths] == [30, 30, 58, 58]
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths)


def test_rows_can_be_selected(synoptic, tmp_path):
    found = search_aia("2017-01-03T12:30")
    paths = fetch(found[found["wavelength"] == 193 * u.AA], tmp_path, progress=False)
    assert paths == [tmp_path / "AIA20170103_1230_0193.fits"]


@pytest.mark.parametrize("chosen", [lambda found: found[1], lambda found: [row for row in found if row["url"]][1:]])
def test_rows_by_themselves(synoptic, tmp_path, chosen):
    found = search_aia("2017-01-03T12:30")
    assert fetch(chosen(found), tmp_path, progress=False) == [tmp_path / "AIA20170103_1230_0193.fits"]


def test_no_rows(tmp_path):
    with pytest.raises(TypeError, match="what search_aia returns"):
        fetch(["AIA20170103_1230_0193.fits"], tmp_path)


def test_same_file_for_two_times(synoptic, tmp_path):
    paths = fetch(search_aia(["2017-01-03T12:30", "2017-01-03T12:31"], 193 * u.AA), tmp_path, progress=False)
    assert paths[0] == paths[1]


def test_existing_file_is_kept(synoptic, tmp_path):
    found = search_aia("2017-01-03T12:30", 193 * u.AA)
    (tmp_path / "AIA20170103_1230_0193.fits").write_text("mine")
    synoptic.requests.clear()
    (path,) = fetch(found, tmp_path, progress=False)
    assert path.read_text() == "mine"
    assert not synoptic.requests
    fetch(found, tmp_path, overwrite=True, progress=False)
    assert read_map(path).data[0, 0] == 30


@pytest.mark.parametrize(
    "fault",
    [Faults.broken, Faults.web_page, Faults.cut_off, Faults.cut_off_unseen, Faults.silence],
    ids=lambda f: f.__name__,
)
def test_failed_file_is_tried_again(synoptic, tmp_path, fault):
    found = search_aia("2017-01-03T12:30", 193 * u.AA)
    synoptic.faults[FOLDER.format(hour=12, minute=30, wavelength=193)] = [fault]
    # parfive may ask once for what it can know beforehand, and once more for the file.
    (path,) = fetch(found, tmp_path, progress=False, timeout=0.3 * u.s)
    assert read_map(path).data[0, 0] == 30


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Faults.broken, ""),
        (Faults.web_page, "web page"),
        (Faults.cut_off, ""),
        (Faults.cut_off_unseen, "cut off"),
        (Faults.silence, ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_nothing_but_whole_files(synoptic, tmp_path, fault, reason):
    found = search_aia("2017-01-03T12:30")
    synoptic.faults[FOLDER.format(hour=12, minute=30, wavelength=193)] = [fault] * 99
    with pytest.raises(ArchiveError, match=f"1 files could not .*AIA20170103_1230_0193.fits: .*{reason}"):
        fetch(found, tmp_path, progress=False, timeout=0.3 * u.s, attempts=2)
    assert [path.name for path in tmp_path.iterdir()] == ["AIA20170103_1230_0171.fits"]


def test_fetch_in_a_notebook(synoptic, tmp_path):
    async def cell():
        return fetch(search_aia("2017-01-03T12:30", 193 * u.AA), tmp_path, progress=False)

    (path,) = asyncio.run(cell())
    assert read_map(path).data[0, 0] == 30


def test_progress_is_shown(synoptic, tmp_path, capsys):
    fetch(search_aia("2017-01-03T12:30"), tmp_path)
    assert "Files Downloaded: 100%" in capsys.readouterr().err


@pytest.fixture
def helioviewer(server, tmp_path):
    write_jp2(tmp_path / "a.jp2", np.full((16, 16), 9, dtype=np.uint8), HEADER)
    server.files["/v2/getClosestImage/"] = json.dumps({"id": 1, "date": "2017-01-03 12:00:04"}).encode()
    server.files["/v2/getJP2Image/"] = (tmp_path / "a.jp2").read_bytes()
    return server


def test_helioviewer(helioviewer, tmp_path):
    found = search_aia("2017-01-03T12:00", source="helioviewer")
    assert list(found["file"]) == [f"2017_01_03__12_00_04__SDO_AIA_AIA_{channel}.jp2" for channel in (171, 193)]
    paths = fetch(found, tmp_path, progress=False)
    assert [read_map(path).data[0, 0] for path in paths] == [9, 9]
    asked = [request for request in helioviewer.requests if "Closest" in request]
    assert asked[1] == "/v2/getClosestImage/?date=2017-01-03T12%3A00%3A00.000Z&sourceId=11"


def test_helioviewer_has_only_an_image_of_another_day(helioviewer):
    with pytest.warns(MissingImageWarning):
        assert len(search_aia("2017-02-03", source="helioviewer")) == 0


@pytest.mark.parametrize("answer", [b'{"error": "down"}', b"<html></html>", b"[]"])
def test_helioviewer_answers_something_else(helioviewer, answer):
    helioviewer.files["/v2/getClosestImage/"] = answer
    with pytest.raises(ArchiveError, match="'helioviewer' failed 3 times"):
        search_aia("2017-01-03", source="helioviewer")


class _VSO(BaseClient):
    """Stands in for the client of the VSO, whose protocol no small server speaks."""

    def __init__(self, url):
        self.url = url

    def search(self, *query):
        times = Time(["2017-01-03T11:59:59", "2017-01-03T12:00:11"])
        return QueryResponseTable({"Start Time": times, "fileid": ["a", "b"]}, client=self)

    def fetch(self, rows, *, path, downloader, wait, progress):
        for row in rows:
            downloader.enqueue_file(f"{self.url}/{row['fileid']}.fits", filename=path.format(file="theirs.fits"))

    @classmethod
    def _can_handle_query(cls, *query):
        return False


BaseClient._registry.pop(_VSO)


def test_vso(server, tmp_path, monkeypatch):
    server.files = {"/a.fits": fits_bytes(1), "/b.fits": fits_bytes(2)}
    monkeypatch.setattr(Fido, "search", lambda *query: [_VSO(server.url).search(*query)])
    found = search_aia("2017-01-03T12:00:09", source="vso")
    assert list(found["file"]) == [f"aia_lev1_20170103_120011_{channel:04d}.fits" for channel in (171, 193)]
    paths = fetch(found[1:], tmp_path, progress=False)
    assert [path.name for path in paths] == ["aia_lev1_20170103_120011_0193.fits"]
    assert read_map(paths[0]).data[0, 0] == 2


def test_vso_errors_that_fido_keeps_to_itself(monkeypatch):
    class Answer(list):
        errors = (OSError("no VSO at this time"),)

    monkeypatch.setattr(_archives, "_PAUSE", 0)
    monkeypatch.setattr(Fido, "search", lambda *query: Answer())
    with pytest.raises(ArchiveError, match=r"'vso' failed 3 times .*no VSO at this time"):
        search_aia("2017-01-03", source="vso")


@pytest.mark.remote_data
@pytest.mark.parametrize("source", ["synoptic", "vso", "helioviewer"])
def test_live(source, tmp_path):
    (path,) = fetch(search_aia("2017-01-03", 193 * u.AA, source=source), tmp_path, progress=False)
    smap = read_map(path)
    assert abs(smap.date - Time("2017-01-03")) < 30 * u.min
    assert smap.wavelength == 193 * u.AA
