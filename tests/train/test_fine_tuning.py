"""Labels of 0 and 1 are the model's default boundary, everywhere; a model is fine-tuned on them."""

import dataclasses
import json

import numpy as np
import pytest
from makers import BOUNDARY, CARD, disk_map, sun_with_hole

import sunpy.map

from sunpy_scss import load_model, segment_coronal_holes
from sunpy_scss.cli import main
from sunpy_scss.exceptions import NothingFoundWarning, SplitWarning, TrainingError
from sunpy_scss.models import Boundary, Model, Network
from sunpy_scss.synthetic import synthetic_sun
from sunpy_scss.train import (
    Augmentation,
    Configuration,
    LabelledMap,
    evaluate,
    load_network,
    make_dataset,
    read_configuration,
    save_model,
    train_model,
    write_folder,
)
from sunpy_scss.train._evaluation import scores_of
from sunpy_scss.train._run import _copy_weights
from sunpy_scss.train._weights import build_network

NESTED = (Boundary("middle", 2), Boundary("tight", 3), Boundary("wide", 1))
SMALL = dataclasses.replace(
    CARD, name="nested", grid_size=32, network=Network(filters=4, layers=1, momentum=0.8), boundaries=NESTED
)


def labelled(seed, *, nested=True, year=2010):
    """A Sun with a round hole, darker further in; the label of others ends half-way in."""
    rng = np.random.default_rng(seed)
    at, radius = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.25, 0.35)

    def distance(x, y):
        return np.hypot(x - at[0], y - at[1]) / radius

    def label(x, y):
        inside = sum((distance(x, y) <= share).astype(np.int16) for share in (1.3, 1, 0.7))
        return inside if nested else (inside >= 2).astype(np.int16)

    small = {"size": 64, "radius": 25, "date": f"{year + seed // 12}-{seed % 12 + 1:02d}-03"}
    image = disk_map(lambda x, y: sun_with_hole(x, y, at=at, radius=radius), **small)
    mask = disk_map(label, **small)
    return LabelledMap(f"sun{seed}", image, sunpy.map.Map(mask.data.astype(np.int16), mask.meta))


def dark(images):
    """Three nested answers; the middle one is right."""
    return np.concatenate([(images < BOUNDARY + more).astype(np.float32) for more in (0.1, 0, -0.1)], axis=-1)


