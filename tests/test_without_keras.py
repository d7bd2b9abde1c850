"""A plain installation, without the extra for training, segments, measures, draws and reports."""

import subprocess
import sys

import pytest

BLOCKED = """
import sys
for name in ("keras", "tensorflow", "jax", "torch", "sklearn", "zarr"):
    sys.modules[name] = None
"""

USE = """
from pathlib import Path
from sunpy_scss import list_models, segment_active_regions, segment_coronal_holes
from sunpy_scss.cli import main
from sunpy_scss.images import example_map
from sunpy_scss.masks import region_table
from sunpy_scss.plotting import plot_regions
from sunpy_scss.report import write_report

folder = Path(sys.argv[1])
suns = [example_map(193), example_map(171)]
masks = [segment_coronal_holes(suns[0]), segment_active_regions(suns[1])]
assert all(len(region_table(mask)) for mask in masks)
plot_regions(suns[0], masks[0]).figure.savefig(folder / "regions.png")
write_report(suns, [[mask] for mask in masks], folder / "report.html")
assert main(["models", "show", list_models()[0]]) == 0
assert {path.name for path in folder.iterdir()} >= {"regions.png", "report.html"}
"""

EVERY_MODULE = """
import pkgutil
import sunpy_scss
for found in pkgutil.walk_packages(sunpy_scss.__path__, "sunpy_scss."):
    if found.name != "sunpy_scss.train._keras":
        __import__(found.name)
"""

TRAIN = """
from sunpy_scss.train import scss_net
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", BLOCKED + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [USE, EVERY_MODULE], ids=["used", "every module"])
def test_nothing_is_missed(tmp_path, code):
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_training_says_what_it_needs():
    assert 'pip install "sunpy_scss[train]"' in run(TRAIN).stderr
