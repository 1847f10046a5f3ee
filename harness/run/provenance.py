"""What made the rows of a run besides its policy: all that opens a new epoch of evidence when it changes.

* `comparators`: hash of their signatures. `checks`: hash of the suite's own Python files (its comparators, its request
  builder); tests beside the suite are left out, they judge nothing.
* `settings`: hash of both sides' settings: cloud, region, account, endpoint. Addresses of the lab are left out.
* `source`, `target`: what served each side, in the words of its answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.config import SideSettings, Suite
from harness.core.call import Side
from harness.run.plan import Plan

SERVED = tuple(side.value for side in Side)


def made_by(made: Plan, served: Mapping[Side, Iterable[str]]) -> dict[str, str]:
    """By name; a side of which nothing answered is left out, or is what the nights before saw of it.

    An outage is no new version: it must count in the epoch that it falls into.
    """
    before = {} if made.portion is None else made.portion.served
    seen = {side.value: "; ".join(served[side]) or before.get(side.value, "") for side in Side}
    return {**settings(made), **{side: text for side, text in seen.items() if text}}


def settings(made: Plan) -> dict[str, str]:
    """The part that is known before the first call."""
    signatures = "\n".join(f"{metric}={comparator.signature()}" for metric, comparator in made.comparators)
    return {
        "comparators": _digest(signatures),
        **asked(made.suite, {Side.SOURCE: made.source_settings, Side.TARGET: made.target_settings}),
    }


def asked(suite: Suite, settings: Mapping[Side, SideSettings]) -> dict[str, str]:
    """`checks` and `settings`, which are known without a plan. settings: of both sides, as they stand in the run."""
    checks = sorted(path for path in suite.folder.glob("*.py") if not path.name.startswith("test_"))
    own = "\n".join(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in checks)
    return {**({"checks": _digest(own)} if own else {}), "settings": _of_sides(settings)[:16]}


def sides(made: Plan) -> str:
    """Hash of where the calls go and as whom."""
    return _of_sides({Side.SOURCE: made.source_settings, Side.TARGET: made.target_settings})


def _of_sides(settings: Mapping[Side, SideSettings]) -> str:
    """The lab's addresses, new at every start, are left out."""
    both = [repr(replace(settings[side], lab={})) for side in Side]
    return hashlib.sha256("\n".join(both).encode()).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
