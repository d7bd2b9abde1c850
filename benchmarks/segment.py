"""
Time and memory of segmenting one full-resolution Map, beside what sunpy takes to read the same file.

    python benchmarks/segment.py            # a synthetic Sun of 4096 x 4096
    python benchmarks/segment.py FILE       # an image of yours
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import astropy.units as u

from sunpy_scss import predict_probability, segment_active_regions, segment_coronal_holes
from sunpy_scss.images import read_map
from sunpy_scss.synthetic import synthetic_sun

REPEATS = 7


def median_seconds(function):
    """Median wall time of some calls after one to warm up."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def added_memory(function):
    """Bytes by which the peak of a warm call lies above what the process held before (Linux)."""
    function()
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest value so far
    before = memory("VmRSS")
    function()
    return memory("VmHWM") - before


def memory(key):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    msg = f"no {key} in /proc/self/status"
    raise RuntimeError(msg)


def import_seconds(code):
    """Median wall time of a fresh interpreter that runs this code."""
    return median_seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--feature", choices=("CH", "AR"), default="CH")
    options = parser.parse_args()
    segment = {"CH": segment_coronal_holes, "AR": segment_active_regions}[options.feature]
    with tempfile.TemporaryDirectory() as folder:
        path = options.file
        if path is None:
            path = Path(folder) / "sun.fits"
            synthetic_sun(size=4096, wavelength={"CH": 193, "AR": 171}[options.feature] * u.AA).image.save(path)
        report(path, segment)


def report(path, segment):
    smap = read_map(path)
    model = segment(smap).meta["SCSSMOD"]
    reading = median_seconds(lambda: np.sum(read_map(path).data))
    whole = median_seconds(lambda: segment(smap))
    probability = median_seconds(lambda: predict_probability(smap, model=model))
    size = smap.data.size * 8
    added = added_memory(lambda: segment(smap))
    bare, ours = import_seconds("pass"), import_seconds("import sunpy_scss")
    print(f"{path.name}: {smap.data.shape[0]} x {smap.data.shape[1]} {smap.data.dtype}, model {model}")
    print(f"read by sunpy             {reading:7.3f} s")
    print(f"segment, warm             {whole:7.3f} s  = {whole / reading:5.2f} x reading")
    print(f"  without clean-up        {probability:7.3f} s")
    print(f"memory added by it        {added / 2**20:7.0f} MiB = {added / size:5.2f} x the image in float64")
    print(f"import sunpy_scss         {ours - bare:7.3f} s more than bare Python ({bare:.3f} s)")


if __name__ == "__main__":
    main()
