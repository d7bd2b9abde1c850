"""
The dependence of coronal hole areas on the boundary and the calibration, and the brightness of the limb.

    python benchmarks/edges.py FILE [FILE ...]

It prints the change of the area of all images together, then its 10th and 90th percentile over single images.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

import sunpy.map

from sunpy_scss import segment_coronal_holes
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._resample import to_canonical
from sunpy_scss.images import read_map
from sunpy_scss.masks import area_fraction

SENSITIVITIES = (0.9, 0.8)
GRID = CanonicalGrid(512, 1.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    maps = [read_map(path) for path in options.files]
    usual = areas(maps)
    for boundary in ("tight", "wide"):
        report(f"boundary {boundary}", areas(maps, boundary=boundary), usual)
    for sensitivity in SENSITIVITIES:
        brighter = [sunpy.map.Map(smap.data / sensitivity, smap.meta) for smap in maps]
        report(f"intensities divided by {sensitivity}", areas(brighter), usual)
    rings = [limb(smap) for smap in maps]
    print(f"0.97 to 0.99 solar radii: {np.median(rings):.2f} times the median inside 0.9 ({len(maps)} images)")


def areas(maps, **options):
    """Return the areas in percent of the disc."""
    return np.array([float(area_fraction(segment_coronal_holes(smap, **options)).value) for smap in maps])


def report(name, changed, usual):
    low, high = np.percentile(changed / usual - 1, [10, 90])
    print(f"{name}: {changed.sum() / usual.sum() - 1:+.1%}, single images {low:+.1%} to {high:+.1%}")


def limb(smap):
    image, radius = to_canonical(smap.data, frame_of(smap), GRID), GRID.radius
    ring = (radius > 0.97) & (radius < 0.99)
    return np.nanmedian(image[ring]) / np.nanmedian(image[radius < 0.9])


if __name__ == "__main__":
    main()
