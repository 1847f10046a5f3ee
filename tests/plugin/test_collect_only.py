"""`--collect-only` reads promises: it calls nothing, writes nothing, and loads nothing that takes time."""

from __future__ import annotations

import sys

from tests.small.project import Project
from tests.small.server import Server

SPY = """
import sys

def pytest_unconfigure(config):
    print("LOADED", *sorted(sys.modules))
"""
SLOW = {"numpy", "scipy", "pandas", "pyarrow", "boto3", "botocore", "azure.ai.ml", "urllib3", "sklearn", "statsmodels"}


def test_items_are_listed_and_nothing_is_called(numbers: Project, server: Server):
    done = numbers.pytest("suites", "--collect-only", "-q")
    assert done.code == 0
    assert "suites/numbers/suite.toml::labels agree\nsuites/numbers/suite.toml::calls succeed\n" in done.out
    assert not server.counts()
    assert not (numbers.folder / "reports").exists()


def test_no_sdk_no_numbers_and_no_lab_are_loaded(numbers: Project):
    (numbers.folder / "conftest.py").write_text(SPY)
    done = numbers.cold(sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "suites", "--collect-only", "-q")
    loaded = set(next(line for line in done.out.splitlines() if line.startswith("LOADED")).split()[1:])
    assert loaded.isdisjoint(SLOW)
    assert {"harness.plugin", "harness.config", "harness.gate.policy"} <= loaded
    assert not [name for name in loaded if name.startswith(("harness.run", "harness.lab", "harness.services"))]


def test_a_set_up_plan_calls_nothing(numbers: Project, server: Server):
    assert numbers.pytest("suites", "--setup-plan").code == 0
    assert not server.counts()
