"""What is otherwise than in the night before: what was compared, how, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.night import EARLIER, SuiteNight
from harness.core.report import Change
from harness.core.verdict import Verdict

_MADE_BY = {
    "comparators": "comparators or their settings",
    "checks": "Python files of the suite",
    "settings": "settings of a side: cloud, region, account, endpoint, limits",
}


def changes(before: SuiteNight, now: SuiteNight) -> Iterator[Change]:
    """Versions first, then configuration, then criteria that fail newly, then those that no longer do."""
    for side in ("source", "target"):
        was, served = before.made_by.get(side, ""), now.made_by.get(side, "")
        if was != served:
            yield Change(what="version", text=f"what serves the {side}", before=was, after=served)
    for name in dict.fromkeys((*before.versions, *now.versions)):
        was, present = before.versions.get(name, ""), now.versions.get(name, "")
        if was != present and not name.endswith(" served by"):
            yield Change(what="version", text=name, before=was, after=present)
    for name, words in _MADE_BY.items():
        was, present = before.made_by.get(name, ""), now.made_by.get(name, "")
        if was != present:
            yield Change(what="configuration", text=words, before=was, after=present)
    for words, was, present in (
        ("criteria, margins or versions of the suite", before.policy_sha256, now.policy_sha256),
        ("suite.toml", before.suite_sha256, now.suite_sha256),
        ("golden set", before.golden_sha256, now.golden_sha256),
    ):
        if was != present:
            yield Change(what="configuration", text=words, before=was[:16], after=present[:16])
    yield from _criteria(before, now)


def _criteria(before: SuiteNight, now: SuiteNight) -> Iterator[Change]:
    was, present = _verdicts(before), _verdicts(now)
    for name, verdict in present.items():
        earlier = was.get(name)
        if verdict is Verdict.NO_GO and earlier is not Verdict.NO_GO:
            yield Change(what="new failure", text=name, before=earlier.value if earlier else "", after=verdict.value)
    for name, earlier in was.items():
        later = present.get(name)
        if earlier is Verdict.NO_GO and later is not Verdict.NO_GO:
            yield Change(what="recovered", text=name, before=earlier.value, after=later.value if later else "")


def _verdicts(one: SuiteNight) -> dict[str, Verdict]:
    """Question -> the worse of what all nights and the newest say of it."""
    found: dict[str, Verdict] = {}
    for told in one.findings:
        if told.gating and told.criterion != EARLIER and found.get(told.question) is not Verdict.NO_GO:
            found[told.question] = told.verdict
    return found
