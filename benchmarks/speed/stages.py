"""
The cost of each stage on images of 1024 and 4096 pixels, beside the reading of the file; for airspeed velocity.

    pip install asv
    asv run --quick -E existing:same          # without --quick: quieter figures, some minutes
    asv run --quick -E existing:same --bench Files
"""

import os
from pathlib import Path

import numpy as np

import astropy.units as u
from astropy.io import fits

from sunpy_scss import load_model, predict_probability, region_table, segment_coronal_holes
from sunpy_scss._sun.surface import remove_small_regions, surface_of
from sunpy_scss.batch import BatchOptions, segment_files
from sunpy_scss.canonical._resample import from_canonical
from sunpy_scss.canonical._threshold import above_threshold
from sunpy_scss.images import read_map
from sunpy_scss.segment._input import network_input
from sunpy_scss.synthetic import synthetic_sun

MODEL = "scss-ch-193-5"
FOLDER = Path("speed").absolute()  # asv works in a folder of its own, and removes it


def image_file(size):
    """Write a synthetic Sun as archives deliver images: whole numbers, compressed by Rice's method."""
    path = FOLDER / f"sun{size}.fits"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        sun = synthetic_sun(size=size, wavelength=193 * u.AA).image
        counts = type(sun)(np.rint(sun.data).astype(np.int16), sun.meta)
        counts.save(path, hdu_type=fits.CompImageHDU)
    return path


class Stages:
    """The stages in a warm process."""

    params = (1024, 4096)
    param_names = ("pixels",)
    timeout = 600

    def setup(self, size):
        self.path = image_file(size)
        self.smap = read_map(self.path)
        self.model = load_model(MODEL)
        self.input = network_input((self.smap,), self.model.card)
        self.image = self.input.image[np.newaxis]
        self.found = self.model.predict(self.image)[0, ..., 0]
        self.grid = self.model.card.grid
        self.inside = above_threshold(self.found, self.input.frame, self.grid, threshold=0.5)
        self.mask = segment_coronal_holes(self.smap)

    def time_read(self, size):
        np.sum(read_map(self.path).data)

    def time_network_input(self, size):
        network_input((self.smap,), self.model.card)

    def time_network(self, size):
        self.model.predict(self.image)

    def time_threshold_on_pixels(self, size):
        above_threshold(self.found, self.input.frame, self.grid, threshold=0.5)

    def time_probability_on_pixels(self, size):
        from_canonical(self.found, self.input.frame, self.grid)

    def time_small_regions(self, size):
        remove_small_regions(self.inside, surface_of(self.smap), 1e-3)

    def time_map_to_mask(self, size):
        segment_coronal_holes(self.smap)

    def time_map_to_probability(self, size):
        predict_probability(self.smap, model=MODEL)

    def time_region_table(self, size):
        region_table(self.mask)

    def track_memory_map_to_mask(self, size):
        """Return the added peak of memory over the size of the image as it was read (Linux)."""
        segment_coronal_holes(self.smap)
        return added_memory(lambda: segment_coronal_holes(self.smap)) / self.smap.data.nbytes

    track_memory_map_to_mask.unit = "images"


class Files:
    """The work from files to files: the cost must be linear in their number."""

    params = (1, 4, 16)
    param_names = ("files",)
    timeout = 600

    def setup(self, number):
        image = image_file(1024).read_bytes()
        self.folder = FOLDER / f"files{number}"
        self.folder.mkdir(exist_ok=True)
        self.paths = [self.folder / f"sun{index:04}.fits" for index in range(number)]
        for path in self.paths:
            path.write_bytes(image)
        self.time_files(1)

    def time_files(self, number):
        options = BatchOptions(features=["CH"], overwrite=True)
        segment_files(self.paths[:number], self.folder / "masks", options=options)


class Start:
    """The cost of a command in a new process, beside that of the import it needs."""

    timeout = 600

    def setup(self):
        image_file(1024)

    def timeraw_import_sunpy_map(self):
        return "import sunpy.map"

    def timeraw_import_package(self):
        return "import sunpy_scss"

    def timeraw_segment_one_file(self):
        arguments = ["segment", str(FOLDER / "sun1024.fits"), "--output", str(FOLDER / "masks"), "--overwrite"]
        return f"from sunpy_scss.cli import main; main({arguments})"


def added_memory(function):
    """Return the bytes that a call adds to the memory of the process at its peak; Linux alone tells them."""
    if not os.path.exists("/proc/self/clear_refs"):
        msg = "memory is measured on Linux only"
        raise NotImplementedError(msg)
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest value so far
    before = _memory("VmRSS")
    function()
    return _memory("VmHWM") - before


def _memory(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
