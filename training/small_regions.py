"""
The lifetime of small active regions: the share that is labelled hours before and after, too.

    python training/small_regions.py DIR
"""

import argparse
import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
from labels import HALF_WIDTH, others, pieces, radius, read

AREAS = (0, 1500, 3000, 6000, np.inf)  # Mm2
SHORTEST, LONGEST = 0.2, 0.6  # days to the next image
FARTHEST = 0.85  # solar radii from disc centre


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    with (options.folder / "index.csv").open(newline="", encoding="utf-8") as file:
        everything = sorted((read(options.folder, row) for row in csv.DictReader(file)), key=lambda one: one.days)
    rows = []
    for before, one, after in zip(everything, everything[1:], everything[2:], strict=False):
        if all(SHORTEST < days < LONGEST for days in (one.days - before.days, after.days - one.days)):
            rows += lasting(before, one, after)
    area, earlier, later = np.array(rows).T
    print("area in Mm2, regions, seen in both, in one, in none of the images before and after")
    for low, high in pairwise(AREAS):
        count = (earlier + later)[(area >= low) & (area < high)]
        print(low, high, count.size, *(int((count == number).sum()) for number in (2, 1, 0)))
    print(f"share of the area below 3000 Mm2: {area[area < 3000].sum() / area.sum():.3f}")


def lasting(before, one, after):
    """Return the area of each region, and True if a part of it is labelled before and after."""
    disk = np.isfinite(one.latitude)
    earlier, later = (others(one, [other], -1, 1, disk)[0] for other in (before, after))
    distance = radius(len(one.kept))
    pixel = (2 * HALF_WIDTH / len(one.kept) * 695.7) ** 2
    foreshortening = np.sqrt(np.maximum(1e-4, 1 - distance**2))
    return [
        ((pixel / foreshortening[piece]).sum(), earlier[piece].any(), later[piece].any())
        for piece in pieces(one.kept)
        if distance[piece].mean() < FARTHEST
    ]


if __name__ == "__main__":
    main()
