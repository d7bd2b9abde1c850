"""Parts of a data set keep their distance in time, whatever the dates."""

import numpy as np
import pytest

import astropy.units as u
from astropy.time import Time, TimeDelta

from sunpy_scss.exceptions import TrainingError
from sunpy_scss.train import Dataset, split_by_time
from sunpy_scss.train._splits import check_split

START = Time("2017-01-01")


def dates(days):
    return START + TimeDelta(np.asarray(days, dtype=float), format="jd")


def dataset(*days):
    nothing = np.zeros((len(days), 4, 4))
    keys = tuple(f"day {day:g}" for day in days)
    return Dataset(keys, dates(days), nothing, {1: nothing}, nothing, nothing, np.ones((4, 4), bool))


class TestSplit:
    @pytest.mark.parametrize("seed", range(20))
    def test_gap_and_share_hold_for_any_dates(self, seed):
        rng = np.random.default_rng(seed)
        days = rng.permutation(np.concatenate([rng.uniform(0, 300, 60), rng.uniform(2000, 2400, 90)]))
        gap, share = rng.uniform(5, 20), rng.uniform(0.1, 0.4)
        part = split_by_time(dates(days), gap=gap * u.day, validation=share, seed=seed)
        training, validation = days[part == "train"], days[part == "validation"]
        assert np.abs(training[:, np.newaxis] - validation).min() >= gap
        assert len(validation) >= share * len(days)
        assert set(part) <= {"train", "validation", "gap"}

    def test_nothing_is_lost_without_need(self):
        days = np.arange(400)
        part = split_by_time(dates(days), seed=3)
        nearest = np.abs(days[:, np.newaxis] - days[part == "validation"]).min(axis=1)
        np.testing.assert_array_equal(part == "gap", (nearest > 0) & (nearest < 14))

    def test_the_seed_decides(self):
        days = dates(np.arange(1000))
        one, same, other = (split_by_time(days, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()

    def test_blocks_stay_together(self):
        part = split_by_time(dates(np.arange(280)), block=28 * u.day, seed=0)
        held_out = (part == "validation").reshape(10, 28)
        assert (held_out.all(axis=1) | ~held_out.any(axis=1)).all()
        assert held_out.all(axis=1).sum() == 2

    def test_too_few_images(self):
        with pytest.raises(TrainingError, match="No image is left for train: 10 images over 9 days"):
            split_by_time(dates(np.arange(10)))

    def test_a_third_part(self):
        days = np.arange(720)
        two, three = (split_by_time(dates(days), seed=3, test=share) for share in (0, 0.15))
        assert set(three) == {"train", "validation", "test", "gap"}
        assert (three == "test").sum() >= 0.15 * days.size
        # The same blocks are drawn for validation, whether there is a test or not.
        assert (two[three == "validation"] == "validation").all()
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
            apart = np.abs(days[three == one][:, np.newaxis] - days[three == other])
            assert apart.min() >= 14

    def test_no_image(self):
        with pytest.raises(TrainingError, match="nothing to split"):
            split_by_time(dates([]))

    @pytest.mark.parametrize(
        "settings", [{"validation": 0}, {"validation": 1}, {"test": 0.8}, {"block": 0 * u.day}, {"gap": -1 * u.day}]
    )
    def test_out_of_range(self, settings):
        with pytest.raises(ValueError, match="must be between 0 and 1 in sum"):
            split_by_time(dates([0, 100]), **settings)


class TestCheck:
    def test_apart(self):
        check_split(dataset(0, 100, 50), dataset(64, 86))

    def test_empty(self):
        check_split(dataset(0), dataset())

    def test_too_near(self):
        with pytest.raises(TrainingError, match=r"day 50 \(2017-02-20.*\) is in the one and day 63 .* 13 days apart"):
            check_split(dataset(0, 100, 50), dataset(200, 63, 80))

    def test_the_same_moment(self):
        with pytest.raises(TrainingError, match="0 days apart"):
            check_split(dataset(0, 30), dataset(30))

    def test_what_was_split_passes(self):
        both = dataset(*np.random.default_rng(0).uniform(0, 900, 200))
        part = split_by_time(both.dates, seed=5)
        check_split(both[part == "train"], both[part == "validation"])
        with pytest.raises(TrainingError, match="leak"):
            check_split(both[part != "validation"], both[part == "validation"])
