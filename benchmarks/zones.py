"""
Scores of one boundary of a model by place and year, in the figures that the documentation quotes.

    python benchmarks/zones.py MODEL DIR [--part PART] [--boundary NAME] [--label-level N]

DIR holds images/, masks/ and index.csv. Labels of level N or more are inside: with it, a model that draws one boundary
is scored on labels of several.
"""

import argparse
import dataclasses
from pathlib import Path

from sunpy_scss import load_model
from sunpy_scss.models import Boundary
from sunpy_scss.train import evaluate, list_folder, make_dataset

COLUMNS = ("iou", "area_ratio", "hard_negative_fraction", "found", "confirmed", "boundary_on_sky")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="validation")
    parser.add_argument("--boundary")
    parser.add_argument("--label-level", type=int)
    options = parser.parse_args()
    model = load_model(options.model).at(options.boundary)
    if options.label_level is not None:
        one = Boundary("scored", options.label_level, threshold=model.card.threshold)
        model = dataclasses.replace(model, card=dataclasses.replace(model.card, boundaries=(one,)))
    found = evaluate(model, make_dataset(list_folder(options.folder, options.part), model.card))
    print(f"{'':28s} {'images':>6s}", *(f"{name[:11]:>11s}" for name in COLUMNS), "  iou_low  iou_high")
    for row in found.scores:
        values = (float(getattr(row[name], "value", row[name])) for name in COLUMNS)
        ends = f"{row['iou_low']:10.3f}{row['iou_high']:10.3f}"
        zone = f"{row['by'] + ' ' + row['zone']:28s} {row['labelled']:6d}"
        print(zone, *(f"{value:11.3f}" for value in values), ends)
    for name, of in found.flicker.items():
        print(f"flicker, {name}: {of}")
    print(f"calibration error {found.calibration_error:.4f}; best threshold here {found.best_threshold:.2f}")


if __name__ == "__main__":
    main()
