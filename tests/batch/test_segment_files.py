"""Masks of many files: what is written, kept, refused and told."""

import errno
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import parfive
import pytest
from filelock import FileLock
from hard_models import deadly_model
from makers import dark_model, disk_map, sun_with_hole

import astropy.units as u

from sunpy_scss import segment_coronal_holes
from sunpy_scss.batch import BatchOptions, _inputs, _targets, _work, find_images, mask_at, segment_files
from sunpy_scss.batch._table import RegionTable, region_rows
from sunpy_scss.exceptions import (
    InvalidMapError,
    ModelError,
    ModelNotFoundError,
    UnreadableFileError,
)
from sunpy_scss.images import read_map
from sunpy_scss.masks import region_table
from sunpy_scss.models import Model, ModelCard

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


@pytest.fixture(scope="module")
def four_days(tmp_path_factory):
    folder = tmp_path_factory.mktemp("four_days")
    for number in range(4):
        image(number).save(folder / f"day{number}.fits")
    return folder


@pytest.fixture
def folder(four_days, tmp_path):
    """Images of four days."""
    return Path(shutil.copytree(four_days, tmp_path / "images"))


@pytest.fixture
def output(tmp_path):
    return tmp_path / "masks"


def run(inputs, output, **settings):
    return segment_files(inputs, output, options=BatchOptions(**{"features": ["CH"], "model": MODEL, **settings}))


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def report_of(output):
    return json.loads((output / "segment_report.json").read_text())


class TestInputs:
    def test_folder_pattern_and_list_are_the_same(self, folder, tmp_path):
        (folder / "notes.txt").write_text("no image")
        files = [str(folder / f"day{number}.fits") for number in range(4)]
        for inputs in (folder, str(folder), str(folder / "day*.fits"), files, [folder, files[0]], iter(files)):
            assert find_images(inputs) == files

    def test_what_fido_downloaded(self, folder, output):
        assert statuses(run(parfive.Results(map(str, sorted(folder.iterdir()))), output)) == ["written"] * 4

    def test_what_is_not_there_is_an_image_that_fails(self, folder, output):
        outcomes = run([folder, folder / "nowhere.fits"], output)
        assert statuses(outcomes) == ["written"] * 4 + ["failed"]
        assert "no such file" in outcomes[-1].failure

    def test_pattern_without_images_beside_others_fails(self, folder, output):
        outcomes = run([folder, f"{folder}/night*.fits"], output)
        assert statuses(outcomes) == ["written"] * 4 + ["failed"]
        assert "night*.fits cannot be read" in outcomes[-1].failure

    def test_nothing_is_an_error(self, tmp_path, output):
        with pytest.raises(ValueError, match="no image to work on"):
            run([], output)
        (tmp_path / "empty").mkdir()
        with pytest.raises(ValueError, match="no image to work on"):
            run(tmp_path / "empty", output)

    def test_store_of_objects(self, folder, output):
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        for path in folder.iterdir():
            system.pipe(f"/sun/{path.name}", path.read_bytes())
        outcomes = run(["memory://sun/*.fits", "memory://sun/nowhere.fits"], output)
        assert statuses(outcomes) == ["written"] * 4 + ["failed"]
        assert sorted(path.name for path in output.glob("*_ch.fits")) == [f"day{number}_ch.fits" for number in range(4)]

    @pytest.mark.parametrize("address", ["memory://ahead/", ""])
    def test_the_next_is_read_while_the_network_runs(self, folder, output, address, monkeypatch):
        fsspec, seen = pytest.importorskip("fsspec"), []
        read = {f"day{number}.fits": threading.Event() for number in range(4)}
        if address:
            for path in folder.iterdir():
                fsspec.filesystem("memory").pipe(f"/ahead/{path.name}", path.read_bytes())
        name = "_download" if address else "_hash"
        reader = getattr(_inputs, name)

        def told(path, *stamp):
            read[str(path).rsplit("/", 1)[-1]].set()
            return reader(path, *stamp)

        def predict(images):
            seen.append(f"day{len(seen) + 1}.fits")
            assert seen[-1] not in read or read[seen[-1]].wait(20)
            return MODEL.predict(images)

        monkeypatch.setattr(_inputs, name, told)
        outcomes = run(f"{address or f'{folder}/'}*.fits", output, model=Model(MODEL.card, predict))
        assert statuses(outcomes) == ["written"] * 4


