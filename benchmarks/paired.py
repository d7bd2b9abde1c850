"""
Two models on the same labelled images: the differences of their scores, with intervals.

    python benchmarks/paired.py FIRST SECOND DIR

FIRST and SECOND are names or folders of models for one grid and stretch; DIR holds images/, masks/, rejected/ and
index.csv. Whole blocks of 14 days are drawn, the same for both models. Images that are hard for one are hard for the
other, so that the interval of the difference is narrower than that of either score.
"""

import argparse

import numpy as np

import astropy.units as u

from sunpy_scss.models import load_model
from sunpy_scss.train import evaluate, list_folder, make_dataset


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("folder")
    options = parser.parse_args()
    models = [load_model(name) for name in (options.first, options.second)]
    dataset = make_dataset(list_folder(options.folder, "validation"), models[0].card)
    evaluations = [evaluate(model, dataset, block_length=14 * u.day) for model in models]
    blocks = np.array(evaluations[0].images["block"])
    counts = [pixels(dataset, evaluation.predicted) for evaluation in evaluations]
    first, second = (scores(of_model.sum(axis=0)) for of_model in counts)
    rng = np.random.default_rng(0)
    number = blocks.max() + 1
    drawn = [np.bincount(rng.integers(number, size=number), minlength=number)[blocks] for _ in range(2000)]
    differences = [scores(weights @ counts[1]) - scores(weights @ counts[0]) for weights in drawn]
    low, high = np.nanpercentile(differences, (2.5, 97.5), axis=0)
    for name, *values in zip(("pooled IoU", "hard negatives predicted"), first, second, low, high, strict=True):
        print("{}: {:.4f} -> {:.4f}, difference {:+.4f} to {:+.4f} (95 %, {} blocks)".format(name, *values, number))


def pixels(dataset, predicted):
    """Return intersection and union with the label, predicted hard negatives, hard negatives; (n, 4)."""
    labelled = (np.asarray(dataset.labels) >= 0.5)[:, dataset.disk]
    rejected = (np.asarray(dataset.rejected) >= 0.5)[:, dataset.disk] & ~labelled
    predicted = predicted[:, dataset.disk]
    parts = (labelled & predicted, labelled | predicted, rejected & predicted, rejected)
    return np.stack([part.sum(axis=1) for part in parts], axis=1).astype(float)


def scores(counts):
    both, either, hard_negative_fraction, rejected = counts
    return np.array([both / either, hard_negative_fraction / rejected if rejected else np.nan])


if __name__ == "__main__":
    main()
