"""The command itself: quick to answer, honest in its exit codes, one JSON document at a time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.cli import COMMANDS
from tests.small.project import ROOT, Project

HEAVY = [
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "boto3",
    "botocore",
    "azure.ai.ml",
    "urllib3",
    "pytest",
    "sklearn",
    "tomllib",
    "asyncio",
]
HELP = f"""
import contextlib, io, sys
from harness.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_help_loads_nothing_that_takes_time():
    done = subprocess.run([sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_command_and_the_exit_codes(numbers: Project):
    done = numbers.parity("--help")
    assert done.code == 0
    assert all(f"\n    {name} " in done.out or f"\n    {name}\n" in done.out for name in COMMANDS)
    assert "0 GO, 1 NO-GO, 2 usage or harness error, 3 INCONCLUSIVE" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(numbers: Project, command):
    done = numbers.parity(command, "--help")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("words", [(), ("nosuch",), ("run", "--nosuch"), ("lab",), ("schema", "nosuch")])
def test_wrong_usage_exits_2(numbers: Project, words):
    done = numbers.parity(*words)
    assert (done.code, done.out) == (2, "")
    assert "usage: parity" in done.err


def test_a_gate_that_is_asked_nothing_says_what_to_name(numbers: Project):
    done = numbers.parity("gate")
    assert (done.code, done.out) == (2, "")
    assert "name runs, or a cutover.toml with --policy" in done.err


def test_outside_a_project_it_says_where_one_begins(numbers: Project):
    (numbers.folder / "parity.toml").unlink()
    done = numbers.parity("gate", "some-run")
    assert done.code == 2
    assert "no parity.toml here or in any folder above" in done.err
    assert "Traceback" not in done.err


def test_an_exception_that_nobody_expected_exits_2_and_says_so(numbers: Project):
    """Python's own exit code, 1, would read as NO-GO."""
    checks = numbers.suite.parent / "checks.py"
    checks.write_text(checks.read_text().replace("return Translation(request)", "raise RuntimeError('broken pair')"))
    done = numbers.parity("run", "suites/numbers", "--json")
    assert (done.code, done.out) == (2, "")
    assert "RuntimeError: broken pair" in done.err
    assert "This is a fault of the harness; nothing was decided." in done.err


def test_a_reader_that_has_gone_is_no_verdict(numbers: Project):
    command = [sys.executable, "-m", "harness", "schema"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=numbers.environment()
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 2
        assert process.stderr.read() == b""


def test_the_version_is_the_packages(numbers: Project):
    from harness import __version__

    assert numbers.parity("--version").out == f"parity-harness {__version__}\n"


@pytest.mark.parametrize("which", ["suite", "project", "report"])
def test_json_is_one_document_for_schemas(numbers: Project, which):
    document = numbers.parity("schema", which).document
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.dumps(document)
