"""Nights as a reporter gets them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from harness.core.night import Night, Nights, SuiteNight, Told
from harness.core.report import Change
from harness.core.verdict import Verdict

BEGAN = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
GO, NO_GO, OPEN = Verdict.GO, Verdict.NO_GO, Verdict.INCONCLUSIVE


def told(verdict: Verdict, units: int, *, criterion: str = "labels agree", p_go: float = 0.5) -> Told:
    return Told(
        criterion=criterion,
        slice=None,
        verdict=verdict,
        gating=True,
        reason="As counted.",
        units=units,
        margin=0.005,
        estimate=-0.001,
        low=-0.004,
        high=0.0,
        p_go=p_go,
        p_no_go=1.0,
    )


def part(verdict: Verdict, place: int, *, suite: str = "visits", changes: Sequence[Change] = ()) -> SuiteNight:
    return SuiteNight(
        suite=suite,
        title=f"Title of {suite}",
        kind="new",
        verdict=verdict,
        headline=f"Headline of night {place}.",
        run=f"run-{place}-{suite}",
        over_nights=verdict,
        epoch="e1",
        epochs=1,
        opened=place == 0,
        changes=tuple(changes),
        findings=(told(verdict, 50 * (place + 1), p_go=max(0.5 ** (place + 1), 1e-6)),),
        units=50,
        seen=50 * (place + 1),
        unseen=400,
    )


def night(place: int, *suites: SuiteNight, day: int | None = None) -> Night:
    began = BEGAN + timedelta(days=place if day is None else day)
    verdicts = [one.verdict for one in suites]
    worst = next(verdict for verdict in (NO_GO, OPEN, GO) if verdict in verdicts)
    return Night(
        name=f"night-{place}",
        profile="lab",
        started_at=began,
        finished_at=began + timedelta(minutes=9),
        verdict=worst,
        suites=suites,
        harness="0.1.0",
    )


def nights(*verdicts: Verdict, made_after: timedelta = timedelta(hours=1), **more: object) -> Nights:
    """One suite, a night a verdict, a day apart. made_after: the newest."""
    listed = tuple(night(place, part(verdict, place)) for place, verdict in enumerate(verdicts))
    last = listed[-1].finished_at if listed else BEGAN
    return Nights(nights=listed, made_at=last + made_after, **more)  # type: ignore[arg-type] # fields by name
