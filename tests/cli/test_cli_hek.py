"""The commands that ask the HEK and the archives, against a server on this machine."""

import numpy as np
import pytest
from hek_records import synthetic_records
from hek_server import Faults, hek_server
from makers import disk_map

import astropy.units as u
import sunpy.map
from astropy.table import QTable
from astropy.time import Time

from sunpy_scss.cli import main
from sunpy_scss.cli._hek import agreement_with_hek
from sunpy_scss.exceptions import ArchiveError, InvalidMapError
from sunpy_scss.hek import HEKServer
from sunpy_scss.images import _search


@pytest.fixture
def server():
    with hek_server(synthetic_records()) as running:
        yield running


@pytest.fixture
def image(tmp_path):
    """A Sun of the time of the synthetic records, bright in two places."""

    def values(x, y):
        bright = (np.hypot(x - 0.3, y - 0.2) < 0.15) | (np.hypot(x + 0.4, y + 0.1) < 0.1)
        return np.where(bright, 900.0, np.where(np.hypot(x, y) < 1, 100.0, 20.0))

    path = tmp_path / "aia171.fits"
    date = max(record["event_endtime"] for record in synthetic_records())
    disk_map(values, size=256, radius=100, wavelength=171, date=date).save(path)
    return path


def test_hek_mask(server, image, tmp_path, capsys):
    target = tmp_path / "hek.fits"
    arguments = ["hek-mask", "--map", image, "--feature", "ar", "--output", target, "--hek-url", server.url]
    assert main(list(map(str, arguments))) == 0
    mask = sunpy.map.Map(target)
    assert mask.data.any()
    printed = capsys.readouterr()
    assert f"{mask.meta['HEKDRAWN']} events drawn" in printed.err
    assert printed.out == f"{target}\n"
    assert main(list(map(str, arguments))) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_outage_is_an_error(image, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sunpy_scss.hek._search.Retry.sleep", lambda self, response: None)
    with hek_server([], always=Faults.status(500)) as server:
        arguments = ["hek-mask", "--map", image, "--feature", "ar", "--output", tmp_path / "m.fits"]
        assert main([*map(str, arguments), "--hek-url", server.url]) == 1
    assert "outage" in capsys.readouterr().err
    assert not (tmp_path / "m.fits").exists()


@pytest.fixture
def archive(monkeypatch, image):
    """An archive that has this one image."""
    asked = {}

    def search(times, wavelength, **options):
        asked.update(times=times, wavelength=wavelength, **options)
        return QTable({"obstime": Time(times)})

    monkeypatch.setattr(_search, "search_aia", search)
    monkeypatch.setattr(_search, "fetch", lambda results, folder: [image] * len(results))
    return asked


def test_fetch(archive, image, tmp_path, capsys):
    assert main(["fetch", "--time", "2018-03-17", "--feature", "ar", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(image)]
    np.testing.assert_array_equal(archive["wavelength"], [171] * u.AA)
    assert archive["source"] == "synoptic"


def test_fetch_segment_and_compare(archive, server, tmp_path, capsys):
    arguments = ["segment", "--time", "2018-03-17", "--feature", "ar", "--output", str(tmp_path / "out")]
    assert main([*arguments, "--hek-url", server.url]) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.fits")) == ["aia171_ar.fits", "aia171_ar_hek.fits"]
    assert "IoU" in capsys.readouterr().err


def test_compare_where_the_hek_has_nothing(archive, tmp_path, capsys):
    with hek_server([]) as server:
        arguments = ["segment", "--time", "2018-03-17", "--feature", "ar", "--output", str(tmp_path / "out")]
        assert main([*arguments, "--hek-url", server.url]) == 0
    assert "no event" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "feature", "message"), [(1, None, "SCSSFEAT = CH or AR"), (0.5, "AR", "0 and 1 only")]
)
def test_compare_what_is_no_mask(value, feature, message, server, tmp_path):
    mask = disk_map(lambda x, y: np.where(np.hypot(x, y) < 0.3, value, 0.0), size=64, radius=25)
    if feature:
        mask.meta["SCSSFEAT"] = feature
    mask.save(tmp_path / "mask.fits")
    with pytest.raises(InvalidMapError, match=message):
        agreement_with_hek(tmp_path / "mask.fits", HEKServer(server.url))
    assert not (tmp_path / "mask_hek.fits").exists()


def test_images_of_a_stretch_of_time(archive, tmp_path, capsys):
    times = ["segment", "--time", "2018-03-17", "2018-03-18", "--feature", "ar", "--output", str(tmp_path / "out")]
    assert main([*times, "--cadence", "12 h"]) == 0
    assert [time.isot[:13] for time in archive["times"]] == ["2018-03-17T00", "2018-03-17T12", "2018-03-18T00"]
    for cadence in ("0 h", "-3 h"):
        with pytest.raises(SystemExit):
            main([*times, "--cadence", cadence])


@pytest.mark.filterwarnings("default::sunpy_scss.exceptions.MissingImageWarning")
def test_images_that_an_archive_could_not_give_are_told(archive, image, tmp_path, capsys, monkeypatch):
    def fetch(found, folder):
        msg = "aia_0001.fits: outage"
        raise ArchiveError(msg)

    monkeypatch.setattr(_search, "search_aia", lambda *_, **__: QTable({"file": ["aia171.fits", "aia_0001.fits"]}))
    monkeypatch.setattr(_search, "fetch", fetch)
    arguments = ["segment", "--time", "2018-03-17", "2018-03-18", "--cadence", "24 h", "--feature", "ar", "--output"]
    assert main([*arguments, str(tmp_path / "none")]) == 1
    assert "outage" in capsys.readouterr().err
    (tmp_path / "out" / "images").mkdir(parents=True)
    image.rename(tmp_path / "out" / "images" / "aia171.fits")
    assert main([*arguments, str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert "aia171_ar.fits" in printed.out
    assert "Some images could not be downloaded: aia_0001.fits: outage" in printed.err
    assert "1 written, 1 failed" in printed.err
