"""Masks in files, measured and compared, by function and by command."""

import csv

import numpy as np
import pytest

import astropy.units as u
import sunpy.map
from astropy.table import QTable
from astropy.time import Time
from sunpy.util.exceptions import SunpyUserWarning

from sunpy_scss._save import save_map
from sunpy_scss.cli import main
from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError
from sunpy_scss.files import compare_files, measure_files, read_mask
from sunpy_scss.masks import compare_masks, region_table
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


class TestMeasure:
    def test_rows_are_those_of_the_region_table(self, files):
        table, alone = measure_files([files["two"], files["one"]]), region_table(read_mask(files["two"]))
        assert list(table["file"]) == [str(files["two"])] * 2 + [str(files["one"])]
        assert list(table["id"]) == [1, 2, 1]
        assert u.allclose(table["area"][:2], alone["area"])
        assert u.allclose(table["lon"][:2], alone["centroid"].lon)
        assert np.abs((table["time"] - Time([DATES[0], DATES[0], DATES[1]])).to_value("s")).max() < 60
        assert set(table["feature"]) == {"CH"}
        assert set(table["method"]) == {"synthetic"}

    def test_meta_is_what_all_have_in_common(self, files):
        assert "DATE-OBS" in measure_files([files["two"]]).meta
        together = measure_files([files["two"], files["one"]]).meta
        assert "DATE-OBS" not in together
        assert together["SCSSFEAT"] == "CH"

    def test_each_mask_has_its_image(self, files):
        table = measure_files([files["two"], files["one"]], images=[files["two_image"], files["one_image"]])
        assert np.isfinite(table["intensity_median"]).all()
        with pytest.raises(ValueError, match="one image for all masks, or one for each"):
            measure_files([files["two"]], images=[files["two_image"], files["one_image"]])

    @pytest.mark.parametrize("suffix", ["ecsv", "fits"])
    def test_file_comes_back(self, files, suffix, tmp_path):
        target = tmp_path / f"regions.{suffix}"
        table = measure_files([files["two"], files["one"]], images=[files["two_image"]], target=target)
        back = QTable.read(target)
        assert back.colnames == table.colnames
        assert u.allclose(back["area"], table["area"])
        assert list(back["touches_limb"]) == list(table["touches_limb"])
        assert list(Time(back["time"]).isot) == list(table["time"].isot)

    def test_csv_has_units_in_names(self, files, tmp_path):
        target = tmp_path / "regions.csv"
        table = measure_files([files["two"]], target=target)
        rows = list(csv.DictReader(target.read_text().splitlines()))
        assert [float(row["area [Mm2]"]) for row in rows] == pytest.approx(table["area"].value)

    def test_empty_mask(self, files, tmp_path):
        empty, full = measure_files([files["none"]], target=tmp_path / "empty.fits"), measure_files([files["two"]])
        assert len(empty) == 0
        assert empty.colnames == full.colnames
        assert len(measure_files([files["none"], files["two"]])) == 2

    def test_errors_name_the_file(self, files, tmp_path):
        with pytest.raises(InvalidMapError, match=r"two_image.fits: A mask holds 0 and 1"):
            measure_files([files["two_image"]])
        with pytest.raises(UnreadableFileError, match="no such file"):
            measure_files([tmp_path / "nowhere.fits"])
        with pytest.raises(ValueError, match="got none"):
            measure_files([])

    def test_target_is_checked_first(self, files, tmp_path):
        with pytest.raises(ValueError, match=r"\.ecsv, \.fits, \.csv"):
            measure_files([tmp_path / "nowhere.fits"], target=tmp_path / "regions.txt")
        (tmp_path / "there.ecsv").write_text("mine")
        with pytest.raises(FileExistsError, match="overwrite=True"):
            measure_files([files["two"]], target=tmp_path / "there.ecsv")
        assert (tmp_path / "there.ecsv").read_text() == "mine"


