"""From images to a folder that training takes: the queue, drafts, what is done, and what does not fit."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from makers import CARD, dark_model, disk_map, sun_with_hole

import astropy.units as u
import sunpy.map

from sunpy_scss.exceptions import AnnotationError, MissingImageWarning, ModelError, UnreadableFileError
from sunpy_scss.label import compare_folders, label_images
from sunpy_scss.label._desk import Desk
from sunpy_scss.label._folder import LabelFolder, as_ascii
from sunpy_scss.label._picture import blocks, make_picture, pixels
from sunpy_scss.label._queue import make_queue, neighbours
from sunpy_scss.label._session import ACCEPTED, OPEN, OUTSIDE, REJECTED
from sunpy_scss.masks import iou
from sunpy_scss.segment import segment_coronal_holes
from sunpy_scss.train import make_dataset, read_folder

MODEL = dark_model()
SIZE = {"size": 128, "radius": 50}
HOLE = (53, 78)  # row and column of the middle of `sun_with_hole`


def write_images(folder, dates, **settings):
    folder.mkdir(exist_ok=True)
    paths = []
    for date in dates:
        path = folder / f"sun{date[:10]}.fits"
        disk_map(sun_with_hole, date=date, **(SIZE | settings)).save(path)
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    days = ("01", "02", "05", "20")
    return write_images(tmp_path_factory.mktemp("images"), [f"2017-06-{day}T12:00:00" for day in days])


@pytest.fixture
def folder(tmp_path):
    folder = LabelFolder(tmp_path / "labels")
    yield folder
    folder.close()


@pytest.fixture
def desk(images, folder):
    desk = Desk(make_queue(images, MODEL, folder.path, order="date"), folder, MODEL, "Zoë Ångström")
    desk.open(0)
    return desk


class TestDesk:
    def test_begins_with_the_regions_of_the_model_open(self, desk):
        assert desk.work.session.count(OPEN) == 1
        assert desk.work.session.verdict_at(HOLE) == OPEN
        assert desk.work.labels.origin.startswith("test-ch")

    def test_what_is_done_is_what_training_takes(self, desk):
        session = desk.work.session
        session.judge(HOLE, ACCEPTED)
        session.stroke([(80, 50)], 6, REJECTED)
        session.stroke([(50, 40)], 5, OPEN)
        desk.finish()
        (labelled,) = read_folder(desk.folder.path)
        assert labelled.key == "sun2017-06-01"
        assert (
            labelled.mask.data == np.select([session.verdicts == ACCEPTED, session.verdicts == OPEN], [1, -1])
        ).all()
        assert (labelled.rejected.data == (session.verdicts == REJECTED)).all()
        dataset = make_dataset([labelled], CARD)
        assert dataset.labels.sum() > 50
        assert dataset.rejected.sum() > 5
        assert (np.asarray(dataset.known) < 0.5).any()

    def test_provenance(self, desk):
        desk.work.session.judge_open(ACCEPTED)
        desk.finish()
        (labelled,) = read_folder(desk.folder.path)
        meta = labelled.mask.meta
        assert (meta["SCSSMOD"], meta["SCSSLAB"], meta["SCSSFEAT"]) == ("drawn", "Zoe Angstrom", "CH")
        assert "begun from test-ch" in meta["history"]
        assert "1 accepted, 0 rejected, 0 left open" in meta["history"]
        assert max(map(len, meta["history"].splitlines())) <= 72

    def test_blank_of_floats_is_not_written(self, tmp_path, folder):
        (path,) = write_images(tmp_path / "images", ["2017-06-01T12:00:00"])
        desk = Desk(make_queue([path], MODEL, folder.path, order="given"), folder, MODEL, "Ada")
        desk.open(0)
        desk.work.smap.meta["blank"] = -32768
        desk.finish()  # any warning of astropy is an error here
        assert "blank" not in sunpy.map.Map(folder.path / "images" / "sun2017-06-01.fits").meta

    def test_done_and_changed_is_a_draft_until_done_again(self, desk):
        key = desk.item.key
        desk.work.session.judge(HOLE, ACCEPTED)
        desk.finish()
        assert desk.folder.is_done(key)
        desk.open(0)
        desk.work.session.judge(HOLE, REJECTED)
        desk.keep()
        assert not desk.folder.is_done(key)
        (labelled,) = read_folder(desk.folder.path)
        assert labelled.rejected is None
        desk.finish()
        assert desk.folder.is_done(key)
        (labelled,) = read_folder(desk.folder.path)
        assert labelled.mask.data.sum() == 0
        assert labelled.rejected.data.sum() > 100

    def test_rejected_file_goes_when_nothing_is_rejected(self, desk):
        for verdict in (REJECTED, ACCEPTED):
            desk.work.session.judge(HOLE, verdict)
            desk.finish()
        assert not (desk.folder.path / "rejected" / "sun2017-06-01.fits").exists()

    @pytest.mark.parametrize("done", [False, True])
    def test_half_labelled_folder_goes_on(self, images, desk, done):
        session = desk.work.session
        session.judge(HOLE, ACCEPTED)
        session.stroke([(80, 50)], 6, REJECTED)
        session.stroke([(50, 40)], 5, OPEN)
        desk.finish() if done else desk.keep()
        desk.folder.close()
        folder = LabelFolder(desk.folder.path)
        again = Desk(make_queue(images, MODEL, folder.path, order="date"), folder, MODEL, "Ben")
        assert again.position == (1 if done else 0)
        again.open(0)
        assert (again.work.session.verdicts == session.verdicts).all()
        assert again.work.labels.origin == ("labels of Zoe Angstrom" if done else desk.work.labels.origin)
        folder.close()

    def test_begins_from_masks_that_are_given(self, images, folder, tmp_path):
        smap = sunpy.map.Map(images[0])
        mask = sunpy.map.Map(np.zeros(smap.data.shape, dtype=np.int16), smap.meta)
        mask.data[45:55, 45:55] = 1
        mask.save(tmp_path / "sun2017-06-01_ch.fits")
        items = make_queue(images[:1], MODEL, folder.path)
        desk = Desk(items, folder, MODEL, "Ada", masks={"sun2017-06-01": tmp_path / "sun2017-06-01_ch.fits"})
        desk.open(0)
        assert ((desk.work.session.verdicts == OPEN) == mask.data).all()

    def test_days_on_the_same_disc(self, desk):
        before, after = desk.days()
        assert before is None
        assert after[0].key == "sun2017-06-02"
        assert after[1].shape == desk.work.picture.shown.shape

    def test_disagreement_counts_nothing_that_is_open(self, desk):
        session = desk.work.session
        others = np.where(session.verdicts == OPEN, ACCEPTED, OUTSIDE)
        where, agreement = desk.disagreement(others)
        assert not where.any()
        assert agreement == 1
        session.judge(HOLE, REJECTED)
        where, agreement = desk.disagreement(others)
        assert ((where == 2) == (others == ACCEPTED)).all()
        assert agreement == 0
        others[48:57, 22:33] = OPEN
        session.stroke([(52, 27)], 3, ACCEPTED)
        assert not (desk.disagreement(others)[0] == 1).any()


class TestOtherPixels:
    def save(self, folder, mask, key="sun2017-06-01"):
        (folder.path / "masks").mkdir(exist_ok=True)
        mask.save(folder.path / "masks" / f"{key}.fits", overwrite=True)
        (folder.path / "index.csv").write_text(f"key,date,split\n{key},,\n")

    def reopened(self, images, folder):
        folder.close()
        folder = LabelFolder(folder.path)
        desk = Desk(make_queue(images, MODEL, folder.path, order="date"), folder, MODEL, "Ada")
        try:
            desk.open(0)
        finally:
            folder.close()
        return desk

    @pytest.mark.parametrize(("size", "radius", "turn"), [(64, 25, 0), (150, 60, 0), (128, 50, 30)])
    def test_label_of_another_grid_is_reprojected(self, images, folder, size, radius, turn):
        smap = disk_map(sun_with_hole, size, radius=radius, rotation=turn * u.deg, date="2017-06-01T12:00:00")
        hole = smap.data == 40
        self.save(folder, sunpy.map.Map(hole.astype(np.int16), smap.meta))
        desk = self.reopened(images, folder)
        assert desk.work.labels.moved
        wanted = sunpy.map.Map(images[0]).data == 40
        assert iou(desk.work.session.verdicts == ACCEPTED, wanted) > 0.9

    def test_label_of_another_time_is_refused(self, images, folder):
        smap = disk_map(sun_with_hole, date="2017-06-01T18:00:00", **SIZE)
        self.save(folder, sunpy.map.Map((smap.data == 40).astype(np.int16), smap.meta))
        with pytest.raises(AnnotationError, match=r"of 2017-06-01T18.*the image is of 2017-06-01T12"):
            self.reopened(images, folder)

    def test_label_with_other_values_is_refused(self, images, folder):
        smap = sunpy.map.Map(images[0])
        self.save(folder, sunpy.map.Map((smap.data == 40) * np.int16(2), smap.meta))
        with pytest.raises(AnnotationError, match="hold 0, 1 inside and -1"):
            self.reopened(images, folder)

    def test_damaged_label_is_told(self, images, folder):
        self.save(folder, sunpy.map.Map(images[0]))
        path = folder.path / "masks" / "sun2017-06-01.fits"
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(UnreadableFileError, match="cut off or damaged"):
            self.reopened(images, folder)

    def test_draft_of_another_image_is_refused(self, desk):
        path = desk.folder.draft_of(desk.item.key)
        path.parent.mkdir()
        np.savez(path, verdicts=np.zeros((5, 5), dtype=np.uint8), origin="x")
        with pytest.raises(AnnotationError, match=r"for \(5, 5\) pixels"):
            desk.open(0)
        assert desk.work is None

    @pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
    def test_damaged_draft_is_told(self, desk, content):
        path = desk.folder.draft_of(desk.item.key)
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(AnnotationError, match="is damaged"):
            desk.open(0)


class TestQueue:
    @pytest.fixture
    def doubtful(self, tmp_path):
        """The second image has the larger region of which a model is not sure."""
        paths = write_images(tmp_path / "images", ["2017-06-01T00:00:00"], size=128, radius=50)
        paths += write_images(tmp_path / "images", ["2017-05-01T00:00:00"], size=128, radius=50)
        smap = disk_map(lambda x, y: sun_with_hole(x, y, radius=0.5), 128, radius=50, date="2017-05-01T00:00:00")
        smap.save(paths[1], overwrite=True)
        return paths

    def test_first_the_least_sure(self, doubtful, tmp_path):
        unsure = dataclasses.replace(MODEL, predict=lambda images: np.float32(0.5) * MODEL.predict(images))
        items = make_queue(doubtful, unsure, tmp_path)
        assert [item.key for item in items] == ["sun2017-05-01", "sun2017-06-01"]
        assert items[0].doubt == pytest.approx(0.25, abs=0.03)
        assert [item.key for item in make_queue(doubtful, unsure, tmp_path, order="given")] == [
            "sun2017-06-01",
            "sun2017-05-01",
        ]

    def test_a_second_start_reads_no_image(self, doubtful, tmp_path, monkeypatch):
        first = make_queue(doubtful, MODEL, tmp_path)
        monkeypatch.setattr("sunpy_scss.label._queue.read_map", None)
        assert [item.key for item in make_queue(doubtful, MODEL, tmp_path)] == [item.key for item in first]

    def test_broken_cache_is_made_anew(self, doubtful, tmp_path):
        (tmp_path / "queue.json").write_text("{")
        make_queue(doubtful, MODEL, tmp_path)
        assert len(json.loads((tmp_path / "queue.json").read_text())["images"]) == 2

    def test_what_is_no_image_is_left_out(self, doubtful, tmp_path):
        page = tmp_path / "page.fits"
        page.write_text("<html>")
        with pytest.warns(MissingImageWarning, match="web page"):
            items = make_queue([page, *doubtful], MODEL, tmp_path)
        assert len(items) == 2
        with (
            pytest.warns(MissingImageWarning, match="no such file"),
            pytest.raises(UnreadableFileError, match="None of the 1 files"),
        ):
            make_queue([tmp_path / "nowhere.fits"], MODEL, tmp_path)

    def test_two_of_one_name_are_refused(self, tmp_path):
        with pytest.raises(ValueError, match="have one name"):
            make_queue([Path("a/sun.fits"), Path("b/sun.fits.gz")], MODEL, tmp_path)

    def test_neighbours(self, images, folder):
        items = make_queue(images, MODEL, folder.path, order="date")
        names = [[one and one.key[-2:] for one in neighbours(items, item)] for item in items]
        assert names == [[None, "02"], ["01", "05"], ["02", None], [None, None]]


class TestPicture:
    @pytest.mark.parametrize("shape", [(8, 8), (9, 11), (4, 7)])
    def test_blocks_and_back(self, shape):
        data = np.arange(np.prod(shape), dtype=float).reshape(shape)
        small = blocks(data, 4)
        assert small.shape == tuple(-(-size // 4) for size in shape)
        assert small[0, 0] == data[:4, :4].mean()
        assert pixels(small, 4, shape).shape == shape

    def test_large_image_is_shown_in_blocks_and_labelled_on_its_pixels(self, tmp_path, folder, monkeypatch):
        monkeypatch.setattr("sunpy_scss.label._picture._SIZE", 100)
        (path,) = write_images(tmp_path / "images", ["2017-06-01T12:00:00"], size=211, radius=80)
        desk = Desk(make_queue([path], MODEL, folder.path, order="given"), folder, MODEL, "Ada")
        desk.open(0)
        assert desk.work.picture.shown.shape == (106, 106)
        desk.work.session.judge_open(ACCEPTED)
        desk.finish()
        (labelled,) = read_folder(folder.path)
        assert labelled.mask.data.shape == (211, 211)
        own, drawn = segment_coronal_holes(sunpy.map.Map(path), model=MODEL).data == 1, labelled.mask.data == 1
        assert iou(own, drawn) > 0.93  # within a pixel of its edge, of 20 pixels radius
        assert drawn.sum() == pytest.approx(own.sum(), rel=0.03)
        drawn = desk.work.session.verdicts.copy()
        desk.open(0)
        assert (desk.work.session.verdicts == drawn).all()

    def test_discs_of_other_scales_lie_on_each_other(self):
        one = make_picture(disk_map(sun_with_hole, 256, radius=100))
        other = make_picture(disk_map(sun_with_hole, 300, radius=120, centre=(140, 160), rotation=90 * u.deg))
        shown = other.on_pixels_of(one)
        inner = one.frame.radius(*np.ogrid[:256, :256]) < 0.95
        differs = np.abs(shown.astype(float) - one.shown)[inner] > 2000
        assert differs.mean() < 0.02

    def test_pixels_without_data_are_not_labelled(self):
        smap = disk_map(sun_with_hole)
        smap.data[100:120, 100:130] = np.nan
        picture = make_picture(smap)
        assert not picture.disk[105:115, 105:125].any()
        assert np.isnan(picture.brightness[110, 115])


class TestOneWriter:
    def test_a_second_run_is_refused(self, folder):
        with pytest.raises(AnnotationError, match="open in another run"):
            LabelFolder(folder.path)

    def test_then_it_is_not(self, folder):
        folder.close()
        LabelFolder(folder.path).close()


class TestCompare:
    def labels(self, path, images, size, open_region=False):
        folder = LabelFolder(path)
        desk = Desk(make_queue(images, MODEL, folder.path, order="date"), folder, MODEL, path.name)
        for number in range(2):
            desk.open(number)
            desk.work.session.judge_open(OPEN if open_region else ACCEPTED)
            desk.work.session.stroke([(80, 50)], size, ACCEPTED)
            desk.finish()
        folder.close()
        return path

    def test_two_annotators(self, images, tmp_path):
        ada, ben = (self.labels(tmp_path / name, images, size) for name, size in (("ada", 6), ("ben", 3)))
        table = compare_folders(ada, ben)
        assert list(table["key"]) == ["sun2017-06-01", "sun2017-06-02"]
        assert (table["iou"] > 0.8).all()
        assert (table["area_first"] > table["area_second"]).all()
        assert np.allclose(compare_folders(ada, ada)["iou"], 1)

    def test_what_one_left_open_is_not_compared(self, images, tmp_path):
        ada = self.labels(tmp_path / "ada", images, 8)
        ben = self.labels(tmp_path / "ben", images, 8, open_region=True)
        assert np.allclose(compare_folders(ada, ben)["iou"], 1)

    def test_nothing_in_common(self, images, tmp_path):
        ada = self.labels(tmp_path / "ada", images[:2], 8)
        ben = self.labels(tmp_path / "ben", images[2:], 8)
        with pytest.raises(AnnotationError, match="no image in common"):
            compare_folders(ada, ben)


class TestArguments:
    def test_order(self, tmp_path):
        with pytest.raises(ValueError, match="'doubt', 'date', 'given'"):
            label_images(["a.fits"], tmp_path, order="size")

    def test_no_image(self, tmp_path):
        with pytest.raises(ValueError, match="no image"):
            label_images([], tmp_path)

    def test_mask_of_no_image(self, images, tmp_path):
        pytest.importorskip("bokeh")
        with pytest.raises(AnnotationError, match="the name of no image"):
            label_images(images[:1], tmp_path, model=MODEL, order="given", masks=["other.fits"])

    def test_model_of_several_channels(self, tmp_path):
        pytest.importorskip("bokeh")
        channel = {"wavelength": 171, "wavelengths": (171,), "stretch": CARD.to_dict()["stretch"]}
        with pytest.raises(ModelError, match="several images"):
            label_images(["a.fits"], tmp_path, model=dark_model(further_channels=(channel,)))


@pytest.mark.parametrize(("name", "plain"), [("Zoë", "Zoe"), ("Jürgen Müller", "Jurgen Muller"), ("李", "unknown")])
def test_names_in_letters_of_fits(name, plain):
    assert as_ascii(name) == plain
