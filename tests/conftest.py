import os
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(scope="session")
def shared_data():
    """Folder with real observations and annotations, which are other people's files and not ours to ship."""
    folder = os.environ.get("SUNPY_SCSS_TEST_DATA")
    if not folder:
        pytest.skip("the environment variable SUNPY_SCSS_TEST_DATA names no folder with real observations")
    folder = Path(folder)
    if not folder.is_dir():
        msg = f"SUNPY_SCSS_TEST_DATA must name a folder (got {folder})"
        raise FileNotFoundError(msg)
    return folder


@pytest.fixture(autouse=True)
def _close_figures():
    """Close what a test has drawn: from the twenty-first open figure on matplotlib warns."""
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
