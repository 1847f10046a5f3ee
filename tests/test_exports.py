"""The public names are those that are there, and asking for none of them costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness import errors

ROOT = Path(harness.__file__).parent
SUBMODULES = {path.stem for path in ROOT.glob("*.py")} | {path.name for path in ROOT.iterdir() if path.is_dir()}


def declared(path: Path) -> list[str]:
    """`__all__` as it stands in a file."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no __all__")


def test_every_public_name_can_be_imported_and_no_other():
    assert set(harness._HOMES) | {"__version__"} == set(harness.__all__)
    for name in harness.__all__:
        assert getattr(harness, name) is not None, name
    assert set(harness.__all__) <= set(dir(harness))


def test_public_names_are_sorted_each_once_and_hide_no_room():
    assert harness.__all__ == sorted(set(harness.__all__))
    assert not set(harness.__all__) & SUBMODULES


def test_type_checkers_see_the_same_names():
    assert declared(ROOT / "__init__.pyi") == declared(ROOT / "__init__.py") == harness.__all__


def test_every_error_is_public():
    raised = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert raised <= set(harness.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'Nosuch'"):
        _ = harness.Nosuch  # type: ignore[attr-defined]


def test_importing_the_package_loads_none_of_its_rooms():
    code = (
        "import sys, harness; print([name for name in sys.modules if name.startswith('harness.') or name == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "py.typed").is_file()
