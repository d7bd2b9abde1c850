"""What is public tells its types to editors and type checkers, and reads well in the reference."""

import inspect
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sunpy_scss"
MODULES = ["", *sorted(path.parent.name for path in PACKAGE.glob("*/__init__.pyi")), "cli", "images.fido", "synthetic"]


def functions_of(module):
    """Pairs of name and function: the public ones of a module, and the public methods of its classes."""
    module = import_module(".".join(filter(None, ["sunpy_scss", module])))
    for name in sorted(module.__all__):
        found = getattr(module, name)
        if not inspect.isclass(found):
            yield name, found
            continue
        for method, value in vars(found).items():
            value = getattr(value, "fget", None) or getattr(value, "__func__", value)
            written = not is_dataclass(found) if method == "__init__" else not method.startswith("_")
            if written and inspect.isfunction(value):
                yield f"{name}.{method}", value


def is_optional(parameter):
    return parameter.default is not None or any(word in str(parameter.annotation) for word in ("None", "Optional"))


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_have_type_hints(module):
    for name, function in functions_of(module):
        signature = inspect.signature(function)
        parameters = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
        bare = [one.name for one in parameters if one.annotation is inspect.Parameter.empty]
        assert not bare, f"{name} does not tell the types of {', '.join(bare)}"
        assert signature.return_annotation is not inspect.Signature.empty, f"{name} does not tell what it returns"
        assert all(map(is_optional, parameters)), f"{name} has an argument that is None by default, and not as it says"


@pytest.mark.parametrize("module", MODULES)
def test_summaries_of_properties_have_no_colon(module):
    # What stands before it would be set, and linked, as the type of the property.
    module = import_module(".".join(filter(None, ["sunpy_scss", module])))
    classes = [found for found in map(vars(module).get, module.__all__) if inspect.isclass(found)]
    properties = [value for found in classes for value in vars(found).values() if isinstance(value, property)]
    assert not [inspect.getdoc(one) for one in properties if ":" in inspect.getdoc(one).splitlines()[0]]
