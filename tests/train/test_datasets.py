"""Data sets in memory and on disk are the same; what is on disk is neither read twice nor held in memory."""

import dataclasses
import os
import tracemalloc

import numpy as np
import pytest
from makers import CARD

import astropy.units as u
import sunpy.map

from sunpy_scss.exceptions import TrainingError
from sunpy_scss.synthetic import synthetic_sun
from sunpy_scss.train import LabelledFiles, LabelledMap, list_folder, make_dataset, read_folder, write_folder

SMALL = dataclasses.replace(CARD, grid_size=32)


def labelled(number, size=64):
    sun = synthetic_sun(f"2017-0{number + 1}-03", size=size, seed=number)
    return LabelledMap(f"sun{number}", sun.image, sun.coronal_holes, sun.active_regions if number % 2 else None)


@pytest.fixture(scope="module")
def suns():
    return [labelled(number) for number in range(4)]


@pytest.fixture
def folder(suns, tmp_path):
    write_folder(suns, tmp_path / "set", split="train")
    return tmp_path / "set"


def assert_same(one, other):
    assert one.keys == other.keys
    assert (abs(one.dates - other.dates) < 1 * u.us).all()
    for name in ("images", "labels", "rejected"):
        np.testing.assert_array_equal(np.asarray(getattr(one, name)), np.asarray(getattr(other, name)))


def unreadable(monkeypatch):
    def read(*args):
        raise AssertionError

    monkeypatch.setattr(sunpy.map, "Map", read)


class TestCache:
    def test_as_in_memory(self, suns, tmp_path):
        plain, cached = make_dataset(suns, SMALL), make_dataset(suns, SMALL, cache=tmp_path / "cache")
        assert_same(plain, cached)
        assert cached.rejected[1].any()
        assert not cached.rejected[0].any()
        np.testing.assert_array_equal(plain.target(1, 2.0), cached.target(1, 2.0))

    def test_files_are_read_once(self, folder, tmp_path, monkeypatch):
        first = make_dataset(list_folder(folder), SMALL, cache=tmp_path / "cache")
        with monkeypatch.context() as patch:
            unreadable(patch)
            again = make_dataset(list_folder(folder), SMALL, cache=tmp_path / "cache")
        assert_same(first, again)

    def test_another_order_and_part(self, suns, tmp_path):
        make_dataset(suns, SMALL, cache=tmp_path / "cache")
        chosen = [suns[3], suns[1]]
        assert_same(make_dataset(chosen, SMALL), make_dataset(chosen, SMALL, cache=tmp_path / "cache"))

    def test_a_changed_file_is_read_again(self, folder, tmp_path):
        cache = tmp_path / "cache"
        before = make_dataset(list_folder(folder), SMALL, cache=cache)
        path = folder / "masks" / "sun0.fits"
        mask = sunpy.map.Map(path)
        sunpy.map.Map(np.zeros_like(mask.data), mask.meta).save(path, overwrite=True)
        os.utime(path, (0, 0))
        after = make_dataset(list_folder(folder), SMALL, cache=cache)
        assert before.labels[0].any()
        assert not after.labels[0].any()
        np.testing.assert_array_equal(before.labels[1], after.labels[1])

    def test_a_changed_map_is_another(self, suns, tmp_path):
        cache = tmp_path / "cache"
        make_dataset(suns[:1], SMALL, cache=cache)
        empty = sunpy.map.Map(np.zeros_like(suns[0].mask.data), suns[0].mask.meta)
        again = make_dataset([dataclasses.replace(suns[0], mask=empty)], SMALL, cache=cache)
        assert not again.labels[0].any()

    def test_goes_on_after_a_kill(self, suns, tmp_path):
        cache = tmp_path / "cache"

        def killed():
            yield from suns[:2]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make_dataset(killed(), SMALL, cache=cache)
        with (cache / "index.csv").open("a") as file:
            file.write("half a li")
        assert_same(make_dataset(suns, SMALL), make_dataset(suns, SMALL, cache=cache))

    def test_one_writer_at_a_time(self, suns, tmp_path):
        """Rows of two writers would be mixed up."""
        pytest.importorskip("fcntl")

        def greedy():
            yield suns[0]
            with pytest.raises(TrainingError, match="Another program is writing"):
                make_dataset(suns[1:2], SMALL, cache=tmp_path / "cache")
            yield suns[2]

        first = make_dataset(greedy(), SMALL, cache=tmp_path / "cache")
        second = make_dataset(suns[1:2], SMALL, cache=tmp_path / "cache")
        assert_same(first, make_dataset([suns[0], suns[2]], SMALL))
        assert_same(second, make_dataset(suns[1:2], SMALL))

    def test_of_another_grid(self, suns, tmp_path):
        make_dataset(suns[:1], SMALL, cache=tmp_path / "cache")
        with pytest.raises(TrainingError, match="another grid, with another stretch"):
            make_dataset(suns[:1], CARD, cache=tmp_path / "cache")

    def test_in_a_folder_of_something_else(self, suns, tmp_path):
        (tmp_path / "thesis.tex").write_text("")
        with pytest.raises(TrainingError, match="not empty and not a cache"):
            make_dataset(suns[:1], SMALL, cache=tmp_path)

    def test_a_damaged_cache(self, suns, tmp_path):
        make_dataset(suns[:1], SMALL, cache=tmp_path / "cache")
        (tmp_path / "cache" / "canonical.json").write_text("{")
        with pytest.raises(TrainingError, match="choose another folder"):
            make_dataset(suns[:1], SMALL, cache=tmp_path / "cache")

    def test_memory_does_not_grow(self, suns, tmp_path):
        def peak(count):
            many = (dataclasses.replace(suns[0], key=f"sun{number}") for number in range(count))
            tracemalloc.start()
            make_dataset(many, SMALL, cache=tmp_path / f"{count}")
            result = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return result

        peak(2)  # what is imported and kept on first use
        few, more = peak(3), peak(30)
        assert more < 1.2 * few


