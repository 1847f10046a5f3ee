"""`parity schema`: what editors complete is what is read."""

from __future__ import annotations

import tomllib

import jsonschema
import pytest

from harness.cli.schema import schema
from tests.small.project import ROOT, SUITE


def test_the_shipped_files_fit():
    jsonschema.validate(tomllib.loads((ROOT / "parity.toml").read_text()), schema("project"))
    for path in ROOT.glob("suites/*/suite.toml"):
        jsonschema.validate(tomllib.loads(path.read_text()), schema("suite"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "flip"', 'kind = "flop"'),
        ("margin = 0.05", "margn = 0.05"),
        ('mode = "fixed"', 'mode = "nightly"'),
        ('title = "Numbers"', 'titel = "Numbers"'),
    ],
)
def test_what_a_run_refuses_an_editor_underlines(old, new):
    assert old in SUITE
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(SUITE.replace(old, new, 1)), schema("suite"))


@pytest.mark.parametrize("which", ["suite", "project", "report", "cutover", "estate", "migration"])
def test_each_is_a_schema(which):
    jsonschema.Draft202012Validator.check_schema(schema(which))
