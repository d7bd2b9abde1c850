"""The commands properties and compare."""

import csv

import numpy as np
import pytest

import astropy.units as u
import sunpy.map
from astropy.table import QTable
from astropy.time import Time

from sunpy_scss._save import save_map
from sunpy_scss.cli import main
from sunpy_scss.masks import compare_masks, read_mask, region_table
from sunpy_scss.synthetic import Cap, synthetic_sun

DATES = "2017-06-01T12:00", "2017-06-03T12:00"


def sun(*longitudes, date=DATES[0]):
    holes = [Cap(lon * u.deg, 5 * u.deg, 15 * u.deg) for lon in longitudes]
    return synthetic_sun(date, size=96, coronal_holes=holes, active_regions=[])


@pytest.fixture
def files(tmp_path):
    """Two holes, one of them two days later, and none."""
    paths = {}
    for name, (longitudes, date) in {
        "two": ((-40, 20), DATES[0]),
        "one": ((46,), DATES[1]),
        "none": ((), DATES[0]),
    }.items():
        scene = sun(*longitudes, date=date)
        for part, smap in (("", scene.coronal_holes), ("_image", scene.image)):
            paths[name + part] = tmp_path / f"{name}{part}.fits"
            save_map(smap, paths[name + part])
    return paths


def run(*arguments):
    return main([str(argument) for argument in arguments])


def measured(target, masks, **options):
    """Return the table that the command properties writes."""
    others = [part for name, files in options.items() for part in (f"--{name}", *files)]
    assert run("properties", *masks, *others, "--output", target) == 0
    return QTable.read(target)


class TestMeasure:
    def test_rows_are_those_of_the_region_table(self, files, tmp_path):
        alone = region_table(read_mask(files["two"]))
        table = measured(tmp_path / "regions.ecsv", [files["two"], files["one"]])
        assert list(table["file"]) == [str(files["two"])] * 2 + [str(files["one"])]
        assert list(table["id"]) == [1, 2, 1]
        assert u.allclose(table["area"][:2], alone["area"])
        assert u.allclose(table["lon"][:2], alone["centroid"].lon)
        assert np.abs((table["time"] - Time([DATES[0], DATES[0], DATES[1]])).to_value("s")).max() < 60
        assert set(table["feature"]) == {"CH"}
        assert set(table["method"]) == {"synthetic"}

    def test_meta_is_what_all_have_in_common(self, files, tmp_path):
        assert "DATE-OBS" in measured(tmp_path / "alone.ecsv", [files["two"]]).meta
        together = measured(tmp_path / "both.ecsv", [files["two"], files["one"]]).meta
        assert "DATE-OBS" not in together
        assert together["SCSSFEAT"] == "CH"

    def test_each_mask_has_its_image(self, files, tmp_path, capsys):
        images = [files["two_image"], files["one_image"]]
        table = measured(tmp_path / "regions.ecsv", [files["two"], files["one"]], image=images)
        assert np.isfinite(table["intensity_median"]).all()
        assert run("properties", files["two"], "--image", *images) == 1
        assert "one image for all masks, or one for each" in capsys.readouterr().err

    def test_fits_is_as_ecsv(self, files, tmp_path):
        masks, images = [files["two"], files["one"]], [files["two_image"]]
        table, back = (measured(tmp_path / f"regions.{end}", masks, image=images) for end in ("ecsv", "fits"))
        assert back.colnames == table.colnames
        assert u.allclose(back["area"], table["area"])
        assert list(back["touches_limb"]) == list(table["touches_limb"])
        assert list(Time(back["time"]).isot) == list(table["time"].isot)

    def test_csv_has_units_in_names(self, files, tmp_path):
        assert run("properties", files["two"], "--output", tmp_path / "regions.csv") == 0
        rows = list(csv.DictReader((tmp_path / "regions.csv").read_text().splitlines()))
        areas = region_table(read_mask(files["two"]))["area"].value
        assert [float(row["area [Mm2]"]) for row in rows] == pytest.approx(areas)

    def test_empty_mask(self, files, tmp_path):
        empty, full = (measured(tmp_path / f"{name}_table.fits", [files[name]]) for name in ("none", "two"))
        assert len(empty) == 0
        assert empty.colnames == full.colnames

    def test_errors_name_the_file(self, files, tmp_path, capsys):
        assert run("properties", files["two_image"]) == 1
        assert "two_image.fits: A mask holds 0 and 1" in capsys.readouterr().err
        assert run("properties", tmp_path / "nowhere.fits") == 1
        assert "no such file" in capsys.readouterr().err

    def test_target_is_checked_first(self, files, tmp_path, capsys):
        assert run("properties", tmp_path / "nowhere.fits", "--output", tmp_path / "regions.txt") == 1
        assert ".ecsv, .fits, .csv" in capsys.readouterr().err
        (tmp_path / "there.ecsv").write_text("mine")
        assert run("properties", files["two"], "--output", tmp_path / "there.ecsv") == 1
        assert (tmp_path / "there.ecsv").read_text() == "mine"


