"""
The rate from image files to written masks, and the time and memory by their number.

    python benchmarks/throughput.py images/*.fits                   # a folder of 1024 x 1024 images
    python benchmarks/throughput.py images/*.fits --files 64 256 1000 --jobs 1 2 --zarr --regions

It prints the time on the clock and that of the processors, imports included, which other programs disturb less. The
increase of the latter with the number is the cost of an image. Images are linked under other names until there are
enough.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUN = """
import json, resource, sys, time
from pathlib import Path

from sunpy_scss.batch import BatchOptions, segment_files

if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    begin, moments = time.perf_counter(), []
    options = BatchOptions(features=["CH"], jobs=settings["jobs"], regions=settings["regions"],
                           notify=lambda outcome: moments.append(time.perf_counter()))
    segment_files(settings["images"], settings["output"], options=options)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({
        "seconds": moments[-1] - begin,
        "start": moments[0] - begin,
        "cpu": sum(one.ru_utime + one.ru_stime for one in used),
        "mib": max(one.ru_maxrss for one in used) / 1024,
    }))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--files", nargs="+", type=int, default=[64, 128, 256])
    parser.add_argument("--jobs", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--zarr", action="store_true", help="into a store instead of FITS files")
    parser.add_argument("--regions", action="store_true", help="with the table of regions")
    options = parser.parse_args()
    titles = ("images", "jobs", "all (s)", "first (s)", "images/s then", "processor (s)", "peak (MiB)")
    print("".join(f"{title:>14}" for title in titles))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "run.py")
        script.write_text(RUN)
        for jobs in options.jobs:
            used = []
            for count in options.files:
                found = measure(script, options, count, jobs)
                rate = (count - 1) / (found["seconds"] - found["start"])
                values = (count, jobs, found["seconds"], found["start"], rate, found["cpu"], found["mib"])
                print("".join(f"{value:14.5g}" for value in values), flush=True)
                used.append(found["cpu"])
            if len(used) > 1:
                print(line(options.files, used))
    print(f"reading alone: {reading_rate(options.images):.1f} images/s")


def line(counts, used):
    """Return the cost of an image, and the deviation of the cost of many from a line in their number."""
    (slope, start), off = np.polyfit(counts, used, 1), ""
    if len(counts) > 2:
        off = f", at most {np.abs(used / np.polyval((slope, start), counts) - 1).max():.1%} off a line"
    return f"processor time: {start:.3g} s and {slope:.3g} s for each image{off}"


def measure(script, options, count, jobs):
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, "images")
        images.mkdir()
        for number in range(count):
            (images / f"{number:06d}.fits").symlink_to(options.images[number % len(options.images)].resolve())
        output = Path(folder, "masks.zarr" if options.zarr else "masks")
        settings = {"images": str(images), "output": str(output), "jobs": jobs, "regions": options.regions}
        run = [sys.executable, "-W", "ignore", str(script), json.dumps(settings)]
        return json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def reading_rate(images):
    """Return the number of images that sunpy reads in a second, in one process."""
    from sunpy_scss.images import read_map

    read_map(images[0])
    begin = time.perf_counter()
    for path in images:
        read_map(path).data.sum()
    return len(images) / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
