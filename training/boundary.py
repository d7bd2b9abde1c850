"""
The evidence behind the default boundary of coronal holes, in dex of intensity.

    python training/boundary.py programs MASKS FOLDER [--model NAME]
    python training/boundary.py valley FOLDER
    python training/boundary.py cut FILE ... [--model NAME]

MASKS is an npz file with ``files``, the names of FITS files in FOLDER, and for each program its masks of them
(`numpy.packbits` along the last axis, row 0 south). The first table gives the mean IoU of the model's outlines, and of
the rule of threshold_coronal_holes, with each program and with the areas that at least two or three of them share.
FOLDER of the second table is that of labels.py. The histogram of log intensity around each larger hole has a valley
between the hole and the quiet Sun; the table gives its place in dex, by the disc median of the image. The last one
prints the share of the disc that a network takes in, and that share if the image is zero beyond the limb.
"""

import argparse
import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
from labels import _LIMB, _RADII, CH_FLOOR, CH_LEVEL, pieces, radius
from scipy import ndimage

import astropy.units as u
from astropy.io import fits

from sunpy_scss import load_model, segment_coronal_holes
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._image import canonical_image
from sunpy_scss.images import read_map
from sunpy_scss.segment import threshold_coronal_holes

DEX = (-0.1, -0.075, -0.05, -0.025, 0, 0.05, 0.1)
RULE_DEX = (-0.1, -0.05, 0)
DARK_LEVEL = 21.4  # DN/s, of threshold_coronal_holes
# The least pixels of a hole, and those around it; its greatest distance from disc centre; and the least depth of a
# valley below the lower one of both sides.
LARGE, AROUND, FARTHEST, DEPTH = 600, 15, 0.8, 1.15


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="evidence", required=True)
    one = commands.add_parser("programs")
    one.add_argument("masks", type=Path)
    one.add_argument("folder", type=Path)
    one.add_argument("--model")
    commands.add_parser("valley").add_argument("folder", type=Path)
    one = commands.add_parser("cut")
    one.add_argument("files", nargs="+", type=Path)
    one.add_argument("--model", default="scss-ch-193-5")
    options = parser.parse_args()
    if options.evidence == "valley":
        valley(options.folder)
    elif options.evidence == "cut":
        cut(options)
    else:
        programs(options)


def cut(options):
    model = load_model(options.model)
    alone, grid, stretch = model.at(model.card.scored), model.card.grid, model.card.stretch
    for path in options.files:
        found = canonical_image(read_map(path), grid)
        shares = []
        for image in (found.image, np.where(grid.radius > 1, 0, found.image)):
            seen = stretch.apply(image, grid.radius, found.disk_median)
            inside = alone.predict(seen[np.newaxis, ..., np.newaxis])[0, ..., 0] >= 0.5
            shares.append(f"{inside[grid.disk].mean():.1%}")
        print(path.name, *shares)


def programs(options):
    with np.load(options.masks) as kept:
        files, names = [str(name) for name in kept["files"]], [name for name in kept.files if name != "files"]
        drawn = {name: np.unpackbits(kept[name], axis=-1).astype(bool) for name in names}
    votes = sum(mask.astype(int) for mask in drawn.values())
    drawn |= {f"{least} of {len(names)}": votes >= least for least in (2, 3)}
    maps = [read_map(options.folder / name) for name in files]
    print("", "dex", *drawn, sep="\t")
    for dex in DEX:
        found = [segment_coronal_holes(smap, model=options.model, boundary=dex).data > 0 for smap in maps]
        table_row("model", dex, found, drawn)
    for dex in RULE_DEX:
        found = [threshold_coronal_holes(smap, threshold=border(smap, dex)).data > 0 for smap in maps]
        table_row("rule", dex, found, drawn)


def border(smap, dex):
    """Return the intensity half-way between the dark level and the disc median, plus ``dex``."""
    median = canonical_image(smap, CanonicalGrid(336, 1.09375)).disk_median
    return np.sqrt(DARK_LEVEL * median) * 10**dex * u.DN / u.s


def table_row(name, dex, found, drawn):
    scores = [np.mean([iou(*pair) for pair in zip(found, theirs, strict=True)]) for theirs in drawn.values()]
    print(name, f"{dex:+.3f}", *(f"{score:.3f}" for score in scores), sep="\t", flush=True)


def iou(one, other):
    return (one & other).sum() / max(1, (one | other).sum())


def valley(folder):
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # Every third image is taken, and all images of years with few.
    rows = [row for number, row in enumerate(rows) if number % 3 == 0 or row["date"][:4] in ("2019", "2021")]
    found = np.array([pair for row in rows for pair in valleys(folder, row["key"])])
    for low, high in pairwise((30, 60, 80, 100, 120, 140, 180)):
        those = found[(found[:, 0] >= low) & (found[:, 0] < high), 1]
        if len(those):
            print(
                f"disc median {low} to {high} DN/s: {len(those)} holes, quartiles", np.percentile(those, (25, 50, 75))
            )
    print(f"all {len(found)}: quartiles", np.percentile(found[:, 1], (25, 50, 75)))


def valleys(folder, key):
    """Yield disc median and dex of the valley of each large hole of an image that has one."""
    image = fits.getdata(folder / "images" / f"{key}.fits").astype(float)
    kept = fits.getdata(folder / "masks" / f"{key}.fits") > 0
    distance = radius(len(image))
    median = np.median(image[distance < 0.9])
    values = np.log10(np.maximum(image, CH_FLOOR)) - np.interp(distance, _RADII, _LIMB)
    dex = ndimage.gaussian_filter(values, 1) - 0.5 * np.log10(median) - CH_LEVEL
    edges = np.arange(-0.5, 0.61, 0.01)
    for piece in pieces(kept):
        if piece.sum() < LARGE or distance[piece].mean() > FARTHEST:
            continue
        around = ndimage.binary_dilation(piece, iterations=AROUND) & (distance < 0.93)
        counts = ndimage.gaussian_filter1d(np.histogram(dex[around], edges)[0].astype(float), 2.5)
        low = [at for at in range(5, len(counts) - 5) if counts[at] == counts[at - 4 : at + 5].min()]
        depth = [min(counts[:at].max(), counts[at:].max()) / max(counts[at], 1e-9) for at in low]
        if max(depth, default=0) > DEPTH:
            yield median, edges[low[int(np.argmax(depth))]] + 0.005


if __name__ == "__main__":
    main()
