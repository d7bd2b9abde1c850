"""Nested boundaries and unknown pixels, from labels to masks."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from makers import CARD, disk_map, sun_with_hole
from scipy.special import logit

import astropy.units as u
import sunpy.map
from astropy.time import Time

from sunpy_scss import load_model, predict_probability, segment_coronal_holes
from sunpy_scss.exceptions import ModelError, TrainingError
from sunpy_scss.masks import region_table
from sunpy_scss.models import Boundary, Model, ModelCard, Network
from sunpy_scss.train import (
    Augmentation,
    Configuration,
    LabelledMap,
    detection_curve,
    evaluate,
    make_dataset,
    train_model,
)
from sunpy_scss.train._evaluation import scores_of
from sunpy_scss.train._steadiness import flicker

NESTED = (Boundary("middle", 2, threshold=0.5), Boundary("tight", 3, threshold=0.6), Boundary("wide", 1, threshold=0.4))
SMALL = dataclasses.replace(CARD, grid_size=32, network=Network(filters=2, layers=1, momentum=0.8), boundaries=NESTED)


def slope(images):
    """Three nested answers: the darker, the further in."""
    return np.concatenate([np.clip(1.2 - images * gain, 0, 1) for gain in (2, 2.5, 3)], axis=-1)


def labelled(key="sun", date="2017-06-01", levels=(0.5, 0.3, 0.1), unknown=None):
    def level(x, y):
        return sum((np.hypot(x, y) < radius).astype(int) for radius in levels)

    size = {"size": 64, "radius": 25, "date": date}
    image = disk_map(lambda x, y: sun_with_hole(x, y, at=(0, 0), radius=0.3), **size)
    mask = disk_map(level, **size)
    values = mask.data.astype(np.int16)
    if unknown is not None:
        values[disk_map(unknown, **size).data] = -1
    return LabelledMap(key, image, sunpy.map.Map(values, mask.meta))


class TestCard:
    def test_of_old_cards_there_is_one_without_a_name(self):
        assert CARD.boundaries == ()
        assert CARD.levels == (1,)
        model = Model(CARD, slope)
        assert model.at() is model

    def test_it_survives_json(self):
        assert ModelCard.from_dict(SMALL.to_dict()) == SMALL

    def test_the_first_is_the_default(self):
        card = dataclasses.replace(SMALL, threshold=0.9)
        assert card.threshold == 0.5
        assert card.default_level == 2
        assert card.levels == (1, 2, 3)

    def test_at_one_of_them(self):
        images = np.full((1, 32, 32, 1), 0.3, dtype=np.float32)
        model = Model(SMALL, slope)
        for name, gain in (("wide", 2), ("middle", 2.5), ("tight", 3)):
            alone = model.at(name)
            assert np.allclose(alone.predict(images), 1.2 - 0.3 * gain)
            assert alone.card.boundaries[0].name == name

    def test_an_unknown_one_lists_the_known(self):
        with pytest.raises(ModelError, match="does not draw the boundary 'core': it draws 'middle', 'tight', 'wide'"):
            Model(SMALL, slope).at("core")
        with pytest.raises(ModelError, match="it draws one, which has no name"):
            Model(CARD, slope).at("core")

    def test_thresholds_never_fall_inwards(self):
        with pytest.raises(ModelError, match="no lower"):
            dataclasses.replace(SMALL, boundaries=(Boundary("a", 1, threshold=0.6), Boundary("b", 2, threshold=0.5)))

    @pytest.mark.parametrize("second", [Boundary("a", 2), Boundary("b", 1)])
    def test_names_and_levels_differ(self, second):
        with pytest.raises(ModelError, match="differ in name and in level"):
            dataclasses.replace(SMALL, boundaries=(Boundary("a", 1), second))


DEX = dataclasses.replace(
    SMALL,
    boundaries=tuple(
        dataclasses.replace(one, dex=dex) for one, dex in zip(SMALL.boundaries, (0, -0.1, 0.1), strict=True)
    ),
)


class TestBetween:
    """Boundaries between those that a network was taught, in dex of intensity."""

    @pytest.mark.parametrize(
        ("asked", "share"), [(-0.025, 0.25), (np.float32(-0.05), 0.5), ("-0.05 dex", 0.5), ("-0.075", 0.75)]
    )
    def test_logits_and_thresholds_are_interpolated(self, asked, share):
        images = np.full((1, 4, 4, 1), 0.2, dtype=np.float32)
        model = Model(DEX, slope)
        between, middle, tight = model.at(asked), model.at("middle"), model.at("tight")
        expected = (1 - share) * logit(middle.predict(images)) + share * logit(tight.predict(images))
        assert np.allclose(logit(between.predict(images)), expected, atol=1e-4)
        assert np.isclose(
            logit(between.card.threshold), (1 - share) * logit(0.5) + share * logit(0.6), rtol=1e-5, atol=1e-6
        )

    @pytest.mark.parametrize(("dex", "name"), [(0, "middle"), (-0.1, "tight"), ("0.1", "wide")])
    def test_at_a_named_one_it_is_that_one(self, dex, name):
        images = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 4, 4, 1)
        there, named = Model(DEX, slope).at(dex), Model(DEX, slope).at(name)
        assert there.card == named.card
        assert np.array_equal(there.predict(images), named.predict(images))

    @pytest.mark.parametrize("asked", [0.11, -1, float("nan"), float("inf"), True, "", "core", "dex", u.dex])
    def test_what_is_not_drawn_lists_what_is(self, asked):
        with pytest.raises(ModelError, match=r"'wide' and any from -0.1 to 0.1 dex\."):
            Model(DEX, slope).at(asked)

    def test_without_dex_there_are_only_names(self):
        with pytest.raises(ModelError, match=r"it draws 'middle', 'tight', 'wide'\."):
            Model(SMALL, slope).at(-0.05)

    @pytest.mark.parametrize(("dex", "level"), [(-0.08, 3), (-0.02, 2), (0.02, 2), (0.08, 1)])
    def test_labels_are_those_of_the_nearer_one(self, dex, level):
        assert Model(DEX, slope).at(dex).card.default_level == level

    def test_the_default_may_be_one(self):
        card = dataclasses.replace(DEX, default_boundary=-0.05)
        assert Model(card, slope).at().card.boundaries[0].name == "-0.05 dex"
        assert card.scored == "middle"
        with pytest.raises(ModelError, match="does not draw"):
            dataclasses.replace(DEX, default_boundary=0.2)

    def test_dex_goes_one_way(self):
        mixed = tuple(dataclasses.replace(one, dex=dex) for one, dex in zip(SMALL.boundaries, (0, 1, 2), strict=True))
        with pytest.raises(ModelError, match="rises or falls"):
            dataclasses.replace(SMALL, boundaries=mixed)

    def test_masks_are_nested_all_the_way(self):
        smap = disk_map(lambda x, y: 30 + 100 * np.hypot(x, y))
        model = Model(dataclasses.replace(DEX, grid_size=128), slope)
        masks = [
            segment_coronal_holes(smap, model=model, boundary=dex, min_area=0 * u.Mm**2)
            for dex in (-0.1, -0.05, 0, 0.05, 0.1)
        ]
        assert [mask.meta["SCSSBND"] for mask in masks] == ["tight", "-0.05 dex", "middle", "+0.05 dex", "wide"]
        for inner, outer in pairwise(mask.data > 0 for mask in masks):
            assert inner.sum() < outer.sum()
            assert not (inner & ~outer).any()

    def test_the_header_says_it_so_that_it_can_be_asked_for_again(self):
        smap = disk_map(lambda x, y: 30 + 100 * np.hypot(x, y))
        model = Model(dataclasses.replace(DEX, grid_size=128, default_boundary=-0.05), slope)
        mask = segment_coronal_holes(smap, model=model)
        again = segment_coronal_holes(smap, model=model, boundary=mask.meta["SCSSBND"], threshold=mask.meta["SCSSTHR"])
        assert np.array_equal(mask.data, again.data)
        assert again.meta["SCSSBND"] == mask.meta["SCSSBND"]


class TestMasks:
    def test_they_are_nested_and_say_which(self):
        smap = disk_map(lambda x, y: 30 + 100 * np.hypot(x, y))
        model = Model(dataclasses.replace(SMALL, grid_size=128), slope)
        masks = {
            name: segment_coronal_holes(smap, model=model, boundary=name, min_area=0 * u.Mm**2)
            for name in ("tight", "middle", "wide")
        }
        assert [mask.meta["SCSSBND"] for mask in masks.values()] == list(masks)
        tight, middle, wide = (mask.data > 0 for mask in masks.values())
        assert tight.any()
        assert 1.2 * tight.sum() < middle.sum()
        assert 1.2 * middle.sum() < wide.sum()
        assert not (tight & ~middle).any()
        assert not (middle & ~wide).any()
        assert np.array_equal(segment_coronal_holes(smap, model=model, min_area=0 * u.Mm**2).data, masks["middle"].data)

    def test_those_of_the_bundled_networks_are(self):
        rng = np.random.default_rng(0)
        for name in ("scss-ar-171-3", "scss-ch-193-5"):
            model = load_model(name)
            found = model.predict(rng.random((1, 64, 64, 1), dtype=np.float32))
            assert found.shape[-1] == len(model.card.boundaries)
            assert (np.diff(found, axis=-1) <= 0).all()


class TestIntervals:
    def test_levels_of_the_card_count(self):
        smap = disk_map(lambda x, y: 30 + 100 * np.hypot(x, y))
        mask = segment_coronal_holes(smap, model=Model(dataclasses.replace(SMALL, grid_size=128), slope))
        widths = []
        for levels in ((0.84, 0.16), (0.55, 0.45)):
            model = Model(dataclasses.replace(SMALL, grid_size=128, area_levels=levels), slope)
            probability = predict_probability(smap, model=model)
            assert (probability.meta["SCSSSURE"], probability.meta["SCSSMAYB"]) == levels
            (row,) = region_table(mask, probability=probability)
            assert row["area_low"] < row["area"] < row["area_high"]
            widths.append((row["area_high"] - row["area_low"]) / row["area"])
        assert widths[1] < widths[0] / 2

    def test_a_threshold_beyond_them_is_still_inside(self):
        smap = disk_map(lambda x, y: 30 + 100 * np.hypot(x, y))
        model = Model(dataclasses.replace(SMALL, grid_size=128, area_levels=(0.6, 0.4)), slope)
        probability = predict_probability(smap, model=model)
        for threshold in (0.2, 0.7):
            (row,) = region_table(
                segment_coronal_holes(smap, model=model, threshold=threshold), probability=probability
            )
            assert row["area_low"] < row["area"] < row["area_high"]


class TestUnknown:
    def test_it_weighs_nothing(self):
        known, part = (make_dataset([labelled(unknown=unknown)], SMALL) for unknown in (None, lambda x, y: x > 0.02))
        right = np.arange(32) > 17
        assert known.counted(0)[:, right].any()
        assert not part.counted(0)[:, right].any()
        assert (part.target(0, 2.0)[:, right, -1] == 0).all()
        # What is known stays as it was, up to the border.
        left = np.arange(32) < 15
        assert np.allclose(part.target(0, 2.0)[:, left], known.target(0, 2.0)[:, left])

    def test_a_mask_of_the_map_is_unknown(self):
        one = labelled()
        hidden = np.zeros(one.mask.data.shape, dtype=bool)
        hidden[:, 40:] = True
        covered = sunpy.map.Map(one.mask.data, one.mask.meta, mask=hidden)
        dataset = make_dataset([dataclasses.replace(one, mask=covered)], SMALL)
        assert not dataset.counted(0)[:, 21:].any()
        assert dataset.counted(0)[:, :19].any()

    def test_augmentation_keeps_it_apart(self):
        dataset = make_dataset([labelled(unknown=lambda x, y: x > 0.02)], SMALL)
        turn = Augmentation(rotation=45, shift=0, zoom=0, flip=False)
        _, target = turn(dataset.images[0], dataset.target(0, 0.0), np.random.default_rng(1))
        weight = target[..., -1]
        # The outer boundary takes in all around the middle: no pixel that counts there has lost its label.
        axis = (np.arange(32) + 0.5) / 32 * 2.5 - 1.25
        inner = (np.hypot(axis, axis[:, np.newaxis]) < 0.35) & (weight > 0)
        assert inner.sum() > 10
        assert np.allclose(target[inner][:, 0], 1, atol=1e-5)
        assert (weight == 0)[np.hypot(axis, axis[:, np.newaxis]) < 0.9].mean() > 0.3

    def test_scores_do_not_see_it(self):
        dataset = make_dataset([labelled(unknown=lambda x, y: x > 0.02)], SMALL)
        everywhere_right = Model(SMALL, lambda images: np.ones((*images.shape[:3], 3), dtype=np.float32))
        left = scores_of(everywhere_right, dataset)["iou"]
        # Of half a disc, half a hole: the same share.
        assert left == pytest.approx(0.3**2, rel=0.35)

    def test_levels_of_labels(self):
        dataset = make_dataset([labelled()], SMALL)
        radii = [np.sqrt((dataset.nested[level][0] * 2.5**2 / 32**2).sum() / np.pi) for level in (1, 2, 3)]
        assert radii == pytest.approx([0.5, 0.3, 0.1], rel=0.15)
        assert dataset.level == 2


@pytest.fixture(scope="module")
def datasets():
    return [
        make_dataset([labelled(str(day), date) for day, date in enumerate(dates)], SMALL)
        for dates in (["2011-01-01", "2012-01-01"], ["2017-06-01"])
    ]


class TestTraining:
    def settings(self, **changes):
        return Configuration(card=SMALL, epochs=2, batch_size=1, learning_rate=1e-2, averaging=0.5, **changes)

    def test_three_at_once_and_the_mean_of_the_weights(self, datasets, tmp_path):
        model = train_model(self.settings(), *datasets, tmp_path / "whole")
        assert model.predict(datasets[0].images[..., np.newaxis]).shape == (2, 32, 32, 3)
        assert [one.name for one in model.card.boundaries] == ["middle", "tight", "wide"]
        assert all("iou" in one.scores for one in model.card.boundaries)
        assert not list((tmp_path / "whole").glob("*.npz"))

    def test_an_absent_boundary_is_said_before(self, datasets, tmp_path):
        empty = make_dataset([labelled(date="2011-01-01", levels=(0.5, 0.3))], SMALL)
        with pytest.raises(TrainingError, match="inside the boundary of level 3"):
            train_model(self.settings(), empty, datasets[1], tmp_path / "empty")


class TestProof:
    def test_flicker_of_what_turns_with_the_sun_is_small(self):
        size, dates = 128, Time(["2017-06-07", "2017-06-08"])
        axis = (np.arange(size) + 0.5) / size * 2.5 - 1.25
        x, y = np.meshgrid(axis, axis)
        turn = np.deg2rad(14.713 - 0.9856)  # of the equator, in a day
        with np.errstate(invalid="ignore"):
            lon = np.arcsin(x / np.sqrt(1 - y**2))
        still = np.stack([np.abs(np.nan_to_num(lon, nan=9) + 0.3) < 0.2] * 2) & (np.abs(y) < 0.15)
        moved = still.copy()
        moved[1] = (np.abs(np.nan_to_num(lon, nan=9) + 0.3 - turn) < 0.2) & (np.abs(y) < 0.15)
        assert flicker(moved, dates)["changed"] < 0.15
        assert flicker(still, dates)["changed"] > 0.8
        assert flicker(moved, dates)["pairs"] == 1

    def test_larger_and_darker_holes_are_found_more_often(self):
        # No hole is made darker than the darkest place, which is in the north.
        quiet = disk_map(lambda x, y: np.where(np.hypot(x, y - 0.9) < 0.05, 20, 100 + x), size=128, radius=50)
        nothing = sunpy.map.Map(np.zeros((128, 128), dtype=np.int16), quiet.meta)
        card = dataclasses.replace(CARD, grid_size=128, threshold=0.5)
        dataset = make_dataset([LabelledMap("quiet", quiet, nothing)], card)
        level = float(np.median(dataset.images[0][dataset.disk])) - 0.1  # 0.2 dex darker than the quiet Sun
        model = Model(card, lambda images: np.where(images < level, 0.9, 0.1))
        table = detection_curve(
            model, dataset, areas=[1000, 30000] * u.Mm**2, contrasts=(0.1, 0.4), radii=[(0, 0.5)], per_image=4
        )
        found = {(row["area"].to_value("Mm2"), row["contrast"]): row["found"] for row in table}
        assert found[1000, 0.1] == found[30000, 0.1] == 0
        assert found[30000, 0.4] == 1

    def test_a_place_in_an_active_region_is_not_quiet(self):
        # The east is five times as bright: what is 0.4 dex darker there is still brighter than the quiet Sun.
        def halves(x, y):
            return np.where(np.hypot(x, y - 0.9) < 0.05, 20, np.where(x < -0.1, 500, 100))

        sun = disk_map(halves, size=128, radius=50)
        nothing = sunpy.map.Map(np.zeros((128, 128), dtype=np.int16), sun.meta)
        card = dataclasses.replace(CARD, grid_size=128, threshold=0.5)
        dataset = make_dataset([LabelledMap("sun", sun, nothing)], card)
        level = float(np.median(dataset.images[0][dataset.disk])) - 0.1
        model = Model(card, lambda images: np.where(images < level, 0.9, 0.1))
        table = detection_curve(model, dataset, areas=[5000] * u.Mm**2, contrasts=[0.4], radii=[(0, 0.8)], per_image=9)
        assert table["holes"][0] > 3
        assert table["found"][0] == 1

    def test_regions_are_counted_one_by_one(self):
        card = dataclasses.replace(CARD, grid_size=128, threshold=0.5)
        small = {"size": 128, "radius": 50, "date": "2017-06-07"}
        image = disk_map(lambda x, y: np.where(np.hypot(x - 0.4, y) < 0.2, 30, 100), **small)
        two = disk_map(lambda x, y: (np.hypot(np.abs(x) - 0.4, y) < 0.2).astype(int), **small)
        mask = sunpy.map.Map(two.data.astype(np.int16), two.meta)
        dataset = make_dataset([LabelledMap("two", image, mask)], card)
        level = float(np.median(dataset.images[0][dataset.disk])) - 0.1
        row = evaluate(Model(card, lambda images: np.where(images < level, 0.9, 0.1)), dataset).scores[0]
        assert row["found"] == 0.5
        assert row["confirmed"] == 1
        assert row["boundary_on_sky"].to_value("arcsec") < 600
