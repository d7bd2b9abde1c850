"""
Who may import whom inside the package, read from the source.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sunpy_scss"

# Imports go downwards only, never to a neighbour in the same row.
ROWS = [
    {"cli", "__init__"},
    {"_mask_commands"},
    {"pipeline"},
    {"report", "mask_files", "hek_files", "evolution_files"},
    {"_report_pictures"},
    {"compare", "evolution", "evaluation", "plotting", "pairs", "exports", "_scenes"},
    {"_plot_evolution"},
    {"_plot_maps", "_plot_scores", "_hek_writing"},
    {
        *("segment", "classical", "hek", "annotations", "properties", "reprojection", "train", "images", "fido"),
        *("synthetic", "disk", "filaments", "_doubts"),
    },
    {"_datasets", "_configuration"},
    {
        *("_input", "_scores", "calibration", "_hek_client", "_hek_choice", "_hek_shapes", "_browse", "_archives"),
        *("_polygons",),
    },
    {"_measures", "_hek_records", "_tracking", "_carrington", "_outlines"},
    {"_regions", "_transfer"},
    {"models", "_grid", "_files", "_surface", "_splits", "_canonical_cache"},
    {"saving"},
    {"_pixels", "_augment", "_jp2", "_limb", "_label_files", "_html", "metrics", "exceptions"},
    {"network"},
]
ROW_OF = {name: number for number, row in enumerate(ROWS) for name in row}

# The bottom rows see nothing of the solar world, and Keras lives in one module.
THIRD_PARTY = {
    "_augment": {"numpy", "scipy", "skimage"},
    "_pixels": {"numpy", "scipy", "skimage"},
    "_html": set(),
    "_limb": {"numpy", "scipy", "skimage"},
    "metrics": {"numpy", "scipy", "skimage"},
    "exceptions": {"numpy", "scipy", "skimage", "sunpy"},
    "network": {"keras", "numpy"},
}
ONLY_IN_NETWORK = {"keras", "tensorflow"}
MAY_REACH_NETWORK = {"models", "train"}

MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))


def imports_of(name):
    """Pairs of (dotted name, whether it is imported when the module is) for each import in a module."""
    tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
    found = []

    def visit(node, at_import):
        if isinstance(node, ast.Import):
            found.extend((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "sunpy_scss" + (f".{node.module}" if node.module else "") if node.level else node.module
            found.extend((f"{base}.{alias.name}", at_import) for alias in node.names)
        inside = at_import and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(tree, True)
    return found


def inner_imports(name):
    """Modules of the package that a module imports, with whether at import."""
    inner = [(dotted, now) for dotted, now in imports_of(name) if dotted.startswith("sunpy_scss.")]
    pairs = {(dotted.split(".")[1], now) for dotted, now in inner}
    # `from sunpy_scss import __version__` is the package itself, which costs nothing.
    return {(module, now) for module, now in pairs if (PACKAGE / f"{module}.py").exists()}


def outer_imports(name):
    """Top-level names from outside the package and the standard library."""
    roots = {dotted.split(".")[0] for dotted, _ in imports_of(name)}
    return roots - {"sunpy_scss"} - set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", MODULES)
def test_module_has_a_place(name):
    assert name in ROW_OF, f"{name}.py stands in no row of the table: decide who may import it"


@pytest.mark.parametrize("name", MODULES)
def test_arrows_point_down(name):
    for target, _ in inner_imports(name):
        assert ROW_OF[target] > ROW_OF[name], f"{name} must not import {target}"


def test_package_imports_none_of_its_modules_at_once():
    assert not [module for module, now in inner_imports("__init__") if now]


@pytest.mark.parametrize("name", MODULES)
def test_network_is_reached_from_inside_functions_only(name):
    for target, now in inner_imports(name):
        if target == "network":
            assert name in MAY_REACH_NETWORK, f"{name} must go through models or train"
            assert not now, f"{name} must import network inside the function that needs it"


@pytest.mark.parametrize("name", MODULES)
def test_keras_in_one_module(name):
    if name != "network":
        assert not outer_imports(name) & ONLY_IN_NETWORK


@pytest.mark.parametrize("name", [name for name in MODULES if name in THIRD_PARTY])
def test_bottom_rows_are_pure(name):
    assert outer_imports(name) <= THIRD_PARTY[name]


def test_import_is_light():
    heavy = ["tensorflow", "keras", "sunpy.map", "reproject", "skimage", "matplotlib"]
    code = f"import sys, sunpy_scss; print(*[name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