def ordinary(numbers, card=SMALL, **settings):
    return make_dataset((labelled(number, nested=False, **settings) for number in numbers), card)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A model of three boundaries that has learned."""
    folder = tmp_path_factory.mktemp("start") / "nested"
    augmentation = Augmentation(rotation=20, shift=1, contrast=0.05, pivot=BOUNDARY, blur=0.3, noise=0.01)
    settings = {"epochs": 15, "batch_size": 4, "learning_rate": 3e-2, "patience": 20, "augmentation": augmentation}
    parts = (make_dataset(map(labelled, numbers), SMALL) for numbers in (range(8), range(8, 12)))
    train_model(Configuration(card=SMALL, **settings), *parts, folder)
    return folder


class TestLabels:
    def test_of_nested_labels_all_boundaries_are_kept(self):
        assert list(make_dataset([labelled(0)], SMALL).nested) == [1, 2, 3]

    @pytest.mark.parametrize("name", ["middle", "tight", "wide"])
    def test_of_one_boundary_they_are_of_the_default_one(self, name):
        card = Model(SMALL, dark).at(name).card
        dataset = ordinary([0], card)
        assert list(dataset.nested) == [card.default_level]
        np.testing.assert_array_equal(dataset.labels, ordinary([0], CARD_OF_ONE).labels)

    @pytest.mark.parametrize("name", ["middle", "tight", "wide"])
    def test_nested_ones_are_of_each_boundary_alone_too(self, name):
        card = Model(SMALL, dark).at(name).card
        alone, together = (make_dataset([labelled(0)], one) for one in (card, SMALL))
        np.testing.assert_array_equal(alone.labels, together.nested[card.default_level])

    def test_a_set_without_a_region_is_one_of_the_default_boundary(self):
        bare = labelled(0)
        bare = dataclasses.replace(bare, mask=sunpy.map.Map(bare.mask.data * 0, bare.mask.meta))
        assert list(make_dataset([bare], SMALL).nested) == [2]

    def test_from_a_cache(self, tmp_path):
        for _ in range(2):
            dataset = make_dataset((labelled(one, nested=False) for one in range(2)), SMALL, cache=tmp_path / "cache")
            assert list(dataset.nested) == [2]

    def test_the_default_model_is_scored_on_them(self):
        model = Model(SMALL, dark)
        dataset = ordinary(range(3))
        assert scores_of(model, dataset)["iou"] > 0.85
        assert evaluate(model, dataset).scores[0]["iou"] > 0.85
        with pytest.raises(TrainingError, match=r"labels of level 2, not of level 3.*model.at"):
            scores_of(model.at("tight"), dataset)

    def test_the_bundled_models_are(self):
        model = load_model("scss-ch-193-5")
        sun = synthetic_sun(size=256, seed=1)
        suns = [LabelledMap("sun", sun.image, sun.coronal_holes)]
        stranger = Model(dataclasses.replace(model.card, sha256=""), model.predict)
        scores = scores_of(stranger, make_dataset(suns, model.card))
        assert scores["iou"] > 0.5


CARD_OF_ONE = dataclasses.replace(SMALL, boundaries=())


class TestFineTuning:
    def test_the_card_says_which_is_kept(self, start, tmp_path):
        settings = dataclasses.replace(Configuration.starting_from(start, "mine"), epochs=1)
        model = train_model(settings, ordinary(range(12, 16)), ordinary(range(17, 19)), tmp_path / "mine")
        assert [one.name for one in model.card.boundaries] == ["middle"]
        said = "the labels are of one boundary: middle is kept, tight and wide dropped"
        assert model.card.training["boundaries"] == said
        assert model.card.scores["model"]["iou"] > 0.5
        mask = segment_coronal_holes(labelled(30).image, model=tmp_path / "mine")
        assert mask.meta["SCSSBND"] == "middle"

    @pytest.mark.parametrize("boundaries", [NESTED, NESTED[:1], NESTED[1:2], ()], ids=len)
    def test_each_boundary_starts_from_its_own_output(self, start, boundaries):
        card = dataclasses.replace(SMALL, boundaries=boundaries, threshold=0.5)
        network = build_network(card, seed=5)
        _copy_weights(start, network, card)
        images = ordinary(range(17, 19)).images[..., np.newaxis]
        before, after = (np.asarray(one(images, training=False)) for one in (load_network(start), network))
        kept = {one.level for one in boundaries} or {2}
        np.testing.assert_allclose(after, before[..., [level in kept for level in (1, 2, 3)]], atol=1e-5)

    def test_parts_of_different_labels(self, start, tmp_path):
        settings = Configuration.starting_from(start, "mine")
        nested = make_dataset(map(labelled, range(17, 19)), SMALL)
        with pytest.raises(TrainingError, match=r"'validation' has labels of the levels 1 2 3, the card wants 2"):
            train_model(settings, ordinary(range(12, 16)), nested, tmp_path / "mine")

    def test_what_the_start_has_seen_is_said(self, start, tmp_path):
        settings = dataclasses.replace(Configuration.starting_from(start, "mine"), epochs=1)
        parts = ordinary(range(12, 16)), ordinary(range(2))
        with pytest.warns(SplitWarning, match="nested has seen these images or their neighbours: sun0"):
            model = train_model(settings, *parts, tmp_path / "mine")
        with pytest.warns(SplitWarning, match="mine, or the model that it started from, has seen"):
            assert scores_of(model, parts[1])["iou"] > 0.3
        with pytest.raises(TrainingError, match="has seen"):
            scores_of(model, ordinary(range(4, 6)))

    def test_a_network_that_finds_nothing_is_a_warning(self, tmp_path):
        settings = Configuration(card=CARD_OF_ONE, epochs=1, learning_rate=1e-9)
        parts = (ordinary(numbers, CARD_OF_ONE) for numbers in (range(4), range(8, 10)))
        card = dataclasses.replace(CARD_OF_ONE, threshold=0.9)
        with pytest.warns(NothingFoundWarning, match="nested finds no coronal hole .* after 2 steps"):
            train_model(dataclasses.replace(settings, card=card), *parts, tmp_path / "model")

    def test_in_one_line(self, start, tmp_path, capsys):
        write_folder((labelled(number, nested=False) for number in range(12, 18)), tmp_path / "labels", split="train")
        write_folder(
            (labelled(number, nested=False) for number in range(20, 23)), tmp_path / "labels", split="validation"
        )
        files = ["--data", str(tmp_path / "labels"), "--output", str(tmp_path / "mine")]
        assert main(["train", "--start", str(start), *files]) == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["model"]["iou"] > 0.6
        assert "trains on cpu" in said.err
        assert load_model(tmp_path / "mine").card.name == "mine"
        assert main(["train", *files]) == 1
        assert "--start" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["scss-ch-193-5", "scss-ar-171-3"])
    def test_a_recipe_to_start_from(self, name, tmp_path, capsys):
        assert main(["models", "show", name, "--recipe"]) == 0
        (tmp_path / "mine.toml").write_text(capsys.readouterr().out)
        assert read_configuration(tmp_path / "mine.toml") == Configuration.starting_from(name, "mine")


def test_defaults_find_something_in_two_epochs(tmp_path):
    card = dataclasses.replace(CARD_OF_ONE, network=Network(filters=8, layers=2))
    parts = (ordinary(numbers, card) for numbers in (range(25), range(26, 31)))
    augmentation = Augmentation(pivot=BOUNDARY)
    model = train_model(Configuration(card=card, epochs=2, augmentation=augmentation), *parts, tmp_path / "model")
    assert model.card.scores["model"]["iou"] > 0.3


def test_weights_of_another_network_are_said_to_be(tmp_path):
    save_model(CARD_OF_ONE, build_network(CARD_OF_ONE, seed=1), tmp_path / "start")
    settings = Configuration.starting_from(tmp_path / "start", "mine")
    wide = dataclasses.replace(settings.card, network=Network(filters=8, layers=1))
    parts = (ordinary(numbers, CARD_OF_ONE) for numbers in (range(4), range(8, 10)))
    with (
        pytest.warns(SplitWarning, match="not known"),
        pytest.raises(TrainingError, match="4 filters in 1 layers, not 8 filters in 1 layers"),
    ):
        train_model(dataclasses.replace(settings, card=wide), *parts, tmp_path / "mine")
