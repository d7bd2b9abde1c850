"""
The coefficients of filament_score, and its power to separate rejected dark regions from coronal holes.

    python benchmarks/filaments.py DIR

DIR holds images/, masks/, rejected/ and index.csv. The coefficients are fitted to the regions of every third image of
the training part, out to 60 degrees of latitude; all figures after that are of the validation part, with the
coefficients that are in the package.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from astropy.table import Table, vstack

from sunpy_scss.masks import filament_score, region_table
from sunpy_scss.train import read_folder

PARTS = ("width", "contrast", "bright_points", "sharpness", "elongation")
USED = PARTS[:4]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    training = regions(islice(read_folder(options.folder, "train"), None, None, 3))
    print_coefficients(training[training["latitude"] < 60])
    validation = regions(read_folder(options.folder, "validation"))
    for low, high in ((0, 30), (30, 60), (0, 60), (60, 90)):
        report(
            f"{low} to {high} degrees", validation[(validation["latitude"] >= low) & (validation["latitude"] < high)]
        )


def regions(labelled):
    """Return one table of all kept and rejected regions, with the inputs of the score."""
    tables = []
    for one in labelled:
        for rejected, mask in ((False, one.mask), (True, one.rejected)):
            if mask is None or not mask.data.any():
                continue
            score = filament_score(mask, one.image)
            table = Table({name: score[name].value for name in (*PARTS, "score")})
            table["width"] = np.log10(table["width"])
            table["latitude"] = abs(region_table(mask)["centroid"].lat.deg)
            table["rejected"] = rejected
            tables.append(table)
    return vstack(tables)


def print_coefficients(table):
    """Print a logistic regression about the midpoint of the means of both kinds, which have equal weights."""
    values = np.stack([table[name] for name in USED], axis=1)
    known = np.isfinite(values).all(axis=1)
    values, rejected = values[known], np.array(table["rejected"])[known]
    middle = (values[rejected].mean(axis=0) + values[~rejected].mean(axis=0)) / 2
    scale = values.std(axis=0)
    standard = (values - middle) / scale
    share = np.where(rejected, 1 / rejected.sum(), 1 / (~rejected).sum())
    sign = np.where(rejected, -1, 1)

    def loss(weights):
        return (share * np.logaddexp(0, sign * (standard @ weights))).sum() + 0.01 * (weights**2).sum()

    weights = minimize(loss, np.zeros(len(USED))).x / scale
    print(f"training: {(~rejected).sum()} kept, {rejected.sum()} rejected")
    for name, centre, weight in zip(USED, middle, weights, strict=True):
        print(f"    {name}: ({centre:.4g}, {weight:.4g})")


def report(name, table):
    rejected = np.array(table["rejected"])
    print(f"validation, {name}: {(~rejected).sum()} kept, {rejected.sum()} rejected")
    print("    area under the ROC curve:", f"score {area_under_curve(table['score'], rejected):.2f};", end=" ")
    print(", ".join(f"{part} {area_under_curve(table[part], rejected):.2f}" for part in PARTS))
    flagged = np.array(table["score"]) >= 0.5
    print(f"    flagged: {flagged[rejected].mean():.2f} of the rejected, {flagged[~rejected].mean():.2f} of the kept")


def area_under_curve(values, positive):
    known = np.isfinite(values)
    ranks, positive = rankdata(np.asarray(values)[known]), positive[known]
    n = np.count_nonzero(positive)
    return (ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(ranks) - n))


if __name__ == "__main__":
    main()