class TestCompare:
    def test_table_and_maps(self, files, tmp_path):
        table = compare_files([files["two"], files["none"]], folder=tmp_path / "out")
        direct = compare_masks([read_mask(files["two"]), read_mask(files["none"])])
        assert (table["first"][0], table["second"][0]) == ("two", "none")
        assert u.allclose(table["area_first"], direct["area_first"])
        assert QTable.read(tmp_path / "out" / "agreement.ecsv").colnames == table.colnames
        votes, odds = (sunpy.map.Map(tmp_path / "out" / f"{name}.fits") for name in ("consensus", "disagreement"))
        assert (votes.data == read_mask(files["two"]).data).all()
        assert (odds.data == votes.data).all()

    def test_nothing_is_replaced_unasked(self, files, tmp_path):
        (tmp_path / "consensus.fits").write_text("mine")
        masks = [files["two"], files["none"]]
        with pytest.raises(FileExistsError, match=r"consensus.fits"):
            compare_files(masks, folder=tmp_path)
        assert (tmp_path / "consensus.fits").read_text() == "mine"
        compare_files(masks, folder=tmp_path, overwrite=True)
        assert sunpy.map.Map(tmp_path / "consensus.fits").data.any()

    def test_other_times_are_told(self, files):
        with pytest.warns(SunpyUserWarning, match="2017-06-01T12:00 to 2017-06-03T12:00"):
            compare_files([files["two"], files["one"]])

    def test_other_features_are_told(self, files, tmp_path):
        regions = tmp_path / "regions.fits"
        save_map(synthetic_sun(DATES[0], size=96).active_regions, regions)
        with pytest.warns(SunpyUserWarning, match="AR, CH"):
            compare_files([files["two"], regions])

    def test_same_name_in_two_folders(self, files, tmp_path):
        other = tmp_path / "other" / "two.fits"
        save_map(read_mask(files["two"]), other)
        table = compare_files([files["two"], other])
        assert (table["first"][0], table["second"][0]) == (str(files["two"]), str(other))
        assert compare_files([files["two"], other], names=["mine", "yours"])["second"][0] == "yours"

    def test_errors_name_the_file(self, files):
        with pytest.raises(InvalidMapError, match=r"two_image.fits: A mask holds 0 and 1"):
            compare_files([files["two"], files["two_image"]])


class TestCommands:
    def run(self, *arguments):
        return main([str(argument) for argument in arguments])

    def test_properties(self, files, tmp_path, capsys):
        target = tmp_path / "regions.ecsv"
        arguments = ["properties", files["two"], files["one"], "--image", files["two_image"], "--output", target]
        assert self.run(*arguments) == 0
        printed = capsys.readouterr().out
        assert printed.count("two.fits") == 2
        assert "intensity_median" in printed
        assert "Mm2" in printed
        assert len(QTable.read(target)) == 3
        assert self.run(*arguments) == 1
        assert "--overwrite" in capsys.readouterr().err
        assert self.run(*arguments, "--overwrite") == 0

    def test_properties_of_an_empty_mask(self, files, capsys):
        assert self.run("properties", files["none"]) == 0
        assert "no regions" in capsys.readouterr().err

    def test_pattern(self, files, tmp_path, capsys):
        assert self.run("properties", tmp_path / "[to][wn][oe].fits") == 0
        assert capsys.readouterr().out.count(".fits") == 3

    def test_compare(self, files, tmp_path, capsys):
        assert self.run("compare", files["two"], files["none"], "--names", "a", "b", "--output", tmp_path / "out") == 0
        printed = capsys.readouterr().out
        assert "iou" in printed
        assert str(tmp_path / "out") in printed
        assert (tmp_path / "out" / "consensus.fits").exists()

    @pytest.mark.parametrize("command", ["properties", "compare"])
    def test_what_is_no_mask_costs_one_line(self, command, files, tmp_path, capsys):
        (tmp_path / "text.fits").write_text("text")
        assert self.run(command, files["two"], tmp_path / "text.fits") == 1
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == 1
        assert "text.fits cannot be read" in errors[0]
