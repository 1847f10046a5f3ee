"""A cutover.toml over the small project's one suite that asks for its evidence and little else."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

from tests.small.project import Project

CUTOVER = """schema = "cutover/1"
[cutover]
title = "Numbers"
estate = "estate.toml"
retires_after = 2027-01-01
criteria = ["errors"]
rehearsal = false
selftest = false
[[require]]
suite = "numbers"
"""


def require(project: Project) -> None:
    """Write it, and the estate of the project's two endpoints."""
    names = tomllib.loads(project.suite.read_text())["endpoints"]["here"]
    (project.folder / "cutover.toml").write_text(CUTOVER)
    (project.folder / "estate.toml").write_text(
        f"""schema = "estate/1"
read_at = {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}
[[endpoint]]
name = "{names["source"]}"
service = "plainhttp"
kind = "endpoint"
[[target]]
name = "{names["target"]}"
service = "plainhttp"
kind = "deployment"
owned = true
changed_at = 2026-01-01T00:00:00Z
"""
    )


def asked(project: Project) -> dict[str, str]:
    """Requirement -> status and words of the worst of it."""
    document = project.parity("gate", "--policy", "cutover.toml", "--json").document
    order = ("ok", "missing", "refused")
    found = sorted(document["requirements"], key=lambda one: order.index(one["status"]))
    return {one["requirement"]: f"{one['status']}: {one['says']}" for one in found}
