"""How often the gate is right and wrong, by simulation with fixed seeds, beside other tools on the same samples.

    .venv/bin/python benchmarks/operating_characteristics.py                  # quick, without peers, under 2 minutes
    .venv/bin/python benchmarks/operating_characteristics.py --full --peers   # about 15 minutes on two cores
    .venv/bin/python benchmarks/operating_characteristics.py --full --peers --write   # and put the figures into docs/

1. Exactly at the margin: GO at most 5 % of the time, NO-GO at most 5 %, for every kind of criterion, 20 to 10,000
   units, both modes. 2. The same over 14 nights. 3. Many criteria at once. 4. What a verdict costs. 5. Other tools.
Tests are those of `harness.stats`; a share of all draws goes through `decide` as rows and must agree. --peers installs
two of the tools from PyPI, each into an environment of its own in a cache folder, and never into this project's.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the processes below are all the parallelism there is

import argparse
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import Pool
from multiprocessing.pool import Pool as Workers
from pathlib import Path

import numpy as np
from peers import budgets, environments, margins, pages, samples, tools
from peers.margins import ALPHA, Setting
from peers.shares import Share

from harness.core.verdict import Verdict
from harness.gate.decide import decide
from harness.gate.policy import Policy
from harness.stats.holm import holm

SEED = 20260101
NIGHTS = 14
NIGHTLY = {"score": 50, "severe": 50, "flip": 200, "error": 100, "latency p95": 100, "cost": 50, "clustered score": 20}
CRITERIA, CASES = (1, 5, 20), 200
ITEMS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Repetitions of each part."""

    margin: int
    margin_large: int  # for 10,000 units
    nights: int
    criteria: int
    budgets: int
    checks: int
    tools: int
    curves: int
    peers: int
    peers_curves: int


QUICK = Effort(
    margin=250,
    margin_large=40,
    nights=150,
    criteria=60,
    budgets=40,
    checks=1,
    tools=40,
    curves=20,
    peers=20,
    peers_curves=10,
)
FULL = Effort(
    margin=6000,
    margin_large=2000,
    nights=4000,
    criteria=1500,
    budgets=600,
    checks=5,
    tools=400,
    curves=300,
    peers=200,
    peers_curves=100,
)


def generator(*what: object) -> np.random.Generator:
    """A stream of its own for each thing that is simulated, whatever ran before it."""
    return np.random.default_rng([SEED, zlib.crc32("|".join(map(str, what)).encode())])


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMargin:
    """words, mode, n: what was simulated. go, no_go: shares of runs that said so."""

    words: str
    mode: str
    n: str
    go: Share
    no_go: Share

    @property
    def holds(self) -> bool:
        return not (self.go.above(ALPHA) or self.no_go.above(ALPHA))


def at_margin(effort: Effort, task: tuple[Setting, int]) -> list[AtMargin]:
    """Both modes on the same draws."""
    setting, n = task
    said: dict[str, list[tuple[bool, bool]]] = {"fixed": [], "anytime": []}
    rng = generator("margin", setting.name, n)
    for _ in range(effort.margin_large if n >= 10_000 else effort.margin):
        units = margins.units_of(setting, setting.draw(rng, n, 1.0))
        for mode, answers in said.items():
            tested = margins.tested(setting, units, mode)
            answers.append((tested.go, tested.no_go))
    return [_told(setting.words, mode, f"{n:,}", answers) for mode, answers in said.items()]


def over_nights(effort: Effort, name: str) -> AtMargin:
    """GO or NO-GO on any of 14 nights, exactly at the margin."""
    setting, each = budgets.setting(name), NIGHTLY[name]
    rng = generator("nights", name)
    answers = []
    for _ in range(effort.nights):
        units = margins.units_of(setting, setting.draw(rng, each * NIGHTS, 1.0), NIGHTS)
        tested = margins.tested(setting, units, "anytime")
        answers.append((tested.go, tested.no_go))
    return _told(setting.words, "anytime", f"{NIGHTS} nights x {each}", answers)


