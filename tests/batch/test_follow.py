"""Images that come one by one, followed by a run that may end at any moment."""

import os
import signal

import pytest
from filelock import FileLock
from makers import dark_model, disk_map, sun_with_hole

import astropy.units as u
from astropy.table import QTable

from sunpy_scss.batch import BatchOptions, _follow
from sunpy_scss.cli import main
from sunpy_scss.exceptions import ArchiveError, NoImageError, OutputInUseError

OPTIONS = BatchOptions(model=dark_model())


def add_image(folder, number, *, at=0.0):
    folder.mkdir(exist_ok=True)
    date = f"2017-06-01T{number:02d}:00:00"
    smap = disk_map(lambda x, y: sun_with_hole(x, y, at=(at, 0.1)), size=64, radius=25, date=date)
    smap.save(folder / f"hour{number}.fits")


def once(folder, output, lines=None, **settings):
    tell = (lines if lines is not None else []).append
    return _follow.follow_once(lambda: folder, output, options=OPTIONS, tell=tell, **settings)


def contents(output):
    files = [output / "alerts.txt", *sorted((output / "days").iterdir()), *sorted((output / "masks").glob("*.fits"))]
    return {path.name: path.read_bytes() for path in files}


def test_each_image_once_and_no_row_twice(tmp_path):
    folder, output, lines = tmp_path / "images", tmp_path / "out", []
    add_image(folder, 1)
    add_image(folder, 2, at=0.6)
    assert once(folder, output, lines, stale=1 * u.h) == (2, 0)
    rows = QTable.read(output / "days" / "2017-06-01.ecsv")
    assert list(rows["crossing"]) == [1, 0]
    assert len((output / "alerts.txt").read_text().splitlines()) == 1
    assert sum(line.startswith("alert") for line in lines) == 1
    assert sum(line.startswith("stale") for line in lines) == 1
    with pytest.raises(NoImageError, match="no new image"):
        once(folder, output)
    # Broken off before the page, the last of all: the next run ends with the same files.
    before = contents(output)
    (output / "pages" / "hour1.html").unlink()
    assert once(folder, output) == (1, 0)
    assert contents(output) == before


def test_a_bad_file_is_set_aside_until_it_changes(tmp_path):
    folder, output, lines = tmp_path / "images", tmp_path / "out", []
    add_image(folder, 1)
    good = (folder / "hour1.fits").read_bytes()
    (folder / "hour1.fits").write_bytes(b"no image")
    assert once(folder, output, lines) == (0, 1)
    assert lines[0].startswith("set aside")
    with pytest.raises(NoImageError):
        once(folder, output)
    (folder / "hour1.fits").write_bytes(good)
    assert once(folder, output) == (1, 0)


def test_one_writer_at_a_time(tmp_path):
    add_image(tmp_path / "images", 1)
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".follow.lock"), pytest.raises(OutputInUseError):
        once(tmp_path / "images", tmp_path / "out")


def test_an_outage_is_waited_for_ever_longer(tmp_path):
    waited = []

    def outage():
        msg = "no answer"
        raise ArchiveError(msg)

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 4:
            raise KeyboardInterrupt

    settings = {"options": OPTIONS, "tell": lambda line: None}
    with pytest.raises(KeyboardInterrupt):
        _follow.follow(outage, tmp_path, every=100, sleep=sleep, **settings)
    assert waited == [30, 60, 100, 100]


@pytest.mark.parametrize("step", ["_add_row", "_add_lines", "write_report"])
def test_ended_at_any_step_the_next_run_goes_on(tmp_path, monkeypatch, step):
    folder = tmp_path / "images"
    add_image(folder, 1)
    once(folder, tmp_path / "whole")

    def end(*_, **__):
        os.kill(os.getpid(), signal.SIGTERM)

    there = getattr(_follow, step)
    monkeypatch.setattr(_follow, step, end)
    with pytest.raises(SystemExit) as ended:
        once(folder, tmp_path / "broken")
    monkeypatch.setattr(_follow, step, there)
    assert ended.value.code == 143
    assert not (tmp_path / "broken" / "pages" / "hour1.html").exists()
    assert once(folder, tmp_path / "broken") == (1, 0)
    broken, whole = contents(tmp_path / "broken"), contents(tmp_path / "whole")
    assert broken["alerts.txt"] == whole["alerts.txt"]
    assert broken["2017-06-01.ecsv"] == whole["2017-06-01.ecsv"]


def test_command(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    arguments = ["follow", str(tmp_path / "images"), "--output", str(tmp_path / "out"), "--log", str(tmp_path / "log")]
    assert main(arguments) == 3
    assert "no image" in (tmp_path / "log").read_text()
    add_image(tmp_path / "images", 1)
    (tmp_path / "images" / "hour1.fits").write_bytes(b"no image")
    assert main([*arguments, "--quiet"]) == 1
    assert "set aside" in capsys.readouterr().err
