"""Fractions of coronal hole and the speed of the solar wind."""

import numpy as np
import pytest

import astropy.units as u
import sunpy.timeseries
from astropy.table import QTable
from astropy.time import Time
from astropy.timeseries import TimeSeries

from sunpy_scss.evolution import (
    cell_fractions,
    central_meridian_fraction,
    fit_wind,
    lagged_correlation,
    score_forecasts,
)
from sunpy_scss.exceptions import InvalidSeriesError
from sunpy_scss.synthetic import Cap, synthetic_sun

START = Time("2017-01-01")
KM_S = u.km / u.s


def fractions_of(days, values=None):
    days = np.asarray(days, dtype=float)
    values = 0.2 + 0.15 * np.sin(2 * np.pi * days / 9) if values is None else values
    return TimeSeries(time=START + days * u.day, data={"fraction": values})


def speeds_of(days, lag=4.0, noise=0.0):
    """Hourly speeds that follow `fractions_of` by a lag."""
    hours = np.arange(0, days, 1 / 24)
    fraction = 0.2 + 0.15 * np.sin(2 * np.pi * (hours - lag) / 9)
    speed = 400 + 1000 * fraction + noise * np.random.default_rng(1).standard_normal(len(hours))
    return TimeSeries(time=START + hours * u.day, data={"speed": speed * KM_S})


class TestFit:
    @pytest.mark.parametrize("lag", [2.5, 4.0, 5.25])
    def test_lag_and_line_are_found(self, lag):
        fit = fit_wind(fractions_of(np.arange(60)), speeds_of(90, lag))
        assert fit.lag == lag * u.day
        np.testing.assert_allclose([fit.intercept.value, fit.slope.value], [400, 1000], rtol=1e-3)
        assert fit.correlation == pytest.approx(1)
        table = lagged_correlation(fractions_of(np.arange(60)), speeds_of(90, lag))
        assert table["lag"][table["correlation"].argmax()] == lag * u.day

    def test_prediction_is_at_image_plus_lag(self):
        fit = fit_wind(fractions_of(np.arange(60)), speeds_of(90))
        found = fit.predict(fractions_of([100, 101], [0.0, np.nan]))
        assert found.time.isot.tolist() == [(START + 104 * u.day).isot]
        assert found["speed"][0].to_value(KM_S) == pytest.approx(400, rel=1e-3)

    @pytest.mark.parametrize("unit", [u.m / u.s, u.km / u.h])
    def test_any_unit_of_speed(self, unit):
        speeds = speeds_of(90)
        speeds.replace_column("speed", speeds["speed"].to(unit))
        assert fit_wind(fractions_of(np.arange(60)), speeds).slope.to_value(KM_S) == pytest.approx(1000, rel=1e-3)

    def test_order_of_rows_and_gaps_do_not_matter(self):
        speeds = speeds_of(90, noise=20)
        expected = lagged_correlation(fractions_of(np.arange(60)), speeds)
        shuffled = QTable(speeds)[np.random.default_rng(0).permutation(len(speeds))]
        speeds["speed"][200:300] = np.nan
        assert (
            lagged_correlation(fractions_of(np.arange(60)[::-1]), shuffled)["correlation"] == expected["correlation"]
        ).all()
        table = lagged_correlation(fractions_of(np.arange(60)), speeds)
        assert (table["pairs"] < expected["pairs"]).any()
        np.testing.assert_allclose(table["correlation"], expected["correlation"], atol=0.1)

    def test_series_of_sunpy(self):
        frame = speeds_of(90).to_pandas()
        series = sunpy.timeseries.TimeSeries(frame, {}, {"speed": KM_S})
        assert fit_wind(fractions_of(np.arange(60)), series).lag == 4 * u.day


