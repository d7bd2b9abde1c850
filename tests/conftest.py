import os
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import pytest

from astropy.utils import iers

matplotlib.use("Agg")
# Older releases of astropy ask for the rotation of the Earth on the web where newer ones know it.
iers.conf.auto_download = False


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run two files at a time where pytest-xdist is installed: half the time on two cores."""
    option = config.option
    if hasattr(config, "workerinput"):  # this is one of the two
        return
    if getattr(option, "numprocesses", 0) is None and not (option.tx or option.usepdb or option.collectonly):
        option.numprocesses, option.dist = 2, "loadfile"
        # Each has a core; threads beyond it wait for each other, and take time of the processor to do so.
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_report_header(config):
    """Say which package is tested, and refuse that of another checkout."""
    package = Path(find_spec("sunpy_scss").origin).parent
    if package.parent != config.rootpath and (package.parent / "pyproject.toml").exists():
        msg = f"The tests of {config.rootpath} would run on the package in {package}; set PYTHONPATH={config.rootpath}."
        raise pytest.UsageError(msg)
    return f"sunpy_scss: {package}"


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
