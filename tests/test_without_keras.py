"""A plain installation, without the extra for training, segments, measures, draws and reports."""

import subprocess
import sys

BLOCKED = """
import sys


class Missing:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("keras", "tensorflow", "jax", "torch", "sklearn", "zarr"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
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

TRAIN = """
from sunpy_scss.train import scss_net
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", BLOCKED + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nothing_is_missed(tmp_path):
    done = run(USE, tmp_path)
    assert done.returncode == 0, done.stderr


def test_training_says_what_it_needs():
    assert 'pip install "sunpy_scss[train]"' in run(TRAIN).stderr
