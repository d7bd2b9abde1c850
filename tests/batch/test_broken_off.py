"""Runs that are broken off, by whatever: what is left, what ends with them, and that the same call does the rest."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from makers import dark_model, disk_map, sun_with_hole

import astropy.units as u

from sunpy_scss.batch import BatchOptions, _targets, _work, mask_at, segment_files
from sunpy_scss.batch._store import MaskStore
from sunpy_scss.images import read_map

MODEL = dark_model()
TESTS = Path(__file__).parent


def run(inputs, output, **settings):
    return segment_files(inputs, output, options=BatchOptions(**{"features": ["CH"], "model": MODEL, **settings}))


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


DAYS = 4


def image(number, *, at=0.05):
    date = f"2017-06-{1 + number:02d}T12:00:00"
    return disk_map(lambda x, y: sun_with_hole(x, y, at=(at * number, 0.1)), size=64, radius=25, date=date)


@pytest.fixture(scope="module")
def four_days(tmp_path_factory):
    folder = tmp_path_factory.mktemp("four_days")
    for number in range(DAYS):
        image(number).save(folder / f"day{number}.fits")
    return folder


@pytest.fixture
def folder(four_days, tmp_path):
    return Path(shutil.copytree(four_days, tmp_path / "images"))


@pytest.fixture
def output(tmp_path):
    return tmp_path / "masks"


def started(folder, output, *arguments):
    """Start a slow run in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [TESTS.parents[1], TESTS.parent, TESTS]))}
    return subprocess.Popen(
        [sys.executable, str(TESTS / "hard_models.py"), folder, output, *arguments], env=environment
    )


def wait_until(there, process=None):
    deadline = time.monotonic() + 120
    while not there():
        assert process is None or process.poll() is None, "it ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children_of(number):
    return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc on this system")
