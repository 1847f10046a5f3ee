"""AWS before a run: who this machine is, and whether the cloud's logs can be read. Control-plane calls cost nothing.

What is refused because this machine may not look is "not checked", with the permission that would allow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.config import Config
from botocore.session import Session

from harness.config import SideSettings
from harness.core.check import Check, Grant, Load, fine, problem, unchecked
from harness.errors import ConfigError, Denied, HarnessError, ServiceError
from harness.services._aws import Aws
from harness.services._hosts import aws_cloud

PATIENCE_S = 5.0
CREDENTIALS, LOGS = "credentials and role", "access to the logs"
REFUSED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "403")


class NoControlPlane(Exception):
    """A lab has none."""


@dataclass(slots=True)
class Control:
    """Clients of the control plane for one side, one an API, with the side's credentials.

    A lab has a control plane only where its addresses name one: "sagemaker_control", "s3_control".
    """

    settings: SideSettings
    _clients: dict[str, Aws] = field(default_factory=dict)

    def ask(self, api: str, method: str, **parameters: Any) -> dict[str, Any]:
        """One call. Raises NoControlPlane, ConfigError and ServiceError, whose `code_of` is the service's word."""
        with self.client(api) as client:
            answer: dict[str, Any] = getattr(client, method)(**parameters)
            return answer

    @contextmanager
    def client(self, api: str) -> Iterator[Any]:
        place = f"{api}_control"
        if self.settings.lab and place not in self.settings.lab:
            raise NoControlPlane
        if api not in self._clients:
            self._clients[api] = Aws(self.settings, service=place, api=api)
        with self._clients[api].attempt(PATIENCE_S) as client:
            yield client

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def address_of(settings: SideSettings, service: str, api: str) -> str:
    """What the data plane's client would call. Looks for no credentials. Raises ConfigError where no host is known."""
    if (lab := settings.lab.get(service)) is not None:
        return lab
    nobody = {"aws_access_key_id": "nobody", "aws_secret_access_key": "none"}
    config = Config(use_fips_endpoint=aws_cloud(settings, service).fips, ignore_configured_endpoint_urls=True)
    try:
        client = Session().create_client(api, region_name=settings.region, config=config, **nobody)
    except boto.BotoCoreError as exc:
        raise ConfigError(f"{settings.side.value}: no host is known for {api} ({type(exc).__name__}).") from exc
    address: str = client.meta.endpoint_url
    client.close()
    return address


def account_of(settings: SideSettings) -> str:
    """The account, where the profile's role tells it; else any."""
    return settings.role_arn.split(":")[4] if settings.role_arn is not None else "*"


def role_grants(settings: SideSettings) -> tuple[Grant, ...]:
    """What whoever assumes the side's role needs; the role's trust policy must name it too."""
    if settings.role_arn is None:
        return ()
    why = "assume the role of the side"
    return (Grant(cloud="aws", why=why, actions=("sts:AssumeRole",), resources=(settings.role_arn,), holder="caller"),)


def log_grants(settings: SideSettings, load: Load) -> tuple[Grant, ...]:
    """What reading the cloud's logs needs, for the side that is logged.

    Where they lie no suite says: LOG-BUCKET stands for it until somebody does. Decryption is bound to S3, so that no
    key has to be named.
    """
    if not load.logged:
        return ()
    partition, region = aws_cloud(settings, "s3").partition, settings.region
    places = [urlsplit(one) for one in load.logs or ("s3://LOG-BUCKET/",)]
    buckets = tuple(dict.fromkeys(f"arn:{partition}:s3:::{one.netloc}" for one in places))
    objects = tuple(dict.fromkeys(f"arn:{partition}:s3:::{one.netloc}/{one.path.lstrip('/')}*" for one in places))
    key = f"arn:{partition}:kms:{region or '*'}:{account_of(settings)}:key/*"
    through = (("kms:ViaService", f"s3.{region}.amazonaws.com"),) if region else ()
    return (
        Grant(cloud="aws", why="parity import: find the logs", actions=("s3:ListBucket",), resources=buckets),
        Grant(cloud="aws", why="parity import: read the logs", actions=("s3:GetObject",), resources=objects),
        Grant(
            cloud="aws",
            why="parity import: decrypt the logs, where the bucket has a key of its own",
            actions=("kms:Decrypt",),
            resources=(key,),
            conditions=through,
        ),
    )


