"""The shape of `[switches.NAME]` in a cutover.toml: what moves the traffic, in which stages."""

from __future__ import annotations

from typing import Any

SWITCHES: dict[str, Any] = {
    "type": "object",
    "description": "What moves traffic, a table a switch.",
    "propertyNames": {"pattern": r"^[A-Za-z][A-Za-z0-9_.-]*$"},
    "additionalProperties": {
        "type": "object",
        "required": ["use"],
        "properties": {
            "use": {"type": "string", "minLength": 1, "description": "Module of harness/switches that moves traffic."}
        },
    },
}
