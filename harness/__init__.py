"""Prove that a machine-learning system moved between AWS and Azure still answers as it did.

The public names: the vocabulary that plug-ins speak, the sockets they fit into, the errors they meet, and what runs and
decides from Python. Each is imported from its room when it is first asked for, so that `import harness` costs nothing.
What type checkers see of them stands in `__init__.pyi`.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "CallFailure",
    "Case",
    "Codec",
    "CodecError",
    "Comparator",
    "Comparison",
    "ConfigError",
    "Decision",
    "Denied",
    "Departure",
    "Endpoint",
    "Event",
    "Evidence",
    "EvidenceError",
    "FailureKind",
    "Finding",
    "Finished",
    "GoldenError",
    "GoldenSet",
    "HarnessError",
    "Json",
    "LabError",
    "Labeller",
    "LedgerError",
    "Limits",
    "Lot",
    "Observation",
    "Outcome",
    "Output",
    "Pair",
    "ParityReport",
    "Payloads",
    "Plan",
    "Policy",
    "PolicyError",
    "Profile",
    "Project",
    "Provenance",
    "Reading",
    "Recording",
    "Rejected",
    "Reporter",
    "Request",
    "Role",
    "Row",
    "RowStatus",
    "Rows",
    "RowsError",
    "RunFolder",
    "Scores",
    "Service",
    "ServiceError",
    "Side",
    "SideSettings",
    "Status",
    "StoredCase",
    "Suite",
    "Task",
    "Throttled",
    "TimedOut",
    "TooFewCases",
    "Translation",
    "Unavailable",
    "UnencodableRequest",
    "UnknownName",
    "Unreadable",
    "UnreadableReply",
    "Verdict",
    "Wait",
    "Wire",
    "__version__",
    "decide",
    "decide_stored",
    "judge_again",
    "load_policy",
    "load_project",
    "load_suite",
    "make_plan",
    "read_rows",
    "run_plan",
    "write_golden",
    "write_rows",
]

# room -> names; "name as other" where a name says too little outside its room
_ROOMS = {
    "harness.config": (
        "Limits",
        "Profile",
        "Project",
        "SideSettings",
        "Suite",
        "load_project",
        "load_suite",
    ),
    "harness.core.call": (
        "Answer",
        "CallFailure",
        "Event",
        "FailureKind",
        "Observation",
        "Outcome",
        "Reading",
        "Role",
        "Side",
        "Unreadable",
        "Wait",
        "Wire",
    ),
    "harness.core.case": (
        "Case",
        "Departure",
        "Json",
        "Lot",
        "Provenance",
        "Recording",
        "Request",
        "Task",
        "Translation",
    ),
    "harness.core.output": (
        "Output",
        "Scores",
    ),
    "harness.core.protocols": (
        "Codec",
        "Comparator",
        "Endpoint",
        "Labeller",
        "Pair",
        "Reporter",
        "Service",
    ),
    "harness.core.report": (
        "ParityReport",
        "Payloads",
    ),
    "harness.core.rows": ("Rows",),
    "harness.core.verdict": (
        "Comparison",
        "Decision",
        "Evidence",
        "Finding",
        "Row",
        "RowStatus",
        "Status",
        "Verdict",
    ),
    "harness.errors": (
        "CodecError",
        "ConfigError",
        "Denied",
        "EvidenceError",
        "GoldenError",
        "HarnessError",
        "LabError",
        "LedgerError",
        "PolicyError",
        "Rejected",
        "RowsError",
        "ServiceError",
        "Throttled",
        "TimedOut",
        "TooFewCases",
        "Unavailable",
        "UnencodableRequest",
        "UnknownName",
        "UnreadableReply",
    ),
    "harness.gate.decide": ("decide",),
    "harness.gate.policy": (
        "Policy",
        "load_policy",
    ),
    "harness.gate.rows_file": (
        "read_rows",
        "write_rows",
    ),
    "harness.recordings.lines": ("StoredCase",),
    "harness.recordings.store": (
        "GoldenSet",
        "write as write_golden",
    ),
    "harness.run.folder": ("RunFolder",),
    "harness.run.plan": (
        "Plan",
        "make as make_plan",
    ),
    "harness.run.session": (
        "Finished",
        "decide_stored",
        "judge_again",
        "run as run_plan",
    ),
}
_HOMES = {entry.split(" as ")[-1]: (room, entry.split(" as ")[0]) for room, names in _ROOMS.items() for entry in names}


def __getattr__(name: str) -> object:
    """PEP 562: import a public name from its room."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room, inside = _HOMES[name]
    value = globals()[name] = getattr(importlib.import_module(room), inside)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
