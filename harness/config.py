"""Profiles and suite files: what is promised, where it runs, and the *names* of credentials.

A project has one `parity.toml` (profiles) above its `suites/` folder, and one `suite.toml` a suite. Unknown keys are
errors that name the nearest known one. No value here is a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.call import Side
from harness.core.case import Json
from harness.core.report import Payloads


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How calls leave the building. Verification of certificates cannot be switched off."""

    proxy: str | None = None
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSettings:
    """One side of one profile, for one suite: all that a service is built from.

    cloud: aws | aws-fips | aws-us-gov | aws-us-gov-fips | azure | azure-us-gov; sets every host, scope and authority.
    credential: AWS: None (boto3's chain). Azure: default | managed_identity | workload_identity | cli.
    lab: addresses of the embedded lab, by service name and "resource_manager"; empty outside the lab.
    """

    side: Side
    cloud: str
    endpoint: str
    region: str | None = None
    aws_profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    credential: str | None = None
    client_id: str | None = None
    tenant_id: str | None = None
    subscription_id: str | None = None
    resource_group: str | None = None
    workspace: str | None = None
    network: Network = field(default_factory=Network)
    lab: Mapping[str, str] = field(default_factory=dict)
    connections: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may spend. None: no ceiling. requests_per_second holds for each side."""

    concurrency: int = 8
    timeout_s: float = 70.0
    attempts: int = 4
    requests_per_second: float | None = None
    calls: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where a suite runs. lab: start the embedded lab and take addresses and credentials from it."""

    name: str
    source: Mapping[str, Json]
    target: Mapping[str, Json]
    lab: bool = False
    payloads: Payloads = Payloads.HASH
    network: Network = field(default_factory=Network)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`parity.toml`: the folder it stands in, its profiles, and where runs are written."""

    folder: Path
    default_profile: str
    profiles: Mapping[str, Profile]
    reports: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparatorSettings:
    """`[comparators.NAME]`: the metric's name, the comparator's module and its options."""

    metric: str
    use: str
    options: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`[prices.source]` and `[prices.target]`, in USD; counts toward the cost ceiling and the cost metric."""

    per_call_usd: float = 0.0
    per_1k_tokens_in_usd: float = 0.0
    per_1k_tokens_out_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """`suite.toml` without its gate tables, which `gate.policy` reads from the same file.

    endpoints: profile name -> {"source": name, "target": name}.
    request_builder: "checks:build", the application's own request builder in place of the pair's translation.
    deterministic_source: prove it with the first 60 cases, then make no second source call.
    seed: orders the cases. calibration: source calls that freeze the latency thresholds before any is judged.
    """

    name: str
    title: str
    path: Path
    pair: str
    pair_options: Mapping[str, Json]
    golden: Path
    endpoints: Mapping[str, Mapping[str, str]]
    comparators: tuple[ComparatorSettings, ...]
    prices: Mapping[Side, Price]
    source_options: Mapping[str, Json] = field(default_factory=dict)
    target_options: Mapping[str, Json] = field(default_factory=dict)
    request_builder: str | None = None
    deterministic_source: bool = False
    slices_by: str | None = None
    seed: int = 7
    calibration: int = 400

    @property
    def folder(self) -> Path:
        return self.path.parent
