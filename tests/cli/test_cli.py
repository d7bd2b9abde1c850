"""The command, and the files that it writes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from makers import disk_map, sun_with_hole
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.table import QTable

import sunpy_scss
from sunpy_scss import list_models
from sunpy_scss.cli import main, parser
from sunpy_scss.masks import iou
from sunpy_scss.synthetic import Cap, synthetic_sun
from sunpy_scss.train import LabelledMap, write_folder


@pytest.fixture
def image(tmp_path):
    """Quiet Sun with a hole as dark as real ones are."""

    def values(x, y):
        image = sun_with_hole(x, y)
        return np.where(image == 40, 15.0, image)

    path = tmp_path / "sun.fits"
    disk_map(values, size=128, radius=50).save(path)
    return path


def segment(*arguments):
    return main(["segment", *map(str, arguments)])


class TestSegment:
    def test_mask(self, image, tmp_path, capsys):
        assert segment(image, "--output", tmp_path / "out") == 0
        mask = sunpy.map.Map(tmp_path / "out" / "sun_ch.fits")
        assert iou(sunpy.map.Map(image).data == 15, mask.data) > 0.7
        assert str(tmp_path / "out" / "sun_ch.fits") in capsys.readouterr().out

    def test_pattern_and_plot(self, image, tmp_path):
        (tmp_path / "moon.fits").write_bytes(image.read_bytes())
        assert segment(tmp_path / "*.fits", "--feature", "ch", "--plot", "--output", tmp_path / "out") == 0
        expected = ["moon_ch.fits", "moon_ch.png", "sun_ch.fits", "sun_ch.png"]
        assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*_ch.*")) == expected

    def test_folder(self, image, tmp_path, capsys):
        (tmp_path / "images").mkdir()
        image.rename(tmp_path / "images" / "sun.fits")
        assert segment(tmp_path / "images", "--plot", "--plot-format", "svg", "--dpi", "40", "--output", tmp_path) == 0
        assert capsys.readouterr().out.split() == [str(tmp_path / "sun_ch.fits"), str(tmp_path / "sun_ch.svg")]

    def test_probability(self, image, tmp_path, capsys):
        assert segment(image, "--probability", "--samples", "2", "--output", tmp_path) == 0
        mask, probability = (tmp_path / name for name in ("sun_ch.fits", "sun_ch_probability.fits"))
        found = sunpy.map.Map(probability)
        assert found.meta["CONTENT"] == "coronal hole probability"
        certain = sunpy.map.Map(mask).data == 1
        assert found.data[certain].min() >= sunpy.map.Map(mask).meta["SCSSTHR"]
        capsys.readouterr()
        assert main(["properties", str(mask), "--probability", str(probability)]) == 0
        assert "area" in capsys.readouterr().out

    def test_options_reach_the_mask(self, image, tmp_path):
        assert segment(image, "--output", tmp_path, "--threshold", "0.3", "--min-area", "100000000 km2") == 0
        header = sunpy.map.Map(tmp_path / "sun_ch.fits").meta
        assert header["SCSSTHR"] == 0.3
        assert "1e+08 km2" in header["history"]

    def test_one_bad_file_stops_nothing(self, image, tmp_path, capsys):
        page = tmp_path / "page.fits"
        page.write_text("<html>no such image</html>")
        other = tmp_path / "other.fits"
        disk_map(sun_with_hole, size=64, radius=25, wavelength=304).save(other)
        assert segment(page, tmp_path / "missing.fits", other, image, "--output", tmp_path / "out") == 1
        errors = [line for line in capsys.readouterr().err.splitlines() if ".fits" in line and "%" not in line]
        assert len(errors) == 3
        assert "page.fits" in errors[0]
        assert "missing.fits" in errors[1]
        assert "304" in errors[2]
        assert [path.name for path in (tmp_path / "out").glob("*.fits")] == ["sun_ch.fits"]

    def test_what_is_there_is_kept(self, image, tmp_path, capsys):
        target = tmp_path / "sun_ch.fits"
        assert segment(image, "--output", tmp_path) == 0
        before = target.stat().st_mtime_ns
        capsys.readouterr()
        assert segment(image, "--output", tmp_path) == 0
        printed = capsys.readouterr()
        assert printed.out.split() == [str(target)]
        assert "1 kept as they were (--overwrite replaces them)" in printed.err
        assert target.stat().st_mtime_ns == before

    def test_what_is_no_mask_is_kept(self, image, tmp_path, capsys):
        target = tmp_path / "sun_ch.fits"
        target.write_text("mine")
        assert segment(image, "--output", tmp_path) == 1
        assert target.read_text() == "mine"
        assert "pass --overwrite" in capsys.readouterr().err
        assert segment(image, "--output", tmp_path, "--overwrite") == 0
        assert sunpy.map.Map(target).data.any()

    def test_other_settings(self, image, tmp_path, capsys):
        assert segment(image, "--output", tmp_path) == 0
        assert segment(image, "--output", tmp_path, "--min-area", "5 Mm2", "--plot") == 1
        assert "min_area" not in (text := capsys.readouterr().err)
        assert "min area 1000 Mm2 (now 5 Mm2)" in text
        assert "pass --overwrite" in text
        assert not (tmp_path / "sun_ch.png").exists()

    def test_disk_median(self, tmp_path, capsys):
        corner = disk_map(sun_with_hole, size=128, radius=100, centre=(0, 0))
        corner.save(tmp_path / "corner.fits")
        assert segment(tmp_path / "corner.fits", "--output", tmp_path) == 1
        said = capsys.readouterr().err
        assert "Pass --disk-median" in said
        assert 'as "70 DN/s"' in said
        assert segment(tmp_path / "corner.fits", "--output", tmp_path, "--disk-median", "100 DN/s") == 0

    def test_results_and_errors_come_as_they_happen(self, image, tmp_path, monkeypatch, capsys):
        from sunpy_scss.batch import _work

        (tmp_path / "zoo.fits").write_bytes(image.read_bytes())
        read, seen = _work.read_image, []

        def read_after(path, header):
            seen.append(capsys.readouterr().out)
            if path.name == "zoo.fits":
                raise KeyboardInterrupt
            return read(path, header)

        monkeypatch.setattr(_work, "read_image", read_after)
        assert segment(image, tmp_path / "zoo.fits", "--output", tmp_path / "out") == 130
        assert seen == ["", f"{tmp_path / 'out' / 'sun_ch.fits'}\n"]
        printed = capsys.readouterr()
        assert printed.err.splitlines() == ["images: 1 written", "sunpy-scss: interrupted"]

    def test_nobody_reads(self, image, tmp_path, monkeypatch, capsys):
        from sunpy_scss.cli import _segment

        def broken(line):
            raise BrokenPipeError

        monkeypatch.setattr(_segment, "say", broken)
        assert segment(image, "--output", tmp_path) == 141
        assert "Broken" not in capsys.readouterr().err

    def test_two_files_of_one_name(self, image, tmp_path, capsys):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "sun.fits").write_bytes(image.read_bytes())
        assert segment(image, tmp_path / "b" / "sun.fits", "--output", tmp_path / "out") == 1
        assert "folders of their own" in capsys.readouterr().err

    def test_folder_that_cannot_be_made(self, image, tmp_path, capsys):
        (tmp_path / "file").write_text("")
        assert segment(image, "--output", tmp_path / "file" / "out") == 1
        assert "file" in capsys.readouterr().err

    def test_unknown_model(self, image, tmp_path, capsys):
        assert segment(image, "--feature", "ch", "--model", "best", "--output", tmp_path / "out") == 1
        assert capsys.readouterr().err.count(list_models()[0]) == 1
        assert not (tmp_path / "out").exists()


def test_both_features_by_wavelength(tmp_path, image):
    bright = tmp_path / "bright.fits"
    sun = disk_map(lambda x, y: np.where(np.hypot(x, y) < 0.15, 900.0, 100.0), size=128, radius=50, wavelength=171)
    sun.save(bright)
    assert segment(image, bright, "--output", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.fits")) == ["bright_ar.fits", "sun_ch.fits"]


def test_demo(tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aia171_ar.fits", "aia193_ch.fits", "demo.png"]
    assert capsys.readouterr().out.count("%") == 2


def test_models(capsys):
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in list_models())
    assert main(["models", "show", list_models()[0]]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == list_models()[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("segment a.fits --output o --feature sunspots", "invalid choice"),
        ("segment a.fits --output o --min-area abc", "'abc' is no value in Mm2"),
        ("segment a.fits --output o --min-area 5", "'5' is no value in Mm2"),
        ("segment a.fits --output o --min-area nanMm2", "no value in Mm2|must be finite"),
        ("segment a.fits --output o --min-area=-3Mm2", "not negative"),
        ("segment a.fits --output o --threshold 2", "no number between 0 and 1"),
        ("segment a.fits --output o --samples 1.5", "no positive whole number"),
        ("segment a.fits --output o --disk-median 3", "no value in DN / s or DN"),
        ("segment a.fits --output o --jobs 0", "no positive whole number"),
        ("segment a.fits --output o --dpi nan", "no positive number"),
        ("segment --output o --time yesterday", "'yesterday' is no time"),
        ("segment --output o --time 2017-01-03 --cadence 2", "no value in h"),
        ("segment --output o --time 2017-01-03 --cadence 2h", "--cadence needs two times"),
        ("segment --output o", "give files, or --time"),
        ("hek-mask --map a --feature ch --output o.fits --max-gap 6", "'6' is no value in h"),
        (f"segment a.fits --output {__file__}", "is a file, no folder"),
        (f"track a_ch.fits --output {__file__}", "is a file, no folder"),
        ("carrington a_ch.fits --output c.png", "'c.png' is no name of a file that ends in .fits"),
        ("plot a.fits a_ch.fits --output picture", "ends in .png or .pdf or .svg"),
        ("follow not_there --output o", "not_there is not a folder"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments.split())
    assert error.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_version(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--version"])
    assert error.value.code == 0
    assert capsys.readouterr().out == f"sunpy-scss {sunpy_scss.__version__}\n"


def test_parser_is_that_of_the_command():
    text = parser().format_help()
    assert all(name in text for name in ("segment", "movie", "export", "filaments", "plot", "train"))


def test_training_without_data(tmp_path, capsys):
    (tmp_path / "config.toml").write_text("[card]\nname = 'x'\n")
    assert main(["train", str(tmp_path / "config.toml"), "--data", str(tmp_path), "--output", str(tmp_path / "m")]) == 1
    assert "config.toml" in capsys.readouterr().err


def test_folder_of_labels_without_index(tmp_path, capsys):
    assert main(["evaluate", "scss-ch-193-5", "--data", str(tmp_path)]) == 1
    assert "index.csv is not there" in capsys.readouterr().err


CONFIGURATION = """
[card]
name = "tiny"
feature = "CH"
wavelength = 193
wavelengths = [193]
grid_size = 32
half_width = 1.25
stretch = {floor = 21, limits = [0.2, 2.2], exponent = 0.5, reference_median = 70}
network = {filters = 2, layers = 1}
[training]
epochs = 2
batch_size = 2
"""


def numbers(scores):
    """Scores that are defined: a training ends with Keras, ONNX Runtime differs from it in the last digit."""
    return {name: value for name, value in scores.items() if value is not None and name != "flicker"}


def pairs_of_months(count):
    suns = [synthetic_sun(f"2017-{1 + number:02d}-01", size=128, seed=number) for number in range(count)]
    return [LabelledMap(f"sun{number}", sun.image, sun.coronal_holes) for number, sun in enumerate(suns)]


@pytest.mark.filterwarnings("ignore:.* finds no ")
def test_train_on_a_folder_without_parts(tmp_path, capsys):
    write_folder(pairs_of_months(6), tmp_path / "labels")
    (tmp_path / "config.toml").write_text(CONFIGURATION)
    files = ["--data", str(tmp_path / "labels"), "--output", str(tmp_path / "tiny"), "--cache", str(tmp_path / "cache")]
    assert main(["train", str(tmp_path / "config.toml"), *files]) == 0
    training = json.loads((tmp_path / "tiny" / "card.json").read_text())["training"]
    assert (training["training images"], training["validation images"]) == (4, 2)
    assert len((tmp_path / "cache" / "index.csv").read_text().splitlines()) == 6
    scores = json.loads(capsys.readouterr().out)
    assert main(["evaluate", str(tmp_path / "tiny"), *files[:2]]) == 0
    # on the same part
    assert numbers(json.loads(capsys.readouterr().out)) == pytest.approx(numbers(scores["model"]), rel=1e-5)
    # The folder grows, and would be parted otherwise: 10 of 14 images of the training part were scored once.
    write_folder(pairs_of_months(12)[6:], tmp_path / "labels")
    assert main(["evaluate", str(tmp_path / "tiny"), *files[:2]]) == 0
    assert numbers(json.loads(capsys.readouterr().out)) == pytest.approx(numbers(scores["model"]), rel=1e-5)
    index = tmp_path / "labels" / "index.csv"
    index.write_text(index.read_text().replace(",\n", ",validation\n"))
    assert main(["evaluate", str(tmp_path / "tiny"), *files[:2]]) == 1
    assert "tiny has seen these images" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "config.toml"), *files]) == 1
    assert "holds a model already" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:.* finds no ")
def test_train_and_evaluate(tmp_path, capsys):
    pairs = pairs_of_months(4)
    write_folder(pairs[:2], tmp_path / "labels", split="train")
    write_folder(pairs[2:3], tmp_path / "labels", split="validation")
    write_folder(pairs[3:], tmp_path / "labels", split="test")
    (tmp_path / "config.toml").write_text(CONFIGURATION)
    data = ["--data", str(tmp_path / "labels")]
    assert main(["train", str(tmp_path / "config.toml"), *data, "--output", str(tmp_path / "tiny")]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert main(["evaluate", str(tmp_path / "tiny"), *data]) == 0
    assert numbers(json.loads(capsys.readouterr().out)) == pytest.approx(numbers(scores["model"]), rel=1e-5)
    assert main(["evaluate", str(tmp_path / "tiny"), *data, "--part", "test"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert numbers(scored) == pytest.approx(numbers(scores["test"]), rel=1e-5)
    no_pair = {"pairs": 0, "changed": None, "area_change": None}  # the images are a month apart
    assert scored["flicker"] == {"model": no_pair, "labels": no_pair}
    assert main(["evaluate", str(tmp_path / "tiny"), *data, "--output", str(tmp_path / "scores")]) == 0
    assert sorted(path.name for path in (tmp_path / "scores").iterdir()) == ["cases.png", "scores.json", "scores.png"]
    assert json.loads((tmp_path / "scores" / "scores.json").read_text())["model"] == "tiny"
    capsys.readouterr()
    trained = json.loads((tmp_path / "tiny" / "card.json").read_text())
    assert main(["calibrate", str(tmp_path / "tiny"), *data]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["temperature"] == trained["temperature"] == 1  # nobody knows whether one helps from one block
    assert printed["calibration_error"] == pytest.approx(scores["model"]["calibration_error"])


class TestMasksOfDays:
    @pytest.fixture
    def masks(self, tmp_path):
        """Later days first by name."""
        for name, day in (("b", 1), ("a", 2)):
            hole = Cap(13 * day * u.deg, 10 * u.deg, 12 * u.deg)
            sun = synthetic_sun(f"2017-06-0{day}", size=64, coronal_holes=[hole], active_regions=[])
            sun.coronal_holes.save(tmp_path / f"{name}.fits")
        return str(tmp_path / "*.fits")

    def test_track(self, masks, tmp_path, capsys):
        assert main(["track", masks, "--output", str(tmp_path / "out")]) == 0
        names = ["regions.ecsv", "events.ecsv", "meridian.ecsv", "tracks.png"]
        assert capsys.readouterr().out.split() == [str(tmp_path / "out" / name) for name in names]
        regions = QTable.read(tmp_path / "out" / "regions.ecsv")
        assert regions["track"].tolist() == [1, 1]
        assert main(["track", masks, "--output", str(tmp_path / "out")]) == 1
        assert "regions.ecsv" in capsys.readouterr().err
        assert main(["track", masks, "--output", str(tmp_path / "out"), "--overwrite"]) == 0

    def test_carrington(self, masks, tmp_path, capsys):
        path = tmp_path / "out" / "map.fits"
        path.parent.mkdir()
        assert main(["carrington", masks, "--projection", "CAR", "--output", str(path)]) == 0
        printed = capsys.readouterr()
        assert printed.err.startswith("2 masks")
        assert printed.out == f"{path}\n"
        assert sunpy.map.Map(path).coordinate_system.axis1 == "CRLN-CAR"
        assert main(["carrington", masks, "--output", str(path)]) == 1
        assert "--overwrite" in capsys.readouterr().err
        assert main(["carrington", masks, "--rotation", "1900", "--output", str(path), "--overwrite"]) == 1
        assert "Carrington rotation 1900" in capsys.readouterr().err


class TestOfMasks:
    """Commands on masks that are there."""

    @pytest.fixture
    def days(self, tmp_path):
        for day in (1, 2):
            hole = Cap(13 * day * u.deg, 10 * u.deg, 12 * u.deg)
            sun = synthetic_sun(f"2017-06-0{day}", size=64, coronal_holes=[hole], active_regions=[])
            sun.image.save(tmp_path / f"day{day}.fits")
            sun.coronal_holes.save(tmp_path / f"day{day}_ch.fits")
        return tmp_path

    @pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
    def test_plot(self, days, ending, capsys):
        target = str(days / f"picture.{ending}")
        arguments = ["plot", str(days / "day1.fits"), str(days / "day1_ch.fits"), "--output", target, "--dpi", "40"]
        assert main(arguments) == 0
        assert capsys.readouterr().out == f"{target}\n"
        assert main(arguments) == 1
        assert "--overwrite" in capsys.readouterr().err

    def test_plot_of_another_day(self, days, capsys):
        arguments = ["plot", str(days / "day1.fits"), str(days / "day2_ch.fits"), "--output", str(days / "picture.png")]
        assert main(arguments) == 1
        assert "The mask of 2017-06-02T00:00 is more than 6 h away" in capsys.readouterr().err

    @pytest.mark.parametrize("track", [[], ["--track"]])
    def test_movie(self, days, track, capsys):
        target = days / "days.gif"
        images = ["--image", str(days / "day1.fits"), str(days / "day2.fits")]
        assert main(["movie", str(days), *images, "--output", str(target), "--dpi", "30", *track]) == 0
        assert capsys.readouterr().out == f"{target}\n"
        with Image.open(target) as movie:
            assert movie.n_frames == 2
        assert main(["movie", str(days), "--image", str(days / "day1.fits"), "--output", str(days / "x.gif")]) == 1
        assert "more than 6 h away" in capsys.readouterr().err

    @pytest.mark.parametrize(("form", "ending"), [("geojson", "geojson"), ("hek", "csv")])
    def test_export(self, days, form, ending, capsys):
        arguments = ["export", str(days), "--format", form, "--output", str(days / "out")]
        assert main(arguments) == 0
        names = [str(days / "out" / f"day{day}_ch.{ending}") for day in (1, 2)]
        assert capsys.readouterr().out.split() == names
        assert all("POLYGON" in Path(name).read_text().upper() for name in names)
        assert main(arguments) == 1

    def test_filaments(self, days, capsys):
        images = [str(days / "day1.fits"), str(days / "day2.fits")]
        target = str(days / "scores.ecsv")
        assert main(["filaments", str(days), "--image", *images, "--output", target]) == 0
        assert "filament" in capsys.readouterr().out
        assert len(QTable.read(target)) == 2


def test_help_imports_nothing_heavy():
    code = """
import sys
from sunpy_scss.cli import main
try:
    main(["--help"])
except SystemExit:
    print(*[name for name in ("numpy", "astropy", "sunpy", "tensorflow", "keras", "matplotlib") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == ""


def test_warnings_are_lines_in_a_fresh_process():
    code = """
from sunpy_scss.cli import _for_readers
with _for_readers():
    from sunpy.util.exceptions import warn_user
    warn_user("a doubt")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "sunpy-scss: warning: a doubt\n")
