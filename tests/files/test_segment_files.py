"""Masks of many files: what is written, kept, refused and told."""

import json
from contextlib import contextmanager

import numpy as np
import pytest
from makers import dark_model, disk_map, sun_with_hole

import astropy.units as u
from astropy.io import fits
from sunpy.time import TimeRange

from sunpy_scss import segment_coronal_holes
from sunpy_scss.exceptions import ArchiveError
from sunpy_scss.files import _inputs, _outputs, _segment, find_images, mask_at, segment_files
from sunpy_scss.images import read_map

MODEL = dark_model()
SIZE = 64


def image(number, **settings):
    """A hole that moves from day to day."""
    return disk_map(
        lambda x, y: sun_with_hole(x, y, at=(0.1 * number - 0.3, 0.1)),
        size=SIZE,
        radius=25,
        date=f"2017-06-{1 + number:02d}T12:00:00",
        **settings,
    )


@pytest.fixture
def folder(tmp_path):
    """Images of four days."""
    (tmp_path / "images").mkdir()
    for number in range(4):
        image(number).save(tmp_path / "images" / f"day{number}.fits")
    return tmp_path / "images"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "masks"


def run(inputs, output, **settings):
    return segment_files(inputs, output, **{"features": ["CH"], "model": MODEL, **settings})


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def report_of(output):
    return json.loads((output / "segment_report.json").read_text())


class TestInputs:
    def test_folder_pattern_and_list_are_the_same(self, folder, tmp_path):
        (folder / "notes.txt").write_text("no image")
        files = [str(folder / f"day{number}.fits") for number in range(4)]
        for inputs in (folder, str(folder), str(folder / "day*.fits"), files, [folder, files[0]], iter(files)):
            assert find_images(inputs, tmp_path) == files

    def test_what_is_not_there_is_an_image_that_fails(self, folder, output):
        outcomes = run([folder, folder / "nowhere.fits"], output)
        assert statuses(outcomes) == ["written"] * 4 + ["failed"]
        assert "no such file" in outcomes[-1].failure

    def test_nothing_is_an_error(self, tmp_path, output):
        with pytest.raises(ValueError, match="no image to work on"):
            run([], output)
        (tmp_path / "empty").mkdir()
        with pytest.raises(ValueError, match="no image to work on"):
            run(tmp_path / "empty", output)

    def test_stretch_of_time(self, folder, output, monkeypatch):
        asked = []

        def search(times, wavelength, *, source):
            asked.extend(time.isot for time in times)
            return {"file": [f"day{number}.fits" for number in range(len(times))]}

        monkeypatch.setattr(_inputs, "search_aia", search)
        monkeypatch.setattr(_inputs, "fetch", lambda found, path: [folder / name for name in found["file"]])
        outcomes = run(TimeRange("2017-06-01", "2017-06-02"), output, cadence=12 * u.hour)
        assert asked == ["2017-06-01T00:00:00.000", "2017-06-01T12:00:00.000", "2017-06-02T00:00:00.000"]
        assert len(outcomes) == 1  # the length of what the archive says, which is a dictionary of one column here
        with pytest.raises(ValueError, match="cadence"):
            run(TimeRange("2017-06-01", "2017-06-02"), output)
