"""
Fine-tuning to another convention: on the first masks of another program, scored on later ones.

    python benchmarks/fine_tuning.py FITS MASKS OUTPUT

FITS is a folder of AIA 193 images, MASKS a file of numpy with their names, `files`, and for each program the masks,
packed along the last axis. The model is trained on the images up to DATE, with one in four of them for validation. It
is scored on those from 14 days later on.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

import sunpy.map
from astropy.time import Time

from sunpy_scss.models import Model, load_model
from sunpy_scss.train import Configuration, LabelledMap, make_dataset, train_model
from sunpy_scss.train._evaluation import scores_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("fits", "masks", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--programs", nargs="+", default=["spoca", "acwe", "pycatch"])
    parser.add_argument("--images", nargs="+", type=int, default=[2, 4, 8])
    parser.add_argument("--start", default="scss-ch-193-5")
    parser.add_argument("--until", default="2017-02-02", metavar="DATE")
    parser.add_argument("--epochs", type=int, default=Configuration.starting_from("scss-ch-193-5", "any").epochs)
    options = parser.parse_args()
    start = load_model(options.start)
    for program in options.programs:
        dataset = make_dataset(labelled(options.fits, options.masks, program), start.card)
        days = dataset.dates.mjd - Time(options.until).mjd
        known, later = np.flatnonzero(days < 0), dataset[days >= 14]
        for boundary in start.card.boundaries:
            alone = start.at(boundary.name)
            scores = scores_of(Model(start.at().card, alone.predict), later)
            print(f"{program}: {options.start} at {boundary.name}: {said(scores)}", flush=True)
        for number in options.images:
            chosen = known[np.linspace(0, len(known) - 1, number).round().astype(int)]
            kept = np.arange(number) % 4 == 1
            began = time.monotonic()
            model = train_model(
                configuration(options, f"{program}-{number}"),
                dataset[chosen[~kept]],
                dataset[chosen[kept]],
                options.output / f"{program}-{number}",
                test=later,
            )
            seconds = time.monotonic() - began
            scores = model.card.scores["test"]
            print(f"{program}: after {number} images, {seconds:.0f} s: {said(scores)}", flush=True)


def configuration(options, name):
    start = Configuration.starting_from(options.start, name)
    return dataclasses.replace(start, epochs=options.epochs, gap_days=0.0)


def said(scores):
    return f"mean IoU {scores['mean_iou']:.3f}, pooled {scores['iou']:.3f} ({scores['images']} images)"


def labelled(folder, path, program):
    with np.load(path) as file:
        names, masks = file["files"], np.unpackbits(file[program], axis=-1)
    for name, mask in zip(names, masks, strict=True):
        smap = sunpy.map.Map(folder / str(name))
        yield LabelledMap(str(name), smap, sunpy.map.Map(mask.astype(np.int16), smap.wcs))


if __name__ == "__main__":
    main()
