"""Make the golden set `visits` again: `.venv/bin/python golden/visits/build.py`.

Writes cases.jsonl and manifest.json beside this file, the same bytes every time. Needs the `lab` extra (statsmodels
ships the data). Change the split in `harness.lab.visits` and this is another golden set, with other evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.core.case import Provenance, Recording
from harness.lab.visits import COLUMNS, FREQUENT, SPLIT, TRAINING_SHARE, held_out, records
from harness.recordings.lines import StoredCase
from harness.recordings.manifest import Manifest
from harness.recordings.store import write

SERVICE, OPERATION = "sagemaker", "InvokeEndpoint"

# Fixed, so that building again gives the same bytes.
CREATED_AT = datetime(2026, 11, 20, tzinfo=UTC)

DESCRIPTION = (
    "One person in one year of the RAND Health Insurance Experiment, as a request to a model that predicts five or "
    f"more outpatient visits. Columns: {','.join(COLUMNS)}. The requests are made from the data set, not captured from "
    "traffic: each distinct row is there once, however many people share it. Slices: coinsurance (the plan is free, or "
    "shares the cost) and health (as the person rates it). expected: 1 for five visits and more, else 0, in the first "
    "record of the row."
)
SOURCE = (
    "statsmodels, data set randhie (20,190 records), collected by the RAND Corporation as part of the Health Insurance "
    "Experiment, https://www.rand.org/health/projects/hie.html; used in A. C. Cameron and P. K. Trivedi (2005), "
    "Microeconometrics: Methods and Applications, Cambridge University Press."
)
RULE = (
    f"Distinct feature rows whose hash, the first 8 hex digits of sha256('{SPLIT}:' and the nine values as Python's "
    f"repr(float), joined by commas) over 2**32, is not below {TRAINING_SHARE}. The model trains on the other rows. "
    "Sorted by that hash."
)


def build(folder: Path) -> Manifest:
    """Write the set into `folder`. Raises LabError when statsmodels is not installed."""
    return write(
        folder,
        cases(),
        name="visits",
        description=DESCRIPTION,
        service=SERVICE,
        operation=OPERATION,
        licence="public domain",
        source=SOURCE,
        split=RULE,
        created_at=CREATED_AT,
        redaction=None,
        sampled=True,
        truncated=False,
        captured=None,
    )


def cases() -> Iterator[StoredCase]:
    """The held-out rows in the order of their ids, which are hashes: no label decides what comes first."""
    first_record: dict[tuple[float, ...], int] = {}
    for number, (features, _) in enumerate(records(), start=1):
        first_record.setdefault(features, number)
    for row in sorted(held_out(), key=lambda row: row.id):
        record = first_record[tuple(float(cell) for cell in row.cells)]
        recording = Recording(
            id=row.id,
            service=SERVICE,
            operation=OPERATION,
            request_headers={"content-type": "text/csv"},
            request_body=",".join(row.cells).encode("ascii"),
            provenance=Provenance(captured_at=None, captured_from=f"randhie.csv, record {record}"),
        )
        yield StoredCase(recording=recording, slices=slices(row.cells), expected=int(row.label == FREQUENT))


def slices(cells: Sequence[str]) -> dict[str, str]:
    """Insurance plan and self-rated health. lncoins is ln(coinsurance + 1): 0 is free care.

    Excellent health is the category that the data set leaves out of its indicator columns.
    """
    value = dict(zip(COLUMNS, cells, strict=True))
    rated = {"hlthg": "good", "hlthf": "fair", "hlthp": "poor"}
    health = next((word for column, word in rated.items() if value[column] == "1"), "excellent")
    return {"coinsurance": "free" if float(value["lncoins"]) == 0 else "cost sharing", "health": health}


if __name__ == "__main__":
    made = build(Path(__file__).parent)
    print(f"{made.cases} cases, sha256 {made.sha256}")
