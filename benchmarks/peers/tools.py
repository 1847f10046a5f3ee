"""Every tool that is asked about the same samples, and how its answers over several nights become one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from peers import diffy, kayenta, ks_drift, mean_threshold, parity
from peers.samples import NIGHTS, Sample

GATES: Mapping[str, Callable[[Sample], str]] = {
    "parity": partial(parity.judge, mode="anytime"),
    "parity, fixed": partial(parity.judge, mode="fixed"),
    "parity, and alike": partial(parity.judge, mode="anytime", alike=True),
}
RULES: Mapping[str, Callable[[Sample], str]] = {
    rule.WORDS: rule.judge for rule in (mean_threshold, ks_drift, kayenta, diffy)
}
IN_CURVES = ("parity", "parity, fixed")


def ask(name: str, sample: Sample) -> str:
    """GO, NO-GO or "-". The gate takes all nights at once, as looks; a rule is applied anew each night."""
    if name in GATES:
        return GATES[name](sample)
    nights = NIGHTS if sample.night.any() else 1
    looks = [sample.first_nights(night + 1) for night in range(nights)] if nights > 1 else [sample]
    return settle([RULES[name](look) for look in looks])


def settle(verdicts: Sequence[str]) -> str:
    """Shipped at the first GO; without one, what was said last."""
    return "GO" if "GO" in verdicts else verdicts[-1]
