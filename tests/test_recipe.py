"""What conda-forge is told to install is what pip installs."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "recipe" / "recipe.yaml"
# What conda-forge calls a package otherwise, or without the parts that nobody asked for.
CONDA_NAMES = {"astropy": "astropy-base", "matplotlib": "matplotlib-base"}
# Of extras, which conda does not have: the dependency of parfive[ftp].
OF_EXTRAS = {"aioftp"}

RECIPE_PYTHON = re.compile(r'python_min: "([\d.]+)"')

pytestmark = pytest.mark.skipif(not RECIPE.exists(), reason="the recipe is in the repository only")


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def recipe():
    return yaml.safe_load(RECIPE.read_text(encoding="utf-8"))["requirements"]


def pairs_of(requirements):
    """Name and least version of each, extras and markers aside."""
    return dict(re.match(r"([\w.-]+)(?:\[[\w,]+\])?\s*>=\s*([\d.]+)", one).groups() for one in requirements)


def test_recipe_runs_on_what_the_project_depends_on():
    wanted = {
        CONDA_NAMES.get(name, name): floor for name, floor in pairs_of(project()["project"]["dependencies"]).items()
    }
    python, *others = recipe()["run"]
    assert {name: floor for name, floor in pairs_of(others).items() if name not in OF_EXTRAS} == wanted
    floor = project()["project"]["requires-python"].removeprefix(">=")
    assert (python, RECIPE_PYTHON.search(RECIPE.read_text(encoding="utf-8")).group(1)) == (
        "python >=${{ python_min }}",
        floor,
    )


def test_recipe_builds_with_what_the_project_builds_with():
    tools = [one for one in recipe()["host"] if one.startswith("setuptools")]
    assert pairs_of(tools) == pairs_of(project()["build-system"]["requires"])
