"""One sealed file that shows why a run was decided as it was, for someone who has nothing else.

A bundle is an archive (see `container`) of, in this order::

    bundle.json            format, run, decision and its hash, when decided, versions of what decided
    decision.json          the decision; its hash is what sign-offs sign
    policy.toml            the policy, byte for byte
    rows.jsonl             every row that was judged, in canonical form
    run.json               what was run: suite, profile, hashes, seed, versions of what made the calls
    ledger.sha256          hashes of the recorded answers, which are not in the bundle
    report.json, report.html
    signoff/ROLE.json      sign-offs, where there are any
    statement.dsse.json    in-toto Statement over the hash of all of the above, in an envelope that may be signed
    SHA256SUMS             the same hashes and the statement's, for `sha256sum -c`

The same run gives the same bytes as long as nobody signs. `verification` reads it.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.core.verdict import Verdict
from harness.errors import EvidenceError
from harness.gate import decided, signoff
from harness.gate.canonical import canonical_json, rows_lines
from harness.gate.container import Member, Writer
from harness.gate.dsse import Envelope, Signature
from harness.gate.keys import Signing
from harness.gate.statement import PAYLOAD_TYPE, statement

SCHEMA = "bundle/1"
HEAD = "bundle.json"
DECISION = "decision.json"
POLICY = "policy.toml"
ROWS = "rows.jsonl"
RUN = "run.json"
LEDGER = "ledger.sha256"
REPORTS = ("report.json", "report.html")
STATEMENT = "statement.dsse.json"
SUMS = "SHA256SUMS"
PACKAGES = ("parity-harness", "numpy", "scipy", "pyarrow", "cryptography")
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was written."""

    path: Path
    sha256: str
    verdict: Verdict
    decision_sha256: str


def order(roles: Iterable[str]) -> list[str]:
    """Names of a bundle's members, in the one order that they have. roles: of the sign-offs in it."""
    signed = [f"{signoff.FOLDER}/{role}.json" for role in sorted(roles)]
    return [HEAD, DECISION, POLICY, ROWS, RUN, LEDGER, *REPORTS, *signed, STATEMENT, SUMS]


def write(folder: decided.Stored, output: Path, *, seal: Signing | None = None) -> Bundle:
    """Write the bundle of a decided run; a reader of `output` sees all of it or none.

    Raises EvidenceError where rows and policy do not give the run's decision, a part is missing, or a sign-off is of
    another decision.
    """
    made = decided.load(folder)
    signoffs = _signoffs(folder.path, made)
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with partial.open("xb") as file:
            writer = Writer(file)
            _fill(writer, folder, made, signoffs, seal)
            writer.close()
        partial.replace(output)
    except OSError as exc:
        raise EvidenceError(f"{output}: cannot be written ({exc.strerror}).") from exc
    finally:
        partial.unlink(missing_ok=True)
    return Bundle(output, _sha256(output), made.verdict, made.sha256)


def sums(members: Sequence[Member]) -> bytes:
    """As `sha256sum` writes them."""
    return "".join(f"{member.sha256}  {member.name}\n" for member in members).encode("ascii")


def head(made: decided.Decided, versions: dict[str, str]) -> dict[str, Any]:
    """`bundle.json`."""
    return {
        "schema": SCHEMA,
        "run": made.run,
        "decision": made.verdict.value,
        "decision_sha256": made.sha256,
        "decided_at": made.decided_at.isoformat(),
        "versions": versions,
    }


def versions() -> dict[str, str]:
    """Of what decides, here and now."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _fill(
    writer: Writer,
    folder: decided.Stored,
    made: decided.Decided,
    signoffs: Sequence[signoff.SignOff],
    seal: Signing | None,
) -> None:
    members = [
        writer.add(HEAD, [canonical_json(head(made, versions()))]),
        writer.add(DECISION, [made.to_bytes()]),
        writer.add(POLICY, _file(folder.policy)),
        writer.add(ROWS, rows_lines(made.rows)),
        writer.add(RUN, _file(folder.path / RUN)),
        writer.add(LEDGER, _ledger(folder)),
    ]
    members += [writer.add(f"report{suffix}", _file(folder.report(suffix))) for suffix in (".json", ".html")]
    members += [writer.add(f"{signoff.FOLDER}/{one.role}.json", [one.envelope.to_bytes()]) for one in signoffs]
    envelope = Envelope(PAYLOAD_TYPE, statement(members, made.content))
    if seal is not None:
        envelope = envelope.signed(Signature(seal.public.id, seal.sign(envelope.signed_bytes)))
    members.append(writer.add(STATEMENT, [envelope.to_bytes()]))
    writer.add(SUMS, [sums(members)])


def _signoffs(folder: Path, made: decided.Decided) -> tuple[signoff.SignOff, ...]:
    found = signoff.read_all(folder)
    for one in found:
        if one.decision_sha256 != made.sha256:
            raise EvidenceError(
                f"{folder / signoff.FOLDER / one.role}.json: {one.person} signed another decision of this run. "
                f"Sign this one: parity sign {made.run} --role {one.role} --replace"
            )
    return found


def _ledger(folder: decided.Stored) -> Iterator[bytes]:
    """One line a file of the ledger, as `sha256sum` writes them from the run's folder."""
    paths = sorted(path for path in folder.ledger.rglob("*") if path.is_file() and path.name != "lock")
    if not paths:
        raise EvidenceError(f"{folder.ledger}: holds no recorded answers, and the bundle names their hashes.")
    for path in paths:
        yield f"{_sha256(path)}  {path.relative_to(folder.path).as_posix()}\n".encode()


def _file(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as exc:
        raise EvidenceError(f"{path}: cannot be read ({exc.strerror}). Judge the run again: parity report RUN") from exc


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
