"""
Who may import whom inside the package, read from the source. A room is a folder of the package or a single file.
"""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "sunpy_scss"

# Imports go downwards only, never to a neighbour in the same row.
ROWS = [
    {"cli"},
    {"batch"},
    {"label", "report"},
    {"evolution", "hek", "plotting", "train"},
    {"masks", "segment"},
    {"annotations", "images", "synthetic"},
    {"_mask_map", "_sun", "models"},
    {"canonical"},
    {"_provenance"},
    {"_arguments", "_features", "_save", "_warn"},
    {"exceptions"},
    {"__init__"},
]
ROW_OF = {room: number for number, row in enumerate(ROWS) for room in row}
ROOMS = sorted(
    path.name.removesuffix(".py")
    for path in PACKAGE.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
)
FACES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.pyi"))

# Pure array code sees nothing of the solar world.
PURE = {"label/_session", "masks/_metrics", "canonical/_grid", "canonical/_limb", "train/_augment"}
KERAS = {"keras", "tensorflow"}
HEAVY = ["tensorflow", "keras", "sunpy.map", "reproject", "skimage", "matplotlib"]


def files_of(room):
    return sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]


def name_of(path):
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


FILES = sorted(name_of(path) for room in ROOMS for path in files_of(room))


def imports_of(name):
    """Pairs of (dotted name, whether it is imported when the file is) for each import in a file, type hints aside."""
    found = []

    def visit(node, at_import):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.extend((f"{node.module}.{alias.name}", at_import) for alias in node.names)
        inside = at_import and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8")), True)
    return found


def rooms_reached(name):
    """Rooms that a file imports from; `import sunpy_scss`, for the version, is the package itself."""
    parts = [dotted.split(".") for dotted, _ in imports_of(name) if dotted.startswith("sunpy_scss.")]
    return {part[1] for part in parts if part[1] in ROW_OF}


def outer_imports(name):
    """Top-level names from outside the package and the standard library."""
    return {dotted.split(".")[0] for dotted, _ in imports_of(name)} - {"sunpy_scss"} - set(sys.stdlib_module_names)


def test_each_room_has_a_place():
    assert set(ROOMS) == set(ROW_OF), "decide in which row a new room stands"


def test_arrows_point_down():
    for name in FILES:
        room = name.split("/")[0]
        for target in rooms_reached(name) - {room}:
            assert ROW_OF[target] > ROW_OF[room], f"{name} must not import from {target}"


def test_a_wall_around_what_needs_keras():
    for name in set(FILES) - {"train/_keras"}:
        room = name.split("/")[0]
        assert not outer_imports(name) & KERAS, f"{name} must not import Keras"
        assert room in ("train", "cli") or "train" not in rooms_reached(name), f"{name} must do without training"
        reached = [now for dotted, now in imports_of(name) if dotted.startswith("sunpy_scss.train._keras")]
        assert room == "train" or not reached, f"{name} must go through train"
        assert not any(reached), f"{name} must import it inside the function that needs it"


def test_no_file_imports_itself_by_way_of_others():
    arrows = {f"sunpy_scss.{name.replace('/', '.')}": set() for name in FILES}
    for file, targets in arrows.items():
        name = file.removeprefix("sunpy_scss.").replace(".", "/")
        targets |= {dotted.rpartition(".")[0] for dotted, _ in imports_of(name)} & set(arrows) - {file}
    TopologicalSorter(arrows).prepare()


def test_header_keywords_in_one_file():
    """Docstrings may name them; code asks a Provenance."""
    for name in FILES:
        if name.startswith("batch/"):  # still to be moved
            continue
        tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
        spelled = [text for text in texts if isinstance(text, str) and re.search(r"\b(SCSS|HEK)[A-Z]{2,5}\d?\b", text)]
        assert name == "_provenance" or not spelled, f"{name} spells {spelled}; ask sunpy_scss._provenance.Provenance"


def test_pure_files_know_arrays_only():
    for name in PURE:
        assert outer_imports(name) <= {"numpy", "scipy", "skimage"}, f"{name} must know arrays only"


def test_no_door_beside_the_face():
    for name in FILES:
        room, *file = name.split("/")
        if file and room not in ("_sun", "cli") and name != "images/fido":
            assert file[0].startswith("_"), f"{name}: what is public is named in {room}/__init__.pyi"


def test_faces_name_what_is_there():
    for face in FACES:
        module = import_module(f"sunpy_scss.{face}")
        assert module.__all__
        assert all(hasattr(module, name) for name in module.__all__), face


def test_import_is_light():
    faces = ", ".join(f"sunpy_scss.{face}" for face in FACES)
    code = f"import sys, sunpy_scss, {faces}; print(*[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