class TestParts:
    @pytest.mark.parametrize("on_disk", [False, True])
    @pytest.mark.parametrize("which", [[2, 0], slice(1, 3), np.array([True, False, False, True]), np.zeros(4, bool)])
    def test_of_a_dataset(self, suns, tmp_path, which, on_disk):
        whole = make_dataset(suns, SMALL, cache=tmp_path / "cache" if on_disk else None)
        part = whole[which]
        names = np.array(whole.keys)[which]
        assert part.keys == tuple(names)
        assert len(part) == len(part.images) == len(part.dates) == len(names)
        np.testing.assert_array_equal(np.asarray(part.images), np.asarray(whole.images)[which])


class TestInput:
    def test_mixed_sizes(self):
        """The same Sun in other sizes gives the same pixels, up to what the coarser image cannot show."""
        images = make_dataset([labelled(0, size) for size in (64, 128, 301)], SMALL)
        assert images.images.shape == (3, 32, 32)
        assert np.abs(images.labels[1] - images.labels[2]).mean() < 0.01
        assert np.abs(images.images[1] - images.images[2])[images.disk].mean() < 0.03

    def test_files_one_by_one(self, folder):
        files = list_folder(folder, "train")
        assert isinstance(files[0], LabelledFiles)
        assert_same(make_dataset(files, SMALL), make_dataset(read_folder(folder, "train"), SMALL))

    def test_an_index_without_parts_is_split_by_time(self, folder):
        dated = list_folder(folder, "train", seed=3)
        (folder / "index.csv").write_text("key\nsun0\nsun1\nsun2\nsun3\n")
        assert [files.key for files in list_folder(folder)] == ["sun0", "sun1", "sun2", "sun3"]
        parts = [[files.key for files in list_folder(folder, part, seed=3)] for part in ("train", "validation")]
        assert sorted(parts[0] + parts[1]) == ["sun0", "sun1", "sun2", "sun3"]
        assert parts[1]
        assert len(dated) == 4  # the index of the fixture says that all are for training

    def test_a_part_that_nothing_belongs_to(self, folder):
        with pytest.raises(TrainingError, match=r"no image of the part 'validation' .* mark some, or empty the column"):
            list_folder(folder, "validation")

    def test_mask_of_another_time(self, suns):
        meta = {**suns[0].mask.meta, "date-obs": "2017-01-03T01:00:00"}
        other = sunpy.map.Map(suns[0].mask.data, meta)
        with pytest.raises(TrainingError, match="sun0: image and mask are of different times"):
            make_dataset([dataclasses.replace(suns[0], mask=other)], SMALL)

    def test_mask_of_another_scale(self, suns):
        meta = {**suns[0].mask.meta}
        meta["cdelt1"] *= 1.1
        other = sunpy.map.Map(suns[0].mask.data, meta)
        with pytest.raises(TrainingError, match="sun0: image and mask have different coordinates"):
            make_dataset([dataclasses.replace(suns[0], mask=other)], SMALL)
