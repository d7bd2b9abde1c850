"""
The smallest and faintest coronal holes that a model finds.

    python benchmarks/detection.py MODEL DIR [--part PART] [--every N] [--figure FILE]

It puts synthetic holes into quiet places of real images of DIR, which holds images/, masks/ and index.csv. First it
prints the overlap with the labels, and the number and darkness of the labelled holes that are found. Then it prints the
share of synthetic holes that is found by distance from disc centre, area and contrast, and for each contrast the
smallest area from which on 80 % are found.
"""

import argparse
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skimage.measure import label, regionprops

from sunpy.sun.constants import radius as solar_radius

from sunpy_scss import load_model
from sunpy_scss._sun.surface import canonical_surface
from sunpy_scss.canonical._brightening import limb_brightening
from sunpy_scss.models import Model
from sunpy_scss.train import detection_curve, list_folder, make_dataset
from sunpy_scss.train._detection import _OVERLAP, _predictions
from sunpy_scss.train._evaluation import scores_of
from sunpy_scss.train._scores import _DISTANCE

RELIABLE = 0.8
SIZES = [0, 3000, 6000, 12000, 30000, np.inf]  # Mm2
INSIDE = 0.85  # solar radii


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="validation")
    parser.add_argument("--every", type=int, default=4, help="take every so many of the images")
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    model = load_model(options.model)
    dataset = make_dataset(
        list_folder(options.folder, options.part)[:: options.every], model.at(model.card.scored).card
    )
    model = model.at(model.card.scored)
    # The split is left out, as the part that chose among models may be asked for, too.
    scores = scores_of(Model(model.card, model.predict), dataset)
    print(", ".join(f"{name} {scores[name]:.3f}" for name in ("iou", "hard_negative_fraction")))
    labelled_regions(model, dataset)
    table = detection_curve(model, dataset)
    zones = sorted({(row["radius_low"], row["radius_high"]) for row in table})
    for zone in zones:
        own = table[(table["radius_low"] == zone[0]) & (table["radius_high"] == zone[1])]
        print(f"\n{zone[0]} to {zone[1]} solar radii from disc centre; contrast, then share found by area in Mm2")
        areas = sorted(set(own["area"].to_value("Mm2")))
        print("contrast ", *(f"{area:8.0f}" for area in areas), "  reliable from")
        for contrast in sorted(set(own["contrast"])):
            shares = own["found"][own["contrast"] == contrast]
            print(f"{contrast:8.2f} ", *(f"{share:8.2f}" for share in shares), f"  {reliable_from(areas, shares)}")
    if options.figure:
        draw(table, zones, options.figure)


def labelled_regions(model, dataset):
    """Print the number of labelled regions that are found, and their contrast to the quiet Sun at their place."""
    card = model.card
    low, high = card.stretch.limits
    radius = card.grid.radius
    surface = canonical_surface(card.grid, _DISTANCE)
    masks = _predictions(model, np.asarray(dataset.images), float(card.uncalibrated(card.threshold)))
    areas, depths, found = [], [], []
    for image, labels, predicted in zip(dataset.images, dataset.labels, masks, strict=True):
        quiet = np.median(image[radius <= 1]) + limb_brightening(np.minimum(radius, 1)) / (high - low)
        for region in regionprops(label(labels > 0.5)):
            inside = tuple(region.coords.T)
            if radius[inside].max() <= INSIDE:
                areas.append((surface.areas(*inside).sum() * solar_radius**2).to_value("Mm2"))
                depths.append((high - low) * (quiet - image)[inside].mean())
                found.append(predicted[inside].mean() >= _OVERLAP)
    print(f"labelled regions inside {INSIDE} solar radii: 10, 50, 90 % are so many dex darker than the quiet Sun")
    areas, depths, found = (np.array(values) for values in (areas, depths, found))
    for first, last in itertools.pairwise(SIZES):
        own = (areas >= first) & (areas < last)
        if own.any():
            shares = " ".join(f"{depth:.2f}" for depth in np.percentile(depths[own], [10, 50, 90]))
            print(f"{first:.0f} to {last:.0f} Mm2: {shares}; {found[own].sum()} of {own.sum()} are found")


def reliable_from(areas, shares):
    """Return the smallest area from which on enough holes are found, interpolated in the logarithm."""
    good = np.asarray(shares) >= RELIABLE
    if not good[-1]:
        return "beyond the largest"
    first = len(good) - int(np.argmin(good[::-1])) if not good.all() else 0
    if first == 0:
        return f"{areas[0]:.0f} or less"
    (low, high), (small, large) = np.log(areas[first - 1 : first + 1]), shares[first - 1 : first + 1]
    return f"{np.exp(low + (high - low) * (RELIABLE - small) / (large - small)):.0f}"


def draw(table, zones, path):
    figure, panels = plt.subplots(1, len(zones), figsize=(4 * len(zones), 3.6), sharey=True, layout="constrained")
    contrasts = sorted(set(table["contrast"]))
    for axes, (low, high) in zip(panels, zones, strict=True):
        for number, contrast in enumerate(contrasts):
            own = table[(table["radius_low"] == low) & (table["contrast"] == contrast)]
            colour = plt.get_cmap("viridis")(number / len(contrasts))
            label = f"{10**-contrast:.0%} of the quiet Sun"
            axes.plot(own["area"].to_value("Mm2"), own["found"], "o-", color=colour, markersize=4, label=label)
        axes.axhline(RELIABLE, color="grey", linewidth=0.8, linestyle=":")
        axes.set(xscale="log", xlabel="area of the hole [Mm²]", ylim=(0, 1.02))
        axes.set_title(f"{low:g} to {high:g} R from disc centre", fontsize=10)
    panels[0].set_ylabel("share found")
    panels[-1].legend(title="brightness", fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
