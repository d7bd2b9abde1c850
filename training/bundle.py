"""
A model folder from the weights of a training: calibrated, with thresholds and intervals chosen, and scored.

    python training/bundle.py WEIGHTS RECIPE LABELS OLD OUTPUT

LABELS is what labels.py wrote: its part validation chooses temperature and thresholds, its part test is scored. OLD is
the folder that labels.py read; the default boundary is scored on its labels, too. `--note KEY=TEXT` goes into the card.
"""

import argparse
import csv
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np

import sunpy_scss
from sunpy_scss.models import Model, load_model
from sunpy_scss.models._split import SPLIT_FILE, Split, split_text
from sunpy_scss.models._store import write_card
from sunpy_scss.train import calibrate, list_folder, make_dataset, read_configuration, save_model
from sunpy_scss.train._evaluation import scores_of, threshold_scores
from sunpy_scss.train._weights import build_network


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weights", "recipe", "labels", "old", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--note", action="append", default=[], help="KEY=TEXT for the card's training")
    parser.add_argument(
        "--strict", action="store_true", help="of good thresholds take the highest: fewer hard negatives"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps the images as the network sees them")
    options = parser.parse_args()
    card = read_configuration(options.recipe).card
    network = build_network(card)
    network.load_weights(options.weights)
    save_model(card, network, options.output, overwrite=True)
    model = remembering(load_model(options.output.resolve()))
    caches = {name: options.cache and options.cache / name for name in ("labels", "old")}
    validation, test = (
        make_dataset(list_folder(options.labels, part), card, cache=caches["labels"]) for part in ("validation", "test")
    )
    model = with_thresholds(calibrate(model, validation), validation, strict=options.strict)
    boundaries = [
        dataclasses.replace(one, share=share_of(test, one.level), scores=scores_of(model.at(one.name), test))
        for one in model.card.boundaries
    ]
    scores = {
        "model": boundaries[0].scores,
        # The plain threshold is tuned on the validation part.
        **threshold_scores(*(part.at(card) for part in (validation, test)), card),
        "model on the labels before correction": scores_of(*on_old_labels(model, options.old, caches["old"])),
    }
    card = dataclasses.replace(
        model.card,
        boundaries=boundaries,
        scores=scores,
        version=sunpy_scss.__version__,
        training={**card.training, **dict(note.split("=", 1) for note in options.note)},
    )
    write_card(options.output, card)
    shutil.copyfile(options.recipe, options.output / "train.toml")
    (options.output / SPLIT_FILE).write_text(split_text(split_of(options.labels, options.old)), encoding="utf-8")
    print(json.dumps(card.to_dict(), indent=2))


def remembering(model):
    """Return the model with a memory, so that it computes each set of images only once."""
    known = {}

    def answer(images):
        key = hash(images.tobytes())
        if key not in known:
            known[key] = model.predict(images)
        return known[key]

    return Model(model.card, answer)


def with_thresholds(model, dataset, *, strict):
    """
    Return the model with chosen thresholds.

    Candidates are those with the highest IoU or less than 0.005 below. The one nearest to one half is taken, or if
    strict the highest. None is lower than that of the boundary around it.
    """
    levels = np.arange(0.3, 0.71, 0.05)
    best = {}
    for boundary in model.card.boundaries:
        alone = model.at(boundary.name)
        those = [dataclasses.replace(boundary, threshold=float(level)) for level in levels]
        scores = [
            scores_of(Model(dataclasses.replace(alone.card, boundaries=(one,)), alone.predict), dataset)["iou"]
            for one in those
        ]
        good = levels[np.array(scores) > max(scores) - 0.005]
        best[boundary.level] = float(good[-1] if strict else good[np.argmin(np.abs(good - 0.5))])
        print(boundary.name, best[boundary.level], max(scores))
    inwards = dict(zip(sorted(best), np.maximum.accumulate([best[level] for level in sorted(best)]), strict=True))
    boundaries = [
        dataclasses.replace(one, threshold=round(float(inwards[one.level]), 3)) for one in model.card.boundaries
    ]
    return Model(dataclasses.replace(model.card, boundaries=boundaries), model.predict)


def share_of(dataset, level):
    """Return the mean area of the labels inside a boundary, in percent of the disc."""
    labels = dataset.nested[level]
    shares = [(labels[at] >= 0.5)[dataset.disk].mean() for at in range(len(dataset))]
    return round(100 * float(np.mean(shares)), 2)


def split_of(labels, old):
    """Return the images that the model has seen; it started from one trained on the training part of OLD."""
    rows = read_index(labels)
    parts = {
        part: tuple((row["key"], row["date"]) for row in rows if row["split"] == part)
        for part in ("train", "validation", "test")
    }
    earlier = tuple((row["key"], row["date"]) for row in read_index(old) if row["split"] == "train")
    return Split(**parts, earlier=earlier)


def read_index(folder):
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def on_old_labels(model, folder, cache):
    """Return the model of the default boundary, and the data set of the labels that were there before."""
    alone = model.at(model.card.scored)
    one = dataclasses.replace(alone.card.boundaries[0], level=1)
    card = dataclasses.replace(alone.card, boundaries=(one,))
    return Model(card, alone.predict), make_dataset(list_folder(folder, "validation"), card, cache=cache)


if __name__ == "__main__":
    main()
