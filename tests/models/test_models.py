"""Cards and model folders."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from makers import CARD

from sunpy_scss import list_models, load_model
from sunpy_scss.exceptions import ModelError, ModelNotFoundError
from sunpy_scss.models import Model, ModelCard, Split
from sunpy_scss.models._split import split_text
from sunpy_scss.train import _weights, load_network, save_model
from sunpy_scss.train._weights import build_network

IMAGES = np.random.default_rng(0).random((2, 128, 128, 1), dtype=np.float32)


@pytest.fixture
def folder(tmp_path):
    save_model(CARD, build_network(CARD, seed=1), tmp_path / "model")
    return tmp_path / "model"


def test_card_survives_json():
    assert ModelCard.from_dict(json.loads(json.dumps(CARD.to_dict()))) == CARD


def test_saved_model_predicts_the_same(folder):
    expected = build_network(CARD, seed=1)(IMAGES, training=False).numpy()
    np.testing.assert_allclose(load_model(folder).predict(IMAGES), expected, atol=1e-6)


def test_same_seed_same_network():
    one, two, other = (build_network(CARD, seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_model_is_returned_as_it_is():
    model = Model(CARD, lambda images: images)
    assert load_model(model) is model


def test_unknown_name_lists_the_known():
    with pytest.raises(ModelNotFoundError, match=f"Known names: {', '.join(list_models())}"):
        load_model("scss-ch-194-1")


def test_neither_name_nor_folder():
    with pytest.raises(TypeError, match="int"):
        load_model(3)


def test_other_weights_are_refused(folder):
    weights = folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(folder)


def test_missing_weights(folder):
    (folder / "model.weights.h5").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda card: "{",
        lambda card: "[]",
        lambda card: json.dumps({**card, "colour": "red"}),
        lambda card: json.dumps({key: value for key, value in card.items() if key != "stretch"}),
        lambda card: json.dumps({**card, "feature": "filament"}),
    ],
    ids=["cut off", "a list", "unknown key", "missing key", "unknown feature"],
)
def test_spoilt_card(folder, spoil):
    path = folder / "card.json"
    path.write_text(spoil(json.loads(path.read_text())))
    with pytest.raises(ModelError, match=r"card"):
        load_model(folder)


def test_a_model_is_not_replaced_unless_told(folder):
    network = build_network(CARD, seed=2)
    with pytest.raises(FileExistsError, match="holds a model already"):
        save_model(CARD, network, folder)
    before = load_model(folder).card.sha256
    assert save_model(CARD, network, folder, overwrite=True).card.sha256 != before
    np.testing.assert_allclose(load_model(folder).predict(IMAGES), network(IMAGES, training=False), atol=1e-6)


def test_nothing_else_is_left_in_the_folder(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.weights.h5"]


def test_cards_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CARD.threshold = 0.1


@pytest.mark.parametrize("name", list_models())
def test_bundled_cards_tell_what_a_user_must_know(name):
    card = load_model(name).card
    assert card.name == name
    assert card.licence
    assert card.reference
    assert card.limits
    assert card.labels
    assert {"data", "labels", "split"} <= set(card.training)
    assert 0 < card.scores["model"]["iou"] < 1
    assert "threshold" in card.scores


@pytest.mark.parametrize("step", ["write_card", "weights_name"])
def test_killed_while_a_model_is_replaced(folder, monkeypatch, step):
    """Whatever was done before, the old model is there; afterwards, the new one, and nothing else."""
    before, network = load_model(folder).card, build_network(CARD, seed=2)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_weights, step, killed)
        with pytest.raises(KeyboardInterrupt):
            save_model(CARD, network, folder, overwrite=True)
    model = load_model(folder)
    assert model.card == before
    np.testing.assert_allclose(model.predict(IMAGES), build_network(CARD, seed=1)(IMAGES, training=False), atol=1e-5)
    after = save_model(CARD, network, folder, overwrite=True).card
    assert after.sha256 != before.sha256
    assert len(list(folder.iterdir())) == 2
    assert save_model(CARD, network, folder, overwrite=True).card == after
    assert len(list(folder.iterdir())) == 2


def test_garbage_of_the_right_hash(folder):
    weights = folder / "model.weights.h5"
    weights.write_bytes(b"no weights")
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256(b"no weights").hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="does not hold the weights"):
        load_model(folder).predict(IMAGES)
    with pytest.raises(ModelError, match="does not hold the weights"):
        load_network(folder)


def test_weights_of_another_shape(folder):
    card = json.loads((folder / "card.json").read_text())
    card["network"]["filters"] = 8
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="does not hold the weights of the network in the card"):
        load_network(folder)


class TestSplit:
    SPLIT = Split((("a", "2017-01-01T00:00:00.000"),), (("b", "2017-03-01T00:00:00.000"),), gap_days=7.0)

    def test_there_and_back(self, folder):
        assert load_model(folder).split is None
        (folder / "split.json").write_text(split_text(self.SPLIT))
        assert load_model(folder).split == self.SPLIT

    def test_goes_with_its_model(self, folder):
        network = build_network(CARD, seed=2)
        assert save_model(CARD, network, folder, overwrite=True, split=self.SPLIT).split == self.SPLIT
        assert save_model(CARD, network, folder, overwrite=True).split is None

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"train": [1]}', '{"train": [["a"]]}'])
    def test_spoilt(self, folder, text):
        (folder / "split.json").write_text(text)
        with pytest.raises(ModelError, match=r"split.json cannot be read"):
            load_model(folder)


def test_a_card_of_endless_brackets(tmp_path):
    (tmp_path / "card.json").write_text("[" * 10**5)
    with pytest.raises(ModelError, match="cannot be read as a model card"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"half_width": -1}, "half_width"),
        ({"grid_size": 10**6}, "grid_size"),
        ({"grid_size": 64.0}, "grid_size"),
        ({"threshold": "0.5"}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
        ({"temperature": float("inf")}, "temperature"),
        ({"wavelength": "193"}, "wavelength"),
        ({"wavelengths": 193}, "wavelengths|card"),
        ({"wavelengths": []}, "wavelengths"),
        ({"name": None}, "name"),
        ({"training": []}, "training"),
        ({"stretch": {"limits": [0, 0]}}, "stretch.limits"),
        ({"stretch": {"limits": 3}}, "card"),
        ({"stretch": {"floor": 0}}, "stretch.floor"),
        ({"stretch": {"exponent": float("nan")}}, "stretch.exponent"),
        ({"network": {"filters": -16}}, "network.filters"),
        ({"network": {"layers": 60}}, "network.layers"),
        ({"network": {"drop_prob": 1}}, "network.drop_prob"),
        ({"network": {"batch_norm": 1}}, "network.batch_norm"),
        ({"area_levels": "wide"}, "area_levels"),
        ({"area_levels": [0.5]}, "area_levels"),
        ({"area_levels": [0.16, 0.84]}, "area_levels"),
        ({"area_levels": [float("nan"), 0.1]}, "area_levels"),
        *(
            ({"boundaries": [{"name": "middle", "level": 1, "threshold": 0.5} | change]}, f"{name} of a boundary")
            for name, change in [
                ("name", {"name": None}),
                ("name", {"name": ""}),
                ("name", {"name": "gr\xf6\xdfer"}),
                ("level", {"level": float("inf")}),
                ("level", {"level": 1.5}),
                ("level", {"level": 10**6}),
                ("meaning", {"meaning": 7}),
                ("threshold", {"threshold": float("nan")}),
                ("threshold", {"threshold": "0.5"}),
                ("share", {"share": -1}),
            ]
        ),
        ({"boundaries": [{"name": "middle", "level": 1, "scores": []}]}, "scores of a boundary"),
    ],
)
def test_values_that_cannot_be(changes, named):
    card = CARD.to_dict()
    for name, value in changes.items():
        card[name] = {**card[name], **value} if isinstance(value, dict) else value
    with pytest.raises(ModelError, match=named):
        ModelCard.from_dict(card)
