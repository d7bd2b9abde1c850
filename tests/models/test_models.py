"""Cards and model folders."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from makers import CARD

from sunpy_scss import list_models, load_model
from sunpy_scss.exceptions import ModelError, ModelNotFoundError
from sunpy_scss.models import Model, ModelCard, build_network, load_network, save_model

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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"half_width": -1}, "half_width is from 1 to 10"),
        ({"half_width": "1.25"}, "half_width is from 1 to 10"),
        ({"stretch": {**CARD.to_dict()["stretch"], "limits": [0, 0]}}, "limits of the stretch are two rising numbers"),
        ({"stretch": {**CARD.to_dict()["stretch"], "limits": "ab"}}, "limits of the stretch are two rising numbers"),
        ({"stretch": {**CARD.to_dict()["stretch"], "floor": 0}}, "floor of the stretch is a positive number"),
        ({"stretch": {**CARD.to_dict()["stretch"], "exponent": 3}}, "exponent of the stretch is between 0 and 1"),
        ({"stretch": 5}, "This is not a model card"),
        ({"temperature": float("inf")}, "temperature is a positive number"),
        ({"temperature": 0}, "temperature is a positive number"),
        ({"threshold": "0.5"}, "threshold is a number between 0 and 1"),
        ({"threshold": float("nan")}, "threshold is a number between 0 and 1"),
        ({"grid_size": 10**6}, "grid_size is a multiple of 4 up to 8192"),
        ({"grid_size": 129}, "grid_size is a multiple of 4"),
        ({"grid_size": 128.0}, "grid_size is a multiple of 4"),
        ({"network": {"filters": 10**9}}, "filters of the network is from 1 to 1024"),
        ({"network": {"layers": -1}}, "layers of the network is from 1 to 8"),
        ({"network": {"drop_prob": 1}}, "drop_prob of the network is at least 0 and below 1"),
        ({"wavelengths": []}, "wavelengths are a list of numbers"),
        ({"wavelengths": ["193"]}, "wavelengths are positive numbers"),
        ({"wavelength": None}, "wavelengths are positive numbers"),
        ({"feature": ["CH"]}, "feature is one of CH, AR"),
        ({"name": 7}, "name is text"),
        ({"name": ""}, "name is not empty"),
        ({"sha256": None}, "sha256 is text"),
        ({"training": "much"}, "training is a dict"),
    ],
)
def test_values_of_a_card(changes, message):
    with pytest.raises(ModelError, match=message):
        ModelCard.from_dict({**CARD.to_dict(), **changes})


@pytest.mark.parametrize("garbage", [b"", b"no weights", b"\x89HDF\r\n\x1a\n" + bytes(2000)])
def test_garbage_with_the_right_hash(folder, garbage):
    (folder / "model.weights.h5").write_bytes(garbage)
    card = dataclasses.replace(CARD, sha256=hashlib.sha256(garbage).hexdigest())
    (folder / "card.json").write_text(json.dumps(card.to_dict()))
    with pytest.raises(ModelError, match="no network"):
        load_model(folder).predict(IMAGES)
    with pytest.raises(ModelError, match="no weights of the network"):
        load_network(folder)


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
