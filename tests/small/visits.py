"""The shipped suite in miniature: 120 of its cases, wider margins, no latency; the clouds' own SDKs against the lab."""

from __future__ import annotations

import itertools
from pathlib import Path

from harness.recordings.store import GoldenSet, write
from tests.small.project import ROOT, Project, install

CASES = 120
SUITE = """
[suite]
title = "Visits, in miniature"
pair = "sagemaker_to_azureml"
golden = "visits"
deterministic_source = true

[pair]
columns = ["lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]

[endpoints.lab]
source = "visits"
target = "visits"

[comparators.label]
use = "class_label"
threshold = 0.35
positive = "frequent"
negative = "other"

[comparators.score]
use = "numeric_close"
rtol = 1e-5
atol = 1e-6

[gate]
mode = "fixed"

[[criterion]]
name = "labels agree"
metric = "label"
kind = "flip"
margin = 0.05
deterministic = true

[[criterion]]
name = "scores agree"
metric = "score"
kind = "flip"
margin = 0.05
deterministic = true

[[criterion]]
name = "calls succeed"
metric = "error"
kind = "flip"
margin = 0.05
"""


def make(folder: Path) -> Project:
    """A project with the shipped profiles and the first cases of the shipped golden set."""
    project = Project(folder, install(folder / ".site"), name="visits")
    (folder / "parity.toml").write_text((ROOT / "parity.toml").read_text())
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -ra\n")
    project.suite.parent.mkdir(parents=True)
    project.suite.write_text(SUITE)
    with GoldenSet.open(ROOT / "golden" / "visits") as whole:
        words = whole.manifest
        write(
            folder / "golden" / "visits",
            itertools.islice(whole, CASES),
            name="visits",
            description=words.description,
            service=words.service,
            operation=words.operation,
            licence=words.licence,
            source=words.source,
            split=words.split,
            created_at=words.created_at,
        )
    return project
