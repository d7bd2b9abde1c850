import csv

import numpy as np
import pytest
from file_server import file_server
from makers import CARD

import astropy.units as u
from astropy.time import Time
from sunpy.net.dataretriever.sources.aia_synopsis import AIASynopsisClient

from sunpy_scss.annotations import Annotation
from sunpy_scss.exceptions import MissingImageWarning
from sunpy_scss.synthetic import synthetic_sun
from sunpy_scss.train import (
    LabelledMap,
    fetch_annotated_images,
    make_dataset,
    read_folder,
    write_folder,
)


def pairs(*seeds):
    for seed in seeds:
        sun = synthetic_sun(f"2017-0{seed}-01", size=128, seed=seed)
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
    with pytest.raises(ValueError, match=r"sun1: masks are of the shape \(32, 32\), the image of \(128, 128\)"):
        write_folder([LabelledMap("sun1", labelled.image, small)], tmp_path, split="train")
    write_folder([labelled], tmp_path, split="train")
    assert len(list(read_folder(tmp_path, "train"))) == 1


FIRST, SECOND, WITHOUT_IMAGE = "2012-01-03T00:00:12", "2012-01-04T00:00:12", "2012-01-05T00:00:12"


def annotation(date, feature="CH", name=None):
    square = np.array([[0, 0], [0.5, 0], [0.5, 0.3], [0, 0.3]])
    name = name or f"{feature}-{date[:10]}"
    return Annotation(name, feature, Time(date), "test", ((square,),), (256, 256), (127.5, 127.5), 100.0, {})


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Synoptic images of two midnights on a server on this machine."""
    with file_server() as server:
        pattern = AIASynopsisClient.pattern.replace("https://jsoc1.stanford.edu/data/aia", server.url)
        monkeypatch.setattr(AIASynopsisClient, "pattern", pattern)
        for date in ("2012-01-03", "2012-01-04"):
            for wavelength in (171, 193):
                image = synthetic_sun(f"{date}T00:00", size=128, wavelength=wavelength * u.AA).image
                image.save(tmp_path / "image.fits", overwrite=True)
                path = f"/synoptic/{date.replace('-', '/')}/H0000/AIA{date.replace('-', '')}_0000_{wavelength:04d}.fits"
                server.files[path] = (tmp_path / "image.fits").read_bytes()
        yield server


def test_images_of_annotations_are_fetched_and_written_with_their_masks(tmp_path, archive):
    wanted = [annotation(FIRST), annotation(SECOND), annotation(FIRST, "AR")]
    keys = fetch_annotated_images(wanted, tmp_path / "set")
    assert keys == ["CH-2012-01-03", "CH-2012-01-04", "AR-2012-01-03"]
    with (tmp_path / "set" / "index.csv").open(newline="") as file:
        assert not any(row["split"] for row in csv.DictReader(file))  # the command parts them by time
    read = list(read_folder(tmp_path / "set"))
    assert [labelled.key for labelled in read] == keys
    assert [labelled.image.wavelength.value for labelled in read] == [193, 193, 171]
    for labelled in read:
        assert labelled.mask.data.sum() == pytest.approx(0.15 * (128 / 2.56) ** 2, rel=0.05)
        assert labelled.image.date.isot[:10] == labelled.key[3:]


def test_annotation_without_image_is_left_out_with_a_warning(tmp_path, archive):
    with pytest.warns(MissingImageWarning, match="has no image"):
        keys = fetch_annotated_images([annotation(WITHOUT_IMAGE), annotation(SECOND)], tmp_path / "set")
    assert keys == ["CH-2012-01-04"]


def test_fetching_goes_on_where_it_ended(tmp_path, archive):
    assert fetch_annotated_images([annotation(FIRST)], tmp_path / "set") == ["CH-2012-01-03"]
    archive.requests.clear()
    both = [annotation(FIRST), annotation(SECOND)]
    assert fetch_annotated_images(both, tmp_path / "set") == ["CH-2012-01-04"]
    assert not any("20120103" in path for path in archive.requests)
    assert fetch_annotated_images(both, tmp_path / "set") == []


def test_two_annotations_of_one_image(tmp_path, archive):
    keys = fetch_annotated_images([annotation(FIRST), annotation(FIRST, name="another")], tmp_path / "set")
    assert keys == ["CH-2012-01-03", "another"]
    first, second = read_folder(tmp_path / "set")
    np.testing.assert_array_equal(first.image.data, second.image.data)
    np.testing.assert_array_equal(first.mask.data, second.mask.data)
