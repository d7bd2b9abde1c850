"""
The coverage of the area intervals of region_table: how often they hold the labelled area.

    python benchmarks/area_intervals.py MODEL DIR [--part PART] [--boundary NAME --label-level N] [--fit]

DIR holds images/, masks/ and index.csv. Found and labelled regions that overlap are taken together, as one of either
is often several of the other. A 68 % interval should hold 68 %. With --fit it prints instead the pair of probabilities
for area_levels of a card: they leave a sixth of the labelled areas below the intervals, and a sixth above.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, logit

from sunpy.map import Map

from sunpy_scss import load_model, predict_probability, segment_active_regions, segment_coronal_holes
from sunpy_scss.masks import label_regions, region_table
from sunpy_scss.train import read_folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="validation")
    parser.add_argument("--boundary")
    parser.add_argument("--label-level", type=int, default=1, help="labels of so much or more are inside")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    if options.fit:
        fit(options)
        return
    segment = {"CH": segment_coronal_holes, "AR": segment_active_regions}[load_model(options.model).card.feature]
    groups, disks, missed, beside = [], [], 0, []
    for one in read_folder(options.folder, options.part):
        mask = segment(one.image, model=options.model, boundary=options.boundary)
        probability = predict_probability(one.image, model=options.model, boundary=options.boundary)
        found = bounds(region_table(mask, probability=probability))
        label = labelled_mask(one.mask, options.label_level)
        labelled = region_table(label)["area"].to_value("Mm2")
        disks.append([*found.sum(axis=1), labelled.sum()])
        member = overlapping(mask, label, found.shape[1], len(labelled))
        for group in range(member.max(initial=-1) + 1):
            own, theirs = np.split(member == group, [found.shape[1]])
            row = [*found[:, own].sum(axis=1), labelled[theirs].sum()]
            if own.any() and theirs.any():
                groups.append(row)
            elif own.any():
                beside.append(row)
            else:
                missed += 1
    report("regions found", groups + beside)
    report("regions found and labelled", groups)
    groups = np.array(groups)
    limits = np.quantile(groups[:, 3], [0, 1 / 3, 2 / 3, 1])
    for low, high in pairwise(limits):
        report(f"  of {low:.0f} to {high:.0f} Mm2", groups[(groups[:, 3] >= low) & (groups[:, 3] <= high)])
    report("whole disc", disks)
    print(f"found but not labelled: {len(beside)} regions; labelled but not found: {missed}")


def labelled_mask(mask, level):
    """Return 1 inside a boundary; unknown pixels, for example beside a hole at the limb, are not inside."""
    return Map((mask.data >= level).astype(np.int16), mask.meta)


# Levels to try for the inner and the outer border of a region, as differences of the logit from that of the threshold.
_STEPS = np.array([0, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.4, 2, 2.8, 4])


def fit(options):
    card = load_model(options.model).at(options.boundary).card
    segment = {"CH": segment_coronal_holes, "AR": segment_active_regions}[card.feature]
    centre = logit(card.threshold)
    below, above = [], []
    for one in read_folder(options.folder, options.part):
        mask = segment(one.image, model=options.model, boundary=options.boundary)
        probability = predict_probability(one.image, model=options.model, boundary=options.boundary)
        label = labelled_mask(one.mask, options.label_level)
        labelled = region_table(label)["area"].to_value("Mm2")
        tables = []
        for step in _STEPS[1:]:
            probability.meta["SCSSSURE"], probability.meta["SCSSMAYB"] = expit(centre + step), expit(centre - step)
            tables.append(bounds(region_table(mask, probability=probability)))
        low, area, high = np.moveaxis(tables, 1, 0)
        member = overlapping(mask, label, low.shape[1], len(labelled))
        for group in range(member.max(initial=-1) + 1):
            own, theirs = np.split(member == group, [low.shape[1]])
            if own.any() and theirs.any():
                truth = labelled[theirs].sum()
                below.append([area[0, own].sum() > truth, *(low[:, own].sum(axis=1) > truth)])
                above.append([area[0, own].sum() < truth, *(high[:, own].sum(axis=1) < truth)])
    levels = []
    for sign, shares in ((1, np.mean(below, axis=0)), (-1, np.mean(above, axis=0))):
        # From the threshold outwards, fewer and fewer areas lie beyond.
        step = np.interp(-1 / 6, -np.maximum.accumulate(shares[::-1])[::-1], _STEPS)
        levels.append(round(float(expit(centre + sign * step)), 3))
        print(
            "labels beyond, by step from the threshold:",
            dict(zip(_STEPS.tolist(), shares.round(3).tolist(), strict=True)),
        )
    print(f"{len(below)} regions found and labelled; area_levels = {levels}")


def bounds(table):
    """Return lower bound, area and upper bound in Mm2, (3, regions)."""
    return np.stack([table[name].to_value("Mm2") for name in ("area_low", "area", "area_high")])


def overlapping(mask, label, n_found, n_labelled):
    """Return the group number of each found region, then of each labelled one."""
    found, labelled = (label_regions(smap).data.astype(int) for smap in (mask, label))
    both = (found > 0) & (labelled > 0)
    total = n_found + n_labelled
    pairs = found[both] - 1, n_found + labelled[both] - 1
    return connected_components(coo_array((np.ones(both.sum()), pairs), shape=(total, total)), directed=False)[1]


def report(name, rows):
    low, area, high, labelled = np.array(rows).T
    inside, below, above = ((low <= labelled) & (labelled <= high), labelled < low, labelled > high)
    width, ratio = np.median((high - low) / area), np.median(labelled / area)
    print(
        f"{name}: {len(rows)}, holds the label {inside.mean():.2f}, label below {below.mean():.2f}, "
        f"above {above.mean():.2f}; median width {width:.2f} of the area, labelled / found {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
