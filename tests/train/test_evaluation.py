"""Scores against truths by hand, on a disc of 52 pixels, and on synthetic Suns."""

import dataclasses
import json

import numpy as np
import pytest
from makers import CARD, dark_model

import astropy.units as u
from astropy.table import QTable
from astropy.time import Time, TimeDelta

from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.exceptions import SplitWarning, TrainingError
from sunpy_scss.masks import iou
from sunpy_scss.models import Model, ModelCard, Split
from sunpy_scss.synthetic import Cap, synthetic_sun
from sunpy_scss.train import Dataset, LabelledMap, evaluate, make_dataset
from sunpy_scss.train._evaluation import scores_of
from sunpy_scss.train._splits import check_unseen

SIZE = 10  # the Sun has a radius of 4 pixels, disc centre is between pixels 4 and 5
TINY = ModelCard.from_dict({**CARD.to_dict(), "grid_size": SIZE})
DISK = CanonicalGrid(SIZE, 1.25).disk
# On these days in June 2017 and 2018 the Sun's equator is seen edge on.
EDGE_ON = Time("2017-06-07")


def dataset(labels, *, rejected=None, days=None, disk=DISK):
    labels = np.asarray(labels, dtype=np.float32)
    days = np.arange(len(labels)) * 20 if days is None else days
    return Dataset(
        tuple(f"sun{number}" for number in range(len(labels))),
        EDGE_ON + TimeDelta(days, format="jd"),
        np.zeros_like(labels),
        {1: labels},
        np.zeros_like(labels) if rejected is None else np.asarray(rejected, dtype=np.float32),
        np.ones_like(labels),
        disk,
    )


def score(labels, probabilities, **settings):
    scoring = {name: settings.pop(name) for name in ("block_length", "seed") if name in settings}
    answer = np.asarray(probabilities, dtype=np.float32)[..., np.newaxis]
    return evaluate(Model(TINY, lambda images: answer), dataset(labels, **settings), **scoring)


def pixels(*places):
    image = np.zeros((SIZE, SIZE))
    for row, column in places:
        image[row, column] = 1
    return image


def zone(evaluation, by, name):
    table = evaluation.scores
    (row,) = table[(table["by"] == by) & (table["zone"] == name)]
    return row


MEASURES = [
    "iou",
    "dice",
    "precision",
    "recall",
    "area_ratio",
    "boundary_distance",
    "hard_negative_fraction",
    "mean_iou",
    "mean_dice",
]


@pytest.fixture
def random_masks():
    rng = np.random.default_rng(5)
    return (rng.random((6, SIZE, SIZE)) < 0.4), rng.random((6, SIZE, SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def evaluation():
    """Two images: two labelled and three predicted pixels, two in common; one labelled and another one predicted."""
    labels = [pixels((5, 5), (5, 6)), pixels((5, 5))]
    predicts = [pixels((5, 5), (5, 6), (5, 7)), pixels((5, 6))]
    rejected = [pixels((5, 7), (2, 5), (5, 5)), pixels((0, 0))]
    return score(labels, predicts, rejected=rejected)


class TestMeasures:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("iou", 2 / 5),
            ("dice", 4 / 7),
            ("mean_iou", (2 / 3 + 0) / 2),
            ("mean_dice", (4 / 5 + 0) / 2),
            ("precision", 2 / 4),
            ("recall", 2 / 3),
            ("hard_negative_fraction", 1 / 2),  # one in the corner is off the disc, one is labelled too
        ],
    )
    def test_pooled(self, evaluation, name, value):
        assert zone(evaluation, "disc", "all")[name] == pytest.approx(value)

    def test_of_each_image(self, evaluation):
        assert evaluation.images["key"].tolist() == ["sun0", "sun1"]
        assert evaluation.images["iou"] == pytest.approx([2 / 3, 0])
        assert evaluation.images["recall"] == pytest.approx([1, 0])

    def test_boundary_distance(self, evaluation):
        """From the five outline pixels of the first image one is off, from its neighbour; in the second both are."""
        x, y = (np.array([0.5, 1.5, 2.5]) / 4, 0.5 / 4)
        points = np.stack([x, np.full(3, y), np.sqrt(1 - x**2 - y**2)])
        first, second = (np.degrees(np.arccos(points[:, n] @ points[:, n + 1])) for n in (1, 0))
        found = evaluation.images["boundary_distance"]
        assert found.unit == u.deg
        # Above, the observer is infinitely far away; of the disc from Earth the middle is 0.5 % nearer.
        assert found.value == pytest.approx([first / 5, second], rel=0.005)
        whole = zone(evaluation, "disc", "all")["boundary_distance"].value
        assert whole == pytest.approx((first + 2 * second) / 7, rel=0.005)

    def test_counts(self, evaluation):
        row = zone(evaluation, "radius", "0 to 0.5 R")
        assert (row["images"], row["labelled"], row["blocks"]) == (2, 2, 2)
        assert zone(evaluation, "radius", "0.9 to 1 R")["labelled"] == 0

    def test_predicted_pixels(self, evaluation, random_masks):
        assert evaluation.predicted.shape == (2, SIZE, SIZE)
        assert evaluation.predicted.sum() == 4
        assert not score(*random_masks).predicted[:, ~DISK].any()


