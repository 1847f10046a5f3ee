"""The shapes of `parity.toml` and `suite.toml`, as JSON Schemas: what is read, and what editors complete.

`description` of a text with a pattern finishes the sentence "key ... must be"; elsewhere it is what an editor shows.
"""

from __future__ import annotations

from typing import Any

from harness.core.shape import Shape

AWS_CLOUDS = ("aws", "aws-fips", "aws-us-gov", "aws-us-gov-fips")
AZURE_CLOUDS = ("azure", "azure-us-gov")

_NAME = r"^[A-Za-z][A-Za-z0-9_.-]*$"
_VARIABLE = r"^[A-Z][A-Z0-9_]*$"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def _text(description: str, pattern: str | None = None) -> dict[str, Any]:
    shape = {"type": "string", "minLength": 1, "description": description}
    return {**shape, "pattern": pattern} if pattern else shape


def _number(description: str, **limits: float) -> dict[str, Any]:
    return {"type": "number", "description": description, **limits}


def _whole(description: str, minimum: int) -> dict[str, Any]:
    return {"type": "integer", "description": description, "minimum": minimum}


def _table(properties: Shape, *required: str, **more: Any) -> dict[str, Any]:
    closed = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, **({"required": list(required)} if required else {}), **more}


def _named(inner: Shape, **more: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": inner, "propertyNames": {"pattern": _NAME}, **more}


_ENDPOINT = _text("Endpoint name where the suite gives none; on Azure ML also endpoint/deployment; else a deployment.")

AWS_SIDE = _table(
    {
        "cloud": {"enum": list(AWS_CLOUDS), "description": "Sets every host of this side."},
        "region": _text('a region\'s name, such as "us-east-1"', r"^[a-z]{2,}(-[a-z]+)+-\d+$"),
        "profile": _text("Name of a profile of the AWS configuration files; without it, boto3's usual chain."),
        "role_arn": _text('a role, "arn:aws:iam::123456789012:role/name"', r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$"),
        "external_id": _text("two or more letters, digits or +=,.@:/-", r"^[\w+=,.@:/-]{2,1224}$"),
        "endpoint": _ENDPOINT,
        "private": {"type": "boolean", "description": "Whether hosts have private addresses; parity doctor checks it."},
    },
    "cloud",
)
AZURE_SIDE = _table(
    {
        "cloud": {
            "enum": list(AZURE_CLOUDS),
            "description": "Sets every host, authority and token scope of this side.",
        },
        "region": _text('a region\'s name, such as "eastus2"', r"^[a-z]+[0-9]?$"),
        "credential": {
            "enum": ["default", "managed_identity", "workload_identity", "cli"],
            "description": "Which credential of azure-identity to use.",
        },
        "client_id": _text("a client id (UUID): of a managed identity, or for workload identity", _UUID),
        "tenant_id": _text("Entra tenant: its id or a domain name."),
        "subscription_id": _text("a subscription id (UUID)", _UUID),
        "resource_group": _text("Resource group of the workspace or resource."),
        "workspace": _text("Azure ML workspace."),
        "resource": _text(
            'an Azure OpenAI or Foundry resource\'s name, "my-openai"', r"^[A-Za-z0-9][A-Za-z0-9-]{1,63}$"
        ),
        "api_key_env": _text("the name of an environment variable that holds the resource's key", _VARIABLE),
        "endpoint": _ENDPOINT,
        "private": {"type": "boolean", "description": "Whether hosts have private addresses; parity doctor checks it."},
    },
    "cloud",
)
_SIDE = {"type": "object", "anyOf": [AWS_SIDE, AZURE_SIDE]}  # which one holds is settled by `cloud`, in config

_PROFILE = _table(
    {
        "lab": {"type": "boolean", "description": "Start the embedded lab and take addresses from it."},
        "mode": {
            "enum": ["dual", "golden"],
            "description": "Call both sides, or the target alone and take the source's answers from the golden set.",
        },
        "payloads": {
            "enum": ["none", "hash", "redacted", "full"],
            "description": "How much of payloads a report may show.",
        },
        "source": _SIDE,
        "target": _SIDE,
        "network": _table(
            {
                "proxy": _text('a proxy without a password in it, "http://host:port"', r"^https?://[^@/\s]+/?$"),
                "ca_bundle": _text("PEM file of certificate authorities to trust besides the usual ones."),
                "client_certificate": _text("PEM file of the client certificate."),
                "client_key": _text("PEM file of the client certificate's key, where it is not in the same file."),
            }
        ),
        "limits": _table(
            {
                "concurrency": _whole("Calls in flight.", 1),
                "in_flight": _whole("Most calls in flight where cases arrive as they were recorded.", 1),
                "timeout_s": _number("Seconds one attempt may take.", exclusiveMinimum=0),
                "attempts": _whole("Attempts at one call, the first included.", 1),
                "requests_per_second": _number("Calls a second, each side.", exclusiveMinimum=0),
                "calls": _whole("Ceiling on the calls of a run.", 1),
                "tokens": _whole("Ceiling on the tokens of a run.", 1),
                "cost_usd": _number("Ceiling on the cost of a run, at the suite's prices.", exclusiveMinimum=0),
            }
        ),
    },
)

_PUBLISH = _table(
    {
        "webhook": _table(
            {
                "url_env": _text("the name of an environment variable that holds the address", _VARIABLE),
                "secret_env": _text("the name of an environment variable that holds the signing secret", _VARIABLE),
                "body": {
                    "enum": ["decision", "text"],
                    "description": "The whole decision as JSON, or one text member, as chat rooms take it.",
                },
                "timeout_s": _number("Seconds one attempt may take.", exclusiveMinimum=0, maximum=60),
                "attempts": {**_whole("Attempts, the first included.", 1), "maximum": 10},
            },
            "url_env",
        ),
        "mlflow": _table(
            {
                "tracking_uri": _text("Address of the tracking server; without it, MLFLOW_TRACKING_URI."),
                "experiment": _text("Name of the experiment; made where it is not there."),
            }
        ),
    },
)

PROJECT = _table(
    {
        "default_profile": _text("Profile used where none is asked for; without it, the first."),
        "reports": _text("Folder of the runs, from this file's folder; or s3://, abfs:// where nights are kept."),
        "profiles": _named(_PROFILE),
        "publish": _PUBLISH,
        "nightly": _table(
            {
                "suites": {
                    "type": "array",
                    "items": _text("A suite's name: its folder below suites/."),
                    "minItems": 1,
                    "description": "What `parity nightly` runs; without it, all of suites/.",
                },
                "units": _whole("New units a night, of each suite in anytime mode.", 2),
                "publish": {
                    "type": "array",
                    "items": {"enum": ["github", "azure_devops", "mlflow", "webhook"]},
                    "description": "Who is told; without it, the build system that the night runs in, if any.",
                },
            }
        ),
    },
    "profiles",
    title="parity.toml: where suites run",
)

_PRICE = _table(
    {
        "per_call_usd": _number("USD a call.", minimum=0),
        "per_1k_tokens_in_usd": _number("USD a thousand tokens sent.", minimum=0),
        "per_1k_tokens_out_usd": _number("USD a thousand tokens received.", minimum=0),
        "per_1k_tokens_cached_usd": _number("USD a thousand tokens read from a cache.", minimum=0),
        "per_1k_tokens_cache_write_usd": _number("USD a thousand tokens written to a cache.", minimum=0),
    }
)
_DAY = _text('a day, such as "2026-01-31"', r"^\d{4}-\d{2}-\d{2}$")

PRICE_LIST = _table(
    {
        "price": {
            "type": "array",
            "items": _table(
                {
                    "model": _text("How the name of the served model begins."),
                    "since": _DAY,
                    **_PRICE["properties"],
                },
                "model",
            ),
        }
    },
    "price",
    title="prices.toml: list prices by model and day",
)

SUITE = _table(
    {
        "suite": _table(
            {
                "title": _text("What the reports call this suite."),
                "pair": _text("Module of harness/pairs, or file:Class beside this file."),
                "golden": _text("Recorded set: a folder of golden/, or a path from the project's root."),
                "request_builder": _text('"file:function", a file beside this one', r"^[A-Za-z_]\w*:[A-Za-z_]\w*$"),
                "deterministic_source": {
                    "type": "boolean",
                    "description": "The source answers the same every time: proven on 60 cases, then not asked twice.",
                },
                "strict": {"type": "boolean", "description": "Under pytest, each case is a test too."},
                "slices_by": _text("Comparator whose label of the source slices the results."),
                "seed": _whole("Orders the cases.", 0),
                "calibration": _whole("Source calls that freeze the latency thresholds.", 0),
            },
            "title",
            "pair",
            "golden",
        ),
        "pair": {"type": "object", "description": "Options of the pair."},
        "reverse": {
            "type": "object",
            "properties": {"pair": _text("Pair that leads back: a module of harness/pairs, or file:Class.")},
            "description": "The way back, for --reverse: its pair and the pair's options.",
        },
        "source": {"type": "object", "description": "Options of the source service."},
        "target": {"type": "object", "description": "Options of the target service."},
        "endpoints": _named(_table({"source": _text("Endpoint name."), "target": _text("Endpoint name.")})),
        "comparators": _named(
            {
                "type": "object",
                "properties": {"use": _text("Module of harness/comparators, or file:Class beside this file.")},
                "required": ["use"],
            },
            minProperties=1,
        ),
        "prices": _table(
            {
                "source": _PRICE,
                "target": _PRICE,
                "file": _text("Price list by model, a file beside this one."),
                "date": _DAY,
            }
        ),
    },
    "suite",
    "comparators",
    title="suite.toml: what is promised",
)
