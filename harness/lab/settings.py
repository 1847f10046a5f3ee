"""What the lab is called and what its processes share: names, throw-away keys, the planted fault.

The whole of it travels as one JSON document: down a child's standard input at its start, and to its control path after
every change. Nothing here is on a command line or in an environment, where other users of the machine could read it.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

ENDPOINT = "visits"  # on both sides
USAGE = "usage"  # the regression model's endpoint, on both sides
REGION = "us-east-1"
ACCOUNT = "111122223333"
VARIANT = "AllTraffic"
PROFILE = "parity-lab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/parity-lab-invoker"
EXTERNAL_ID = "parity-lab"  # what ROLE asks of whoever assumes it; no secret, in the cloud neither

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
RESOURCE_GROUP = "parity-lab"
WORKSPACE = "parity-lab"
LOCATION = "eastus"
TENANT = "66666666-7777-4888-9999-000000000000"
CLIENT = "99999999-8888-4777-8666-555555555555"  # the managed identity's client id
DEPLOYMENT = "blue"
NEXT = "green"  # the deployment beside it, behind the endpoint BOTH
BOTH = f"{ENDPOINT}-both"
# One Azure endpoint for each way to authenticate; these three are served by the same deployment.
AUTH_MODES = {
    ENDPOINT: "Key",
    f"{ENDPOINT}-token": "AMLToken",
    f"{ENDPOINT}-aad": "AADToken",
    USAGE: "Key",
    BOTH: "Key",
}

ROLES = ("sagemaker", "azureml", "bedrock", "azure_openai", "resource_manager")  # one process each
# The Azure OpenAI and Foundry resource: deployment -> the model version that it serves.
DEPLOYMENTS = {
    "gpt-4o": "gpt-4o-2024-11-20",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "o4-mini": "o4-mini-2025-04-16",
    "text-embedding-3-small": "text-embedding-3-small",
    "text-embedding-3-large": "text-embedding-3-large",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "Llama-3.3-70B-Instruct": "Llama-3.3-70B-Instruct",
    "Mistral-Large-2411": "Mistral-Large-2411",
}
REASONING = frozenset({"o4-mini"})  # think first, and take no sampling parameters
DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}  # deployments that embed -> at most
RESOURCE = "parity-lab"  # its name
AZURE_OPENAI_KEY = "PARITY_LAB_AZURE_OPENAI_KEY"  # the environment variable that holds the resource's primary key
MODELS = "models"  # NAME.onnx in this folder of the lab's; one process trains for both
CONTROL_HEADER = "x-lab-control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The state that every process of one lab has a copy of.

    addresses: role -> http://127.0.0.1:PORT. folder: the lab's temporary folder.
    control: proves that a caller of the control paths is this lab's owner.
    signing: signs tokens and derives the secrets of temporary AWS credentials.
    azure_keys: primary, secondary, of the online endpoint and of the Azure OpenAI resource.
    identity_header: what App Service hands to code that may ask for tokens.
    service_time_s: what a call takes, at least, in seconds. token_lifetime_s: of tokens issued from now on.
    valid_from: tokens issued before this time (seconds since 1970) count as expired.
    lost_answers: to so many of the next changes of traffic the answer is lost, after they were accepted.
    """

    addresses: Mapping[str, str]
    folder: str
    control: str
    signing: str
    aws_key_id: str
    aws_secret: str
    azure_keys: tuple[str, str]
    identity_header: str
    plant: str | None
    seed: int
    service_time_s: float
    token_lifetime_s: float = 3600.0
    valid_from: float = 0.0
    lost_answers: int = 0

    def to_json(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def from_json(cls, document: bytes | str) -> Settings:
        members = json.loads(document)
        members["azure_keys"] = tuple(members["azure_keys"])
        return cls(**members)


def fresh(
    *, addresses: Mapping[str, str], folder: str, plant: str | None, seed: int, service_time_s: float
) -> Settings:
    """Settings with new random keys."""
    return Settings(
        addresses=dict(addresses),
        folder=folder,
        control=secrets.token_urlsafe(24),
        signing=secrets.token_hex(32),
        aws_key_id="AKIA" + base64.b32encode(secrets.token_bytes(10)).decode(),
        aws_secret=base64.b64encode(secrets.token_bytes(30)).decode(),
        azure_keys=(azure_key(), azure_key()),
        identity_header=secrets.token_hex(16),
        plant=plant,
        seed=seed,
        service_time_s=service_time_s,
    )


def deployments(endpoint: str) -> tuple[str, ...]:
    """The deployments behind an Azure endpoint."""
    return (DEPLOYMENT, NEXT) if endpoint == BOTH else (DEPLOYMENT,)


def azure_key() -> str:
    """A new endpoint key: 64 letters and digits."""
    return secrets.token_hex(32)