def test_pooled_scores_are_those_of_every_pixel(random_masks):
    """Pixel by pixel, in a loop."""
    labels, probabilities = random_masks
    counts = dict.fromkeys([(truth, claim) for truth in (0, 1) for claim in (0, 1)], 0)
    for truth, probability, inside in zip(
        labels.ravel(), probabilities.ravel(), np.tile(DISK.ravel(), len(labels)), strict=True
    ):
        if inside:
            counts[int(truth), int(probability >= 0.5)] += 1
    hit, miss, false = counts[1, 1], counts[1, 0], counts[0, 1]
    row = zone(score(labels, probabilities), "disc", "all")
    assert row["precision"] == pytest.approx(hit / (hit + false))
    assert row["recall"] == pytest.approx(hit / (hit + miss))
    assert row["dice"] == pytest.approx(2 * hit / (2 * hit + miss + false))
    assert row["iou"] == pytest.approx(hit / (hit + miss + false))


def test_the_same_as_of_a_model_card(random_masks):
    labels, probabilities = random_masks
    data = dataset(labels, rejected=~labels & (probabilities > 0.4))
    model = Model(TINY, lambda images: probabilities[..., np.newaxis])
    row = zone(evaluate(model, data), "disc", "all")
    card = scores_of(model, data)
    for name in ("iou", "dice", "mean_iou", "mean_dice", "hard_negative_fraction"):
        assert row[name] == pytest.approx(card[name])


class TestZones:
    def test_latitude(self):
        """A label in the north is missed, one in the south is found; the equator is seen edge on."""
        north, south = (8, 4), (1, 4)  # 3.5 pixels from the centre: 61 degrees
        evaluation = score([pixels(north, south)], [pixels(south)])
        assert zone(evaluation, "latitude", "60 to 90 deg")["recall"] == 0
        assert zone(evaluation, "latitude", "-90 to -60 deg")["recall"] == 1
        assert zone(evaluation, "latitude", "0 to 30 deg")["iou"] == 1

    def test_tilt(self):
        """In September the north pole is turned 7 degrees towards the Earth."""
        place = pixels((7, 4))  # 2.5 pixels above the centre: 39 degrees, and 7 more
        below = pixels((6, 4))  # 22 and 7
        evaluation = score([place + below], [place], days=[93])
        assert zone(evaluation, "latitude", "30 to 60 deg")["recall"] == 1
        above = pixels((1, 4))  # 61 degrees south, less 7
        evaluation = score([above], [above], days=[93])
        assert zone(evaluation, "latitude", "-60 to -30 deg")["labelled"] == 1

    def test_radius(self):
        centre, limb = (4, 4), (5, 8)
        evaluation = score([pixels(centre, limb)], [pixels(centre)])
        assert zone(evaluation, "radius", "0 to 0.5 R")["recall"] == 1
        assert zone(evaluation, "radius", "0.8 to 0.9 R")["recall"] == 0

    def test_year(self):
        evaluation = score([pixels((4, 4))] * 2, [pixels((4, 4)), pixels((4, 5))], days=[0, 365])
        assert zone(evaluation, "year", "2017")["iou"] == 1
        assert zone(evaluation, "year", "2018")["iou"] == zone(evaluation, "year", "2018")["mean_iou"] == 0
        assert zone(evaluation, "year", "2018")["images"] == 1

    @pytest.mark.parametrize("by", ["latitude", "radius", "year"])
    def test_together_they_are_the_disc(self, random_masks, by):
        evaluation = score(random_masks[0], random_masks[1], days=np.arange(6) * 100)
        rows = evaluation.scores[evaluation.scores["by"] == by]
        whole = zone(evaluation, "disc", "all")
        assert rows["recall"].min() <= whole["recall"] <= rows["recall"].max()
        assert rows["area_ratio"].min() <= whole["area_ratio"] <= rows["area_ratio"].max()

    def test_none_has_pixels_on_a_small_grid(self):
        """Four pixels around disc centre: no pole, no limb."""
        card = ModelCard.from_dict({**CARD.to_dict(), "grid_size": 2})
        disk = np.ones((2, 2), dtype=bool)
        data = dataset(np.ones((3, 2, 2)), disk=disk)
        evaluation = evaluate(Model(card, lambda images: images + 1), data)
        row = zone(evaluation, "latitude", "60 to 90 deg")
        assert row["images"] == row["blocks"] == 0
        assert all(np.isnan(row[name]) for name in MEASURES)
        assert zone(evaluation, "disc", "all")["iou"] == 1
        assert np.isnan(zone(evaluation, "disc", "all")["boundary_distance"])  # the edge of the grid is no outline


