"""Decided runs on disk, as a session leaves them, small enough to be taken apart byte by byte; keys to sign with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from harness import __version__
from harness.core.report import ParityReport, Payloads
from harness.core.rows import Rows
from harness.core.verdict import Finding, Row
from harness.gate.coverage import GoldenFacts, coverage
from harness.gate.decide import decide
from harness.gate.policy import Policy, load_policy
from harness.gate.rows_file import open_rows, write_rows
from harness.gate.signers import Signer
from harness.reporters.json import JsonReport
from harness.run.folder import RunFolder, RunRecord, write_whole
from harness.run.session import write_decision

RUN = "20261120T021403Z-flips-ab12"
DECIDED_AT = datetime(2026, 11, 20, 2, 20, tzinfo=UTC)
CRITERION = """[gate]
mode = "fixed"
[[criterion]]
metric = "label"
kind = "flip"
deterministic = true
"""


@dataclass(frozen=True)
class Person:
    """Somebody with a key pair, made at run time."""

    name: str
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

    @property
    def line(self) -> str:
        """The public key as OpenSSH writes it."""
        form = serialization.PublicFormat.OpenSSH
        return self.private.public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()

    def public(self, encoding: serialization.Encoding = serialization.Encoding.PEM) -> bytes:
        return self.private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)

    def pem(self, folder: Path, passphrase: bytes | None = None) -> Path:
        """The private key in a file."""
        sealed: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase is not None:
            sealed = serialization.BestAvailableEncryption(passphrase)
        path = folder / f"{self.name}.pem"
        path.write_bytes(
            self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
        )
        return path

    def signs(self, role: str) -> Signer:
        return Signer(role=role, name=self.name, public_key=self.line)


def edwards(name: str) -> Person:
    return Person(name, ed25519.Ed25519PrivateKey.generate())


def elliptic(name: str) -> Person:
    return Person(name, ec.generate_private_key(ec.SECP256R1()))


def signoff_table(**roles: Person | Iterable[Person]) -> str:
    """[signoff] with the people of each role."""
    lines = ["[signoff]"]
    for role, people in roles.items():
        listed = [people] if isinstance(people, Person) else list(people)
        entries = ", ".join(f'{{ name = "{one.name}", public_key = "{one.line}" }}' for one in listed)
        lines.append(f"{role} = [{entries}]")
    return "\n".join(lines) + "\n"


def label_rows(cases: int, flipped: int = 0) -> list[Row]:
    """The first `flipped` cases have another label in the target."""
    return [
        Row(case=f"c{i}", metric="label", run=RUN, value_target=float(i < flipped), slices={"region": "eu"})
        for i in range(cases)
    ]


def decided_run(
    parent: Path,
    *,
    cases: int = 12,
    flipped: int = 0,
    policy: str = CRITERION,
    rows: Iterable[Row] | None = None,
    findings: tuple[Finding, ...] = (),
    partial: bool = False,
    run: str = RUN,
    golden: GoldenFacts | None = None,
) -> RunFolder:
    """A run's folder after judging; 598 clean cases and more are GO."""
    folder = RunFolder(parent / run)
    folder.ledger.mkdir(parents=True)
    (folder.ledger / "000001.jsonl").write_bytes(b"recorded answers\n")
    folder.policy.write_text(policy)
    write_rows(folder.rows, label_rows(cases, flipped) if rows is None else rows)
    made = load_policy(folder.policy)
    file = open_rows(folder.rows)
    covered = () if golden is None else coverage(made, golden, decided_at=DECIDED_AT)
    handed = (*covered, *findings)
    decision = decide(file.rows, made, decided_at=DECIDED_AT, signature="pair=a_to_b seed=1", findings=handed)
    if not partial:
        write_decision(folder, decision, rows_sha256=file.sha256)
    record = _record(run, folder, made, cases=len(file.rows.cases()), partial=partial)
    folder.write_record(record if golden is None else replace(record, golden=golden.document()))
    report = _report(run, file.rows, made)
    write_whole(folder.report(".json"), JsonReport().render(replace(report, decision=decision)))
    write_whole(folder.report(".html"), b"<!doctype html><title>Parity</title>\n")
    return folder


def _record(run: str, folder: RunFolder, policy: Policy, *, cases: int, partial: bool) -> RunRecord:
    return RunRecord(
        run=run,
        suite="flips",
        suite_path="suites/flips/suite.toml",
        profile="lab",
        pair="a_to_b",
        translation="a_to_b",
        golden_sha256="0" * 64,
        policy_sha256=policy.sha256,
        suite_sha256=hashlib.sha256(folder.policy.read_bytes()).hexdigest(),
        seed=1,
        cases=cases,
        started_at=DECIDED_AT.isoformat(),
        versions={"parity-harness": __version__},
        partial=partial,
    )


def _report(run: str, rows: Rows, policy: Policy) -> ParityReport:
    return ParityReport(
        run=run,
        suite="flips",
        title="Flips",
        pair="a_to_b",
        translation="a_to_b",
        profile="lab",
        payloads=Payloads.NONE,
        started_at=DECIDED_AT,
        finished_at=DECIDED_AT,
        decision=None,
        sides=(),
        metrics=(),
        departures=(),
        worst=(),
        cases=len(rows.cases()),
        replayed=len(rows.cases()),
        golden_sha256="0" * 64,
        clients={},
        seed=1,
        signature="pair=a_to_b seed=1",
    )


def rewritten(path: Path, **fields: object) -> None:
    """Change fields of a JSON file in place."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


PROFILE = """[profiles.lab]
lab = true
[profiles.lab.source]
cloud = "aws"
[profiles.lab.target]
cloud = "azure"
"""


def project(folder: Path) -> Path:
    """A project's folder, as commands look for it from where they are started; returns where its runs lie."""
    (folder / "parity.toml").write_text(f'default_profile = "lab"\nreports = "reports"\n{PROFILE}')
    return folder / "reports"
