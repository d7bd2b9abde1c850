"""
The solar wind predicted from coronal holes: a line fitted on one stretch of images, tested on another.

    python benchmarks/wind.py IMAGES SPEEDS.csv --fit 2011 --test 2017 --figure wind.png

IMAGES is a folder of 193 Angstrom FITS; SPEEDS has columns ``time`` (UTC), ``observed`` and any published forecasts, in
km/s.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import astropy.units as u
from astropy.table import QTable, Table
from astropy.time import Time
from astropy.timeseries import TimeSeries

from sunpy_scss import segment_coronal_holes
from sunpy_scss.evolution import central_meridian_fraction, fit_wind, lagged_correlation, score_forecasts
from sunpy_scss.images import read_map
from sunpy_scss.segment import threshold_coronal_holes

METHODS = {"network": segment_coronal_holes, "threshold rule": threshold_coronal_holes}


def main():
    arguments = _arguments()
    observed, published = _speeds(arguments.speeds)
    forecasts, rows = {}, []
    for name, method in METHODS.items():
        series = {year: _fractions(arguments.images, year, method) for year in (arguments.fit, arguments.test)}
        fit = fit_wind(series[arguments.fit], observed)
        forecasts[name] = fit.predict(series[arguments.test])
        rows.append({"method": name, "lag": fit.lag, "intercept": fit.intercept, "slope": fit.slope})
        for year, fractions in series.items():
            table = lagged_correlation(fractions, observed)
            best = int(np.nanargmax(table["correlation"]))
            rows[-1] |= {f"best lag {year}": table["lag"][best], f"correlation {year}": table["correlation"][best]}
    fits, scores = QTable(rows), score_forecasts({**forecasts, **published}, observed)
    for table in (fits, scores):
        for column in table.itercols():
            if column.info.dtype.kind == "f":
                column.info.format = ".0f" if getattr(column, "unit", None) == u.km / u.s else ".2f"
        print(*table.pformat(max_lines=-1, max_width=-1), "", sep="\n")
    if arguments.figure:
        _draw(arguments.figure, observed, forecasts)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("speeds", type=Path)
    parser.add_argument("--fit", type=int, default=2011, metavar="YEAR")
    parser.add_argument("--test", type=int, default=2017, metavar="YEAR")
    parser.add_argument("--figure", type=Path)
    return parser.parse_args()


def _speeds(path):
    table = Table.read(path, format="ascii.csv")
    time = Time(list(table["time"]))
    series = {
        name: TimeSeries(time=time, data={"speed": np.ma.filled(table[name].astype(float), np.nan) * u.km / u.s})
        for name in table.colnames[1:]
    }
    return series.pop("observed"), {name.replace("_", ", "): one for name, one in series.items()}


def _fractions(folder, year, method):
    paths = sorted(folder.glob(f"*{year}*.fits"))

    def masks():
        for path in tqdm(paths, desc=f"{year}, {method.__name__}", disable=None):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield method(read_map(path))

    return central_meridian_fraction(masks())


def _draw(path, observed, forecasts):
    (name, network), *_ = forecasts.items()
    figure, axes = plt.subplots(figsize=(11, 4), layout="constrained")
    observed = observed[np.isfinite(observed["speed"])]
    inside = (observed.time > network.time.min()) & (observed.time < network.time.max())
    network = network[network.time < observed.time.max()]
    drawn = {"observed": observed[inside], f"{name}, four days ahead": network}
    for (label, series), style in zip(drawn.items(), ({"color": "0.6"}, {"color": "C3", "marker": "."}), strict=True):
        days, speed = mdates.date2num(series.time.datetime), series["speed"].value
        # The line is interrupted at gaps, which are not scored either.
        breaks = np.flatnonzero(np.diff(days) > 3) + 1
        axes.plot(np.insert(days, breaks, np.nan), np.insert(speed, breaks, np.nan), label=label, lw=1, **style)
    axes.xaxis.set_major_locator(mdates.MonthLocator())
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%Y-%m"))
    axes.set(ylabel="solar wind speed (km/s)")
    axes.legend(frameon=False, ncols=2)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