class TestFolder:
    def test_masks_are_those_of_the_function(self, folder, output):
        outcomes = run(folder, output)
        for number, outcome in enumerate(outcomes):
            assert outcome.written == (output / f"day{number}_ch.fits",)
            expected = segment_coronal_holes(image(number), model=MODEL)
            found = read_map(outcome.written[0])
            np.testing.assert_array_equal(found.data, expected.data)
            assert found.data.any()
            assert found.meta["SCSSMOD"] == "test-ch"

    def test_same_call_keeps_what_is_there(self, folder, output):
        two = [folder / "day0.fits", folder / "day1.fits"]
        run(two, output, plot="png", probability=True)
        before = {path: path.stat().st_mtime_ns for path in output.glob("day*")}
        assert len(before) == 6
        outcomes = run(two, output, plot="png", probability=True)
        assert statuses(outcomes) == ["kept"] * 2
        assert {path: path.stat().st_mtime_ns for path in before} == before
        assert statuses(run(two, output, overwrite=True)) == ["written"] * 2

    def test_picture_is_of_the_mask_that_is_there(self, folder, output, monkeypatch):
        run(folder / "day0.fits", output)
        drawn = []
        plot = _targets.plot_masks
        monkeypatch.setattr(_targets, "plot_masks", lambda smap, mask: drawn.append(mask) or plot(smap, mask))
        monkeypatch.setattr(_work.Job, "mask", lambda *_: pytest.fail("segmented again"))
        outcomes = run(folder / "day0.fits", output, plot="svg", dpi=50)
        assert outcomes[0].written == (output / "day0_ch.svg",)
        np.testing.assert_array_equal(drawn[0].data, read_map(output / "day0_ch.fits").data)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"threshold": 0.3}, r"threshold 0.5 \(now 0.3\)"),
            ({"min_area": 5 * u.Mm**2}, r"min area 1000 Mm2 \(now 5 Mm2\)"),
            ({"model": dark_model(name="other")}, r"model test-ch \(now other\)"),
        ],
    )
    def test_other_settings_are_refused_before_anything_is_done(self, folder, output, changes, message):
        run(folder / "day1.fits", output)
        before = sorted(output.iterdir())
        with pytest.raises(FileExistsError, match=message) as error:
            run(folder, output, **changes)
        assert "overwrite=True" in str(error.value)
        assert sorted(output.iterdir()) == before
        assert statuses(run(folder / "day1.fits", output, overwrite=True, **changes)) == ["written"]

    def test_same_settings_in_other_words(self, folder, output):
        run(folder, output)
        assert statuses(run(folder, output, threshold=0.5, min_area=1e9 * u.km**2)) == ["kept"] * 4

    def test_mask_of_another_image_is_refused(self, folder, output):
        run(folder / "day0.fits", output)
        (folder / "day1.fits").rename(folder / "day0.fits")
        (outcome,) = run(folder / "day0.fits", output)
        assert "belongs to another image" in outcome.failure

    def test_image_that_was_copied_is_the_same(self, folder, output):
        run(folder / "day0.fits", output)
        os.utime(folder / "day0.fits")
        assert statuses(run(folder / "day0.fits", output)) == ["kept"]

    def test_what_is_no_mask_is_kept(self, folder, output):
        output.mkdir()
        (output / "day0_ch.fits").write_text("mine")
        with pytest.raises(FileExistsError, match="does not tell by which settings"):
            run(folder, output)
        assert (output / "day0_ch.fits").read_text() == "mine"

    def test_wrong_options_before_anything_is_done(self, folder, output):
        with pytest.raises(ModelNotFoundError):
            run(folder, output, model="best")
        with pytest.raises(ValueError, match="threshold"):
            run(folder, output, threshold=2)
        with pytest.raises(u.UnitsError):
            run(folder, output, min_area=3 * u.m)
        with pytest.raises(TypeError, match="colour"):
            run(folder, output, colour="red")
        with pytest.raises(ValueError, match="png, pdf, svg"):
            run(folder, output, plot="jpg")
        assert not output.exists()


