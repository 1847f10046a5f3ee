"""Make the golden set `usage` again: `.venv/bin/python golden/usage/build.py`.

Writes cases.jsonl and manifest.json beside this file, the same bytes every time. Needs the `lab` extra (statsmodels
ships the data). The rows are those that `harness.lab.visits` holds out, as the features of `harness.lab.usage`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from harness.core.case import Json, Provenance, Recording
from harness.lab.usage import CATEGORIES, COLUMNS, NUMBERS, UNSEEN, features
from harness.lab.visits import held_out
from harness.recordings.lines import StoredCase
from harness.recordings.manifest import Manifest
from harness.recordings.store import write

SERVICE, OPERATION = "sagemaker", "InvokeEndpoint"
CREATED_AT = datetime(2026, 11, 25, tzinfo=UTC)  # fixed, so that building again gives the same bytes
RULE = "usage-v1"
SHARES = {"null": 0.12, "unseen": 0.08, "no category": 0.02, "two rows": 0.10}
CASES = 900

DESCRIPTION = (
    "Persons and years of the RAND Health Insurance Experiment, as requests to a model of three numbers: expected "
    f"outpatient visits, their median and 90 % quantile. Features: {', '.join(COLUMNS)}. Made from the data set, not "
    f"captured from traffic. In about {SHARES['null']:.0%} of the rows one number is null, in {SHARES['unseen']:.0%} "
    f'the health is "{UNSEEN}", which the model never saw, and in {SHARES["no category"]:.0%} it is null; '
    f"{SHARES['two rows']:.0%} of the requests hold two rows. Slices: missing (none, number, category) and category "
    "(known, unseen), of the first row. expected: the visits of each row's first record."
)
SOURCE = (
    "statsmodels, data set randhie (20,190 records), collected by the RAND Corporation as part of the Health Insurance "
    "Experiment, https://www.rand.org/health/projects/hie.html; used in A. C. Cameron and P. K. Trivedi (2005), "
    "Microeconometrics: Methods and Applications, Cambridge University Press."
)
SPLIT = (
    f"The {CASES} rows of the golden set visits with the smallest sha256('{RULE}:order:' and the row's id). What is "
    f"altered in a row follows from further hashes of its id; a second row is the next one in that order."
)


def build(folder: Path) -> Manifest:
    """Write the set into `folder`. Raises LabError when statsmodels is not installed."""
    return write(
        folder,
        cases(),
        name="usage",
        description=DESCRIPTION,
        service=SERVICE,
        operation=OPERATION,
        licence="public domain",
        source=SOURCE,
        split=SPLIT,
        created_at=CREATED_AT,
        redaction=None,
        sampled=True,
        truncated=False,
        captured=None,
    )


def cases() -> Iterator[StoredCase]:
    """One request a row, in the order of a hash that knows neither features nor truth."""
    rows = sorted(held_out(), key=lambda row: draw(row.id, "order"))[: CASES + 1]
    for row, following in pairwise(rows):
        sent = [row, following] if draw(row.id, "two rows") < SHARES["two rows"] else [row]
        instances: Json = [{"features": altered(one.id, one.cells)} for one in sent]
        recording = Recording(
            id=row.id.replace("visits", "usage"),
            service=SERVICE,
            operation=OPERATION,
            request_headers={"content-type": "application/json"},
            request_body=json.dumps({"instances": instances}, separators=(",", ":")).encode(),
            provenance=Provenance(captured_at=None, captured_from=f"randhie.csv, the row of {row.id}"),
        )
        expected: Json = [one.visits for one in sent]
        yield StoredCase(recording=recording, slices=slices(altered(row.id, row.cells)), expected=expected)


def altered(identity: str, cells: tuple[str, ...]) -> list[Json]:
    """The seven features, with what is missing and what is unseen."""
    row: list[Json] = list(features([float(cell) for cell in cells]))
    if draw(identity, "null") < SHARES["null"]:
        row[int(draw(identity, "which") * len(NUMBERS))] = None
    health = len(NUMBERS) + CATEGORIES.index("health")
    if draw(identity, "unseen") < SHARES["unseen"]:
        row[health] = UNSEEN
    elif draw(identity, "no category") < SHARES["no category"]:
        row[health] = None
    return row


def slices(row: list[Json]) -> dict[str, str]:
    """What is missing in a row, and whether training saw its categories."""
    missing = next((kind for kind, part in (("number", row[:5]), ("category", row[5:])) if None in part), "none")
    return {"missing": missing, "category": "unseen" if UNSEEN in row else "known"}


def draw(identity: str, what: str) -> float:
    """A number in [0, 1) that follows from the row's id."""
    return int.from_bytes(hashlib.sha256(f"{RULE}:{what}:{identity}".encode()).digest()[:8], "big") / 2.0**64


if __name__ == "__main__":
    made = build(Path(__file__).parent)
    print(f"{made.cases} cases, sha256 {made.sha256}")
