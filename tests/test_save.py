"""Files appear whole or not at all."""

import os
import subprocess
import sys

import matplotlib.pyplot as plt
import pytest

import sunpy.map
from astropy.io.registry import IORegistryError
from astropy.table import QTable

from sunpy_scss import _save
from sunpy_scss._save import refuse_existing, save_figure, save_map, save_table, save_text, scratch_folder
from sunpy_scss.synthetic import synthetic_sun


def test_a_cell_of_a_csv_file_is_no_formula(tmp_path):
    table = QTable({"file": ["=HYPERLINK(1)", "@a", "a.fits"], "lon": ["-3", "4", "5"], "area": [1.0, 2.0, 3.0]})
    save_table(table, tmp_path / "table.csv")
    rows = (tmp_path / "table.csv").read_text().splitlines()
    assert rows[1:] == ["'=HYPERLINK(1),-3,1.0", "'@a,4,2.0", "a.fits,5,3.0"]
    save_table(table, tmp_path / "table.ecsv")
    assert list(QTable.read(tmp_path / "table.ecsv")["file"]) == list(table["file"])


@pytest.mark.parametrize("name", ["map.fits", "figure.png", "table.ecsv", "text.txt"])
def test_file_in_a_new_folder_replaces_what_is_there(name, tmp_path):
    save, result = {
        "map.fits": (save_map, synthetic_sun(size=32).coronal_holes),
        "figure.png": (save_figure, plt.figure()),
        "table.ecsv": (save_table, QTable({"a": [1]})),
        "text.txt": (save_text, "text"),
    }[name]
    path = tmp_path / "new" / name
    path.parent.mkdir()
    path.write_text("old")
    save(result, path)
    assert path.read_bytes() != b"old"
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_folders_are_made(tmp_path):
    save_text("Å", tmp_path / "one" / "two" / "text.txt")
    assert (tmp_path / "one" / "two" / "text.txt").read_text(encoding="utf-8") == "Å"


def test_a_failure_leaves_what_is_there(tmp_path):
    path = tmp_path / "table.nonsense"
    path.write_text("old")
    with pytest.raises(IORegistryError, match="format"):
        save_table(QTable({"a": [1]}), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_mask_comes_back(tmp_path):
    mask = synthetic_sun(size=32).coronal_holes
    save_map(mask, tmp_path / "mask.fits")
    assert (sunpy.map.Map(tmp_path / "mask.fits").data == mask.data).all()


def test_refuse_existing(tmp_path):
    there = tmp_path / "there"
    there.write_text("")
    refuse_existing(tmp_path / "new", overwrite=False)
    refuse_existing(there, overwrite=True)
    with pytest.raises(FileExistsError, match=r"there.*overwrite=True"):
        refuse_existing(tmp_path / "new", there, overwrite=False)


KILLED = """
import os, signal, sys
from sunpy_scss._save import scratch_folder
with scratch_folder(sys.argv[1]) as folder:
    (folder / "half").write_text("half a file")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nobody can be killed at once there")
def test_what_a_killed_program_left_is_removed_at_the_next_start(tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".sunpy-scss-")
    _save._sweep.cache_clear()
    save_text("text", tmp_path / "text.txt")  # so young that its maker may not have locked it yet
    assert left.is_dir()
    monkeypatch.setattr(_save, "_YOUNG", 0)
    _save._sweep.cache_clear()
    save_text("text", tmp_path / "text.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_what_another_program_is_writing_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(_save, "_YOUNG", 0)
    with scratch_folder(tmp_path) as folder:
        os.utime(folder, (0, 0))
        _save._sweep.cache_clear()
        save_text("text", tmp_path / "text.txt")
        assert folder.is_dir()
