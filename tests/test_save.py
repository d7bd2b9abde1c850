"""Files appear whole or not at all."""

import matplotlib.pyplot as plt
import pytest

import sunpy.map
from astropy.io.registry import IORegistryError
from astropy.table import QTable

from sunpy_scss._save import refuse_existing, save_figure, save_map, save_table, save_text
from sunpy_scss.synthetic import synthetic_sun


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
    with pytest.raises(FileExistsError, match=r"there.*--overwrite"):
        refuse_existing(tmp_path / "new", there, overwrite=False)
