"""Earlier nights: rows files in a folder, only read, and which of them belong to the present epoch.

A rows file carries no version. Which epoch it was decided in is told, in this order, by a decision (`parity decide
--json`, saved as .json anywhere in the folder) that names the hash of the file; by `NAME.policy.toml` beside
`NAME.jsonl`; by `policy.toml` in the same folder. A run's folder holds the first and the last of these. A file without
any of them is taken for one of the present epoch, and a note says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.core.rows import Rows
from harness.errors import HarnessError, PolicyError, RowsError
from harness.gate.conditions import RUN_RECORD, WATCH, Conditions
from harness.gate.policy import Policy, load_policy
from harness.gate.rows_file import RowsFile, open_rows

SUFFIXES = (".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Rows of earlier nights of this epoch, and what a reader must know about the others.

    started: run -> when it began, for the runs whose folder tells.
    """

    rows: tuple[Rows, ...]
    notes: tuple[str, ...]
    started: Mapping[str, datetime] = field(default_factory=dict)


def read_history(folder: Path, policy: Policy, *, tonight: RowsFile) -> Past:
    """Every rows file in the folder and below it, but tonight's own. Raises RowsError, and PolicyError where the
    policy beside one cannot be read."""
    if not folder.is_dir():
        raise RowsError(f"{folder}: no such folder. --history names a folder of earlier rows files; it may be empty.")
    decided = dict(_decided(folder))
    same: list[Rows] = []
    started = dict(_started(tonight.path))
    others: dict[str, list[str]] = {}
    untold: list[str] = []
    unfit: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file()):
        shown = str(path.relative_to(folder))
        if _no_rows(path):
            continue
        if why := _no_night(path):
            unfit.append(f"{shown} ({why})")
            continue
        file = open_rows(path, run=_run_name(path))
        if file.sha256 == tonight.sha256:
            continue
        epoch = decided.get(file.sha256) or _epoch_beside(path, policy)
        if epoch is None:
            untold.append(shown)
        elif epoch != policy.epoch_id:
            others.setdefault(epoch, []).append(shown)
            continue
        same.append(file.rows)
        started.update(_started(path))
    return Past(rows=tuple(same), notes=tuple(_notes(policy, others, untold, unfit)), started=started)


def _no_rows(path: Path) -> bool:
    """Whether the file is a part of a run and not its rows: replies, what judges said, listed cases."""
    if path.name == "cases.jsonl" and (path.parent / RUN_RECORD).is_file():
        return True
    return any(one.name in ("ledger", "judge") and (one.parent / RUN_RECORD).is_file() for one in path.parents)


def _no_night(path: Path) -> str | None:
    """Why the rows of a run are no evidence: partial, a planted fault, or payloads that were replayed to watch."""
    record = _record(path)
    if record.get("partial"):
        return "a partial run"
    if (record.get("portion") or {}).get("kind") == WATCH:
        return "payloads replayed again"
    return "a planted fault" if record.get("planted") else None


def _started(path: Path) -> Iterator[tuple[str, datetime]]:
    """(run, when it began) as the run in whose folder a rows file lies says."""
    record = _record(path)
    try:
        began = datetime.fromisoformat(record["started_at"])
    except (KeyError, TypeError, ValueError):
        return
    if began.tzinfo is not None:
        yield str(record.get("run")), began


def _record(path: Path) -> dict[str, Any]:
    """run.json beside a rows file; empty where there is none."""
    try:
        record = json.loads((path.parent / RUN_RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _run_name(path: Path) -> str:
    """What a night is called whose rows do not say: the file, or its folder where the file is just called rows."""
    return path.parent.name if path.stem == "rows" else path.stem


def _decided(folder: Path) -> Iterator[tuple[str, str]]:
    """(rows_sha256, epoch) of every decision that was saved in the folder."""
    for path in sorted(folder.rglob("*.json")):
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue  # not a decision
        if isinstance(content, dict) and isinstance(content.get("epoch"), str):
            sha256 = content.get("rows_sha256")
            if isinstance(sha256, str):
                yield sha256, content["epoch"]


def _epoch_beside(path: Path, policy: Policy) -> str | None:
    """The epoch of the policy beside a rows file. The present policy, which may have been edited since, tells none."""
    for beside in (path.with_name(f"{path.stem}.policy.toml"), path.with_name("policy.toml")):
        if beside.is_file() and beside.resolve() != Path(policy.where).resolve():
            try:
                return load_policy(beside).under(Conditions.beside(path)).epoch_id
            except HarnessError as exc:
                raise PolicyError(
                    f"{exc} It stands beside {path} and should tell which epoch that belongs to."
                ) from exc
    return None


def _notes(policy: Policy, others: dict[str, list[str]], untold: list[str], unfit: list[str]) -> Iterator[str]:
    if others:
        files = sum(map(len, others.values()))
        listed = "; ".join(f"epoch {epoch}: {', '.join(names)}" for epoch, names in others.items())
        yield (
            f"New epoch {policy.epoch_id}: a version, a margin or another part of the policy has changed since "
            f"{files} earlier rows {'file was' if files == 1 else 'files were'} decided ({listed}), so their evidence "
            f"does not count. This is epoch number {len(others) + 1} here, and each is a new chance of a wrong GO."
        )
    if untold:
        yield (
            f"Nothing tells the epoch of {', '.join(untold)}; taken for this one, {policy.epoch_id}. Save the decision "
            "(--json) or the policy beside each rows file."
        )
    if unfit:
        yield f"Left out, as no evidence: {', '.join(unfit)}."