class TestFailures:
    def test_bad_files_stop_nothing_and_are_told(self, folder, output):
        (folder / "day1.fits").write_text("<html>no such image</html>")
        (folder / "day2.fits").write_bytes((folder / "day0.fits").read_bytes()[:8000])
        seen = []
        outcomes = run(folder, output, notify=seen.append)
        assert statuses(outcomes) == ["written", "failed", "failed", "written"] == statuses(seen)
        report = report_of(output)
        assert (report["written"], report["failed"], report["complete"]) == (2, 2, True)
        assert "web page" in report["files"][1]["reason"]
        assert "cut off" in report["files"][2]["reason"]
        assert report["settings"]["CH"]["threshold"] == 0.5
        assert set(report["versions"]) >= {"python", "sunpy", "sunpy_scss"}

    def test_two_images_of_one_name(self, folder, output):
        (folder / "b").mkdir()
        (folder / "b" / "day0.fits").write_bytes((folder / "day0.fits").read_bytes())
        outcomes = run(folder, output)
        assert sorted(statuses(outcomes)) == ["failed"] + ["written"] * 4
        assert "folders of their own" in next(outcome.failure for outcome in outcomes if outcome.error)

    @pytest.mark.parametrize(
        ("key", "value", "reason"),
        [
            ("quality", 1 << 13, "Earth or the Moon"),
            ("quality", (1 << 30) | (1 << 18), "calibration image"),
            ("acs_eclp", "YES", "Earth or the Moon"),
            ("acs_mode", "INERTIAL", "science mode"),
            ("aiftsid", 0xC001, "calibration image"),
            ("img_type", "DARK", "dark frame"),
            ("percentd", 80.0, "80 % of the image"),
            ("sat_y0", -900.0, "900 arcsec off"),
            ("sat_rot", 90.0, "rolled by 90.0"),
        ],
    )
    def test_flawed_exposures_of_aia(self, tmp_path, output, key, value, reason):
        image(0, meta={key: value}).save(tmp_path / "bad.fits")
        (outcome,) = run(tmp_path / "bad.fits", output)
        assert outcome.status == "flagged"
        assert reason in outcome.failure
        (outcome,) = run(tmp_path / "bad.fits", output, flagged=True)
        assert outcome.status == "written"
        assert any(reason in caveat for caveat in outcome.caveats)

    def test_a_model_of_another_feature(self, folder, output):
        card = ModelCard.from_dict(
            {**MODEL.card.to_dict(), "feature": "FILAMENT", "feature_name": "filament", "feature_is_dark": True}
        )
        model = Model(card, MODEL.predict)
        assert statuses(run(folder, output, features=("CH", "AR"), model=model)) == ["written"] * 4
        mask = read_map(output / "day0_filament.fits")
        assert (mask.meta["SCSSFEAT"], mask.meta["CONTENT"]) == ("FILAMENT", "filament mask")
        np.testing.assert_array_equal(
            mask.data, segment_coronal_holes(image(0), model=MODEL, min_area=0 * u.Mm**2).data
        )
        with pytest.raises(ModelError, match="finds filaments, not coronal holes"):
            run(folder, output, model=model)

    def test_good_moments(self, tmp_path, output):
        meta = {"quality": 1 << 30, "acs_eclp": "NO", "acs_mode": "SCIENCE", "aiftsid": 40962, "sat_rot": 359.9}
        image(0, meta=meta).save(tmp_path / "good.fits")
        assert statuses(run(tmp_path / "good.fits", output)) == ["written"]

    def test_full_disk_stops_the_run_which_goes_on_later(self, folder, output, monkeypatch):
        save = _targets.save_map

        def full(smap, path):
            if "day2" in path.name:
                raise OSError(errno.ENOSPC, "No space left on device")
            save(smap, path)

        monkeypatch.setattr(_targets, "save_map", full)
        with pytest.raises(OSError, match="No space left"):
            run(folder, output)
        assert report_of(output)["complete"] is False
        monkeypatch.setattr(_targets, "save_map", save)
        assert statuses(run(folder, output)) == ["kept", "kept", "written", "written"]

    def test_what_passes_is_tried_again(self, folder, output, monkeypatch):
        waits = []
        read = _work.read_image

        def away(path, header):
            if len(waits) < 2:
                raise UnreadableFileError(str(path)) from OSError(errno.ESTALE, "stale")
            return read(path, header)

        monkeypatch.setattr(_work, "read_image", away)
        monkeypatch.setattr(_work.time, "sleep", waits.append)
        assert statuses(run(folder / "day0.fits", output)) == ["written"]
        assert waits == [1, 2]

    def test_one_run_at_a_time(self, folder, output):
        run(folder / "day0.fits", output)
        with FileLock(output / ".sunpy_scss.lock"), pytest.raises(FileExistsError, match="Another run"):
            run(folder, output)


