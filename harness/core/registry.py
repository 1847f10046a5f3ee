"""Find a plug-in by name. There is no list: a module of that name in the room is the plug-in.

Packages outside register under the entry-point group `harness.<room>`; a suite's own file is reached as
"checks:MyComparator". Modules are imported at run time, so the static import graph still points down.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import ConfigError, UnknownName


def names(room: str) -> list[str]:
    """Names that `load` accepts for a room, sorted: modules of the room and registered entry points."""
    spec = importlib.util.find_spec(f"harness.{room}")
    folders = list(spec.submodule_search_locations or []) if spec else []
    own = [module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_")]
    return sorted({*own, *(point.name for point in entry_points(group=f"harness.{room}"))})


def load(room: str, name: str, *, where: str = "", suite_folder: Path | None = None, **options: Any) -> Any:
    """Build the plug-in `name` of a room with its options.

    `name` is a module of the room, a registered entry point, or "file:Attribute" beside a suite.
    Raises UnknownName with the names that exist and the nearest one; ConfigError when an option does not fit.
    """
    place = where or f"harness/{room}"
    local = ":" in name
    build = attribute(name, suite_folder=suite_folder, where=place) if local else _builder(room, name, place)
    try:
        return build(**options)
    except TypeError as exc:
        given = ", ".join(sorted(options)) or "none"
        raise ConfigError(f'{place}: "{name}" does not take these options ({given}): {exc}') from exc


def _builder(room: str, name: str, place: str) -> Any:
    if name.isidentifier() and importlib.util.find_spec(f"harness.{room}.{name}") is not None:
        return importlib.import_module(f"harness.{room}.{name}").build
    for point in entry_points(group=f"harness.{room}"):
        if point.name == name:
            return point.load()
    raise UnknownName(place, room.rpartition(".")[2].rstrip("s"), name, names(room))


def attribute(reference: str, *, suite_folder: Path | None, where: str) -> Any:
    """The object behind "file:Attribute", `file` being a Python file beside the suite.

    Raises ConfigError when the file or the attribute is missing, or when no suite folder is known.
    """
    module_name, _, wanted = reference.partition(":")
    if suite_folder is None:
        raise ConfigError(f'{where}: "{reference}" names a file beside a suite, and there is no suite here.')
    path = suite_folder / f"{module_name}.py"
    if not path.is_file():
        raise ConfigError(f'{where}: "{reference}" needs {path}, which does not exist.')
    module = _module(path)
    try:
        return getattr(module, wanted)
    except AttributeError as exc:
        known = [name for name in vars(module) if not name.startswith("_")]
        raise UnknownName(f"{where}: {path.name}", "name", wanted, known) from exc


def _module(path: Path) -> ModuleType:
    name = f"harness_suite_{path.parent.name}_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
