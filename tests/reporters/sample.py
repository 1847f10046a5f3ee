"""Reports as runs of the shipped suite give them: GO, NO-GO, INCONCLUSIVE and partial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.core.call import Side
from harness.core.case import Departure
from harness.core.report import (
    CaseOutcome,
    CaseScore,
    CaseSummary,
    Change,
    DepartureCount,
    Distribution,
    EstateLine,
    Look,
    MetricSummary,
    ParityReport,
    Payloads,
    SideSummary,
    SliceSummary,
    WaiverSummary,
    WorstCase,
)
from harness.core.verdict import Decision, Evidence, Finding, Status, Verdict

CASES = 1619
STARTED = datetime(2026, 11, 20, 2, 14, 3, tzinfo=UTC)
GOLDEN = "3b1f0c6e9d2a47518e0f6ab4c7d9215f0a6c83be41d72590fe8a13cb6d5e7042"
POLICY = "90ad7be1c2f34856a1d0e9b7c65f4821d3e0b9a87c6f5e4d3c2b1a0918273645"
LABELS = "class_label|threshold:0.35"
SCORES = "numeric_close|rtol:1e-05|atol:1e-06"
SIGNATURE = (
    "sagemaker_to_azureml | 1619 cases | golden 3b1f0c6e9d2a | policy 90ad7be1c2f3 | "
    f"{LABELS} | {SCORES} | seed 7 | harness 0.1.0 | source scikit-learn 1.8.0 | target onnxruntime 1.23.2"
)
COLUMNS = "lncoins,idp,lpi,fmde,physlm,disea,hlthg,hlthf,hlthp"


def go(**changes: Any) -> ParityReport:
    """A clean run: no flip in 1,619 cases."""
    findings = (
        finding("labels agree", "label", evidence("labels agree", 0.0, -0.0018487, 0.0, p_go=0.0003)),
        finding(
            "labels agree", "label", evidence("labels agree", 0.0, -0.0023, 0.0, 0.1, 1298), slice="source_label=other"
        ),
        finding(
            "labels agree",
            "label",
            evidence("labels agree", 0.0, -0.0093, 0.0, 0.1, 321),
            slice="source_label=frequent",
        ),
        finding("scores agree", "score", evidence("scores agree", 0.0, -0.0018487, 0.0, p_go=0.0003)),
        finding("answers", "error", evidence("answers", 0.0, -0.0018487, 0.0, 0.01)),
        finding("median latency", "latency_p50", evidence("median latency", 0.412, 0.371, 0.452, 0.0)),
        finding("tail latency", "latency_p99", evidence("tail latency", 0.004, -0.003, 0.011, 0.0), gating=False),
    )
    said = (
        "GO. We replayed 1,619 recorded requests to both systems. No label changed; at worst 1 in 541 would, and we "
        "agreed to accept 1 in 200. If the new system were in truth as bad as the limits, a result this good would "
        "appear in fewer than 1 of 20 such validations."
    )
    return replace(_report(decision(Verdict.GO, findings, said)), **changes)


def no_go(**changes: Any) -> ParityReport:
    """A rare label that the target never predicts."""
    findings = (
        finding(
            "labels agree",
            "label",
            evidence("labels agree", -0.19827, -0.21540, -0.18201, p_go=1.0, p_no_go=1e-9),
            Verdict.NO_GO,
            reason="321 of 1,619 labels flipped: at least 18.2 % are affected, and the limit is 0.5 %.",
        ),
        finding(
            "labels agree", "label", evidence("labels agree", 0.0, -0.0023, 0.0, 0.1, 1298), slice="source_label=other"
        ),
        finding(
            "labels agree",
            "label",
            evidence("labels agree", -1.0, -1.0, -0.99071, 0.1, 321, p_go=1.0, p_no_go=1e-300),
            Verdict.NO_GO,
            slice="source_label=frequent",
            reason='321 of 321 labels flipped: the target never says "frequent".',
        ),
        finding(
            "scores agree",
            "score",
            evidence("scores agree", -0.0043, -0.00795, -0.00203),
            Verdict.INCONCLUSIVE,
            reason="7 of 1,619 scores are out of tolerance: the rate may be 0.8 %, and the limit is 0.5 %.",
            waived_by="claims-models",
        ),
        finding("median latency", "latency_p50", evidence("median latency", 0.412, 0.371, 0.452, 0.0)),
    )
    said = (
        "NO-GO. 321 of 1,619 requests changed their label. Even allowing for luck, at least 18.2 % are affected; the "
        "limit is 0.5 %. The failing requests are listed."
    )
    return replace(_report(decision(Verdict.NO_GO, findings, said)), planted="rare_label", **changes)


def inconclusive(**changes: Any) -> ParityReport:
    """Clean so far, and too few cases; stopped by its spend ceiling."""
    findings = (
        finding(
            "labels agree",
            "label",
            evidence("labels agree", 0.0, -0.014867, 0.0, units=200, p_go=0.367, more_units=400),
            Verdict.INCONCLUSIVE,
            reason="0 of 200 labels flipped, which only rules out a rate above 1.5 %; the limit is 0.5 %.",
        ),
        finding(
            "scores agree",
            "score",
            None,
            Verdict.INCONCLUSIVE,
            reason="no data: every row was excluded",
            margin=0.005,
            excluded=200,
        ),
        finding("answers", "error", evidence("answers", 0.0, -0.014867, 0.0, 0.1, 200)),
    )
    said = (
        "Nothing bad was found, but 200 flip-free cases only rule out a flip rate above 1.5 %, and the limit is 0.5 %. "
        "About 400 more clean cases would settle it."
    )
    stopped = "the ceiling of 600 calls was reached after 200 of 1,619 cases; about 1,200 more calls would settle it"
    report = _report(decision(Verdict.INCONCLUSIVE, findings, said, notes=("2 identical duplicates were dropped.",)))
    return replace(report, replayed=200, stopped=stopped, payloads=Payloads.HASH, worst=(hashed(),), **changes)


def partial(**changes: Any) -> ParityReport:
    """Some items were deselected: no decision."""
    return replace(go(), decision=None, partial=True, replayed=40, **changes)


def told(**changes: Any) -> ParityReport:
    """The NO-GO of a night: everything that a report may hold beside its decision."""
    full = replace(
        no_go(),
        distributions=(
            Distribution(
                metric="answer",
                what="value",
                unit="",
                edges=tuple(at / 20 for at in range(21)),
                target=(3, 1, *(0,) * 10, 2, 5, 9, 30, 70, 120, 200, 560),
                noise=(*(0,) * 14, 2, 11, 40, 90, 217, 640),
            ),
            Distribution(
                metric="score",
                what="distance",
                unit="probability",
                edges=tuple(10 ** (at / 2 - 9) for at in range(13)),
                target=(40, 200, 400, 300, 90, 20, 3, 0, 0, 0, 1, 1),
                noise=(),
                zeros=(564, 0),
                logarithmic=True,
            ),
            Distribution(
                metric="label", what="distance", unit="labels", edges=(), target=(), zeros=(CASES, 60), logarithmic=True
            ),
        ),
        slices=tuple(
            SliceSummary(metric="label", name="source_label", value=value, rows=rows, target_mean=mean, noise_mean=None)
            for value, rows, mean in (("frequent", 321, 1.0), ("other", 1298, 0.0))
        ),
        looks=tuple(
            _look(name, night, epoch)
            for name in ("labels agree", "scores agree")
            for night, epoch in enumerate(("1a2b", "1a2b", "9c8d", "9c8d", "9c8d"))
        ),
        previous="20261119T021403Z-visits-11aa",
        changes=(
            Change(what="version", text="what serves the target", before="onnxruntime 1.22", after="onnxruntime 1.23"),
            Change(what="new failure", text="labels agree", before="GO", after="NO-GO"),
            Change(what="recovered", text="answers", before="NO-GO", after="GO"),
        ),
        waivers=(
            WaiverSummary(
                criterion="scores agree",
                owner="claims-models",
                reason="float32 rounding, accepted by claims",
                expires="2026-12-31",
                in_force=True,
                covers="region=eu",
            ),
            WaiverSummary(
                criterion="answers", owner="platform", reason="cold starts", expires="2026-10-31", in_force=False
            ),
        ),
        estate=(
            EstateLine(name="visits-prod", service="sagemaker", suites=("visits",)),
            EstateLine(name="fraud-prod", service="sagemaker", suites=()),
            EstateLine(name="old-prod", service="sagemaker", suites=(), out_of_scope="switched off in December"),
        ),
        sides=tuple(
            replace(
                side,
                first_token_p50_s=0.21,
                first_token_p95_s=0.48,
                calls_per_s=11.4,
                cost_per_1000_usd=0.42 if side.side is Side.TARGET else None,
                cost_note="" if side.side is Side.TARGET else "no price is stated for this side",
            )
            for side in no_go().sides
        ),
    )
    return replace(full, **changes)


def cases(number: int, **changes: Any) -> tuple[CaseSummary, ...]:
    """Listed cases, the worst first: one in ten failed, one matches, the others differ."""
    return tuple(_case(at, number, changes) for at in range(number))


def _case(at: int, number: int, changes: dict[str, Any]) -> CaseSummary:
    failed, matches = at < number // 10, at >= number - number // 10
    status = Status.MATCH if matches else Status.MISMATCH
    score = CaseScore(metric="label", status=status, distance=1 - at / number, unit="labels", reason="label changed")
    outcome = CaseOutcome.FAILED if failed else CaseOutcome.MATCHES if matches else CaseOutcome.DIFFERS
    case = CaseSummary(
        case_id=f"visits-{at:06d}",
        outcome=outcome,
        failures=("target timeout: no answer in 30 s",) if failed else (),
        scores=() if failed else (score,),
        slices={"region": ("eu", "us", "apac")[at % 3]},
        request=f"{COLUMNS}\n4.61512,1,{at}",
        source=f"visits = 0.{at:06d}1, label other",
        target=f"visits = 0.{at:06d}2, label frequent",
    )
    return replace(case, **changes)


def _look(criterion: str, night: int, epoch: str) -> Look:
    units = 50 * (night + 1 if epoch == "1a2b" else night - 1)
    return Look(
        run=f"run-{night}",
        at=STARTED + timedelta(days=night),
        criterion=criterion,
        epoch=epoch,
        units=units,
        estimate=-0.001,
        low=-0.004,
        high=0.002,
        margin=0.005,
        p_go=1 / (1 + units / 5),
        p_no_go=1.0,
    )


def decision(verdict: Verdict, findings: tuple[Finding, ...], headline: str, notes: tuple[str, ...] = ()) -> Decision:
    return Decision(
        verdict=verdict,
        findings=findings,
        policy_sha256=POLICY,
        signature=SIGNATURE,
        decided_at=STARTED + timedelta(seconds=43),
        epoch="1",
        headline=headline,
        notes=notes,
    )


def finding(
    criterion: str,
    metric: str,
    found: Evidence | None,
    verdict: Verdict = Verdict.GO,
    *,
    reason: str = "The data rule out a loss as large as the margin.",
    **more: Any,
) -> Finding:
    return Finding(criterion=criterion, metric=metric, verdict=verdict, reason=reason, evidence=found, **more)


def evidence(
    criterion: str,
    estimate: float,
    low: float,
    high: float,
    margin: float = 0.005,
    units: int = CASES,
    p_go: float = 0.01,
    p_no_go: float = 1.0,
    more_units: int | None = None,
) -> Evidence:
    return Evidence(
        criterion=criterion,
        estimate=estimate,
        low=low,
        high=high,
        margin=margin,
        p_go=p_go,
        p_no_go=p_no_go,
        units=units,
        excluded=0,
        unscored=0,
        method="exact binomial",
        epoch="1",
        seed=7,
        more_units=more_units,
    )


def hashed() -> WorstCase:
    """What is left of a case where payloads are shown as hashes."""
    return worst_case("visits-0007", source=f"sha256:{GOLDEN}", target=f"sha256:{POLICY}", request=f"sha256:{POLICY}")


def worst_case(case_id: str = "visits-0042", **changes: Any) -> WorstCase:
    slices: Mapping[str, str] = {"source_label": "frequent"}
    case = WorstCase(
        case_id=case_id,
        metric="label",
        reason="source says frequent, target says other",
        distance=0.0312,
        unit="probability",
        slices=slices,
        request=f"{COLUMNS}\n4.61512,1,6.907755,0,0,13.73189,1,0,0",
        source="0.3502717018127441",
        target="0.34999999403953552",
    )
    return replace(case, **changes)


def _report(decided: Decision) -> ParityReport:
    return ParityReport(
        run="20261120T021403Z-visits-7f3a",
        suite="visits",
        title="Frequent users of outpatient care, SageMaker to Azure ML",
        pair="sagemaker_to_azureml",
        translation="sagemaker_to_azureml",
        profile="lab",
        payloads=Payloads.FULL,
        started_at=STARTED,
        finished_at=STARTED + timedelta(seconds=102),
        decision=decided,
        sides=(
            _side(Side.SOURCE, "sagemaker", "visits-prod", ("scikit-learn 1.8.0, model visits-v1 (float64)",), 0.0),
            _side(Side.TARGET, "azureml", "visits-blue", ("onnxruntime 1.23.2, model visits-v1 (float32)",), 1.0),
        ),
        metrics=(
            MetricSummary(
                metric="label",
                comparator=LABELS,
                rows=CASES,
                target_mean=0.0,
                noise_mean=0.0,
                noise_rows=60,
                incomparable=0,
            ),
            MetricSummary(
                metric="score",
                comparator=SCORES,
                rows=CASES,
                target_mean=1.0,
                noise_mean=None,
                noise_rows=0,
                incomparable=3,
            ),
        ),
        departures=(
            DepartureCount(
                departure=Departure(
                    field="CustomAttributes",
                    source_value="tenant=blue",
                    target_value=None,
                    reason="Azure ML scoring has no such header",
                ),
                cases=12,
            ),
            DepartureCount(
                departure=Departure(
                    field="ContentType",
                    source_value="text/csv",
                    target_value="application/json",
                    reason="the target reads JSON only",
                ),
                cases=CASES,
            ),
        ),
        worst=(
            worst_case(),
            worst_case("visits-1207", source="0.9127483211", target="0.0127483211", distance=0.9),
            worst_case(
                "visits-0311",
                source='{"label": "frequent", "why": "five or more visits are likely"}',
                target='{"label": "other", "why": "visits are likely"}',
                distance=None,
                unit="",
            ),
            worst_case("visits-0918", target=None, reason="the target did not answer: timeout", distance=None),
        ),
        cases=CASES,
        replayed=CASES,
        golden_sha256=GOLDEN,
        clients={
            "harness": "0.1.0",
            "boto3": "1.43.11",
            "azure-ai-ml": "1.35.2",
            "azure-identity": "1.27.0",
            "Python": "3.11.7",
        },
        seed=7,
        signature=SIGNATURE,
    )


EDGES_S = (
    0.002,
    0.0028,
    0.004,
    0.0056,
    0.008,
    0.011,
    0.016,
    0.022,
    0.032,
    0.045,
    0.064,
    0.09,
    0.128,
    0.18,
    0.256,
    float("inf"),
)
_CALLS = (
    (0, 0, 4, 61, 310, 588, 401, 163, 60, 21, 8, 2, 1, 0, 0, 0),
    (0, 12, 220, 640, 470, 160, 64, 28, 12, 6, 3, 2, 1, 1, 0, 0),
)


def _side(side: Side, service: str, endpoint: str, served: tuple[str, ...], target: float) -> SideSummary:
    calls = _CALLS[int(target)]
    return SideSummary(
        side=side,
        service=service,
        endpoint=endpoint,
        served=served,
        calls=CASES,
        answered=sum(calls),
        attempts=CASES + 9,
        throttled_attempts=9 if target else 0,
        failures={"timeout": 0} if target else {},
        p50_s=0.0051 if target else 0.0097,
        p95_s=0.0159 if target else 0.0276,
        p99_s=0.0352 if target else 0.0481,
        histogram=tuple(zip(EDGES_S, calls, strict=True)),
    )
