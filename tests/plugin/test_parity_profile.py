"""`--parity-profile NAME`: where a suite runs."""

from __future__ import annotations

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest

THERE = """
[profiles.there]
payloads = "none"
[profiles.there.source]
cloud = "aws"
[profiles.there.target]
cloud = "aws"
"""


def test_the_named_profile_gives_endpoints_and_how_much_is_shown(numbers: Project, server: Server):
    (numbers.folder / "parity.toml").write_text((numbers.folder / "parity.toml").read_text() + THERE)
    swapped = f'source = "{server.endpoint("target")}"\ntarget = "{server.endpoint("source")}"\n'
    numbers.edit(numbers.suite, "[comparators.label]", f"[endpoints.there]\n{swapped}\n[comparators.label]")
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.pytest("suites", "--parity-profile", "there")
    assert "profile there" in done.out
    assert "worst: case" in done.out
    assert "not shown: this profile keeps payloads out of reports" in done.out
    assert sum(count for (side, _), count in server.counts().items() if side == "target") == 140


def test_an_unknown_profile_names_those_there_are(numbers: Project, server: Server):
    done = numbers.pytest("suites", "--parity-profile", "her")
    assert (done.code, outcomes(done)) == (1, {"error": 2})
    assert 'unknown profile "her". Known: here. Did you mean "here"?' in done.out
    assert not server.counts()