class TestRegions:
    def test_rows_are_those_of_the_region_table(self, folder, output):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        run(folder, output, regions=True)
        found = pandas.read_parquet(output / "regions.parquet")
        assert list(found["file"]) == [f"day{number}_ch.fits" for number in range(4)]
        expected = region_table(read_map(output / "day2_ch.fits"), image=read_map(folder / "day2.fits"))
        row = found.iloc[2]
        assert row["area"] == pytest.approx(expected["area"][0].to_value("Mm2"))
        assert row["intensity_median"] == pytest.approx(expected["intensity_median"][0].value)
        assert str(row["time"]) == "2017-06-03 12:00:00"

    @pytest.mark.filterwarnings("default::FutureWarning", "default::DeprecationWarning")  # of dask about pandas
    def test_dask_and_units(self, folder, output):
        dataframe = pytest.importorskip("dask.dataframe")
        parquet = pytest.importorskip("pyarrow.parquet")
        run(folder, output, regions=True)
        assert len(dataframe.read_parquet(output / "regions.parquet").compute()) == 4
        assert parquet.read_schema(output / "regions.parquet").field("area").metadata[b"unit"] == b"Mm2"

    def test_masks_that_are_there_are_measured_once(self, folder, output, monkeypatch):
        pandas = pytest.importorskip("pandas")
        run(folder / "day0.fits", output)
        run([folder / "day0.fits", folder / "day1.fits"], output, regions=True)
        measured = []
        rows = _work.region_rows
        monkeypatch.setattr(_work, "region_rows", lambda *a, **k: measured.append(a[1]) or rows(*a, **k))
        run(folder, output, regions=True)
        assert measured == ["day2_ch.fits", "day3_ch.fits"]
        assert len(pandas.read_parquet(output / "regions.parquet")) == 4
        run(folder / "day3.fits", output, regions=True, overwrite=True)
        assert sorted(pandas.read_parquet(output / "regions.parquet")["file"]) == [f"day{n}_ch.fits" for n in range(4)]

    def test_parts_of_a_run_that_was_killed(self, folder, output):
        parquet = pytest.importorskip("pyarrow.parquet")
        run(folder, output, regions=True)
        mask = read_map(output / "day0_ch.fits")
        rows = region_rows(mask, "more.fits", image=read_map(folder / "day0.fits"))
        table = RegionTable(output / "regions.parquet")
        table.add("more.fits", "a", rows)
        table.add("empty.fits", "b", rows[:0])
        table._flush()  # and nothing after it
        again = RegionTable(output / "regions.parquet")
        assert list(again.origins) == [*(f"day{number}_ch.fits" for number in range(4)), "more.fits", "empty.fits"]
        again.close(["more.fits", "day0_ch.fits"])
        found = parquet.read_table(output / "regions.parquet")
        assert found["file"].to_pylist() == [
            *(f"day{number}_ch.fits" for number in (1, 2, 3)),
            "more.fits",
            "day0_ch.fits",
        ]
        assert sorted(path.name for path in output.glob("regions*")) == ["regions.parquet"]


class TestStore:
    def test_xarray_opens_it(self, folder, tmp_path):
        xarray = pytest.importorskip("xarray")
        store = tmp_path / "holes.zarr"
        assert statuses(run(folder, store)) == ["written"] * 4
        with xarray.open_zarr(store) as cube:
            assert cube["mask"].dims == ("time", "y", "x")
            assert cube["mask"].chunks is not None
            assert str(cube["time"].values[2])[:19] == "2017-06-03T12:00:00"
            expected = segment_coronal_holes(image(2), model=MODEL).data
            np.testing.assert_array_equal(cube["mask"].sel(time="2017-06-03T12:00").values, expected)
            assert list(cube["file"].values) == [f"day{number}.fits" for number in range(4)]
            assert cube.attrs["SCSSFEAT"] == "CH"
            assert cube["done"].values.tolist() == [True] * 4

    def test_no_mask_is_not_an_empty_mask(self, folder, tmp_path):
        xarray = pytest.importorskip("xarray")
        (folder / "day1.fits").write_text("no image")
        run(folder, tmp_path / "holes.zarr")
        with xarray.open_zarr(tmp_path / "holes.zarr") as cube:
            assert cube["done"].values.tolist() == [True, False, True, True]
            assert np.isnan(cube["mask"].values).all(axis=(1, 2)).tolist() == [False, True, False, False]
            assert np.isnat(cube["time"].values).tolist() == [False, True, False, False]

    def test_mask_has_its_wcs_and_origin(self, folder, tmp_path):
        ndcube = pytest.importorskip("ndcube")
        run(folder, tmp_path / "holes.zarr")
        found, expected = mask_at(tmp_path / "holes.zarr", 3), segment_coronal_holes(image(3), model=MODEL)
        assert found.date == expected.date
        there, here = (smap.pixel_to_world(10 * u.pix, 20 * u.pix) for smap in (found, expected))
        assert there.separation(here) < 1e-6 * u.arcsec
        assert found.observer_coordinate.separation_3d(expected.observer_coordinate) < 1 * u.km
        assert {key: found.meta[key] for key in ("SCSSMOD", "SCSSTHR", "SCSSFEAT")} == {
            "SCSSMOD": "test-ch",
            "SCSSTHR": 0.5,
            "SCSSFEAT": "CH",
        }
        assert region_table(found)["area"][0] == region_table(expected)["area"][0]
        assert ndcube.NDCube(found.data, found.wcs).shape == (SIZE, SIZE)

    def test_it_grows_and_tells_what_failed(self, folder, tmp_path):
        store = tmp_path / "holes.zarr"
        (folder / "day1.fits").write_text("no image")
        assert statuses(run([folder / "day0.fits", folder / "day1.fits"], store)) == ["written", "failed"]
        with pytest.raises(UnreadableFileError, match=r"no mask of day1\.fits"):
            mask_at(store, 1)
        image(1).save(folder / "day1.fits", overwrite=True)
        assert statuses(run(folder, store)) == ["kept", "written", "written", "written"]
        assert mask_at(store, 1).date.isot.startswith("2017-06-02")
        with pytest.raises(FileExistsError, match="threshold"):
            run(folder, store, threshold=0.3)
        assert statuses(run(folder, store, threshold=0.3, overwrite=True)) == ["written"] * 4
        assert mask_at(store, 0).meta["SCSSTHR"] == 0.3

    def test_what_does_not_fit(self, folder, tmp_path):
        store = tmp_path / "holes.zarr"
        disk_map(sun_with_hole, size=48, radius=20).save(folder / "small.fits")
        outcomes = run(folder, store)
        assert statuses(outcomes) == ["written"] * 4 + ["failed"]
        assert isinstance(outcomes[-1].error, InvalidMapError)
        with pytest.raises(ValueError, match="one feature"):
            segment_files(folder, tmp_path / "both.zarr")
        with pytest.raises(ValueError, match="masks only"):
            run(folder, store, plot="png")