def test_workers_end_with_their_parent(folder, output):
    process = started(folder, output, "2")
    wait_until(lambda: len(list(output.glob("*_ch.fits"))) >= 2, process)
    workers = children_of(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait(60)
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    finished = {path: path.stat().st_mtime_ns for path in output.glob("*_ch.fits")}
    assert all(read_map(path).data.any() for path in finished)
    outcomes = run(folder, output, regions=True)
    assert statuses(outcomes).count("kept") == len(finished)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


@pytest.mark.skipif(os.name != "posix", reason="no SIGTERM on this system")
def test_sigterm_leaves_what_is_finished_on_record(folder, tmp_path):
    store = tmp_path / "holes.zarr"
    process = started(folder, store)
    wait_until((store / "mask" / "1.0.0").exists, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    report = json.loads((tmp_path / "holes_report.json").read_text())
    assert report["complete"] is False
    assert report["written"] >= 1
    assert statuses(run(folder, store)).count("kept") == report["written"]


class TestStoreThatWasBrokenOff:
    def test_while_it_was_made(self, folder, tmp_path, monkeypatch):
        array = MaskStore.make.__globals__["_array"]

        def killed(group, name, *arguments, **settings):
            if name == "header":
                raise KeyboardInterrupt
            return array(group, name, *arguments, **settings)

        monkeypatch.setitem(MaskStore.make.__globals__, "_array", killed)
        with pytest.raises(KeyboardInterrupt):
            run(folder, tmp_path / "holes.zarr")
        assert not (tmp_path / "holes.zarr").exists()
        monkeypatch.undo()
        assert statuses(run(folder, tmp_path / "holes.zarr")) == ["written"] * DAYS

    @pytest.mark.parametrize("arrays", [1, 10, 24])
    def test_while_it_made_room(self, folder, tmp_path, monkeypatch, arrays):
        import zarr

        store, resize, done = tmp_path / "holes.zarr", zarr.Array.resize, []
        run(folder / "day0.fits", store)

        def killed(array, shape):
            done.append(shape)
            if len(done) > arrays:
                raise KeyboardInterrupt
            resize(array, shape)

        monkeypatch.setattr(zarr.Array, "resize", killed)
        with pytest.raises(KeyboardInterrupt):
            run(folder, store)
        monkeypatch.undo()
        assert statuses(run(folder, store)) == ["kept"] + ["written"] * 3
        assert MaskStore(store).files == [f"day{number}.fits" for number in range(DAYS)]
        assert [mask_at(store, number).date.isot[:10] for number in (0, 3)] == ["2017-06-01", "2017-06-04"]

    def test_full_disk_while_it_is_made(self, folder, tmp_path, monkeypatch):
        def full(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(MaskStore, "begin", full)
        with pytest.raises(OSError, match="No space left"):
            run(folder, tmp_path / "holes.zarr")
        monkeypatch.undo()
        assert statuses(run(folder, tmp_path / "holes.zarr")) == ["written"] * DAYS


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("Not enough space on disk: requested 33920, available 0."),
        RuntimeError("zarr: write failed: No space left on device (os error 28)"),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_full_disk_stops_whatever_the_library_calls_it(folder, output, monkeypatch, error, hidden):
    tried = []

    def full(smap, path):
        tried.append(path)
        if hidden:
            msg = "cannot write"
            raise ValueError(msg) from error
        raise error

    monkeypatch.setattr(_targets, "save_map", full)
    with pytest.raises(OSError, match=r"space|quota|cannot write"):
        run(folder, output)
    assert len(tried) == 1


@pytest.fixture(scope="module")
def alone(four_days, tmp_path_factory):
    """The table of a run that nothing disturbed."""
    output = tmp_path_factory.mktemp("alone") / "masks"
    run(four_days, output, regions=True)
    return (output / "regions.parquet").read_bytes()


class TestSameBytes:
    """Tables and stores are the same, whoever worked on them and however often it was broken off."""

    def test_bit_by_bit(self, four_days, output, alone):
        files = [four_days / f"day{number}.fits" for number in range(DAYS)]
        run([files[3], files[1]], output, regions=True)
        run(files[2:3], output)  # without a table
        run(four_days, output, regions=True)
        assert (output / "regions.parquet").read_bytes() == alone

    def test_broken_off(self, four_days, output, alone, monkeypatch):
        mask, done = _work.Job.mask, []

        def interrupted(job, smap, item):
            done.append(item)
            if len(done) == 3:
                raise KeyboardInterrupt
            return mask(job, smap, item)

        monkeypatch.setattr(_work.Job, "mask", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(four_days, output, regions=True)
        assert statuses(run(four_days, output, regions=True)) == ["kept"] * 2 + ["written"] * 2
        assert (output / "regions.parquet").read_bytes() == alone

    def test_units(self, four_days, output):
        from astropy.table import QTable

        run(four_days, output, regions=True)
        found = QTable.read(output / "regions.parquet")
        assert found["area"].unit == "Mm2"
        assert found["intensity_mean"].unit == "DN / s"
        assert list(found["file"]) == [f"day{number}_ch.fits" for number in range(DAYS)]


class TestWhatIsNoLongerTrue:
    def rows(self, output):
        pandas = pytest.importorskip("pandas")
        return pandas.read_parquet(output / "regions.parquet")

    def test_table_of_other_settings(self, folder, output):
        run(folder, output, regions=True)
        before = self.rows(output)["area"].to_numpy()
        run(folder, output, min_area=20000 * u.Mm**2, overwrite=True)  # without a table
        run(folder, output, min_area=20000 * u.Mm**2, regions=True)
        assert len(self.rows(output)) < len(before) or (self.rows(output)["area"] >= 20000).all()

    def test_pictures_and_probabilities_of_other_settings(self, folder, output):
        image = folder / "day0.fits"
        run(image, output, plot="png", probability=True)
        old = {path.name: path.read_bytes() for path in output.glob("day0*")}
        run(image, output, samples=2, overwrite=True)
        (outcome,) = run(image, output, samples=2, plot="png", probability=True)
        assert sorted(path.name for path in outcome.written) == ["day0_ch.png", "day0_ch_probability.fits"]
        assert (output / "day0_ch.png").read_bytes() != old["day0_ch.png"]
        (outcome,) = run(image, output, samples=2, plot="png", probability=True)
        assert outcome.status == "kept"
        (outcome,) = run(image, output, samples=2, plot="png", dpi=30)
        assert [path.name for path in outcome.written] == ["day0_ch.png"]
        run(image, output, samples=2, threshold=0.3, overwrite=True)
        (outcome,) = run(image, output, samples=2, threshold=0.3, plot="png", probability=True)
        assert [path.name for path in outcome.written] == ["day0_ch.png"]  # the probability has no threshold

    @pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
    def test_pictures_know_what_they_are_of(self, folder, output, ending):
        run(folder / "day0.fits", output, plot=ending, dpi=30)
        assert statuses(run(folder / "day0.fits", output, plot=ending, dpi=30)) == ["kept"]
        (output / f"day0_ch.{ending}").write_bytes(b"another picture")
        assert statuses(run(folder / "day0.fits", output, plot=ending, dpi=30)) == ["written"]

    def test_pictures_that_come_later_double_no_rows(self, folder, output):
        run(folder, output, regions=True)
        before = (output / "regions.parquet").read_bytes()
        run(folder, output, regions=True, plot="png", dpi=20)
        assert (output / "regions.parquet").read_bytes() == before

    @pytest.mark.parametrize("name", ["masks", "masks.zarr"])
    def test_image_that_fails_now_has_no_mask_any_more(self, folder, tmp_path, name):
        xarray = pytest.importorskip("xarray")
        output = tmp_path / name
        run(folder, output, regions=True)
        (folder / "day1.fits").write_text("no image")
        outcomes = run(folder, output, regions=True, overwrite=True)
        assert statuses(outcomes) == ["written", "failed"] + ["written"] * 2
        if output.suffix:
            with xarray.open_zarr(output) as cube:
                assert np.isnan(cube["mask"].values).all(axis=(1, 2)).tolist() == [
                    number == 1 for number in range(DAYS)
                ]
                assert np.isnat(cube["time"].values).tolist() == [number == 1 for number in range(DAYS)]
        else:
            assert not (output / "day1_ch.fits").exists()
            assert not any("day1" in name for name in self.rows(output)["file"])

    @pytest.mark.parametrize("name", ["masks", "masks.zarr"])
    def test_images_that_are_not_given_any_more(self, folder, tmp_path, name):
        pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
        output = tmp_path / name
        table = output / "regions.parquet" if not output.suffix else tmp_path / "masks_regions.parquet"
        run(folder, output, regions=True)
        run(folder / "day3.fits", output, regions=True, threshold=0.3, overwrite=True)
        assert {name.split("_")[0].split(".")[0] for name in pandas.read_parquet(table)["file"]} == {"day3"}
        if output.suffix:
            with xarray.open_zarr(output) as cube:
                assert cube["file"].values.tolist() == ["day3.fits"]

    @pytest.mark.parametrize("name", ["masks", "masks.zarr"])
    def test_image_that_was_replaced_gets_a_new_mask(self, folder, tmp_path, name):
        output = tmp_path / name
        run(folder, output, regions=True)
        image(1, at=-0.3).save(folder / "day1.fits", overwrite=True)
        outcomes = run(folder, output, regions=True)
        assert statuses(outcomes) == ["kept", "written", "kept", "kept"]
        mask = mask_at(output, 1) if output.suffix else read_map(output / "day1_ch.fits")
        fresh = run(folder / "day1.fits", tmp_path / "fresh")[0].written[0]
        np.testing.assert_array_equal(mask.data, read_map(fresh).data)


def test_store_and_table_join_on_time(tmp_path):
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    meta = {"date-avg": "2017-06-01T12:00:01.347"}  # what the coordinates are of, not what the image is called by
    disk_map(sun_with_hole, size=64, radius=25, date="2017-06-01T12:00:00.123", meta=meta).save(tmp_path / "day.fits")
    run(tmp_path / "day.fits", tmp_path / "holes.zarr", regions=True)
    run(tmp_path / "day.fits", tmp_path / "masks")
    rows = pandas.read_parquet(tmp_path / "holes_regions.parquet")
    with xarray.open_zarr(tmp_path / "holes.zarr") as cube:
        assert (cube["time"].values == rows["time"].to_numpy()).all()
    stored, filed = mask_at(tmp_path / "holes.zarr", 0), read_map(tmp_path / "masks" / "day_ch.fits")
    assert stored.reference_date == filed.reference_date
    assert stored.date == filed.date
