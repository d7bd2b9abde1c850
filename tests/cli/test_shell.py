"""What the command says to a shell: exit statuses, and help where something is missing."""

import importlib.util
import json
import shutil

import numpy as np
import pytest
from filelock import FileLock
from hek_records import synthetic_records
from makers import disk_map, sun_with_hole
from PIL import Image

import astropy.units as u
import sunpy.map
from sunpy.visualization.colormaps import cmlist

from sunpy_scss._features import FEATURES
from sunpy_scss.cli import main
from sunpy_scss.synthetic import Cap, synthetic_sun


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "sun.fits"
    disk_map(sun_with_hole, size=64, radius=25).save(path)
    return path


def run(*arguments):
    return main([str(argument) for argument in arguments])


class TestExitStatus:
    def test_all_done_also_a_second_time(self, image, tmp_path):
        assert [run("segment", image, "--output", tmp_path / "out") for _ in range(2)] == [0, 0]

    def test_some_failed(self, image, tmp_path):
        assert run("segment", image, tmp_path / "nowhere.fits", "--output", tmp_path / "out") == 1

    @pytest.mark.parametrize("inputs", ["empty", "empty/*.fits", "nowhere/*.fits"])
    @pytest.mark.parametrize("command", ["segment", "report"])
    def test_nothing_to_do(self, inputs, command, tmp_path, capsys):
        (tmp_path / "empty").mkdir()
        output = tmp_path / ("out" if command == "segment" else "page.html")
        assert run(command, tmp_path / inputs, "--output", output) == 3
        assert "no image to work on" in capsys.readouterr().err
        assert not output.exists()

    def test_another_run_holds_the_output(self, image, tmp_path, capsys):
        (tmp_path / "out").mkdir()
        with FileLock(tmp_path / "out" / ".sunpy_scss.lock"):
            assert run("segment", image, "--output", tmp_path / "out") == 4
        assert "Another run works on" in capsys.readouterr().err


def test_regions_need_pyarrow_which_is_said_first(image, tmp_path, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr("sunpy_scss.batch._segment.find_spec", lambda name: None if name == "pyarrow" else find(name))
    assert run("segment", image, "--regions", "--output", tmp_path / "out") == 1
    assert 'pip install "sunpy_scss[archive]"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_models_say_which_are_the_default(capsys):
    assert run("models") == 0
    default = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "(default)" in line]
    assert sorted(default) == sorted(facts.model for facts in FEATURES.values())


def test_movie_says_that_it_is_a_gif(image, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    mask = disk_map(lambda x, y: np.where(np.hypot(x, y) < 0.3, 1.0, 0.0), size=64, radius=25)
    mask.save(tmp_path / "sun_ch.fits")
    assert run("movie", tmp_path / "sun_ch.fits", "--image", image, "--output", tmp_path / "sun.mp4", "--dpi", 20) == 0
    printed = capsys.readouterr()
    assert "written as GIF" in printed.err
    assert printed.out == f"{tmp_path / 'sun.gif'}\n"


class TestHeader:
    def test_it_is_mended_and_decides_the_mask(self, tmp_path, capsys):
        smap = disk_map(sun_with_hole, size=64, radius=25, unit=u.DN, meta={"exptime": 2.0, "wavelnth": 17.1})
        smap.save(tmp_path / "sun.fits")
        out = tmp_path / "out"
        mended = ["--header", "WAVELNTH=193", "--header", "bunit=DN/s"]
        assert run("segment", tmp_path / "sun.fits", "--output", out, *mended) == 0
        mask = sunpy.map.Map(out / "sun_ch.fits")
        assert mask.wavelength == 193 * u.AA
        assert mask.meta["SCSSHEAD"] == "BUNIT=DN/s, WAVELNTH=193"
        assert run("segment", tmp_path / "sun.fits", "--output", out, *mended) == 0
        capsys.readouterr()
        assert run("segment", tmp_path / "sun.fits", "--output", out, *mended[:2]) == 1
        assert "header BUNIT=DN/s, WAVELNTH=193 (now WAVELNTH=193)" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["BUNIT", "=5", "TOOLONGKEY=3", "A B=3"])
    def test_what_is_no_keyword(self, text, capsys):
        with pytest.raises(SystemExit) as error:
            run("segment", "a.fits", "--output", "o", "--header", text)
        assert error.value.code == 2
        assert "is not KEY=VALUE" in capsys.readouterr().err


class TestPlot:
    @pytest.fixture
    def mask(self, tmp_path):
        hole = Cap(20 * u.deg, 10 * u.deg, 15 * u.deg)
        sun = synthetic_sun("2017-02-10T16:55:17", size=64, coronal_holes=[hole], active_regions=[])
        sun.coronal_holes.save(tmp_path / "mask.fits")
        return tmp_path / "mask.fits"

    @pytest.mark.parametrize("ending", ["jpg", "png"])
    @pytest.mark.filterwarnings("default::sunpy_scss.exceptions.CalibrationWarning")
    def test_browse_image(self, mask, ending, tmp_path, capsys):
        index = synthetic_sun("2017-02-10T16:55:17", size=256).image
        index = (255 * np.clip(np.nan_to_num(index.data) / 300, 0, 1)).astype(np.uint8)[::-1]
        colours = (255 * cmlist["sdoaia193"](np.arange(256))[:, :3]).round().astype(np.uint8)
        path = tmp_path / f"20170210_165517_256_0193.{ending}"
        Image.fromarray(colours[index]).save(path)
        assert run("plot", path, mask, "--output", tmp_path / "picture.png", "--dpi", 20) == 0
        assert "brought to the pixels of the image" in capsys.readouterr().err

    def test_image_of_another_size(self, mask, tmp_path, capsys):
        synthetic_sun("2017-02-10T17:55:17", size=96).image.save(tmp_path / "large.fits")
        assert run("plot", tmp_path / "large.fits", mask, "--output", tmp_path / "picture.png", "--dpi", 20) == 0
        assert "brought to the pixels of the image" in capsys.readouterr().err


class TestSavedEvents:
    @pytest.fixture
    def sun(self, tmp_path):
        date = max(record["event_endtime"] for record in synthetic_records())
        disk_map(sun_with_hole, size=64, radius=25, date=date).save(tmp_path / "sun.fits")
        return tmp_path / "sun.fits"

    @pytest.mark.parametrize("whole", [True, False])
    def test_they_are_drawn(self, sun, whole, tmp_path, capsys):
        records = synthetic_records()
        (tmp_path / "hek.json").write_text(json.dumps({"result": records} if whole else records))
        arguments = ["hek-mask", "--map", sun, "--feature", "ar", "--output", tmp_path / "mask.fits"]
        assert run(*arguments, "--events", tmp_path / "hek.json") == 0
        assert sunpy.map.Map(tmp_path / "mask.fits").data.any()

    def test_what_is_not_there(self, sun, tmp_path, capsys):
        (tmp_path / "hek.json").write_text(json.dumps(synthetic_records()))
        (tmp_path / "text.json").write_text("<html>outage</html>")
        arguments = ["hek-mask", "--map", sun, "--output", tmp_path / "mask.fits", "--events"]
        assert run(*arguments, tmp_path / "hek.json", "--feature", "ar", "--method", "NOAA") == 1
        assert "it has AR by SPoCA" in capsys.readouterr().err
        assert run(*arguments, tmp_path / "text.json", "--feature", "ar") == 1
        assert "not an answer of the HEK" in capsys.readouterr().err
        assert not (tmp_path / "mask.fits").exists()
