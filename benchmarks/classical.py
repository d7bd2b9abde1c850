"""
The threshold method, with the masks that a user gets, against the labels of a folder.

    python benchmarks/classical.py DIR [--split train] [--threshold FRACTION]

DIR holds images/, masks/, rejected/ and index.csv.
"""

import argparse
from pathlib import Path

import numpy as np

from sunpy_scss.masks import iou
from sunpy_scss.segment import threshold_coronal_holes
from sunpy_scss.train import read_folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--threshold", type=float, help="fraction of the disc median")
    options = parser.parse_args()
    found, truth, other = [], [], []
    for one in read_folder(options.folder, options.split):
        found.append(threshold_coronal_holes(one.image, threshold=options.threshold).data > 0)
        truth.append(one.mask.data > 0)
        other.append(np.zeros_like(truth[-1]) if one.rejected is None else one.rejected.data > 0)
    found, truth, other = map(np.array, (found, truth, other))
    scores = [iou(*pair) for pair in zip(truth, found, strict=True)]
    mean, worst = np.mean(scores), min(scores)
    print(f"{len(scores)} images: pooled IoU {iou(truth, found):.4f}, mean {mean:.4f}, worst {worst:.4f}")
    print(f"area found / labelled: {found.sum() / truth.sum():.3f}")
    print(f"share of the hard negatives' area predicted: {(found & other).sum() / other.sum():.4f}")


if __name__ == "__main__":
    main()