def many_criteria(effort: Effort, task: tuple[int, str]) -> list[AtMargin]:
    """Mean scores of 200 cases. truth: one criterion at the margin and the others equal, all at it, or all equal."""
    count, truth = task
    setting = budgets.setting("score")
    parts = {"one": [1.0] + [0.0] * (count - 1), "all": [1.0] * count, "none": [0.0] * count}[truth]
    words = {"one": "one at the margin, the others equal", "all": "all at the margin", "none": "all equal"}[truth]
    said: dict[str, list[tuple[bool, bool]]] = {"fixed": [], "anytime": []}
    rng = generator("criteria", count, truth)
    for _ in range(effort.criteria):
        units = [margins.units_of(setting, setting.draw(rng, CASES, part)) for part in parts]
        for mode, answers in said.items():
            tested = [margins.tested(setting, one, mode) for one in units]
            p_no_go = np.array([one.p_no_go[-1] for one in tested])
            answers.append((all(one.go for one in tested), bool(holm(p_no_go, alpha=ALPHA).any())))
    words = f"{count} {'criterion' if count == 1 else 'criteria'}, {words}"
    return [_told(words, mode, f"{CASES}", answers) for mode, answers in said.items()]


def _told(words: str, mode: str, n: str, answers: Sequence[tuple[bool, bool]]) -> AtMargin:
    go, no_go = (Share.of(one) for one in zip(*answers, strict=True))
    return AtMargin(words=words, mode=mode, n=n, go=go, no_go=no_go)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Until a verdict, at most `suite.nights` nights. cases: mean number to a verdict, and of the runs without one."""

    suite: budgets.Suite
    truth: str
    go: Share
    no_go: Share
    cases: float
    fixed: dict[int, Share]


def cost(effort: Effort, task: tuple[int, float]) -> Cost:
    at, part = task
    suite = budgets.SUITES[at]
    rng = generator("budgets", suite.words, part)
    verdicts = [budgets.first_verdict(suite, rng, part) for _ in range(effort.budgets)]
    fixed = {
        cases: Share.of(budgets.single_verdict(suite, rng, part, cases) == "GO" for _ in range(effort.budgets))
        for cases in (4 * suite.cases_a_night, 20 * suite.cases_a_night)
    }
    return Cost(
        suite=suite,
        truth="equal" if part == 0 else "half the margin",
        go=Share.of(said == "GO" for said, _ in verdicts),
        no_go=Share.of(said == "NO-GO" for said, _ in verdicts),
        cases=float(np.mean([nights for _, nights in verdicts])) * suite.cases_a_night,
        fixed=fixed,
    )


def disagreements(effort: Effort, setting: Setting) -> tuple[int, int]:
    """The same draws as rows through `decide`: how many were compared, and how many answers differ."""
    compared = differing = 0
    for mode in ("fixed", "anytime"):
        policy = Policy(criteria=(setting.promise,), mode=mode, max_cluster=setting.max_cluster)
        for n in [size for size in setting.sizes if size <= 1000]:
            rng = generator("check", setting.name, mode, n)
            for run in range(effort.checks):
                draw = setting.draw(rng, n, (0.0, 0.5, 1.0, 2.0)[run % 4])
                nights = 1 if mode == "fixed" else 7
                tested = margins.tested(setting, margins.units_of(setting, draw, nights), mode)
                decision = decide(
                    margins.in_rows(setting, draw, nights), policy, decided_at=datetime(2026, 1, 1, tzinfo=UTC)
                )
                finding = decision.findings[1 if setting.severe else 0]
                alone = len(decision.findings) == 1  # beside a second question Holm asks for more
                told = (finding.evidence.p_go, finding.evidence.p_no_go)
                same = np.allclose(told, (tested.p_go[-1], tested.p_no_go[-1]), rtol=1e-9, atol=1e-12)
                if alone and not tested.no_go:
                    same &= (finding.verdict is Verdict.GO) == tested.go
                compared, differing = compared + 1, differing + (not same)
    return compared, differing


@dataclass(frozen=True, slots=True)
class Said:
    """Shares of GO and of NO-GO of one tool in one scenario."""

    go: Share
    no_go: Share

    @classmethod
    def of(cls, verdicts: Sequence[str]) -> Said:
        return cls(Share.of(one == "GO" for one in verdicts), Share.of(one == "NO-GO" for one in verdicts))


def world(key: str) -> samples.World:
    scenarios = {scenario.name: scenario.world for scenario in samples.SCENARIOS}
    return scenarios[key] if key in scenarios else samples.CURVES[key][0]


def items_of(key: str, items: int) -> int:
    """A whole number for each night."""
    return -(-items // NIGHTS) * NIGHTS if key == "nightly" else items


def in_process(effort: Effort, task: tuple[str, str]) -> tuple[str, str, Said]:
    """One tool on one scenario or point of a curve. All tools see the same samples."""
    key, tool = task
    rng = generator("samples", key)
    runs = effort.curves if key in samples.CURVES else effort.tools
    drawn = (world(key)(rng, items_of(key, ITEMS), 1) for _ in range(runs))
    return key, tool, Said.of([tools.ask(tool, sample) for sample in drawn])


def start_peers(effort: Effort, cache: Path, folder: Path) -> list[tuple[environments.Peer, Path, object]]:
    """Write their samples and set them to work beside everything else."""
    started = []
    for peer in environments.PEERS:
        own = folder / peer.package
        own.mkdir()
        for key in [scenario.name for scenario in samples.SCENARIOS] + list(samples.CURVES):
            rng = generator("samples", key)
            runs = effort.peers_curves if key in samples.CURVES else effort.peers
            drawn = [world(key)(rng, items_of(key, peer.items), peer.draws) for _ in range(runs)]
            environments.write(own, key, drawn)
        started.append((peer, own, peer.start(cache, own)))
    return started


def finish_peers(started) -> list[tuple[str, str, Said]]:
    said = []
    for peer, folder, process in started:
        if process.wait() != 0:
            raise SystemExit(f"{peer.package} ended with exit code {process.returncode}; its message is above.")
        for key, verdicts in environments.read(folder).items():
            said.append((key, peer.words, Said.of([tools.settle(nights) for nights in verdicts])))
    return said


def simulate(effort: Effort, workers: Workers, started) -> pages.Results:
    def spread(work: Callable, tasks: Sequence) -> list:
        return workers.map(partial(work, effort), tasks, chunksize=1)

    sizes = [(setting, n) for setting in margins.SETTINGS for n in setting.sizes]
    sizes.sort(key=lambda task: -task[1])  # the long ones first
    found = {(rows[0].words, rows[0].n): rows for rows in spread(at_margin, sizes)}
    ordered = [row for setting in margins.SETTINGS for n in setting.sizes for row in found[setting.words, f"{n:,}"]]
    nights = spread(over_nights, list(NIGHTLY))
    criteria = [
        row
        for rows in spread(many_criteria, [(n, t) for t in ("one", "all", "none") for n in CRITERIA])
        for row in rows
    ]
    costs = spread(cost, [(at, part) for at in range(len(budgets.SUITES)) for part in (0.0, 0.5)])
    checks = spread(disagreements, margins.SETTINGS)
    tasks = [(scenario.name, tool) for scenario in samples.SCENARIOS for tool in (*tools.GATES, *tools.RULES)]
    tasks += [(point, tool) for point in samples.CURVES for tool in (*tools.IN_CURVES, *tools.RULES)]
    said = spread(in_process, tasks) + finish_peers(started)
    return pages.Results(
        at_margin=ordered,
        nights=nights,
        criteria=criteria,
        costs=costs,
        checked=tuple(map(sum, zip(*checks, strict=True))),
        said={(key, tool): one for key, tool, one in said},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="as many repetitions as the published figures have")
    parser.add_argument("--peers", action="store_true", help="install and ask model-migration-kit and evalshift too")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "parity-harness", help="for --peers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/README.md and docs/")
    args = parser.parse_args()
    effort = FULL if args.full else QUICK
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Pool(args.jobs) as workers:
        started = start_peers(effort, args.cache, Path(folder)) if args.peers else []
        results = simulate(effort, workers, started)
    minutes = (time.monotonic() - began) / 60
    print(pages.report(results))
    print(f"\n{minutes:.1f} minutes, {args.jobs} processes")
    if args.write:
        pages.write(
            results, minutes=minutes, command=" ".join(["benchmarks/operating_characteristics.py", *sys.argv[1:]])
        )
    if results.checked[1]:
        raise SystemExit(f"{results.checked[1]} of {results.checked[0]} draws got another answer from decide.")


if __name__ == "__main__":
    main()