class TestAreas:
    def test_corrected_for_foreshortening(self):
        """A spherical cap near the limb has the area of one at disc centre, though a third of the pixels."""
        size = 256
        card = ModelCard.from_dict({**CARD.to_dict(), "grid_size": size})
        axis = ((np.arange(size) + 0.5) / size * 2 - 1) * 1.25
        x, y = np.meshgrid(axis, axis)
        z = np.sqrt(np.maximum(0, 1 - x**2 - y**2))
        disk = np.hypot(x, y) <= 1
        centre, side = (np.sin(a) * x + np.cos(a) * z >= np.cos(np.radians(12)) for a in np.radians((0, 70)))
        evaluation = evaluate(
            Model(card, lambda images: side[np.newaxis, ..., np.newaxis]), dataset([centre & disk], disk=disk)
        )
        (row,) = evaluation.images
        assert (side & disk).sum() < 0.5 * (centre & disk).sum()
        assert row["area_ratio"] == pytest.approx(1, abs=0.02)
        assert row["labelled_area"].to_value(u.percent) == pytest.approx(100 * (1 - np.cos(np.radians(12))), rel=0.02)


class TestSummary:
    def test_is_what_evaluate_gives(self):
        labels, rejected, probabilities = np.zeros((3, 2, SIZE, SIZE))
        labels[0, 3:6, 3:6], rejected[1, 4:6, 4:7], probabilities[:, 4:8, 3:6] = 1, 1, 0.7
        data, card = dataset(labels, rejected=rejected), dataclasses.replace(TINY, temperature=1.3)
        model = Model(card, lambda images: probabilities[: len(images), ..., np.newaxis])
        summary = evaluate(model, data).summary()
        flickers = summary.pop("flicker")
        assert set(flickers) == {"model", "labels"}
        expected = scores_of(model, data)
        assert summary == {name: pytest.approx(value, rel=1e-5) for name, value in expected.items()}
        assert summary["calibration_error"] != summary["uncalibrated_error"]


class TestNothingThere:
    def test_in_either(self):
        evaluation = score(np.zeros((2, SIZE, SIZE)), np.zeros((2, SIZE, SIZE)))
        row = zone(evaluation, "disc", "all")
        assert row["iou"] == row["dice"] == row["mean_iou"] == row["mean_dice"] == 1
        for name in ("precision", "recall", "area_ratio", "boundary_distance", "hard_negative_fraction"):
            assert np.isnan(row[name])
        assert np.isnan(evaluation.best_threshold)
        assert evaluation.calibration_error == 0

    def test_predicted_all_the_same(self):
        row = zone(score([pixels()] * 2, [pixels((5, 5))] * 2), "disc", "all")
        assert row["iou"] == row["precision"] == 0
        assert np.isnan(row["recall"])

    def test_no_outline_on_a_full_disc(self):
        full = [DISK]
        row = zone(score(full, full), "disc", "all")
        assert row["iou"] == 1
        assert np.isnan(row["boundary_distance"])


