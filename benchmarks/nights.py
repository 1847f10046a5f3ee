"""Nights: how often alarms are false and how soon they come; how long a history of 1,000 nights takes to open.

python benchmarks/nights.py            # both, about a minute
python benchmarks/nights.py --alarms   # simulation alone: one question a stream, exact bets, seeds fixed
python benchmarks/nights.py --history  # 1,000 nights of 3 suites in a folder of their own, then the clock
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path

import numpy as np

from harness.core.night import Night, SuiteNight, Told
from harness.core.verdict import Verdict
from harness.gate.alarm import NIGHTS
from harness.run import nights
from harness.stats.detector import log_bet, log_carried
from harness.stats.units import Tally, Units

QUESTIONS = 8
STREAMS = 200
LONGEST = 2_000  # nights after which a stream without alarm is cut
SUITES = ("chat", "usage", "visits")


def flips(count: int, n: int) -> Units:
    """n units, `count` of them flipped, of a source that repeats itself."""
    none = np.zeros(1, dtype=np.int64)
    return Units(
        d=np.sort(np.where(np.arange(n) < count, -1.0, 0.0)),
        size=np.ones(n, dtype=np.int64),
        look=np.zeros(n, dtype=np.int64),
        low_end=-1.0,
        high_end=0.0,
        looks=1,
        tally=Tally(rows=none + n, excluded=none, unscored=none, conflicts=none, contradicted=none, largest=none + 1),
        cases=n,
    )


def nights_to_alarm(rates: list[float], *, margin: float, n: int, seed: int) -> list[int]:
    """Nights until the first alarm of any question, a stream each; questions flip independently at their rates."""
    generator = np.random.default_rng(seed)
    bets = np.array([log_bet(flips(count, n), margin=margin) for count in range(n + 1)])
    bound, lasted = log(NIGHTS * len(rates)), []
    for _ in range(STREAMS):
        figures: list[float | None] = [None] * len(rates)
        night = 0
        while night < LONGEST:
            night += 1
            seen = generator.binomial(n, rates)
            figures = [log_carried(before, float(bets[k])) for before, k in zip(figures, seen, strict=True)]
            if max(figure for figure in figures if figure is not None) >= bound:
                break
        lasted.append(night)
    return lasted


def alarms() -> None:
    print(f"Nights to an alarm, {QUESTIONS} questions, bound {NIGHTS} x {QUESTIONS}; streams are cut at {LONGEST:,}.\n")
    print("| margin | units a night | one question flips at | the others at | mean | median | alarms by night 365 |")
    print("|---|---|---|---|---|---|---|")
    for margin, n in ((0.005, 50), (0.005, 400), (0.05, 50)):
        others = margin / 2
        cases = [(others, others), (margin, margin), *((factor * margin, others) for factor in (2, 4, 10, 20))]
        for place, (one, rest) in enumerate(cases):
            rates = [one, *[rest] * (QUESTIONS - 1)]
            lasted = nights_to_alarm(rates, margin=margin, n=n, seed=place)
            mean = f"{np.mean(lasted):,.1f}" if max(lasted) < LONGEST else f"over {np.mean(lasted):,.0f}"
            year = np.mean(np.array(lasted) <= 365)
            print(f"| {margin:.1%} | {n} | {one:.2%} | {rest:.2%} | {mean} | {np.median(lasted):,.0f} | {year:.1%} |")


def made(count: int, folder: Path) -> None:
    """`count` nights with a part and ten findings for each suite."""
    began = datetime(2024, 1, 1, 2, tzinfo=UTC)
    told = [
        Told(
            criterion=f"criterion {place}",
            slice=None if place < 5 else f"kind=k{place}",
            verdict=Verdict.GO,
            gating=True,
            reason="0 of 1,600 cases flipped. At worst 0.49 % flip, and 0.5 % is accepted.",
            units=1600,
            margin=0.005,
            estimate=0.0,
            low=-0.0049,
            high=0.0,
            p_go=0.04,
            p_no_go=1.0,
        )
        for place in range(10)
    ]
    for place in range(count):
        at = began + timedelta(days=place)
        suites = tuple(
            SuiteNight(
                suite=suite,
                title=f"Suite {suite}",
                kind="new",
                verdict=Verdict.GO if place > 20 else Verdict.INCONCLUSIVE,
                headline="Labels agree: 0 of 1,600 cases flipped. At worst 0.49 % flip, and 0.5 % is accepted. " * 3,
                run=f"{at:%Y%m%dT%H%M%SZ}-{suite}-0000",
                over_nights=Verdict.GO,
                epoch=f"epoch-{place // 100}",
                epochs=place // 100 + 1,
                opened=place % 100 == 0,
                findings=tuple(replace(one, units=50 * (place + 1)) for one in told),
                units=50,
                seen=50 * (place + 1),
                unseen=1000,
                figures={one.criterion: -3.0 for one in told},
                versions={"parity-harness": "0.1.0", "numpy": "2"},
            )
            for suite in SUITES
        )
        night = Night(
            name=f"{at:%Y%m%dT%H%M%SZ}-{place:08x}",
            profile="lab",
            started_at=at,
            finished_at=at + timedelta(minutes=20),
            verdict=Verdict.GO,
            suites=suites,
            harness="0.1.0",
        )
        nights.write(folder / "reports", night)


def timed(*words: str, folder: Path) -> float:
    """Seconds of a whole command, the start of Python included; the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, check=False)
        best = min(best, time.perf_counter() - start)
        assert done.returncode == 0, done.stderr.decode()
    return best


def history(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "parity.toml").write_text('[profiles.lab]\nlab = true\n[profiles.lab.source]\ncloud = "aws"\n')
        made(count, folder)
        size = sum(path.stat().st_size for path in folder.glob("reports/nights/*/night.json"))
        start = time.perf_counter()
        nights.read_all(folder / "reports")
        read = time.perf_counter() - start
        print(f"\n{count:,} nights of {len(SUITES)} suites, {size / 1e6:.1f} MB of night.json\n")
        print("| what | seconds |")
        print("|---|---|")
        print(f"| read by a night that begins | {read:.2f} |")
        print(f"| `parity history` | {timed('history', folder=folder):.2f} |")
        query = "SELECT criterion, max(units) FROM findings GROUP BY criterion"
        asked = timed("history", "--sql", query, folder=folder)
        print(f"| `parity history --sql` over {count * 30:,} findings | {asked:.2f} |")
        print(f"| `parity history --index` | {timed('history', '--index', folder=folder):.2f} |")
        page = (folder / "reports" / "index.html").stat().st_size
        print(f"\nindex.html: {page / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", action="store_true")
    parser.add_argument("--history", action="store_true")
    parser.add_argument("--nights", type=int, default=1000)
    args = parser.parse_args()
    if args.alarms or not args.history:
        alarms()
    if args.history or not args.alarms:
        history(args.nights)


if __name__ == "__main__":
    main()
