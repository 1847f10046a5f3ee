"""Whether the migration may go forward, for a cutover's step: the answer of `parity gate --policy`, asked anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.config import Project
from harness.core.verdict import Verdict
from harness.errors import HarnessError
from harness.gate.cutover import Judged
from harness.gate.cutover_file import CutoverPolicy


@dataclass(frozen=True, slots=True)
class Go:
    """Asks the newest evidence of every required suite. What cannot be asked is INCONCLUSIVE, never GO."""

    policy: CutoverPolicy
    project: Project

    def __call__(self, now: datetime) -> Judged:
        """now: UTC."""
        from harness.gate import signoff
        from harness.gate.estate import load_estate
        from harness.gate.migration import answer
        from harness.run.migration import gather

        try:
            estate = load_estate(self.policy.estate)
            evidence = gather(self.policy, self.project, now=lambda: now)
            decision = answer(self.policy, evidence, estate, signoff.read_all(self.policy.folder), now)
        except (HarnessError, OSError) as exc:
            reason = f"the migration cannot be decided: {exc}"
            return Judged(verdict=Verdict.INCONCLUSIVE, reason=reason, evidence={"reason": reason})
        missing = "; ".join(f"{line.requirement} {line.subject}".strip() for line in decision.open)
        began = [None if one.forward is None else one.forward.began_at for one in evidence]
        known = [at for at in began if at is not None]
        return Judged(
            verdict=decision.verdict,
            reason=f"{decision.headline}{f' Not met: {missing}.' if missing else ''}",
            evidence={
                "verdict": decision.verdict.value,
                "headline": decision.headline,
                "evidence_sha256": decision.evidence_sha256,
                "runs": [one.forward.run for one in evidence if one.forward is not None],
            },
            oldest=min(known) if len(known) == len(began) else None,
        )
