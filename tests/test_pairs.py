import csv

import numpy as np
import pytest

import astropy.units as u

from sunpy_scss import _grid
from sunpy_scss.pairs import rotated_copies, write_folder
from sunpy_scss.synthetic import synthetic_sun
from sunpy_scss.train import LabelledMap, make_dataset, read_folder
from tests.makers import CARD, disk_map, sun_with_hole


@pytest.fixture(scope="module")
def sun():
    return synthetic_sun(size=200, seed=3)


def pairs(*seeds):
    for seed in seeds:
        sun = synthetic_sun(f"2017-0{seed}-01", size=64, seed=seed)
        yield LabelledMap(f"sun{seed}", sun.image, sun.coronal_holes, sun.active_regions)


def test_folder_is_read_back_for_training(tmp_path):
    write_folder(pairs(1, 2), tmp_path / "set", split="train")
    write_folder(pairs(4), tmp_path / "set", split="validation")
    with (tmp_path / "set" / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["key"], row["split"]) for row in rows] == [
        ("sun1", "train"),
        ("sun2", "train"),
        ("sun4", "validation"),
    ]
    assert rows[2]["date"] == "2017-04-01T00:00:00.000"
    direct = make_dataset(pairs(1, 2), CARD)
    read = make_dataset(read_folder(tmp_path / "set", "train"), CARD)
    assert read.keys == direct.keys
    np.testing.assert_allclose(read.images, direct.images, atol=1e-6)
    np.testing.assert_allclose(read.labels, direct.labels, atol=1e-6)
    np.testing.assert_allclose(read.rejected, direct.rejected, atol=1e-6)


def test_key_is_used_once(tmp_path):
    write_folder(pairs(1), tmp_path, split="train")
    with pytest.raises(ValueError, match="holds sun1 already"):
        write_folder(pairs(1), tmp_path, split="validation")


def test_interrupted_pair_is_not_in_the_index(tmp_path):
    labelled = next(pairs(1))
    small = synthetic_sun(size=32).coronal_holes
    with pytest.raises(ValueError, match=r"sun1: masks are of the shape \(32, 32\), the image of \(64, 64\)"):
        write_folder([LabelledMap("sun1", labelled.image, small)], tmp_path, split="train")
    write_folder([labelled], tmp_path, split="train")
    assert len(list(read_folder(tmp_path, "train"))) == 1


@pytest.mark.parametrize("angle", [-30, 45, 90] * u.deg)
def test_image_and_mask_turn_together_and_say_so(sun, angle):
    ((image, mask),) = rotated_copies(sun.image, sun.coronal_holes, angle)
    assert image.data.shape == mask.data.shape
    np.testing.assert_allclose(_grid.frame_of(image).matrix, _grid.frame_of(mask).matrix)
    assert set(np.unique(mask.data)) == {0, 1}
    assert mask.data.dtype == np.int16
    assert mask.data.sum() == pytest.approx(sun.coronal_holes.data.sum(), rel=0.02)
    # With its true WCS a copy shows the same Sun.
    size = {"size": 32, "half_width": 0.9}
    for rotated, original in ((image, sun.image), (mask, sun.coronal_holes)):
        one, other = (_grid.to_canonical(each.data, _grid.frame_of(each), **size) for each in (rotated, original))
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99


def test_rotation_is_counter_clockwise():
    smap = disk_map(sun_with_hole)
    hole = disk_map(lambda x, y: (np.hypot(x - 0.3, y + 0.2) <= 0.25).astype(np.int16))
    ((_, mask),) = rotated_copies(smap, hole, 90 * u.deg)
    rows, columns = mask.data.nonzero()
    middle = (np.array(mask.data.shape[::-1]) - 1) / 2
    np.testing.assert_allclose([columns.mean(), rows.mean()] - middle, [20, 30], atol=1)


def test_one_copy_for_each_angle(sun):
    assert len(rotated_copies(sun.image, sun.coronal_holes, [0, 10, 20] * u.deg)) == 3
    assert rotated_copies(sun.image, sun.coronal_holes, [] * u.deg) == []


def test_integers_are_filled_with_zeros():
    image = disk_map(lambda x, y: np.full(x.shape, 9, dtype=np.int16))
    ((rotated, _),) = rotated_copies(image, image, 45 * u.deg)
    assert rotated.data[0, 0] == 0
    assert rotated.data[len(rotated.data) // 2, len(rotated.data) // 2] == 9


def test_shapes_that_differ(sun):
    with pytest.raises(ValueError, match=r"one shape \(got \(200, 200\) and \(64, 64\)\)"):
        rotated_copies(sun.image, synthetic_sun(size=64).coronal_holes, 5 * u.deg)
