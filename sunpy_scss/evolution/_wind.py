"""
The solar wind as a test of coronal holes: does their share of a slice of the disc lead the speed at Earth?

A proxy and a validation that depends on nobody's labels; no forecasting service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import astropy.units as u
from astropy.table import QTable, Table
from astropy.time import Time, TimeDelta
from astropy.timeseries import TimeSeries

from sunpy_scss._arguments import check_count, check_type
from sunpy_scss.exceptions import InvalidSeriesError

__all__ = ["WindFit", "fit_wind", "lagged_correlation", "score_forecasts"]

# Or a series of sunpy, whose module takes long to load.
_Speeds = TimeSeries | QTable | Any
_KM_S = u.km / u.s
# The solar wind at Earth has never been seen outside these speeds; what is, fills a gap.
_SLOWEST, _FASTEST = 150, 2500
# Observed speeds are interpolated across gaps of up to so many hours, or so many times their usual distance; forecasts,
# which are made from images, across gaps of up to so many days.
_GAP, _GAP_STEPS, _FORECAST_GAP = 3 / 24, 1.5, 3.0
# Fewer pairs than this give a correlation, but no meaning.
_LEAST_PAIRS = 10
# Recurrence: 27 days later Earth faces the same side of the Sun again.
_RECURRENCE = 27.0
# Two fast intervals that are less than this apart are one stream; a forecast may be early or late by as much.
_TOLERANCE = 1.0
# The mean synodic rotation, and the start of the first Carrington rotation as a Julian date.
_ROTATION, _FIRST_ROTATION = 27.2753, 2398167.4


def lagged_correlation(fractions: TimeSeries, speeds: _Speeds, *, lags: u.Quantity[u.day] | None = None) -> QTable:
    """
    Return the correlation of a series of fractions with the speed of the solar wind some time later.

    Parameters
    ----------
    fractions : astropy.timeseries.TimeSeries
        The table of `central_meridian_fraction`, or any with a column ``fraction`` of one number a row.
    speeds : astropy.timeseries.TimeSeries, astropy.table.QTable or sunpy.timeseries.GenericTimeSeries
        Observed speeds; with times, and one column that has a unit of speed. NaN and masked values are gaps.
    lags : astropy.units.Quantity, optional
        By how much the speed is later. By default 0 to 8 days in steps of 6 hours.

    Returns
    -------
    astropy.table.QTable
        A row for each lag: ``lag``; ``correlation``, that of Pearson, NaN with fewer than 10 pairs; ``pairs``, the
        number of images for which the speed at that lag is known.

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidSeriesError`
        If a series has no times or two rows of one time, if the speeds have no unit or cannot be speeds of the solar
        wind, or if the two series share no time at any lag.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from astropy.time import Time
    >>> from astropy.timeseries import TimeSeries
    >>> from sunpy_scss.evolution import lagged_correlation
    >>> days = np.arange(60)
    >>> start = Time("2017-01-01")
    >>> fraction = 0.1 + 0.1 * np.sin(2 * np.pi * days / 9)
    >>> fractions = TimeSeries(time=start + days * u.day, data={"fraction": fraction})
    >>> speed = (400 + 1000 * fraction) * u.km / u.s
    >>> speeds = TimeSeries(time=start + (days + 4) * u.day, data={"speed": speed})
    >>> table = lagged_correlation(fractions, speeds, lags=[3, 4, 5] * u.day)
    >>> table["lag"][table["correlation"].argmax()]
    <Quantity 4. d>
    """
    times, values = _fractions(fractions)
    observed = _speeds(speeds)
    days = _lags(lags, np.arange(0, 8.01, 0.25))
    pairs = [_pairs(times + lag, values, observed) for lag in days]
    if not any(len(fraction) for fraction, _ in pairs):
        _refuse_no_overlap(times, observed)
    return QTable(
        {
            "lag": days * u.day,
            "correlation": [_correlation(*pair) for pair in pairs],
            "pairs": [len(fraction) for fraction, _ in pairs],
        }
    )


@dataclass(frozen=True)
class WindFit:
    """
    A straight line from the fraction of coronal hole to the speed of the solar wind some days later.

    `fit_wind` makes it.

    Attributes
    ----------
    lag : astropy.units.Quantity
        By how much the speed is later than the image.
    intercept, slope : astropy.units.Quantity
        Speed without a hole, and what a fraction of 1 adds to it, in km/s.
    correlation : float
        The correlation of fraction and speed at this lag, over the stretch of time that was fitted.
    pairs : int
        The number of images that were fitted.
    start, end : astropy.time.Time
        The first and the last of the images.
    """

    lag: u.Quantity
    intercept: u.Quantity
    slope: u.Quantity
    correlation: float
    pairs: int
    start: Time
    end: Time

    def predict(self, fractions: TimeSeries) -> TimeSeries:
        """
        Return the speeds that a series of fractions predicts.

        Parameters
        ----------
        fractions : astropy.timeseries.TimeSeries
            The same as for `fit_wind`.

        Returns
        -------
        astropy.timeseries.TimeSeries
            ``speed`` in km/s, a row for each row of ``fractions`` that is not NaN; its time is that of the image plus
            the lag.
        """
        times, values = _fractions(fractions)
        return TimeSeries(
            time=Time(times + self.lag.to_value(u.day), format="jd"),
            data={"speed": self.intercept + self.slope * values},
        )


def fit_wind(fractions: TimeSeries, speeds: _Speeds, *, lags: u.Quantity[u.day] | None = None) -> WindFit:
    """
    Fit a straight line, with its lag, from the fraction of coronal hole to the speed of the solar wind.

    Fit on one stretch of time and judge on another, with `score_forecasts`: a line always does well where it was
    fitted.

    Parameters
    ----------
    fractions : astropy.timeseries.TimeSeries
        The table of `central_meridian_fraction` for the stretch of time to fit.
    speeds : astropy.timeseries.TimeSeries, astropy.table.QTable or sunpy.timeseries.GenericTimeSeries
        The same as for `lagged_correlation`; what reaches beyond that stretch and the longest lag is not used.
    lags : astropy.units.Quantity, optional
        The lags among which that of the highest correlation is chosen; one fixes it. By default 2 to 6 days in steps of
        6 hours: wind of 290 to 870 km/s.

    Returns
    -------
    WindFit

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidSeriesError`
        For the reasons that `lagged_correlation` gives, or if fewer than 10 images have a speed at every lag, or all
        fractions are the same.

    Notes
    -----
    The same line for all latitudes and all years, in the manner of [1]_, who fitted it anew every three rotations. It
    knows neither interplanetary coronal mass ejections nor the polarity of the field.

    References
    ----------
    .. [1] Rotter et al. (2015), https://doi.org/10.1007/s11207-015-0680-5

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from astropy.time import Time
    >>> from astropy.timeseries import TimeSeries
    >>> from sunpy_scss.evolution import fit_wind
    >>> days = np.arange(60)
    >>> start = Time("2017-01-01")
    >>> fraction = 0.1 + 0.1 * np.sin(2 * np.pi * days / 9)
    >>> fractions = TimeSeries(time=start + days * u.day, data={"fraction": fraction})
    >>> speed = (400 + 1000 * fraction) * u.km / u.s
    >>> speeds = TimeSeries(time=start + (days + 4) * u.day, data={"speed": speed})
    >>> fit = fit_wind(fractions, speeds)
    >>> print(f"{fit.lag:.2f} {fit.intercept:.0f} {fit.slope:.0f}")
    4.00 d 400 km / s 1000 km / s
    """
    times, values = _fractions(fractions)
    observed = _speeds(speeds)
    days = _lags(lags, np.arange(2, 6.01, 0.25))
    known = np.all([np.isfinite(_at(times + lag, *observed)) for lag in days], axis=0)
    if not known.any():
        _refuse_no_overlap(times, observed)
    times, values = times[known], values[known]
    if len(times) < _LEAST_PAIRS or np.ptp(values) == 0:
        msg = (
            f"A fit needs at least {_LEAST_PAIRS} images with different fractions and a speed at every lag (got "
            f"{len(times)} images, fractions {values.min():.3g} to {values.max():.3g})."
        )
        raise InvalidSeriesError(msg)
    later = [_at(times + lag, *observed) for lag in days]
    correlations = [_correlation(values, speed) for speed in later]
    best = int(np.argmax(correlations))
    slope, intercept = np.polyfit(values, later[best], 1)
    return WindFit(
        lag=days[best] * u.day,
        intercept=intercept * _KM_S,
        slope=slope * _KM_S,
        correlation=float(correlations[best]),
        pairs=len(times),
        start=Time(times.min(), format="jd"),
        end=Time(times.max(), format="jd"),
    )


@u.quantity_input
def score_forecasts(
    forecasts: Mapping[str, TimeSeries],
    speeds: _Speeds,
    *,
    high_speed: u.Quantity[u.km / u.s] = 500 * u.km / u.s,
    samples: int = 1000,
    rng: int | np.random.Generator = 0,
) -> QTable:
    """
    Score forecasts of the speed of the solar wind on the hours that all of them and the observations cover.

    Two baselines are scored beside them: the mean of all speeds observed before the first of these hours, and
    27-day persistence, the speed that was observed 27 days before.

    Parameters
    ----------
    forecasts : dict
        From names to series, such as those of `WindFit.predict` or published ones, each as ``speeds``. Between two rows
        that are at most three days apart they are interpolated.
    speeds : astropy.timeseries.TimeSeries, astropy.table.QTable or sunpy.timeseries.GenericTimeSeries
        Observed speeds, as for `lagged_correlation`; from 27 days before the forecasts on, for the baselines.
    high_speed : astropy.units.Quantity, optional
        The least speed of a high-speed stream. Intervals less than a day apart are one stream.
    samples : int, optional
        The number of times that whole Carrington rotations are drawn for the intervals.
    rng : int or numpy.random.Generator, optional
        Where the random numbers start.

    Returns
    -------
    astropy.table.QTable
        A row for each forecast and each baseline, all on the same hours: ``forecast``; ``hours``; ``rmse`` with
        ``rmse_low`` and ``rmse_high``, and ``correlation`` with ``correlation_low`` and ``correlation_high``, intervals
        that hold 95 %, NaN with fewer than three rotations; ``hits`` and ``misses``, observed streams that the forecast
        has within a day, and that it has not; ``false_alarms``, streams of the forecast that were not observed within a
        day. The correlation of a constant is NaN.

    Raises
    ------
    `~sunpy_scss.exceptions.InvalidSeriesError`
        For the reasons that `lagged_correlation` gives, or if no hour is covered by all.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from astropy.time import Time
    >>> from astropy.timeseries import TimeSeries
    >>> from sunpy_scss.evolution import score_forecasts
    >>> hours = np.arange(24 * 120)
    >>> speed = (450 + 100 * np.sin(2 * np.pi * hours / 24 / 9)) * u.km / u.s
    >>> speeds = TimeSeries(time=Time("2017-01-01") + hours * u.h, data={"speed": speed})
    >>> late = TimeSeries(time=speeds.time + 1 * u.day, data={"speed": speed})
    >>> table = score_forecasts({"a day late": late}, speeds)
    >>> print(table["forecast", "hits", "false_alarms"])
         forecast      hits false_alarms
    ------------------ ---- ------------
            a day late   11            0
    27-day persistence   11            0
                  mean    0            0
    """
    check_type(forecasts, Mapping, "a dict of names and series of speeds")
    check_count(samples, "samples", least=1, most=10**6)
    times, observed = _speeds(speeds)
    predicted = {name: _at(times, *_speeds(series), _FORECAST_GAP) for name, series in forecasts.items()}
    predicted["27-day persistence"] = _at(times - _RECURRENCE, times, observed)
    common = np.all([np.isfinite(speed) for speed in predicted.values()], axis=0)
    if not common.any():
        msg = "There is no hour that all forecasts, the observed speeds and those of 27 days before cover."
        raise InvalidSeriesError(msg)
    before = observed[times < times[common][0]]
    predicted["mean"] = np.full(len(times), before.mean())
    times, observed = times[common], observed[common]
    draws = _draws(times, samples, np.random.default_rng(rng))
    fast = high_speed.to_value(_KM_S)
    rows = [
        {"forecast": name, "hours": len(times), **_scores(times, speed[common], observed, draws, fast)}
        for name, speed in predicted.items()
    ]
    table = QTable(rows)
    for name in ("rmse", "rmse_low", "rmse_high"):
        table[name].unit = _KM_S
    return QTable(table)


def _scores(times, predicted, observed, draws, fast):
    """Return the columns of `score_forecasts` that are numbers."""
    sums = np.stack([predicted, observed, predicted**2, observed**2, predicted * observed, np.ones_like(observed)])
    rotation, counts = draws
    of_rotations = np.stack([np.bincount(rotation, row) for row in sums], axis=1)
    rmse, correlation = _from_sums(of_rotations.sum(axis=0))
    drawn = _from_sums(counts @ of_rotations)
    enough = len(of_rotations) >= 3
    (rmse_low, rmse_high), (low, high) = (
        np.nanpercentile(values, (2.5, 97.5)) if enough and np.isfinite(values).any() else (np.nan, np.nan)
        for values in drawn
    )
    real, forecast = (_streams(times, values >= fast) for values in (observed, predicted))
    hits = sum(_near(stream, forecast) for stream in real)
    return {
        "rmse": float(rmse),
        "rmse_low": rmse_low,
        "rmse_high": rmse_high,
        "correlation": float(correlation),
        "correlation_low": low,
        "correlation_high": high,
        "hits": hits,
        "misses": len(real) - hits,
        "false_alarms": sum(not _near(stream, real) for stream in forecast),
    }


def _from_sums(sums):
    """Return RMSE and correlation from sums of x, y, x², y², xy and 1 along the last axis."""
    x, y, xx, yy, xy, _ = np.moveaxis(sums / sums[..., 5:], -1, 0)
    rmse = np.sqrt(np.maximum(xx + yy - 2 * xy, 0))
    spread = (xx - x**2) * (yy - y**2)
    # A constant differs from its own mean by rounding only.
    varies = (xx - x**2 > 1e-9 * xx) & (yy - y**2 > 1e-9 * yy)
    return rmse, np.where(varies, (xy - x * y) / np.sqrt(np.where(varies, spread, 1)), np.nan)


def _draws(times, samples, rng):
    """Return the number of the rotation of each time, and how often each sample draws each rotation."""
    _, rotation = np.unique(np.floor((times - _FIRST_ROTATION) / _ROTATION), return_inverse=True)
    count = rotation.max() + 1
    return rotation, rng.multinomial(count, np.full(count, 1 / count), size=samples)


def _streams(times, fast):
    """Return starts and ends of fast intervals, (n, 2); those less than the tolerance apart are one."""
    at = times[fast]
    if not len(at):
        return np.empty((0, 2))
    breaks = np.flatnonzero(np.diff(at) > _TOLERANCE)
    return np.column_stack([at[np.r_[0, breaks + 1]], at[np.r_[breaks, len(at) - 1]]])


def _near(stream, others):
    """Return True if an interval is within the tolerance of one of others."""
    return bool(((others[:, 0] <= stream[1] + _TOLERANCE) & (others[:, 1] >= stream[0] - _TOLERANCE)).any())


def _correlation(x, y):
    if len(x) < _LEAST_PAIRS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return np.corrcoef(x, y)[0, 1]


def _pairs(times, values, observed):
    """Return fractions and the speeds at times, where these are known."""
    speeds = _at(times, *observed)
    known = np.isfinite(speeds)
    return values[known], speeds[known]


def _at(times, known, values, longest=None):
    """Return values interpolated at times; NaN outside, and in gaps longer than so many days."""
    if len(known) == 1:
        return np.where(times == known, values, np.nan)
    longest = max(_GAP, _GAP_STEPS * np.median(np.diff(known))) if longest is None else longest
    after = np.clip(np.searchsorted(known, times), 1, len(known) - 1)
    found = np.interp(times, known, values, left=np.nan, right=np.nan)
    exact = np.isin(times, known)
    return np.where(exact | (known[after] - known[after - 1] <= longest), found, np.nan)


def _refuse_no_overlap(times, observed):
    ends = [Time([series.min(), series.max()], format="jd").isot for series in (times, observed[0])]
    msg = f"The series share no time: images from {' to '.join(ends[0])}, speeds from {' to '.join(ends[1])}."
    raise InvalidSeriesError(msg)


def _lags(lags, default):
    """Return lags in days; an error unless they are finite times."""
    if lags is None:
        return default
    if not isinstance(lags, u.Quantity | TimeDelta):
        msg = f"lags must be a Quantity of time, such as [3, 4, 5] * u.day (got {lags!r})."
        raise TypeError(msg)
    days = np.atleast_1d(lags.to_value(u.day))
    if days.ndim != 1 or not days.size or not np.isfinite(days).all():
        msg = f"lags must be one or more finite times (got {lags})."
        raise ValueError(msg)
    return days


def _fractions(series):
    """Return times (Julian dates) and fractions, without those that are NaN."""
    times = _times(series, "fractions")
    if "fraction" not in series.colnames:
        msg = f"The series of fractions needs a column 'fraction' (got {', '.join(series.colnames)})."
        raise InvalidSeriesError(msg)
    values = np.ma.filled(np.ma.asarray(u.Quantity(series["fraction"]).to_value(u.one), float), np.nan)
    if values.ndim != 1:
        msg = "The column 'fraction' must hold one number a row; choose a cell, as series['fraction'][:, row, column]."
        raise InvalidSeriesError(msg)
    return _in_order(times, values, "fractions")


def _speeds(series):
    """Return times (Julian dates) and speeds in km/s, without gaps, in order of time."""
    if hasattr(series, "to_table"):  # a TimeSeries of sunpy
        times, columns = series.time, {name: series.quantity(name) for name in series.columns}
        times = times.utc.jd
    else:
        times = _times(series, "speeds")
        columns = {name: series[name] for name in series.colnames if name != "time"}
    named = {name: column for name, column in columns.items() if _is_speed(column)}
    if len(named) != 1:
        found = ", ".join(f"{name} [{getattr(column, 'unit', None) or 'no unit'}]" for name, column in columns.items())
        msg = (
            f"The series of speeds needs one column with a unit of speed, such as km/s (got {found or 'none'}): "
            "give the column its unit, or choose one column."
        )
        raise InvalidSeriesError(msg)
    (column,) = named.values()
    values = u.Quantity(np.ma.filled(np.ma.asarray(getattr(column, "value", column), float), np.nan), column.unit)
    times, speeds = _in_order(times, values.to_value(_KM_S), "speeds")
    odd = (speeds < _SLOWEST) | (speeds > _FASTEST)
    if odd.any():
        msg = (
            f"{odd.sum()} of {odd.size} speeds are not between {_SLOWEST} and {_FASTEST} km/s (the first is "
            f"{speeds[odd][0]:g}): set what fills gaps, such as 9999, to NaN, and look at the unit."
        )
        raise InvalidSeriesError(msg)
    return times, speeds


def _is_speed(column):
    unit = getattr(column, "unit", None)
    return unit is not None and u.Unit(unit).is_equivalent(_KM_S)


def _times(series, name):
    """Return the column of times as Julian dates."""
    if not isinstance(series, Table) or "time" not in series.colnames or not isinstance(series["time"], Time):
        msg = f"The series of {name} must be a TimeSeries, or a table whose column 'time' is an astropy Time."
        raise InvalidSeriesError(msg)
    return series["time"].utc.jd


def _in_order(times, values, name):
    """Return the rows that are known, in order of time; an error if two are of one time or none is left."""
    known = np.isfinite(values)
    order = np.argsort(times[known], kind="stable")
    times, values = times[known][order], values[known][order]
    if not len(times):
        msg = f"The series of {name} holds no number."
        raise InvalidSeriesError(msg)
    same = np.diff(times) <= 0
    if same.any():
        msg = (
            f"The series of {name} has {same.sum()} times twice, the first of them "
            f"{Time(times[1:][same][0], format='jd').isot}: keep one row of each."
        )
        raise InvalidSeriesError(msg)
    return times, values
