"""Rows with a known truth, written to a file and decided through the command, as anyone would."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.cli import decide

Fields = dict[str, Any]
MODES = ("fixed", "anytime")
EXITS = {"GO": 0, "NO-GO": 1, "INCONCLUSIVE": 3}


def scores(
    n: int, *, drop: float = 0.0, spread: float = 0.05, seed: int = 1, metric: str = "sim", case: str = "case"
) -> list[Fields]:
    """A noisy source of mean similarity 0.85 with itself; the target loses `drop` on average, exactly."""
    rng = np.random.default_rng(seed)
    noise = 0.85 + rng.normal(0, spread, n).clip(-0.14, 0.14)
    target = 0.85 + rng.normal(0, spread, n).clip(-0.14, 0.14)
    target += (noise - drop - target).mean()
    return [
        {"case": f"{case}-{i}", "metric": metric, "value_target": float(t), "value_noise": float(s)}
        for i, (t, s) in enumerate(zip(target.clip(0, 1), noise, strict=True))
    ]


def flips(n: int, bad: int, *, metric: str = "label", noise: int | None = 0, case: str = "case") -> list[Fields]:
    """The target flips the first `bad` cases; the source against itself the last `noise`, None for no second call."""
    return [
        {
            "case": f"{case}-{i}",
            "metric": metric,
            "value_target": float(i < bad),
            "value_noise": None if noise is None else float(i >= n - noise),
        }
        for i in range(n)
    ]


def score(**keys: Any) -> Fields:
    return {"metric": "sim", "kind": "score", **keys}


def flip(**keys: Any) -> Fields:
    return {"metric": "label", "kind": "flip", **keys}


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def write_policy(
    path: Path, criteria: Iterable[Fields], *, epoch: Fields | None = None, mode: str | None = None, **gate: Any
) -> Path:
    tables = [("[gate]", ({"mode": mode} if mode else {}) | gate), ("[epoch]", epoch or {})]
    tables += [("[[criterion]]", criterion) for criterion in criteria]
    lines = []
    for head, keys in tables:
        lines += [head, *(f"{key} = {toml(value)}" for key, value in keys.items()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_rows(path: Path, rows: Iterable[Fields]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Decided:
    code: int
    document: Fields
    told: str

    @property
    def verdict(self) -> str:
        return str(self.document["decision"])

    def finding(self, criterion: str, slice: str | None = None) -> Fields:  # noqa: A002 - the document's own word
        found = [one for one in self.document["findings"] if one["criterion"] == criterion and one["slice"] == slice]
        assert len(found) == 1, f"{len(found)} findings for {criterion}, {slice}"
        return dict(found[0])


class Gate:
    """Runs `parity decide --json` on rows, and holds its exit code against its word."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(
        self,
        rows: Iterable[Fields],
        criteria: Iterable[Fields],
        *,
        mode: str | None = None,
        history: Path | None = None,
        epoch: Fields | None = None,
        **gate: Any,
    ) -> Decided:
        policy = write_policy(self.folder / "POLICY.toml", criteria, mode=mode, epoch=epoch, **gate)
        return self.decide(write_rows(self.folder / "rows.jsonl", rows), policy, history=history)

    def decide(self, rows: Path, policy: Path, *, history: Path | None = None) -> Decided:
        extra = [] if history is None else ["--history", str(history)]
        code = run([str(rows), "--policy", str(policy), "--json", *extra])
        out, err = self._capsys.readouterr()
        document = json.loads(out, parse_constant=lambda word: pytest_fail(word))
        assert code == EXITS[document["decision"]]
        return Decided(code, document, err)


def run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    decide.add(parser.add_subparsers())
    return decide.run(parser.parse_args(["decide", *arguments]))


def pytest_fail(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")