class TestCompare:
    def test_table_and_maps(self, files, tmp_path):
        assert run("compare", files["two"], files["none"], "--output", tmp_path / "out") == 0
        table = QTable.read(tmp_path / "out" / "agreement.ecsv")
        direct = compare_masks([read_mask(files["two"]), read_mask(files["none"])])
        assert (table["first"][0], table["second"][0]) == ("two", "none")
        assert u.allclose(table["area_first"], direct["area_first"])
        votes, odds = (sunpy.map.Map(tmp_path / "out" / f"{name}.fits") for name in ("consensus", "disagreement"))
        assert (votes.data == read_mask(files["two"]).data).all()
        assert (odds.data == votes.data).all()

    def test_nothing_is_replaced_unasked(self, files, tmp_path, capsys):
        (tmp_path / "consensus.fits").write_text("mine")
        arguments = ["compare", files["two"], files["none"], "--output", tmp_path]
        assert run(*arguments) == 1
        assert "consensus.fits" in capsys.readouterr().err
        assert (tmp_path / "consensus.fits").read_text() == "mine"
        assert run(*arguments, "--overwrite") == 0
        assert sunpy.map.Map(tmp_path / "consensus.fits").data.any()

    @pytest.mark.filterwarnings("default::sunpy.util.exceptions.SunpyUserWarning")
    def test_other_times_and_features_are_told(self, files, tmp_path, capsys):
        assert run("compare", files["two"], files["one"]) == 0
        assert "2017-06-01T12:00 to 2017-06-03T12:00" in capsys.readouterr().err
        save_map(synthetic_sun(DATES[0], size=96).active_regions, tmp_path / "regions.fits")
        assert run("compare", files["two"], tmp_path / "regions.fits") == 0
        assert "AR, CH" in capsys.readouterr().err

    def test_same_name_in_two_folders(self, files, tmp_path, capsys):
        other = tmp_path / "other" / "two.fits"
        save_map(read_mask(files["two"]), other)
        assert run("compare", files["two"], other) == 0
        assert str(other) in capsys.readouterr().out

    def test_errors_name_the_file(self, files, capsys):
        assert run("compare", files["two"], files["two_image"]) == 1
        assert "two_image.fits: A mask holds 0 and 1" in capsys.readouterr().err


class TestCommands:
    def test_properties(self, files, tmp_path, capsys):
        target = tmp_path / "regions.ecsv"
        arguments = ["properties", files["two"], files["one"], "--image", files["two_image"], "--output", target]
        assert run(*arguments) == 0
        printed = capsys.readouterr().out
        assert printed.count("two.fits") == 2
        assert "intensity_median" in printed
        assert "Mm2" in printed
        assert len(QTable.read(target)) == 3
        assert run(*arguments) == 1
        assert "--overwrite" in capsys.readouterr().err
        assert run(*arguments, "--overwrite") == 0

    def test_properties_of_an_empty_mask(self, files, capsys):
        assert run("properties", files["none"]) == 0
        assert "no regions" in capsys.readouterr().err

    def test_pattern(self, files, tmp_path, capsys):
        assert run("properties", tmp_path / "[to][wn][oe].fits") == 0
        assert capsys.readouterr().out.count(".fits") == 3

    def test_compare(self, files, tmp_path, capsys):
        assert run("compare", files["two"], files["none"], "--names", "a", "b", "--output", tmp_path / "out") == 0
        printed = capsys.readouterr().out
        assert "iou" in printed
        assert str(tmp_path / "out") in printed
        assert (tmp_path / "out" / "consensus.fits").exists()

    @pytest.mark.parametrize("command", ["properties", "compare"])
    def test_what_is_no_mask_costs_one_line(self, command, files, tmp_path, capsys):
        (tmp_path / "text.fits").write_text("text")
        assert run(command, files["two"], tmp_path / "text.fits") == 1
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == 1
        assert "text.fits cannot be read" in errors[0]
