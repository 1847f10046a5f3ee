"""A small migration whose every requirement is met, to take one thing out of at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.core.inventory import Found
from harness.core.rows import Rows
from harness.core.verdict import Row, RowStatus, Verdict
from harness.gate.conditions import Conditions
from harness.gate.cutover_file import CutoverPolicy, parse_cutover
from harness.gate.decide import decide
from harness.gate.estate import Called, Entry, Estate
from harness.gate.keys import load_private_key
from harness.gate.migration import answer
from harness.gate.migration_evidence import Line, Measured, SelfTested, SuiteEvidence
from harness.gate.policy import Policy, parse_policy
from harness.gate.signoff import SignOff, sign
from tests.gate.sealed import Person, edwards, elliptic

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ADA, BOB = edwards("ada"), elliptic("bob")
LABEL: dict[str, Any] = {"name": "labels agree", "metric": "label", "kind": "flip", "deterministic": True}
ERROR: dict[str, Any] = {"name": "calls succeed", "metric": "error", "kind": "flip"}
SLOW: dict[str, Any] = {"name": "median", "metric": "p50", "kind": "exceed", "quantile": 0.5, "ratio": 1.2}
DEAR: dict[str, Any] = {"name": "cost", "metric": "cost_usd", "kind": "cost", "ratio": 1.1, "cap_usd": 0.01}


def suite_policy(*criteria: dict[str, Any], **tables: Any) -> Policy:
    listed = list(criteria or (LABEL, ERROR, SLOW, DEAR))
    return parse_policy({"gate": {"mode": "fixed"}, "criterion": listed, **tables}, "suite.toml")


def rows(cases: int = 700, flipped: int = 0, timeouts: int = 0) -> Rows:
    """The first labels flipped, or given up on by the target alone."""
    made = []
    for at in range(cases):
        late = RowStatus.TIMEOUT if at < timeouts else RowStatus.OK
        made += [
            Row(case=f"c{at}", metric="label", value_target=float(at < flipped), status_target=late),
            Row(case=f"c{at}", metric="error", value_target=0.0, value_noise=0.0),
            Row(case=f"c{at}", metric="p50", value_target=0.0, value_noise=float(at % 2)),
            Row(case=f"c{at}", metric="cost_usd", value_target=0.001, value_noise=0.001),
        ]
    return Rows.from_rows(made)


def measured(policy: Policy, *, reverse: bool = False, of: Rows | None = None, **more: Any) -> Measured:
    under = policy.under(Conditions(reverse=reverse))
    decision = decide(rows() if of is None else of, under, decided_at=NOW)
    ended = NOW - timedelta(days=1)
    told: dict[str, Any] = {
        "run": "20261124T110000Z-visits-ab12",
        "began_at": ended - timedelta(minutes=5),
        "measured_at": ended,
        "finished_at": ended,
        "served": {"source": "AllTraffic", "target": "gpt-4o 2024-11-20, sku Standard"},
        "golden_sha256": "a" * 64,
        "rows_sha256": "b" * 64,
        "ledger_sha256": "c" * 64,
        "made_by": {"checks": "d", "settings": "e"},
    }
    return Measured(decision=decision, policy=under, **{**told, **more})


def known(policy: Policy | None = None, **more: Any) -> SuiteEvidence:
    made = policy or suite_policy()
    told: dict[str, Any] = {
        "suite": "visits",
        "profile": "prod",
        "source": Called("sagemaker", "visits"),
        "target": Called("azure_openai", "chat"),
        "policy": made,
        "golden_sha256": "a" * 64,
        "harness": "1.0",
        "made_by": {"checks": "d", "settings": "e"},
        "made_back_by": {"checks": "d", "settings": "e"},
        "forward": measured(made),
        "rehearsal": measured(made, reverse=True, run="20261124T120000Z-visits-cd34"),
        "selftest": SelfTested(
            run="20261124T110000Z-visits-ab12",
            at=NOW - timedelta(hours=20),
            passed=True,
            conclusion="This gate can refuse.",
            policy_sha256=made.sha256,
            harness="1.0",
        ),
    }
    return SuiteEvidence(**{**told, **more})


TARGET = Found(
    service="azure_openai",
    kind="deployment",
    name="chat",
    model="gpt-4o",
    version="2024-11-20",
    auto_upgrade=False,
    retires=date(2028, 1, 1),
)
SOURCE = Found(service="sagemaker", kind="endpoint", name="visits")
ESTATE = Estate(read_at=NOW - timedelta(days=2), entries=(Entry(found=SOURCE),), targets=(TARGET,))


def target(**more: Any) -> Estate:
    """The estate with a changed target."""
    return replace(ESTATE, targets=(replace(TARGET, **more),))


def policy(**tables: Any) -> CutoverPolicy:
    document: dict[str, Any] = {
        "schema": "cutover/1",
        "cutover": {"title": "Care", "estate": "estate.toml", "retires_after": "2027-06-30", **tables.pop("head", {})},
        "require": [{"suite": "visits", "profile": "prod"}],
        "signoff": {
            role: [{"name": one.name, "public_key": one.line}] for role, one in (("engineering", ADA), ("risk", BOB))
        },
    }
    return parse_cutover({**document, **tables}, Path("cutover.toml"))


@dataclass(frozen=True)
class Made:
    """What a sign-off is put to."""

    run: str
    verdict: Verdict
    sha256: str


def signed(sha256: str, folder: Path, *people: tuple[Person, str], verdict: str = "GO") -> list[SignOff]:
    made = Made("cutover", Verdict(verdict), sha256)
    return [sign(made, person.signs(role), load_private_key(person.pem(folder)), at=NOW) for person, role in people]


def line(lines: tuple[Line, ...], requirement: str, subject: str | None = None) -> Line:
    """The one line of that requirement that is worst."""
    found = [one for one in lines if one.requirement == requirement and subject in (None, one.subject)]
    assert found, f"no line says {requirement}"
    return max(found, key=lambda one: ("ok", "missing", "refused").index(one.status))


def asked(
    evidence: SuiteEvidence | None = None, estate: Estate = ESTATE, now: datetime = NOW, **tables: Any
) -> tuple[Line, ...]:
    """Every line of the answer."""
    return answer(policy(**tables), [evidence or known()], estate, [], now).lines