class TestOnePath:
    def test_short_scores_are_those_of_the_disc(self, random_masks):
        """Also where a threshold lies that a temperature has moved, in single precision."""
        labels, probabilities = random_masks
        raw = np.float32(0.62)
        probabilities = np.where(np.arange(10) % 2, probabilities, raw).astype(np.float32)
        card = dataclasses.replace(TINY, temperature=0.7)
        card = dataclasses.replace(card, threshold=float(card.calibrated(float(raw))))
        answers = iter(probabilities)
        data = dataset(labels)
        short = scores_of(Model(card, lambda images: np.stack([next(answers) for _ in images])[..., np.newaxis]), data)
        row = evaluate(Model(card, lambda images: probabilities), data).scores[0]
        for name in ("iou", "dice", "mean_iou", "mean_dice"):
            assert short[name] == pytest.approx(row[name], rel=1e-12)

    @pytest.mark.parametrize("score", [evaluate, scores_of])
    def test_what_was_learned_from_is_refused(self, score, random_masks):
        labels, probabilities = random_masks
        data = dataset(labels)
        learned = ("a", (data.dates[2] + 3 * u.day).isot)
        for split in (Split((learned,), ()), Split((), (), earlier=(learned,))):
            with pytest.raises(TrainingError, match=r"has seen these images or their neighbours: a .* sun2"):
                score(Model(TINY, lambda images: probabilities[: len(images)], split), data)
        chosen = Model(TINY, lambda images: probabilities[: len(images)], Split((), (learned,)))
        score(chosen, data)
        with pytest.raises(TrainingError, match="has seen"):
            check_unseen(chosen, data, and_validation=True)

    def test_weights_that_say_not_what_they_have_seen(self, random_masks):
        labels, probabilities = random_masks
        unknown = Model(dataclasses.replace(TINY, sha256="0" * 64), lambda images: probabilities[..., np.newaxis])
        with pytest.warns(SplitWarning, match="not known which images test-ch was trained on"):
            scores_of(unknown, dataset(labels))


class TestIntervals:
    @pytest.mark.parametrize(
        ("days", "blocks"),
        [
            ([0, 1, 13.9, 14, 15], [0, 0, 0, 1, 1]),
            ([0, 100, 101], [0, 1, 1]),
            ([101, 0, 100], [1, 0, 1]),
        ],
    )
    def test_blocks(self, days, blocks):
        masks = [pixels((5, 5))] * len(days)
        assert score(masks, masks, days=days).images["block"].tolist() == blocks

    def test_block_length(self):
        masks = [pixels((5, 5))] * 3
        evaluation = score(masks, masks, days=[0, 5, 10], block_length=1 * u.week)
        assert evaluation.images["block"].tolist() == [0, 0, 1]

    def test_seeded(self, random_masks):
        one, again, other = (score(*random_masks, seed=seed).scores["iou_low"] for seed in (0, 0, 1))
        np.testing.assert_array_equal(one, again)
        assert (one != other).any()

    def test_hold_the_score(self, random_masks):
        scores = score(*random_masks).scores
        for name in ("iou", "dice", "precision", "recall"):
            known = np.isfinite(scores[f"{name}_low"])
            assert known.sum() >= 8
            rows = scores[known]
            assert (rows[f"{name}_low"] <= rows[name]).all()
            assert (rows[name] <= rows[f"{name}_high"]).all()

    def test_of_five_blocks(self):
        """Four missed, one perfect: a third of the draws leaves it out, and 0.7 % take it four times or more."""
        row = zone(score([pixels((5, 5))] * 5, [pixels((5, 5)), *[pixels()] * 4]), "disc", "all")
        assert (row["recall_low"], row["recall"]) == (0, 0.2)
        assert row["recall_high"] == pytest.approx(0.6)

    def test_whole_blocks_are_drawn(self):
        """Twenty images of one week are no more than one observation."""
        labels = [pixels((5, 5))] * 24
        predicts = [pixels((5, 5))] * 20 + [pixels()] * 4
        row = zone(score(labels, predicts, days=[*np.arange(20) / 4, 60, 120, 180, 240]), "disc", "all")
        assert row["blocks"] == 5
        assert row["recall_low"] == 0
        assert row["recall_high"] < 1

    @pytest.mark.parametrize("days", [[0, 1, 2], [0, 30, 60, 90]])
    def test_none_from_fewer_than_five_blocks(self, days):
        masks = [pixels((5, 5))] * len(days)
        row = zone(score(masks, masks, days=days), "disc", "all")
        assert row["iou"] == 1
        assert np.isnan(row["iou_low"])
        assert np.isnan(row["iou_high"])


