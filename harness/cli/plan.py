"""`parity plan POLICY`: what a GO will cost, before any call is paid for, and what a smaller budget can decide."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, ConfigError

if TYPE_CHECKING:
    from harness.config import Suite
    from harness.gate.planner import Budget, Need, Traffic

ASSUMED = (
    ("noise_sd", "SD of D of a score between equal systems; default 0.08", 1.0),
    ("flip_rate", "share of cases that flip or fail between equal systems; default 0", 0.5),
    ("severe_rate", "share of cases that break badly between equal systems; default 0", 0.5),
    ("latency_spread", "scale of the logarithm of latency; default 0.48", 10.0),
    ("changed_share", "kind quality: share of cases on which two equal models differ; default 0.05", 1.0),
)


def add(commands: Any) -> None:
    command = commands.add_parser("plan", help="say before any call how many cases, calls and tokens a GO will take")
    command.add_argument("policy", type=Path, metavar="POLICY", help="a policy, or a suite's folder or suite.toml")
    command.add_argument("--cases", type=int, metavar="N", help="the budget; default: the golden set's cases")
    command.add_argument("--golden", metavar="NAME", help="golden set: a folder, or a name under golden/")
    command.add_argument("--calls-per-case", type=int, metavar="K", help="default: 2, or 3 with a noisy source")
    command.add_argument("--tokens-per-case", type=float, metavar="T", help="of all calls of a case together")
    command.add_argument(
        "--share", action="append", default=[], metavar="SLICE:SHARE", help="a slice's share, such as region=eu:0.2"
    )
    for name, text, _ in ASSUMED:
        command.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="X", help=text)
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")


def run(args: argparse.Namespace) -> int:
    """Opens no connection. Raises ConfigError where the policy, the suite or the golden set cannot be read."""
    from harness.gate.planner import Assumptions, plan
    from harness.gate.policy import load_policy

    path = args.policy / "suite.toml" if args.policy.is_dir() else args.policy
    policy = load_policy(path)
    _check_numbers(args)
    traffic = _traffic(args, path, noisy=not all(_repeats_itself(criterion) for criterion in policy.criteria))
    assumed = {name: value for name, *_ in ASSUMED if (value := getattr(args, name)) is not None}
    budget = plan(policy, traffic, Assumptions(**assumed), cases=args.cases)
    print(text(budget, str(path)), file=sys.stderr if args.json else sys.stdout)
    if args.json:
        print(json.dumps(budget.document(), allow_nan=False))
    return EXIT_GO


def _check_numbers(args: argparse.Namespace) -> None:
    for name in ("cases", "calls_per_case"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"parity plan: --{name.replace('_', '-')} must be at least 1, not {value}.")
    if args.tokens_per_case is not None and not 0 <= args.tokens_per_case < 1e12:
        raise ConfigError(f"parity plan: --tokens-per-case must not be negative, not {args.tokens_per_case:g}.")
    for name, _, most in ASSUMED:
        value = getattr(args, name)
        least_open = name in ("noise_sd", "latency_spread")
        if value is not None and not (0 < value <= most or (value == 0 and not least_open)):
            raise ConfigError(
                f"parity plan: --{name.replace('_', '-')} must lie between 0 and {most:g}, not {value:g}."
            )


def _repeats_itself(criterion: Any) -> bool:
    """Needs no second source call."""
    from harness.gate.faults import ERROR_METRICS

    kind = criterion.kind.value
    return (
        criterion.deterministic
        or kind in ("exceed", "cost", "limit", "quality", "check")
        or (criterion.metric in ERROR_METRICS)
    )


def _traffic(args: argparse.Namespace, path: Path, *, noisy: bool) -> Traffic:
    import tomllib

    from harness import config
    from harness.gate.planner import Traffic

    suite: Suite | None = None
    if "suite" in tomllib.loads(path.read_text(encoding="utf-8-sig")):
        suite = config.load_suite(path)
        noisy = not suite.deterministic_source
    folder = None if suite is None else suite.golden
    if args.golden is not None:
        folder = _golden_folder(args.golden, path)
    known = {} if folder is None else _golden(folder, required=args.golden is not None)
    return Traffic(
        calls_per_case=args.calls_per_case or (3 if noisy else 2),
        extra_calls=_proof_calls() if suite is not None and suite.deterministic_source else 0,
        calibration=suite.calibration if suite is not None else 0,
        tokens_per_case=args.tokens_per_case,
        cases=known.get("cases"),
        clusters=known.get("clusters"),
        shares={**known.get("shares", {}), **dict(map(_share, args.share))},
    )


def _share(text: str) -> tuple[str, float]:
    where, _, share = text.rpartition(":")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if "=" not in where or not 0 < value <= 1:
        raise ConfigError(f'parity plan: --share is written region=eu:0.2, with a share up to 1, not "{text}".')
    return where, value


def _proof_calls() -> int:
    from harness.run.plan import PROOF_CASES

    return PROOF_CASES


def _golden_folder(name: str, path: Path) -> Path:
    from harness import config

    given = Path(name)
    if (given / "manifest.json").is_file():
        return given
    try:
        return config.load_project(path).folder / "golden" / name
    except ConfigError:
        return given


def _golden(folder: Path, *, required: bool) -> dict[str, Any]:
    """Cases, clusters and slices of a golden set. One that is not recorded yet is planned without, unless asked for."""
    from collections import Counter

    from harness.recordings.store import GoldenSet

    if not required and not folder.exists():
        print(f"{folder}: not recorded yet; planned without it.", file=sys.stderr)
        return {}
    clusters: set[str] = set()
    slices: Counter[str] = Counter()
    with GoldenSet.open(folder) as golden:
        for case in golden:
            clusters.add(case.cluster or case.recording.id)
            slices.update(f"{key}={value}" for key, value in case.slices.items())
        shares = {where: count / len(golden) for where, count in slices.items()}
        return {"cases": len(golden), "clusters": len(clusters), "shares": shares}


def text(budget: Budget, name: str) -> str:
    """For a terminal: a line a question, what smaller budgets decide, what was assumed."""
    from harness.gate.planner import described

    mode = "one look (fixed)" if budget.mode == "fixed" else "any number of looks (anytime)"
    head = [
        f"plan for {name}: {mode}, risk of a wrong GO {100 * budget.alpha_go:g} %",
        f"an equal target gets GO with {100 * budget.power:g} %: {budget.metrics} gating questions, "
        f"{100 * budget.each_power:.3g} % each",
    ]
    table = _without_empty([_heads(budget), *(_cells(budget, need) for need in budget.needs)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        numbers = "".join(f"  {cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        lines.append(f"{first:<{widths[0]}}{numbers}".rstrip())
    assumed = ["assumed of an equal target:", *(f"  {one}" for one in described(budget.assumptions))]
    notes = [f"note: {one}" for one in budget.limits]
    return "\n\n".join("\n".join(part) for part in (head, lines, _verdict(budget), notes, assumed) if part)


def _without_empty(table: list[list[str]]) -> list[list[str]]:
    """The table without the columns that say nothing here."""
    told = [at for at in range(len(table[0])) if any(row[at] != "-" for row in table[1:])]
    return [[row[at] for at in told] for row in table]


def _heads(budget: Budget) -> list[str]:
    heads = ["question", "margin", "units", "on average", "one event", "cases", "calls"]
    if budget.at_hand is None:
        return heads
    return [*heads, f"chance at {budget.at_hand:,}", f"smallest at {budget.at_hand:,}"]


def _cells(budget: Budget, need: Need) -> list[str]:
    from harness.gate.planner import place

    unit = "ratio " if need.settles == "ratio" else ""
    agreed = need.ratio if need.settles == "ratio" else need.margin
    cells = [
        place(need) if need.gating else f"{place(need)} (no vote)",
        "census" if need.kind == "check" else "-" if agreed is None else f"{unit}{agreed:g}",
        "never" if need.units is None else f"{need.units:,}",
        "-" if need.on_average is None else f"{need.on_average:,.0f}",
        "-" if need.at_one_event is None else f"{need.at_one_event:,}",
        "-" if need.cases is None else f"{need.cases:,}",
        "-" if need.calls is None else f"{need.calls:,}",
    ]
    if budget.at_hand is None:
        return cells
    chance = "-" if need.chance is None else "> 99 %" if need.chance > 0.99 else f"{100 * need.chance:.0f} %"
    return [*cells, chance, "-" if need.smallest is None else f"{unit}{need.smallest:g}"]


def _verdict(budget: Budget) -> list[str]:
    """What it takes in all, what fewer cases decide, and the chance with those at hand."""
    from harness.gate.planner import place

    stuck = [place(need) for need in budget.needs if need.gating and need.units is None]
    empty = [place(need) for need in budget.needs if need.gating and budget.traffic.share(need.slice) == 0]
    tokens = "" if budget.tokens is None else f", {budget.tokens:,} tokens"
    lines = [] if budget.cases is None else [f"in all: {budget.cases:,} cases, {budget.calls:,} calls{tokens}"]
    lines += [f"an equal target would hardly ever get GO, however many cases: {', '.join(stuck)}"] if stuck else []
    lines += [f"no case of the golden set lies in it, and so no GO: {', '.join(empty)}"] if empty else []
    if besides := budget.besides():
        lines.append(f"besides, of unknown share (--share): {'; '.join(besides)}")
    lines += [f"from {cases:,} cases: {', '.join(names)}" for cases, names in budget.steps()]
    if budget.at_hand is not None and budget.chance is not None:
        known = ", slices of unknown share aside" if budget.besides() else ""
        chance = f"{100 * min(budget.chance, 0.99):.0f} %"
        lines.append(f"with {budget.at_hand:,} cases an equal target gets GO with at least {chance}{known}")
    return lines
