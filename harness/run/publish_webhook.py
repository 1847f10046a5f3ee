"""A decision as one JSON POST, signed, the same at every attempt.

Headers and signature are those of the Standard Webhooks specification (standardwebhooks.com), so that its libraries
verify it: `webhook-id` (the same for the same decision, for who must not hear it twice), `webhook-timestamp` (seconds),
`webhook-signature` ("v1," and base64 of HMAC-SHA256 over "id.timestamp.body").
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

from harness.config import Network, Webhook
from harness.core.case import Json
from harness.core.report import ParityReport
from harness.core.verdict import Finding
from harness.errors import ConfigError
from harness.reporters._parts.schema import plain
from harness.reporters._parts.words import decided, headline, verdict_word
from harness.run.pacing import patiently
from harness.run.publish_page import Bulletin

SCHEMA = "parity-decision/1"
_PREFIX = "whsec_"


def tell(
    bulletin: Bulletin,
    settings: Webhook,
    network: Network,
    environment: Mapping[str, str],
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raises ConfigError for an address or secret that cannot be used, ServiceError when nobody took it."""
    from harness.services._post import post

    body = text(bulletin) if settings.body == "text" else _bytes(document(bulletin))
    name, moment = hashlib.sha256(body).hexdigest()[:32], str(int(now()))
    headers = {"content-type": "application/json", "webhook-id": name, "webhook-timestamp": moment}
    if settings.secret_env is not None:
        key = _key(environment.get(settings.secret_env, ""), settings.secret_env)
        headers["webhook-signature"] = signature(key, name, moment, body)
    url = environment.get(settings.url_env, "")
    patiently(lambda: post(url, body, headers, network, timeout_s=settings.timeout_s), settings.attempts, sleep=sleep)


def signature(key: bytes, name: str, moment: str, body: bytes) -> str:
    """The header's value. Source: Standard Webhooks, "Signature scheme" (symmetric)."""
    signed = hmac.new(key, f"{name}.{moment}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def document(bulletin: Bulletin) -> dict[str, Json]:
    """The decision of every suite with its findings; no case, no payload."""
    return {
        "schema": SCHEMA,
        "verdict": bulletin.verdict,
        "profile": bulletin.profile,
        "url": bulletin.url,
        "failed": list(bulletin.failed),
        "suites": [_suite(report) for report in bulletin.reports],
    }


def text(bulletin: Bulletin) -> bytes:
    """`{"text": ...}`, as chat rooms take it: a line a suite."""
    lines = [f"Parity: {bulletin.verdict}, profile {bulletin.profile}"]
    lines += [f"{suite}: could not be run" for suite in bulletin.failed]
    lines += [f"{report.suite}: {verdict_word(report)}. {headline(report)[:600]}" for report in bulletin.worst_first()]
    return _bytes({"text": "\n".join([*lines, *([bulletin.url] if bulletin.url else [])])})


def _suite(report: ParityReport) -> dict[str, Json]:
    decision = decided(report)
    return {
        "suite": report.suite,
        "title": report.title,
        "run": report.run,
        "verdict": verdict_word(report),
        "headline": headline(report),
        "planted": report.planted,
        "mode": report.mode,
        "reverse": report.reverse,
        "cases": report.cases,
        "replayed": report.replayed,
        "started_at": plain(report.started_at),
        "finished_at": plain(report.finished_at),
        "signature": report.signature,
        "golden_sha256": report.golden_sha256,
        "policy_sha256": decision.policy_sha256 if decision is not None else None,
        "findings": [_finding(one) for one in decision.findings] if decision is not None else [],
    }


def _finding(finding: Finding) -> dict[str, Json]:
    found = finding.evidence
    numbers = ("estimate", "low", "high", "margin", "units", "more_units")
    return {
        "criterion": finding.criterion,
        "slice": finding.slice,
        "metric": finding.metric,
        "verdict": finding.verdict.value,
        "gating": finding.gating,
        "waived_by": finding.waived_by,
        "reason": finding.reason,
        **{name: None if found is None else plain(getattr(found, name)) for name in numbers},
    }


def _bytes(content: Mapping[str, Json]) -> bytes:
    return json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("ascii")


def _key(secret: str, variable: str) -> bytes:
    """A secret that begins with "whsec_" is base64 after it, as the specification has it; any other is its bytes."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ConfigError(f"{variable}: what follows {_PREFIX} is not base64.") from None