def killed_run(folder, output, enough):
    """Start a run in a process of its own and kill it when there is enough."""
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parents[1]), str(tests.parent), str(tests)])}
    process = subprocess.Popen(
        [sys.executable, str(tests / "hard_models.py"), str(folder), str(output)], env=environment
    )
    deadline = time.monotonic() + 120
    while not enough():
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
class TestKilled:
    def test_store(self, folder, tmp_path):
        pandas = pytest.importorskip("pandas")
        store = tmp_path / "holes.zarr"
        killed_run(folder, store, (store / "mask" / "1.0.0").exists)
        run(folder, store, regions=True)
        for number in range(4):
            np.testing.assert_array_equal(
                mask_at(store, number).data, segment_coronal_holes(image(number), model=MODEL).data
            )
        names = pandas.read_parquet(tmp_path / "holes_regions.parquet")["file"]
        assert sorted(names) == [f"day{number}.fits" for number in range(4)]

    def test_worker_dies(self, folder, output):
        """A process dies once; the work is done all the same, to the same bytes."""
        alone = run(folder, output.with_name("alone"), regions=True)
        model = deadly_model(folder, times=1)
        outcomes = run(sorted(folder.glob("*.fits")), output, model=model, jobs=2, regions=True)
        assert (folder / "died0").exists()
        assert [outcome.path for outcome in outcomes] == [outcome.path for outcome in alone]
        assert statuses(outcomes) == ["written"] * 4
        for one, other in zip(outcomes, alone, strict=True):
            np.testing.assert_array_equal(read_map(one.written[0]).data, read_map(other.written[0]).data)
        tables = [folder / "regions.parquet" for folder in (output, output.with_name("alone"))]
        assert tables[0].read_bytes() == tables[1].read_bytes()

    @pytest.mark.filterwarnings("default")  # what distributed says while its worker dies is its own affair
    def test_the_only_worker_of_dask_dies(self, folder, output):
        distributed = pytest.importorskip("distributed")
        run(folder, output.with_name("alone"), regions=True)
        # Without an address for its pages, a scheduler of 2024 listens to the whole network, which tests may not.
        workers = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
        with distributed.LocalCluster(**workers) as cluster, distributed.Client(cluster) as client:
            model = deadly_model(folder, times=1)
            outcomes = run(sorted(folder.glob("*.fits")), output, model=model, client=client, regions=True)
        gc.collect()  # here, not in another test, an event loop that distributed leaves behind is told of
        assert (folder / "died0").exists()
        assert statuses(outcomes) == ["written"] * 4
        tables = [folder / "regions.parquet" for folder in (output, output.with_name("alone"))]
        assert tables[0].read_bytes() == tables[1].read_bytes()
