"""
Speed, memory and agreement of ways to find coronal holes, on the same files and processors, as a table in reST.

    python benchmarks/side_by_side.py FILE ...

SCSS-Net as published: Pillow to 256 x 256, Keras's ``predict`` of a network of 32 filters, Pillow back. Its weights are
random, which is as fast, so that its masks have no meaning. Multi-Otsu: three classes of the logarithm of the
disc. Processor seconds add up over all processors, so that other work on the machine changes them little.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image
from skimage.filters import threshold_multiotsu
from speed.stages import added_memory

from sunpy_scss import segment_coronal_holes
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.images import read_map
from sunpy_scss.segment import threshold_coronal_holes
from sunpy_scss.train import scss_net

REPEATS = 5


def scss_net_way(smap, network):
    low, high = np.percentile(smap.data, (1, 99))
    grey = (np.clip((smap.data - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    small = np.asarray(Image.fromarray(grey).resize((256, 256)), dtype=np.float32) / 255
    found = network.predict(small[np.newaxis, ..., np.newaxis], verbose=0)[0, ..., 0] >= 0.5
    return np.asarray(Image.fromarray(found).resize(smap.data.shape[::-1], Image.Resampling.NEAREST))


def multi_otsu(smap):
    on_disk = frame_of(smap).radius(*np.ogrid[: smap.data.shape[0], : smap.data.shape[1]]) <= 1
    logarithm = np.log10(np.maximum(smap.data, 1))
    return (logarithm < threshold_multiotsu(logarithm[on_disk], classes=3)[0]) & on_disk


def measured(function):
    """Return the least processor seconds of some warm calls, and the memory that one adds in bytes."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times), added_memory(function)


def agreement(mask, ours):
    both, either = (mask & ours).sum(), (mask | ours).sum()
    return f"{both / either:.2f}" if either else "none"


def rows(path, network):
    smap = read_map(path)
    ours = segment_coronal_holes(smap).data == 1
    ways = {
        "read by sunpy": (lambda: np.sum(read_map(path).data), None),
        "sunpy_scss": (lambda: segment_coronal_holes(smap), ours),
        "SCSS-Net as published": (lambda: scss_net_way(smap, network), None),
        "a threshold (``threshold_coronal_holes``)": (
            lambda: threshold_coronal_holes(smap),
            threshold_coronal_holes(smap).data == 1,
        ),
        "multi-Otsu of scikit-image": (lambda: multi_otsu(smap), multi_otsu(smap)),
    }
    for name, (way, mask) in ways.items():
        seconds, memory = measured(way)
        size = f"{smap.data.shape[0]}²"
        iou = "" if mask is None else agreement(mask, ours)
        yield name, size, f"{seconds:.3f}", f"{memory / 2**20:.0f}", iou


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    network = scss_net((256, 256, 1), filters=32)
    print(".. list-table::\n    :header-rows: 1\n")
    for row in [
        ("", "pixels", "processor seconds", "MiB added", "IoU with ours"),
        *(row for path in parser.parse_args().files for row in rows(path, network)),
    ]:
        print("\n".join(f"    {'*' if not index else ' '} - {cell}".rstrip() for index, cell in enumerate(row)))


if __name__ == "__main__":
    main()
