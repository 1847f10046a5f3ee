"""`parity golden show|stats|diff|split|sample|merge|verify|scan`: look at golden sets, and make new ones of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli._json import json_line
from harness.errors import EXIT_GO, EXIT_NO_GO, ConfigError, UnknownName

if TYPE_CHECKING:
    from harness.recordings.manifest import Manifest
    from harness.recordings.store import GoldenSet

_JSON = "one JSON document on stdout"


def add(commands: Any) -> None:
    command = commands.add_parser("golden", help="show, compare, sample, split, merge and verify golden sets")
    parts = command.add_subparsers(dest="part", metavar="WHAT", required=True)
    show = _part(parts, "show", "print the cases of a set, one a line")
    show.add_argument("--case", metavar="ID", help="this one alone")
    show.add_argument("--json", action="store_true", help="each case as one line of JSON")
    stats = _part(parts, "stats", "say what is in a set: operations, models, outcomes, slices, clusters, gaps")
    stats.add_argument("--json", action="store_true", help=_JSON)
    diff = _part(parts, "diff", "say which requests two sets share, and whose answers differ")
    diff.add_argument("other", metavar="OTHER", help="the second set")
    diff.add_argument("--json", action="store_true", help=_JSON)
    split = _part(parts, "split", "split a set in two, clusters whole")
    split.add_argument("--share", type=float, required=True, metavar="X", help="of the clusters, to --into; 0 to 1")
    split.add_argument("--into", type=Path, required=True, metavar="DIR", help="the first set")
    split.add_argument("--rest", type=Path, required=True, metavar="DIR", help="the second set")
    split.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    split.add_argument("--json", action="store_true", help=_JSON)
    sample = _part(parts, "sample", "draw a smaller set that keeps the proportions of the traffic")
    sample.add_argument("--cases", type=int, required=True, metavar="N", help="how many")
    sample.add_argument("--into", type=Path, required=True, metavar="DIR", help="the new set")
    sample.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    sample.add_argument(
        "--over", action="append", default=[], metavar="SLICE=VALUE:N", help="at least N of a slice, for slices only"
    )
    sample.add_argument("--rare", type=int, default=0, metavar="N", help="at least N of each label, for slices only")
    sample.add_argument("--nulls", type=int, default=0, metavar="N", help="at least N with nulls, for slices only")
    sample.add_argument("--json", action="store_true", help=_JSON)
    merge = _part(parts, "merge", "one set of several; requests that they share become repeats and duplicates")
    merge.add_argument("others", nargs="+", metavar="OTHER", help="further sets")
    merge.add_argument("--into", type=Path, required=True, metavar="DIR", help="the new set")
    merge.add_argument("--json", action="store_true", help=_JSON)
    verify = _part(parts, "verify", "read sets whole and prove that nothing was altered")
    verify.add_argument("others", nargs="*", metavar="OTHER", help="further sets")
    verify.add_argument("--json", action="store_true", help=_JSON)
    scan = _part(parts, "scan", "look for personal data and credentials; exits 1 where something is found")
    scan.add_argument("others", nargs="*", metavar="OTHER", help="further sets")
    scan.add_argument("--allow", action="append", default=[], metavar="KIND", help="a kind that may be there")
    scan.add_argument("--json", action="store_true", help=_JSON)


def _part(parts: Any, name: str, text: str) -> Any:
    part = parts.add_parser(name, help=text)
    part.add_argument("name", metavar="NAME", help="a folder, or a name under golden/")
    return part


def run(args: argparse.Namespace) -> int:
    """Raises GoldenError where a set is missing, altered or malformed."""
    action = globals()[f"_{args.part}"]
    code: int | None = action(args)
    return EXIT_GO if code is None else code


def opened(name: str) -> GoldenSet:
    """A set by its folder, or by its name under the project's golden/."""
    from harness import config
    from harness.recordings.store import GoldenSet

    given = Path(name)
    if not (given / "manifest.json").is_file() and not given.is_absolute():
        try:
            inside = config.load_project(Path.cwd()).folder / "golden" / name
        except ConfigError:
            inside = Path("golden") / name
        given = inside if (inside / "manifest.json").is_file() else given
    return GoldenSet.open(given)


def _show(args: argparse.Namespace) -> None:
    from harness.run.outcomes import line, shown

    with opened(args.name) as golden:
        cases = golden if args.case is None else golden.named(args.case)
        found = False
        for case in cases:
            found = True
            print(json_line(shown(case)) if args.json else line(case))
    if not found and args.case is not None:
        raise ConfigError(f'{args.name}: there is no case "{args.case}".')


def _stats(args: argparse.Namespace) -> None:
    from harness.run.golden_stats import stats, text

    with opened(args.name) as golden:
        found = stats(golden)
    print(json_line(found) if args.json else text(found))


