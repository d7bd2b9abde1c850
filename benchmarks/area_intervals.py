"""
How often the area intervals of region_table hold the labelled area, on the validation part.

    python benchmarks/area_intervals.py MODEL DIR

DIR holds images/, masks/ and index.csv. Found and labelled regions that overlap are taken together, as one of either is
often several of the other. A 68 % interval should hold 68 %.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sunpy_scss import load_model, predict_probability, segment_active_regions, segment_coronal_holes
from sunpy_scss.masks import label_regions, region_table
from sunpy_scss.train import read_folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    segment = {"CH": segment_coronal_holes, "AR": segment_active_regions}[load_model(options.model).card.feature]
    groups, disks, missed, beside = [], [], 0, []
    for one in read_folder(options.folder, "validation"):
        mask = segment(one.image, model=options.model)
        found = bounds(region_table(mask, probability=predict_probability(one.image, model=options.model)))
        labelled = region_table(one.mask)["area"].to_value("Mm2")
        disks.append([*found.sum(axis=1), labelled.sum()])
        member = overlapping(mask, one.mask, found.shape[1], len(labelled))
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


def bounds(table):
    """(3, regions): lower bound, area, upper bound in Mm2."""
    return np.stack([table[name].to_value("Mm2") for name in ("area_low", "area", "area_high")])


def overlapping(mask, label, n_found, n_labelled):
    """The number of the group of each found region, then of each labelled one."""
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
