"""Temperatures: found again where known, and without a trace in the masks."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from makers import CARD, disk_map, sun_with_hole
from scipy.special import expit, logit

from astropy.time import Time, TimeDelta

from sunpy_scss import list_models, load_model, predict_probability, segment_coronal_holes
from sunpy_scss.exceptions import ModelError, ModelNotFoundError, TrainingError
from sunpy_scss.models import Model, Network, Split
from sunpy_scss.train import Dataset, calibrate, save_model
from sunpy_scss.train._calibration import calibrate_folder, calibration_error, fit_temperature, reliability
from sunpy_scss.train._splits import check_split
from sunpy_scss.train._weights import build_network

SIZE = 32
DISK = np.ones((SIZE, SIZE), dtype=bool)
SMALL = dataclasses.replace(CARD, grid_size=SIZE, network=Network(filters=2, layers=1), threshold=0.37)


def labelled(images, labels, disk=DISK):
    dates = Time("2017-01-01") + TimeDelta(np.arange(len(images)), format="jd")
    keys = tuple(f"sun{number}" for number in range(len(images)))
    return Dataset(keys, dates, images, {1: labels}, np.zeros_like(labels), np.ones_like(labels), disk)


def drawn(temperature, *, n=40, seed=0):
    """Labels drawn from true probabilities, and a model that is off by a temperature."""
    rng = np.random.default_rng(seed)
    truth = expit(rng.normal(0, 2, (n, SIZE, SIZE)))
    dataset = labelled(truth, (rng.random(truth.shape) < truth).astype(float))
    return Model(SMALL, lambda images: expit(logit(images) * temperature).astype(np.float32)), dataset


def soft(images):
    """Probabilities that fall off slowly at the edge of what is dark."""
    return expit((0.45 - images) * 12).astype(np.float32)


class TestFit:
    @pytest.mark.parametrize("temperature", [0.5, 1, 3])
    def test_a_known_temperature(self, temperature):
        assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.03)

    def test_calibrated_probabilities_are_right(self):
        model, dataset = drawn(3)
        _, other = drawn(3, seed=1)
        raw = model.predict(other.images)
        model = calibrate(model, dataset)
        before, after = (calibration_error(reliability(other.labels > 0, p)) for p in (raw, model.card.calibrated(raw)))
        assert before > 0.1
        assert after < 0.02

    def test_off_the_disk_nothing_counts(self):
        model, dataset = drawn(2)
        disk = np.arange(SIZE) < SIZE // 2 * DISK
        wrong = np.where(disk, dataset.labels, 1 - dataset.labels)
        found = fit_temperature(model, labelled(dataset.images, wrong, disk))
        assert found == pytest.approx(2, rel=0.05)

    def test_a_model_that_is_always_right_has_the_least(self):
        _, dataset = drawn(1)
        dataset.images[:] = dataset.labels
        model = Model(SMALL, lambda images: np.where(images, 0.9, 0.1))
        assert fit_temperature(model, dataset) == pytest.approx(0.1, rel=0.01)

    @pytest.mark.parametrize("temperatures", [(4, 0.25), (0.25, 4)])
    def test_none_where_it_does_not_help_elsewhere(self, temperatures):
        """In every other block of four weeks the model says too much, in those between too little."""
        model, dataset = drawn(1, n=80)
        turn = np.repeat([0, 1, 0], [28, 28, 24])
        images = expit(logit(dataset.images) * np.array(temperatures)[turn][:, np.newaxis, np.newaxis])
        dataset = dataclasses.replace(dataset, images=images)
        assert fit_temperature(model, dataset) != pytest.approx(1, rel=0.2)
        assert calibrate(model, dataset) is model

    def test_none_where_nobody_knows_whether_it_helps(self):
        model, dataset = drawn(3, n=20)  # of one block
        assert calibrate(model, dataset) is model

    def test_what_was_learned_from_is_refused(self):
        model, dataset = drawn(3, n=60)
        split = Split((("a", "2017-01-05T00:00:00.000"),), ())
        with pytest.raises(TrainingError, match=r"test-ch has seen .*: a \(2017-01-05.* sun4"):
            calibrate(dataclasses.replace(model, split=split), dataset)

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_nothing_to_fit(self, value):
        model, dataset = drawn(1)
        dataset.labels[:] = value
        with pytest.raises(TrainingError, match="No temperature"):
            fit_temperature(model, dataset)


class TestCard:
    def test_there_and_back(self):
        card = dataclasses.replace(CARD, temperature=0.6)
        probability = np.linspace(0, 1, 21)
        assert card.uncalibrated(card.calibrated(probability)) == pytest.approx(probability, abs=1e-12)
        assert card.calibrated(np.array([0, 0.5, 1])).tolist() == [0, 0.5, 1]
        assert card.calibrated(0.7) == pytest.approx(expit(logit(0.7) / 0.6))

    def test_one_changes_nothing(self):
        probability = np.random.default_rng(0).random(100, dtype=np.float32)
        assert CARD.calibrated(probability) is probability

    @pytest.mark.parametrize("temperature", [0, -1, np.nan])
    def test_temperatures_are_positive(self, temperature):
        with pytest.raises(ModelError, match="temperature"):
            dataclasses.replace(CARD, temperature=temperature)


@pytest.fixture(scope="module")
def smap():
    noise = np.random.default_rng(0).lognormal(0, 0.4, (256, 256))
    return disk_map(lambda x, y: sun_with_hole(x, y) * noise)


class TestMasks:
    @pytest.mark.parametrize("temperature", [0.3, 0.775, 1.9, 4.0])
    @pytest.mark.parametrize("samples", [1, 3])
    def test_not_a_pixel_changes(self, smap, temperature, samples):
        """Interpolation and the mean come before the temperature, so that the threshold alone has to move."""
        raw = Model(dataclasses.replace(CARD, threshold=0.62), soft)
        _, dataset = drawn(temperature)
        logits = logit(np.clip(dataset.images, 0.001, 0.999)) * temperature
        # Seen by the same model: images that give these logits.
        seen = labelled(0.45 - logits / 12, dataset.labels)
        model = calibrate(raw, seen)
        assert model.card.temperature == pytest.approx(temperature, rel=0.05)
        assert model.card.threshold != raw.card.threshold
        masks = [segment_coronal_holes(smap, model=one, samples=samples).data for one in (raw, model)]
        assert 0 < masks[0].sum() < masks[0].size / 2
        np.testing.assert_array_equal(*masks)

    def test_the_probability_is_calibrated_and_agrees_with_the_mask(self, smap):
        model = Model(dataclasses.replace(CARD, threshold=0.7, temperature=0.5), soft)
        raw = predict_probability(smap, model=Model(CARD, soft))
        probability = predict_probability(smap, model=model)
        np.testing.assert_allclose(probability.data, expit(2 * logit(raw.data)), atol=1e-6)
        assert (probability.data[0, 0], probability.data.dtype) == (0, np.float32)
        assert probability.meta["SCSSTEMP"] == 0.5
        mask = segment_coronal_holes(smap, model=model, min_area=0 * smap.rsun_meters.unit**2)
        np.testing.assert_array_equal(probability.data >= 0.7, mask.data == 1)


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        save_model(SMALL, build_network(SMALL, seed=1), tmp_path / "model", split=Split((), ()))
        return tmp_path / "model"

    @pytest.fixture
    def labels(self):
        return drawn(1, n=60)[1]

    def test_card_alone_changes_and_only_once(self, folder, labels):
        before, weights = load_model(folder).card, (folder / "model.weights.h5").read_bytes()
        after = calibrate_folder(folder, labels).card
        assert (folder / "model.weights.h5").read_bytes() == weights
        assert after.temperature != 1
        assert after.uncalibrated(after.threshold) == pytest.approx(before.threshold)
        assert set(after.scores["model"]) == {"calibration_error", "uncalibrated_error"}
        unchanged = {"temperature": 1, "threshold": before.threshold, "scores": before.scores}
        assert dataclasses.replace(after, **unchanged) == before
        text = (folder / "card.json").read_text()
        assert json.loads(text)["temperature"] == after.temperature
        calibrate_folder(folder, labels)
        assert (folder / "card.json").read_text() == text
        assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.weights.h5", "split.json"]

    def test_a_name_is_no_folder(self, labels):
        with pytest.raises(ModelNotFoundError, match="folder of a model"):
            calibrate_folder("scss-ch-193-5", labels)


class TestBundled:
    @pytest.mark.parametrize(("name", "threshold"), [("scss-ar-171-1", 0.5)])
    def test_the_threshold_moved_along(self, name, threshold):
        """The networks were trained and chosen with these thresholds, before there was a temperature."""
        card = load_model(name).card
        assert card.temperature < 1
        assert card.uncalibrated(card.threshold) == pytest.approx(threshold, rel=1e-12)
        assert card.scores["model"]["calibration_error"] < card.scores["model"]["uncalibrated_error"]

    @pytest.mark.parametrize("name", list_models())
    def test_what_it_was_trained_on_is_known(self, name):
        """As many images as the card says, of each part."""
        model = load_model(name)
        told = [int(model.card.training[f"{part} images"]) for part in ("training", "validation")]
        assert [len(model.split.train), len(model.split.validation)] == told
        check_split(*(images(of_part) for of_part in (model.split.train, model.split.validation)))


def images(of_part):
    """Keys and dates, as those of a data set."""
    keys, dates = zip(*of_part, strict=True)
    return SimpleNamespace(keys=keys, dates=Time(list(dates)))
