"""
The cost of each stage from a file to its mask and table, with each bundled model, as a table in reST.

    python benchmarks/costs.py FILE [FILE ...] [--models scss-ch-193-5 ...] [--repeats 6]

It prints processor seconds, the least of some warm calls. They add up over all processors, so that other work on the
machine changes them little. All calls take turns, so that changes hit every stage alike. Without ``--models`` it takes
the models bundled for the wavelength of the first file.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np

import astropy.units as u

from sunpy_scss import list_models, load_model, region_table, segment_active_regions, segment_coronal_holes
from sunpy_scss._features import feature_at
from sunpy_scss._sun.surface import remove_small_regions, surface_of
from sunpy_scss.canonical._intensity import angstroms
from sunpy_scss.canonical._threshold import above_threshold
from sunpy_scss.images import read_map
from sunpy_scss.segment._input import maps_of_channels, network_input

SEGMENT = {"CH": (segment_coronal_holes, 1000 * u.Mm**2), "AR": (segment_active_regions, 300 * u.Mm**2)}


def stages(path, model):
    """Return the functions to be timed, by the name of their stage."""
    smap, card = read_map(path), model.card
    maps = maps_of_channels(smap, card)
    seen = network_input(maps, card)
    image = seen.image[np.newaxis]
    found = model.predict(image)[0, ..., 0]
    at = {"threshold": float(card.uncalibrated(card.threshold))}
    segment, min_area = SEGMENT[card.feature]
    inside, mask = above_threshold(found, seen.frame, card.grid, **at), segment(smap, model=model)
    smallest = (min_area / smap.rsun_meters**2).to_value(u.dimensionless_unscaled)
    return {
        "read by sunpy": lambda: np.sum(read_map(path).data),
        "checks, canonical grid, stretch": lambda: network_input(maps_of_channels(smap, card), card),
        "network": lambda: model.predict(image),
        "threshold on the pixels of the image": lambda: above_threshold(found, seen.frame, card.grid, **at),
        "small regions removed": lambda: remove_small_regions(inside, surface_of(smap), smallest),
        "**Map to mask, all of it**": lambda: segment(smap, model=model),
        "`sunpy_scss.region_table` of the mask": lambda: region_table(mask),
    }


def least(functions, repeats):
    """Return the least processor seconds of each function over some rounds, in which each has its turn."""
    for function in functions.values():
        function()
    taken = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.process_time()
            function()
            taken[name].append(time.process_time() - start)
    return {name: min(seconds) for name, seconds in taken.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--models", nargs="+", help="names or folders")
    parser.add_argument("--repeats", type=int, default=6)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = {}
    for path in options.files:
        smap = read_map(path)
        for name in options.models or list_models():
            model = load_model(name).at(None)
            if not options.models and model.card.feature != feature_at(angstroms(smap)):
                continue
            columns[f"{path.name} ({len(smap.data)}²), {model.card.name}"] = least(stages(path, model), options.repeats)
    print(".. list-table::\n    :header-rows: 1\n")
    row("processor seconds", *columns)
    for stage in next(iter(columns.values())):
        row(stage, *(f"{column[stage]:.3f}" for column in columns.values()))


def row(*cells):
    print("\n".join(f"    {' ' if index else '*'} - {cell}" for index, cell in enumerate(cells)))


if __name__ == "__main__":
    main()