def code_of(exc: BaseException) -> str:
    """The service's own code of an error; "" where it gave none."""
    response = getattr(exc.__cause__, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def message_of(exc: BaseException) -> str:
    response = getattr(exc.__cause__, "response", None)
    return str(response.get("Error", {}).get("Message", "")) if isinstance(response, dict) else ""


def not_seen(name: str, exc: Exception, *, permission: str) -> Check:
    """Why something could not be looked at, and what would allow it."""
    if isinstance(exc, NoControlPlane):
        return unchecked(name, "a lab has no control plane")
    if isinstance(exc, Denied) and (code_of(exc) in REFUSED or exc.status == 403):
        return unchecked(name, f"this machine may not look ({code_of(exc) or exc.status})", f"Allow {permission}.")
    return unchecked(name, str(exc), f"It needs {permission}, and a way to the API's host.")


def identity(settings: SideSettings) -> list[Check]:
    """Whether credentials are found and accepted, the profile's role assumed, and whose they are."""
    client = None
    try:
        # The side's own chain, role included; STS answers everybody who it is, whatever policies say.
        client = Aws(settings, service="sts", api="sts")
        if settings.lab and "sts_control" not in settings.lab:
            return [
                fine(CREDENTIALS, "found" if settings.role_arn is None else f"found, and {settings.role_arn} assumed")
            ]
        client.close()
        client = Aws(settings, service="sts_control" if settings.lab else "sts", api="sts")
        with client.attempt(PATIENCE_S) as sts:
            who = sts.get_caller_identity()
        return [fine(CREDENTIALS, f"{who['Arn']}")]
    except (HarnessError, OSError) as exc:
        return [_refused(exc, settings)]
    finally:
        if client is not None:
            client.close()


def _refused(exc: Exception, settings: SideSettings) -> Check:
    code, said = code_of(exc), str(exc)
    operation = getattr(exc.__cause__, "operation_name", "")
    profile = settings.aws_profile or "NAME"
    if operation == "AssumeRole" and code in REFUSED:
        external = (
            f'external_id "{settings.external_id}" was sent: the role\'s trust policy must name the same'
            if settings.external_id
            else "no external_id was sent: if the trust policy has a condition on sts:ExternalId, set external_id "
            "beside role_arn"
        )
        return problem(
            CREDENTIALS,
            said,
            f"Let this machine's identity assume it: sts:AssumeRole on {settings.role_arn} in its own policy, and that "
            f"identity as Principal in the role's trust policy (aws iam get-role --role-name "
            f"{(settings.role_arn or '').rpartition('/')[2]}); {external}.",
        )
    if isinstance(exc.__cause__, boto.NoCredentialsError | boto.PartialCredentialsError):
        return problem(
            CREDENTIALS,
            said,
            f"aws configure sso, then aws sso login --profile {profile}; or AWS_PROFILE, or profile for the side in "
            "parity.toml, or a role of the machine.",
        )
    if "Expired" in code or isinstance(exc.__cause__, boto.SSOError | boto.TokenRetrievalError | boto.LoginError):
        return problem(CREDENTIALS, said, f"Renew them: aws sso login --profile {profile}, or new session variables.")
    if code in ("InvalidClientTokenId", "UnrecognizedClientException"):
        return problem(
            CREDENTIALS,
            said,
            f"The key is unknown in {settings.cloud}: deleted, deactivated, of another partition, or without its "
            "AWS_SESSION_TOKEN. Look with: aws sts get-caller-identity",
        )
    if code in ("SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired"):
        return problem(CREDENTIALS, said, "The secret does not belong to the key id, or this clock is wrong: date -u.")
    if isinstance(exc, ConfigError):
        return problem(CREDENTIALS, said, "Correct the side in parity.toml, or the AWS configuration files.")
    if isinstance(exc, Denied):
        return problem(CREDENTIALS, said, "Look with: aws sts get-caller-identity")
    return unchecked(
        CREDENTIALS, said, "It needs a way to STS (https://sts.REGION.amazonaws.com); every identity may ask."
    )


def logs(control: Control, bucket: str, prefix: str) -> Check:
    """Whether one object below a place can be listed, read and decrypted: a byte of it is fetched."""
    place = f"s3://{bucket}/{prefix}"
    try:
        listed = control.ask("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", [])
        if not listed:
            return unchecked(LOGS, f"{place} holds no object yet", "Ask again when the first call was logged.")
        if listed[0].get("Size") == 0:
            control.ask("s3", "head_object", Bucket=bucket, Key=listed[0]["Key"])
        else:
            control.ask("s3", "get_object", Bucket=bucket, Key=listed[0]["Key"], Range="bytes=0-0")
    except NoControlPlane as exc:
        return not_seen(LOGS, exc, permission="")
    except ServiceError as exc:
        partition = aws_cloud(control.settings, "s3").partition
        return _unreadable(exc, place, f"arn:{partition}:s3:::{bucket}", bucket, prefix)
    except ConfigError as exc:
        return unchecked(LOGS, str(exc))
    return fine(LOGS, f"an object of {place} was listed and read")


def _unreadable(exc: ServiceError, place: str, arn: str, bucket: str, prefix: str) -> Check:
    code, message = code_of(exc), message_of(exc)
    said = f"{place}: {code or exc}"
    if code.startswith("KMS.") or "kms:" in message:
        return problem(
            LOGS,
            f"{said}: the object's KMS key may not be used",
            "Allow kms:Decrypt on the bucket's key in this identity's policy and in the key's policy; an alias "
            f"is no resource. Look with: aws s3api get-bucket-encryption --bucket {bucket}; aws kms describe-key "
            "--key-id KEY",
        )
    if code == "NoSuchBucket":
        return problem(LOGS, said, f"aws s3 mb s3://{bucket}, or name another bucket where capture is configured.")
    if isinstance(exc, Denied):
        return problem(
            LOGS,
            said,
            f"Allow s3:ListBucket on {arn} and s3:GetObject on {arn}/{prefix}*, and look for a Deny "
            f" in the bucket's policy: aws s3api get-bucket-policy --bucket {bucket}",
        )
    return unchecked(LOGS, str(exc), "It needs s3:ListBucket and s3:GetObject, and a way to S3.")
