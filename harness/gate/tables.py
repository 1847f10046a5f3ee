"""The tables of a policy, as JSON Schema: what is read and what editors complete are one object."""

from __future__ import annotations

from typing import Any

from harness.gate.coverage import COVERAGE
from harness.gate.waivers import WAIVER
from harness.stats.measure import CLIP, Kind

_COMMON = ("name", "metric", "kind", "margin", "deterministic", "slices", "critical", "advisory")
KEYS_OF_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.SCORE: (*_COMMON, "severe"),
    Kind.FLIP: _COMMON,
    Kind.EXCEED: (*_COMMON, "quantile", "ratio"),
    Kind.COST: (*_COMMON, "ratio", "cap_usd"),
    Kind.LIMIT: (*_COMMON, "limit", "limit_s"),
    Kind.QUALITY: (*_COMMON, "value_range", "larger_is_better"),
    Kind.CHECK: (*_COMMON, "limit", "lower_limit"),
}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


def _number(description: str, **limits: float) -> dict[str, Any]:
    return {"type": "number", "description": description, **limits}


def _switch(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


_SHARE = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
_ALPHA = {"exclusiveMinimum": 0, "exclusiveMaximum": 0.5}

GATE: dict[str, Any] = {
    "type": "object",
    "description": "How the gate decides.",
    "additionalProperties": False,
    "properties": {
        "mode": {
            "enum": ["anytime", "fixed"],
            "default": "anytime",
            "description": "anytime: valid however often one looks. fixed: one look, planned in advance.",
        },
        "alpha_go": _number("Risk of a wrong GO; 0.05, or 0.01 where a cutover cannot be undone.", **_ALPHA),
        "alpha_no_go": _number("Risk of any wrong NO-GO; 0.05.", **_ALPHA),
        "max_cluster": {
            "type": "integer",
            "minimum": 1,
            "description": "Cases in the largest cluster. Without it clusters weigh the same; a larger one than "
            "declared is INCONCLUSIVE.",
        },
    },
}

EPOCH: dict[str, Any] = {
    "type": "object",
    "description": "Versions of what is compared, in free words. Any change opens a new epoch with no evidence.",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}

CRITERION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["metric", "kind"],
    "properties": {
        "name": _text("What reports call this criterion; the metric's name where absent. Unique."),
        "metric": _text("The metric whose rows are judged."),
        "kind": {
            "enum": [kind.value for kind in Kind],
            "description": "score: larger is better, in [0, 1]. flip: 1 is a bad event. exceed: 1 is a slow call. "
            "cost: USD. limit: 1 is over a contractual limit. quality: a contribution against the truth. "
            "check: a property of an artefact.",
        },
        "margin": _number(
            f"The loss that is accepted: score 0.03 (below {CLIP}), flip 0.005 (metric error: 0.01), exceed and cost "
            "0, limit the share that the contract allows, quality the loss agreed.",
            minimum=0,
        ),
        "deterministic": _switch("The source was proved to repeat itself: rows may lack value_noise."),
        "severe": _number("score: accepted share of badly broken cases, 0.02; cannot be switched off.", **_SHARE),
        "slices": {
            "type": ["object", "array"],
            "additionalProperties": {
                "type": ["array", "string"],
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
            },
            "items": {"type": "string", "minLength": 1},
            "description": "Parts of the traffic that gate as well, at a margin of 0.10: { region = [...] }.",
        },
        "critical": _switch("A declared slice below its minimum of units blocks GO."),
        "advisory": _switch("Reported, never votes."),
        "quantile": _number("exceed: the quantile of the source's latency that was frozen as threshold.", **_SHARE),
        "ratio": _number("exceed and cost: what the target may take for each 1 of the source, such as 1.1.", minimum=1),
        "cap_usd": _number("cost: USD at which a case counts as worst.", exclusiveMinimum=0),
        "limit": _number("limit: values above it are over; absent, values are 0 or 1. check: largest that passes; 0."),
        "limit_s": _number(
            "limit: latency in seconds that the contract allows; rows carry 0 or 1.", exclusiveMinimum=0
        ),
        "lower_limit": _number("check: the smallest value that passes."),
        "value_range": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 2,
            "maxItems": 2,
            "description": "quality: least and largest contribution of one case; [0, 1].",
        },
        "larger_is_better": _switch("quality: false where the contribution is a loss; true."),
    },
}

SIGNOFF: dict[str, Any] = {
    "type": "object",
    "description": "Who signs a decision: roles, and the keys that may hold them. Two roles, two people, two keys.",
    "properties": {
        "required": {
            "type": "array",
            "minItems": 2,
            "items": {"type": "string"},
            "description": "Roles that must sign; all that are listed where absent.",
        },
    },
    "additionalProperties": {
        "type": "array",
        "minItems": 1,
        "description": "The people who may sign in this role.",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "public_key"],
            "properties": {
                "name": _text("Whose key it is; reports show this name."),
                "public_key": _text("Ed25519 or ECDSA P-256: an OpenSSH line, PEM, or the base64 of its DER."),
            },
        },
    },
}


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a policy file, table by table."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": ["criterion"],
        "properties": {
            "gate": GATE,
            "epoch": EPOCH,
            "criterion": {"type": "array", "minItems": 1, "items": CRITERION},
            "signoff": SIGNOFF,
            "waiver": {"type": "array", "items": WAIVER},
            "coverage": COVERAGE,
        },
    }
