"""
The masks of whole Maps that a user gets, against the labels of the validation part.

    python benchmarks/validate.py MODEL DIR [--samples N] [--threshold P] [--plots FOLDER]

DIR holds images/, masks/, rejected/ and index.csv. With --plots each image is drawn with the outlines of label (white),
hard negatives (yellow) and mask, the worst first.
"""

import argparse
from pathlib import Path

import numpy as np

from sunpy_scss import load_model, segment_active_regions, segment_coronal_holes
from sunpy_scss._save import save_figure
from sunpy_scss.masks import iou
from sunpy_scss.plotting import plot_masks
from sunpy_scss.train import read_folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--plots", type=Path)
    options = parser.parse_args()
    feature = load_model(options.model).card.feature
    segment = {"CH": segment_coronal_holes, "AR": segment_active_regions}[feature]
    labelled = list(read_folder(options.folder, "validation"))
    masks = segment(
        [one.image for one in labelled], model=options.model, threshold=options.threshold, samples=options.samples
    )
    found = np.array([mask.data > 0 for mask in masks])
    truth = np.array([one.mask.data > 0 for one in labelled])
    blank = np.zeros_like(truth[0])
    other = np.array([blank if one.rejected is None else one.rejected.data > 0 for one in labelled])
    scores = [iou(*pair) for pair in zip(truth, found, strict=True)]
    mean, worst = np.mean(scores), min(scores)
    print(f"{len(labelled)} images: pooled IoU {iou(truth, found):.4f}, mean {mean:.4f}, worst {worst:.4f}")
    print(f"area found / labelled: {found.sum() / truth.sum():.3f}")
    if other.any():
        print(f"share of the hard negatives' area predicted: {(found & other).sum() / other.sum():.4f}")
        doubtful = other & labelled_nearby(labelled, truth)
        shares = [(some & doubtful).sum() / some.sum() for some in (other, other & found)]
        print("of all hard negatives and of those predicted, labelled in an image at most two days away:", end=" ")
        print(", ".join(f"{share:.4f}" for share in shares))
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        for rank, index in enumerate(np.argsort(scores)):
            name = f"{rank:03d}_{scores[index]:.2f}_{labelled[index].key}.png"
            draw(labelled[index], masks[index], options.plots / name)


def labelled_nearby(labelled, truth):
    """Return the pixels that another image at most two days before or after has labelled, (n, ny, nx)."""
    days = np.array([one.image.date.mjd for one in labelled])
    near = (np.abs(days[:, np.newaxis] - days) <= 2.1) & ~np.eye(len(days), dtype=bool)
    return np.array([truth[others].any(axis=0) for others in near])


def draw(one, mask, path):
    axes = plot_masks(one.image, mask)
    for label, colour in ((one.mask, "white"), (one.rejected, "yellow")):
        if label is not None and label.data.any():
            axes.contour(label.data, levels=[0.5], colors=colour, linewidths=0.8)
    save_figure(axes.figure, path)


if __name__ == "__main__":
    main()