class TestRefused:
    @pytest.mark.parametrize("function", [fit_wind, lagged_correlation])
    def test_bad_speeds(self, function):
        fractions, speeds = fractions_of(np.arange(60)), speeds_of(90)
        bare = TimeSeries(time=speeds.time, data={"speed": speeds["speed"].value})
        filled = speeds.copy()
        filled["speed"][7] = 9999 * KM_S
        twice = TimeSeries(time=speeds.time, data={"a": speeds["speed"], "b": speeds["speed"]})
        repeated = QTable({"time": [speeds.time[0]] * 30, "speed": np.full(30, 400) * KM_S})
        later = TimeSeries(time=speeds.time + 900 * u.day, data={"speed": speeds["speed"]})
        for bad, match in (
            (bare, r"unit of speed.*speed \[no unit\]"),
            (filled, "1 of 2160 speeds are not between 150 and 2500 km/s .*9999"),
            (twice, "choose one column"),
            (repeated, "29 times twice"),
            (later, "share no time: images from 2017-01-01.* speeds from 2019"),
            (QTable({"speed": [400] * KM_S}), "whose column 'time' is an astropy Time"),
            ([400, 500], "must be a TimeSeries"),
            (TimeSeries(time=speeds.time[:3], data={"speed": [np.nan] * 3 * KM_S}), "holds no number"),
        ):
            with pytest.raises(InvalidSeriesError, match=match):
                function(fractions, bad)

    def test_bad_fractions(self):
        speeds = speeds_of(90)
        for bad, match in (
            (fractions_of([1, 1, 2]), "1 times twice"),
            (TimeSeries(time=START + [1, 2] * u.day, data={"share": [0.1, 0.2]}), "needs a column 'fraction' .*share"),
            (fractions_of(np.arange(30), np.full(30, 0.2)), "different fractions"),
            (fractions_of(np.arange(5)), "at least 10 images"),
            (fractions_of(np.arange(20), np.zeros((20, 2, 2))), "choose a cell"),
        ):
            with pytest.raises(InvalidSeriesError, match=match):
                fit_wind(bad, speeds)

    def test_lags(self):
        with pytest.raises(TypeError, match="Quantity of time"):
            lagged_correlation(fractions_of(np.arange(30)), speeds_of(60), lags=[3, 4])
        with pytest.raises(ValueError, match="finite"):
            fit_wind(fractions_of(np.arange(30)), speeds_of(60), lags=np.nan * u.day)

    def test_no_common_hour(self):
        speeds = speeds_of(60)
        with pytest.raises(InvalidSeriesError, match="no hour"):
            score_forecasts({"early": speeds[:24]}, speeds)


class TestScores:
    def test_perfect_and_wrong(self):
        speeds = speeds_of(150)
        wrong = TimeSeries(time=speeds.time, data={"speed": 1200 * KM_S - speeds["speed"]})
        table = score_forecasts({"right": speeds, "wrong": wrong}, speeds, high_speed=700 * KM_S)
        scores = {row["forecast"]: row for row in table}
        right, wrong = scores["right"], scores["wrong"]
        assert list(scores) == ["right", "wrong", "27-day persistence", "mean"]
        assert right["rmse"] == 0 * KM_S
        assert right["correlation"] == pytest.approx(1)
        assert wrong["correlation"] == pytest.approx(-1)
        assert right["misses"] == right["false_alarms"] == wrong["hits"] == 0
        assert wrong["misses"] == right["hits"] > 10
        # A period of nine days comes back after 27.
        assert scores["27-day persistence"]["rmse"] < 1e-6 * KM_S
        assert np.isnan(scores["mean"]["correlation"])
        assert scores["mean"]["rmse"].to_value(KM_S) == pytest.approx(150 / np.sqrt(2), rel=0.02)
        assert set(table["hours"]) == {len(speeds) - 27 * 24}

    def test_intervals(self):
        speeds = speeds_of(300, noise=50)
        forecast = TimeSeries(time=speeds.time, data={"speed": speeds_of(300)["speed"]})
        row = score_forecasts({"f": forecast}, speeds)[0]
        assert row["rmse_low"] < row["rmse"] < row["rmse_high"]
        assert row["rmse"].to_value(KM_S) == pytest.approx(50, rel=0.05)
        assert score_forecasts({"f": forecast}, speeds)[0] == row
        short = score_forecasts({"f": forecast[: 24 * 60]}, speeds)[0]
        assert np.isnan(short["rmse_low"])

    def test_all_on_the_same_hours(self):
        speeds = speeds_of(120)
        days = TimeSeries(time=speeds.time[::24], data={"speed": speeds["speed"][::24]})
        rare = TimeSeries(time=speeds.time[:: 24 * 5], data={"speed": speeds["speed"][:: 24 * 5]})
        table = score_forecasts({"hourly": speeds, "daily": days, "every five days": rare}, speeds)
        # Between rows more than three days apart nothing is made up: what is left are these rows.
        assert set(table["hours"]) == {18}
        assert score_forecasts({"daily": days}, speeds)["rmse"][0] < 10 * KM_S


def test_cells_add_up_to_the_slice():
    holes = [Cap(-35 * u.deg, 20 * u.deg, 12 * u.deg), Cap(5 * u.deg, -10 * u.deg, 15 * u.deg)]
    mask = synthetic_sun(size=256, coronal_holes=holes, active_regions=[]).coronal_holes
    latitudes = (-45, -20, 0, 30, 45) * u.deg
    cells = cell_fractions([mask], longitudes=(-20, -5, 20) * u.deg, latitudes=latitudes)
    area = np.outer(np.diff(np.sin(latitudes.to_value(u.rad))), [15, 25])
    together = (cells["fraction"][0] * area).sum() / area.sum()
    assert cells["fraction"].shape == (1, 4, 2)
    assert central_meridian_fraction([mask])["fraction"][0] == pytest.approx(together, abs=2e-3)
    assert cells.meta["LATEDGES"] == "-45 -20 0 30 45"
    with pytest.raises(ValueError, match="longitudes must be two edges or more, east first"):
        cell_fractions([mask], longitudes=(20, -20) * u.deg)
