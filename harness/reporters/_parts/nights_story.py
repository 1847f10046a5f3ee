"""What the nights of one suite tell, in words: how it stands, since when, what broke it, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from harness.core.night import Night, Nights, SuiteNight
from harness.core.verdict import Verdict

LATE = 1.5  # usual distances between two nights after which one is missing
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One suite under one profile. nights: with its part in each, oldest first; never empty."""

    suite: str
    profile: str
    nights: tuple[tuple[Night, SuiteNight], ...]

    @property
    def last(self) -> SuiteNight:
        """The newest that is no rehearsal with a planted fault; where all are, the newest."""
        return self._standing[-1][1]

    @property
    def _standing(self) -> tuple[tuple[Night, SuiteNight], ...]:
        return tuple(found for found in self.nights if found[1].planted is None) or self.nights

    @property
    def since(self) -> tuple[Night, int]:
        """The first night of those that say what the newest says without a break, and how many they are."""
        same = 0
        for _, one in reversed(self._standing):
            if one.verdict is not self.last.verdict:
                break
            same += 1
        return self._standing[-same][0], same

    @property
    def broken_by(self) -> tuple[str, ...]:
        """Of a NO-GO: what fails first, then what changed in the night in which it began."""
        if self.last.verdict is not Verdict.NO_GO:
            return ()
        first, _ = self.since
        one = next(found for night, found in self._standing if night.name == first.name)
        failing = dict.fromkeys(told.question for told in one.findings if told.gating and told.verdict is Verdict.NO_GO)
        changed = [change.text for change in one.changes if change.what in ("version", "configuration")]
        return (*failing, *(f"changed that night: {text}" for text in changed))


def courses(nights: Nights) -> tuple[Course, ...]:
    """Every suite and profile, NO-GO first, then INCONCLUSIVE, then GO; by name among equals."""
    found: dict[tuple[str, str], list[tuple[Night, SuiteNight]]] = {}
    for night in nights.nights:
        for one in night.suites:
            found.setdefault((one.suite, night.profile), []).append((night, one))
    made = [Course(suite=suite, profile=profile, nights=tuple(listed)) for (suite, profile), listed in found.items()]
    urgency = (Verdict.NO_GO, Verdict.INCONCLUSIVE, Verdict.GO)
    return tuple(sorted(made, key=lambda one: (urgency.index(one.last.verdict), one.suite, one.profile)))


def usual_distance(nights: Sequence[Night]) -> timedelta:
    """The median time from one night's beginning to the next, at least a day."""
    apart = sorted(later.started_at - earlier.started_at for earlier, later in pairwise(nights))
    return max(apart[len(apart) // 2], _DAY) if apart else _DAY


def gaps(nights: Nights) -> tuple[str, ...]:
    """Stretches without a night, the one up to now first."""
    usual = usual_distance(nights.nights)
    told = []
    if nights.nights:
        last = nights.nights[-1].started_at
        if nights.made_at - last > LATE * usual:
            told.append(f"None since {last:%Y-%m-%d}: {_days(nights.made_at - last)} without a night.")
    for earlier, later in reversed(list(pairwise(nights.nights))):
        if later.started_at - earlier.started_at > LATE * usual:
            told.append(
                f"None from {earlier.started_at:%Y-%m-%d} to {later.started_at:%Y-%m-%d}: "
                f"{_days(later.started_at - earlier.started_at)}."
            )
    return tuple(told)


def _days(apart: timedelta) -> str:
    days = apart / _DAY
    return f"{days:.0f} days" if days >= 1.5 else f"{apart.total_seconds() / 3600:.0f} hours"