class TestProbabilities:
    def test_best_threshold(self, random_masks):
        labels, probabilities = random_masks
        evaluation = score(labels, probabilities)
        for threshold, found in evaluation.thresholds.iterrows():
            assert found == pytest.approx(iou(labels, probabilities >= threshold, where=DISK))
        best = evaluation.thresholds["threshold"][np.argmax(evaluation.thresholds["iou"])]
        assert evaluation.best_threshold == best

    def test_reliability(self):
        """To the left, 18 pixels of 0.25, of which 9 are labelled; to the right, 34 of 0.55, which are all."""
        left = np.arange(SIZE) < 4
        probabilities = np.where(left, 0.25, 0.55) * np.ones((SIZE, 1))
        labels = np.ones((SIZE, SIZE))
        labels[[5, 6, 7, 4, 3, 2, 5, 6, 4], [3, 3, 3, 3, 3, 3, 2, 2, 2]] = 0
        assert ((DISK & left).sum(), (DISK & ~left).sum(), (labels == 0)[DISK].sum()) == (18, 34, 9)
        evaluation = score([labels], [probabilities])
        table = evaluation.reliability
        filled = table[table["pixels"] > 0]
        assert filled["low"] == pytest.approx([0.2, 0.5])
        assert filled["pixels"].tolist() == [18, 34]
        assert filled["probability"] == pytest.approx([0.25, 0.55])
        assert filled["labelled"] == pytest.approx([0.5, 1])
        assert evaluation.calibration_error == pytest.approx((18 * 0.25 + 34 * 0.45) / 52)
        assert np.isnan(table["labelled"][0])

    def test_certain_and_right(self, random_masks):
        labels, _ = random_masks
        evaluation = score(labels, labels)
        assert evaluation.calibration_error == 0
        assert (evaluation.thresholds["iou"] == 1).all()


class TestForms:
    def test_json(self, random_masks):
        text = json.dumps(score(*random_masks).to_dict(), allow_nan=False)
        values = json.loads(text)
        assert values["model"] == TINY.name
        assert values["images"][0]["date"] == EDGE_ON.isot
        assert values["scores"][0]["zone"] == "all"
        assert values["scores"][0]["hard_negative_fraction"] is None

    @pytest.mark.parametrize("name", ["scores", "images", "thresholds", "reliability"])
    def test_ecsv(self, random_masks, name, tmp_path):
        table = getattr(score(*random_masks), name)
        table.write(tmp_path / "table.ecsv")
        again = QTable.read(tmp_path / "table.ecsv")
        assert again.colnames == table.colnames
        for column in table.colnames:
            if column in ("iou", "boundary_distance", "labelled_area"):
                assert u.allclose(again[column], table[column], equal_nan=True)


class TestRefused:
    def test_another_grid(self):
        with pytest.raises(ValueError, match=r"not on the grid of the model 'test-ch' \(128 pixels"):
            evaluate(dark_model(), dataset([pixels()]))

    def test_no_image(self):
        with pytest.raises(ValueError, match="no image"):
            score(np.zeros((0, SIZE, SIZE)), np.zeros((0, SIZE, SIZE)))

    def test_block_length_is_a_time(self):
        with pytest.raises(TypeError, match="block_length"):
            score([pixels()], [pixels()], block_length=14)


@pytest.mark.parametrize("longitude", [0, 45])
def test_caps_of_the_sun(longitude):
    """A hole drawn 3 degrees too large: its outline is 3 degrees off, whether at disc centre or foreshortened."""
    suns = [
        synthetic_sun(coronal_holes=[Cap(longitude * u.deg, 0 * u.deg, radius * u.deg)], active_regions=[])
        for radius in (15, 18)
    ]
    truth, larger = (make_dataset([LabelledMap("", sun.image, sun.coronal_holes)], CARD) for sun in suns)
    (row,) = evaluate(Model(CARD, lambda images: larger.labels[..., np.newaxis]), truth).images
    assert row["boundary_distance"].to_value(u.deg) == pytest.approx(3, abs=0.25)
    assert row["area_ratio"] == pytest.approx((1 - np.cos(np.radians(18))) / (1 - np.cos(np.radians(15))), rel=0.02)
    assert row["recall"] == 1
