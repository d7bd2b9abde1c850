"""The command track: masks in order of time, with what the same functions give for Maps."""

from collections import Counter

import pytest

import astropy.units as u
from astropy.table import QTable
from astropy.time import Time
from astropy.timeseries import TimeSeries

from sunpy_scss.cli import main
from sunpy_scss.evolution import central_meridian_fraction, track_regions
from sunpy_scss.images import _read
from sunpy_scss.synthetic import synthetic_sun


@pytest.fixture(scope="module")
def masks():
    return [synthetic_sun(Time("2017-06-01") + day * u.day, size=64, seed=1).coronal_holes for day in range(3)]


@pytest.fixture
def paths(masks, tmp_path):
    """Files of the masks, from the last to the first."""
    found = [tmp_path / f"{number}.fits" for number in range(len(masks))]
    for mask, path in zip(masks, found, strict=True):
        mask.save(path)
    return found[::-1]


def track(paths, folder):
    assert main(["track", *map(str, paths), "--output", str(folder)]) == 0
    return [folder / name for name in ("regions.ecsv", "events.ecsv", "meridian.ecsv", "tracks.png")]


def test_tables(masks, paths, tmp_path):
    regions, events, meridian, picture = track(paths, tmp_path / "tracks")
    tracks, series = track_regions(masks), central_meridian_fraction(masks)
    assert list(QTable.read(regions)["track"]) == list(tracks.regions["track"])
    assert list(QTable.read(events)["event"]) == list(tracks.events["event"])
    again = TimeSeries.read(meridian)
    assert again.colnames == series.colnames
    assert list(again["time"].isot) == list(series["time"].isot)
    assert list(again["fraction"]) == pytest.approx(list(series["fraction"]))
    assert picture.exists()


def test_each_is_read_for_its_date_and_for_all_else(paths, tmp_path, monkeypatch):
    reads = Counter()

    read_map = _read.read_map

    def read(path):
        reads[path] += 1
        return read_map(path)

    monkeypatch.setattr(_read, "read_map", read)
    track(paths, tmp_path / "tracks")
    assert reads == dict.fromkeys(map(str, paths), 2)