def _diff(args: argparse.Namespace) -> None:
    from harness.run.golden_stats import difference

    with opened(args.name) as first, opened(args.other) as second:
        found = difference(first, second)
    if args.json:
        print(json_line(found))
        return
    for word, cases in found["cases"].items():
        for case in cases:
            print(f"{word:<9} {case}")
    print(", ".join(f"{count:,} {word}" for word, count in found["counts"].items()))


def _scan(args: argparse.Namespace) -> int:
    """Says where, what kind, and never the value."""
    from harness.recordings.detectors import KINDS
    from harness.recordings.exposed import exposures

    for kind in args.allow:
        if kind not in KINDS:
            raise UnknownName("parity golden scan: --allow", "kind", kind, KINDS)
    found = 0
    for name in (args.name, *args.others):
        with opened(name) as golden:
            for one in (one for case in golden for one in exposures(case, off=frozenset(args.allow))):
                if args.json:
                    table = {"golden": name, "case": one.case, "place": one.place, "kind": one.kind}
                    print(", " if found else "[", json_line(table), sep="", end="")
                else:
                    print(f"{name}: case {one.case}, {one.place}: {one.kind}")
                found += 1
    if args.json:
        print("]" if found else "[]")
    else:
        print(f"{found:,} found in {1 + len(args.others):,} golden set(s)")
    return EXIT_NO_GO if found else EXIT_GO


def _split(args: argparse.Namespace) -> None:
    from harness.recordings.derive import split

    if not 0 < args.share < 1:
        raise ConfigError(f"parity golden split: --share lies between 0 and 1, not {args.share:g}.")
    with opened(args.name) as golden:
        made = split(golden, args.into, args.rest, share=args.share, seed=args.seed)
    folders = (args.into, args.rest)
    if args.json:
        print(json_line({"sets": [_told(*one) for one in zip(folders, made, strict=True)]}))
        return
    for folder, manifest in zip(folders, made, strict=True):
        print(f"{folder}: {manifest.cases:,} cases, {manifest.primaries:,} of them replayed")


def _sample(args: argparse.Namespace) -> None:
    from harness.recordings.derive import Wanted, sample
    from harness.run.outcomes import has_nulls

    if args.cases < 1 or args.rare < 0 or args.nulls < 0:
        raise ConfigError("parity golden sample: --cases is at least 1, --rare and --nulls are not negative.")
    wanted = Wanted(cases=args.cases, seed=args.seed, over=_over(args.over), rare=args.rare, nulls=args.nulls)
    with opened(args.name) as golden:
        made = sample(golden, args.into, wanted, has_nulls=has_nulls)
    if args.json:
        table = {"drawn": made.drawn, "of": made.of, "left_out": made.left_out, "more": dict(made.more)}
        print(json_line({**_told(args.into, made.manifest), **table, "short": dict(made.short)}))
        return
    print(f"{args.into}: {made.drawn:,} cases in the proportions of {made.of:,}, {made.left_out:,} left out")
    for what, count in made.more.items():
        print(f"  {count:,} more for slices only: {what}")
    if made.drawn < args.cases:
        print(f"  fewer than the {args.cases:,} that were asked for: there are no more")
    for what, count in made.short.items():
        print(f"  fewer than were asked for: {what}, of which there are {count:,}")


def _over(given: list[str]) -> dict[tuple[str, str], int]:
    wanted = {}
    for item in given:
        where, _, count = item.rpartition(":")
        name, equals, value = where.partition("=")
        if not (name and equals and value and count.isdecimal() and int(count)):
            raise ConfigError(f'parity golden sample: --over is written region=eu:30, not "{item}".')
        if (name, value) in wanted:
            raise ConfigError(f"parity golden sample: --over says twice how many of {where}. Say it once.")
        wanted[name, value] = int(count)
    return wanted


def _merge(args: argparse.Namespace) -> None:
    from contextlib import ExitStack

    from harness.run.golden_merge import merge

    with ExitStack() as stack:
        sets = [stack.enter_context(opened(name)) for name in (args.name, *args.others)]
        made = merge(sets, args.into)
    if args.json:
        print(json_line(_told(args.into, made)))
        return
    print(f"{args.into}: {made.cases:,} cases, {made.repeats:,} repeats and {made.duplicates:,} duplicates among them")


def _verify(args: argparse.Namespace) -> None:
    told = []
    for name in (args.name, *args.others):
        with opened(name) as golden:
            made = golden.manifest
            told.append(_told(golden.folder, made))
            if not args.json:
                print(f"{golden.folder}: {made.cases:,} cases, sha256 {made.sha256}, as its manifest says")
    if args.json:
        print(json_line({"sets": told}))


def _told(folder: Path, made: Manifest) -> dict[str, Any]:
    """A set as `--json` tells of it."""
    return {
        "golden": str(folder),
        "cases": made.cases,
        "primaries": made.primaries,
        "repeats": made.repeats,
        "duplicates": made.duplicates,
        "sha256": made.sha256,
    }
