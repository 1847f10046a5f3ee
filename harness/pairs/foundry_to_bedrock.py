"""Models of other vendors in Microsoft Foundry answered by Bedrock's: the way back, for the rollback rehearsal.

The rules are in `_parts/`, what each model takes is in `_models/`; docs/translation.md lists both.
"""

from __future__ import annotations

from typing import Any

from harness.pairs._parts import model_pair


def build(**options: Any) -> model_pair.ModelPair:
    """options: target_model, source_model, api, profile, forbid, models; see `model_pair.build`."""
    return model_pair.build("foundry", "bedrock", **options)
