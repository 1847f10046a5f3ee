"""Every plug-in room: each module says what it is, builds what its socket takes, and has a test file of its name."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import harness
from harness.config import SideSettings
from harness.core import registry
from harness.core.call import Side
from harness.core.protocols import Comparator, Labeller, Pair, Reporter, Service
from harness.core.traffic import Switch
from harness.recordings.formats import Format

HOUSE = Path(harness.__file__).parent
TESTS = Path(__file__).parent
SETTINGS = SideSettings(side=Side.SOURCE, cloud="aws", endpoint="visits", region="us-east-1")

# room -> (socket, what its plug-ins can be built with). A new room of plug-ins is a new line here.
ROOMS = {
    "comparators": (Comparator, {}),
    "pairs": (Pair, {}),
    "recordings.formats": (Format, {}),
    "reporters": (Reporter, {}),
    "services": (Service, {"settings": SETTINGS}),
    "switches": (Switch, {}),
}
# What a plug-in cannot be built without, where its room's options are not enough.
OPTIONS: dict[str, dict[str, object]] = {
    "switches.azureml": {"settings": SETTINGS, "endpoint": "visits"},
    "command": {"read": ["router", "get"], "set": ["router", "set", "{target}"]},
    "entry_point": {"call": "tests.run.routed:Router"},
    "flagd": {"file": "flags.json", "flag": "answers-from"},
    "by_slice": {"slice": "kind", "values": {"label": {"use": "class_label"}}},
    "chat_label": {"labels": ["yes", "no"]},
    "rubric_judge": {
        "rubric": "An answer is worse where it states something false.",
        "service": "azure_openai",
        "endpoint": "judge",
        "vendor": "a third",
        "source_vendor": "one",
        "target_vendor": "another",
    },
    "sagemaker_to_azureml": {"columns": ["age", "income"]},
}


def folder(above: Path, room: str) -> Path:
    return above.joinpath(*room.split("."))


def modules(room: str) -> list[str]:
    """Names of the plug-ins of a room, as the registry finds them in the package."""
    return [one.name for one in pkgutil.iter_modules([str(folder(HOUSE, room))]) if not one.name.startswith("_")]


PLUG_INS = [(room, name) for room in ROOMS for name in modules(room)]


def test_rooms_are_not_empty():
    assert all(modules(room) for room in ROOMS)


def test_every_module_that_builds_lives_in_a_plug_in_room():
    """A room of plug-ins that nobody wrote down above would be walked by no test."""
    builders = {
        next((room for room in ROOMS if path.is_relative_to(folder(HOUSE, room))), path.relative_to(HOUSE).parts[0])
        for path in HOUSE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "build"
    }
    assert builders == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for_and_how_to_add_to_it(room: str):
    said = importlib.import_module(f"harness.{room}").__doc__ or ""
    assert "To add " in said
    assert "build(" in said


@pytest.mark.parametrize(("room", "name"), PLUG_INS)
def test_a_plug_in_says_what_it_is(room: str, name: str):
    module = importlib.import_module(f"harness.{room}.{name}")
    first = (module.__doc__ or "").splitlines()[0]
    assert len(first) > 20
    assert first.endswith((".", ":", ",")) or len(first) > 80


@pytest.mark.parametrize(("room", "name"), PLUG_INS)
def test_a_plug_in_fits_its_socket(room: str, name: str):
    socket, options = ROOMS[room]
    built = registry.load(room, name, **{**options, **OPTIONS.get(name, OPTIONS.get(f"{room}.{name}", {}))})
    assert isinstance(built, socket)
    if room != "services" and room != "reporters":
        assert built.name == name, "its file name is its word in suite files and reports"
    if isinstance(built, Pair):
        assert {built.source, built.target} <= set(modules("services"))
        assert name == f"{built.source}_to_{built.target}"
    if isinstance(built, Comparator | Labeller) and room == "comparators":
        assert built.signature().partition("|")[0] == name


@pytest.mark.parametrize(("room", "name"), PLUG_INS)
def test_a_plug_in_has_tests_of_its_name(room: str, name: str):
    assert (folder(TESTS, room) / f"test_{name}.py").is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_an_unknown_plug_in_names_the_nearest(room: str):
    name = modules(room)[0]
    with pytest.raises(harness.UnknownName, match=f'Did you mean "{name}"'):
        registry.load(room, f"{name}x")


def test_a_pair_answers_in_both_directions():
    """A rollback rehearsal needs the way back."""
    pairs = set(modules("pairs"))
    assert {"_to_".join(reversed(name.split("_to_"))) for name in pairs} == pairs
