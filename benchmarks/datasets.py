"""
Memory and time to make a data set, and the savings by a cache, as ratios in one run.

    python benchmarks/datasets.py [--images N]

It labels synthetic Suns, and makes data sets of N / 10 and of N of them with a cache, then the latter once more.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sunpy_scss.models import load_model
from sunpy_scss.synthetic import synthetic_sun
from sunpy_scss.train import LabelledFiles, make_dataset


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(Path(options.measure[0]), int(options.measure[1]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sun = synthetic_sun(size=512)
        sun.image.save(folder / "image.fits")
        sun.coronal_holes.save(folder / "mask.fits")
        few, many, again = (in_new_process(folder, n) for n in (options.images // 10, options.images, options.images))
    print(f"peak memory, {options.images} to {options.images // 10} images: {many[0] / few[0]:.2f}")
    print(f"time, {options.images} images from files to the same from the cache: {many[1] / again[1]:.0f}")


def in_new_process(folder, n):
    """Return peak memory and time of one data set, in a new process, as the peak of a process never falls."""
    command = [sys.executable, __file__, "--measure", str(folder), str(n)]
    return [float(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def measure(folder, n):
    # Each image has a file, and so a fingerprint, of its own.
    for number in range(n):
        link = folder / f"{number}.fits"
        if not link.exists():
            link.write_bytes((folder / "image.fits").read_bytes())
    files = [LabelledFiles(str(number), folder / f"{number}.fits", folder / "mask.fits") for number in range(n)]
    card = load_model("scss-ch-193-5").card
    start = time.perf_counter()
    make_dataset(files, card, cache=folder / "cache")
    seconds = time.perf_counter() - start
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, seconds)


if __name__ == "__main__":
    main()
