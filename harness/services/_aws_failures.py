"""botocore's exceptions and the services' error codes, as ours."""

from __future__ import annotations

from collections.abc import Iterable

from boto3 import exceptions as boto3
from botocore import exceptions as boto
from botocore.eventstream import ParserError
from botocore.parsers import ResponseParserError

from harness.core.secrets import mask
from harness.errors import ConfigError, Denied, Rejected, ServiceError, Throttled, TimedOut, Unavailable
from harness.services._aws_codes import by_code
from harness.services._failures import HTTP, Row, by_model_status
from harness.services._replies import retry_after_s

# What a later botocore may add. Anything else (a mistake of ours) is not the service's failure and stays what it is.
OTHER = Row((boto.BotoCoreError, boto3.Boto3Error), Unavailable, "the call failed in a way not known here")

# Most specific first. The test of this table walks botocore.exceptions and finds classes that no row covers.
EXCEPTIONS: tuple[Row, ...] = (
    Row((boto.ReadTimeoutError, boto.ConnectTimeoutError), TimedOut, "no answer in time"),
    Row((boto.SSLError,), Unavailable, "the TLS connection failed; is the certificate authority in ca_bundle?"),
    Row((boto.ProxyConnectionError,), Unavailable, "the proxy refused or could not be reached"),
    Row((boto.ConnectionError, boto.HTTPClientError), Unavailable, "the connection failed or broke off"),
    Row(
        (
            boto.IncompleteReadError,
            boto.ChecksumError,
            boto.FlexibleChecksumError,
            boto.AwsChunkedWrapperError,
            ResponseParserError,
            ParserError,  # a stream whose framing or checksum is wrong
        ),
        Unavailable,
        "the answer broke off or is not what the service sends",
    ),
    Row((boto.CapacityNotAvailableError,), Throttled, "no capacity"),
    Row(
        (
            boto.CredentialRetrievalError,
            boto.TokenRetrievalError,
            boto.MetadataRetrievalError,
            boto.SSOError,
            boto.LoginError,
            RuntimeError,  # "Credentials were refreshed, but the refreshed credentials are still expired."
            OSError,  # a web identity token file that is not there
        ),
        Denied,
        "credentials could not be fetched or have expired",
        may_refresh=True,
    ),
    Row(
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.NoAuthTokenError,
            boto.RefreshWithMFAUnsupportedError,
        ),
        Denied,
        "no complete credentials were found where boto3 looks (environment, profile, role, instance)",
    ),
    Row((boto.ProfileNotFound,), ConfigError, "the AWS configuration files have no profile of that name"),
    Row(
        (
            boto.BaseEndpointResolverError,
            boto.EndpointProviderError,
            boto.UnknownRegionError,
            boto.InvalidRegionError,
            boto.ServiceNotInRegionError,
            boto.InvalidHostLabelError,
        ),
        ConfigError,
        "no host is known for this region and cloud",
    ),
    Row(
        (
            boto.ConfigParseError,
            boto.ConfigNotFound,
            boto.InvalidConfigError,
            boto.UnknownCredentialError,
            boto.UnknownTokenProviderError,
            boto.InvalidProxiesConfigError,
            boto.InvalidDefaultsMode,
            boto.InvalidRetryConfigurationError,
            boto.InvalidEndpointConfigurationError,
            boto.InvalidSTSRegionalEndpointsConfigError,
            boto.InvalidS3UsEast1RegionalEndpointConfigError,
            boto.InvalidChecksumConfigError,
            boto.InvalidIMDSEndpointError,
            boto.InvalidIMDSEndpointModeError,
            boto.InvalidEndpointDiscoveryConfigurationError,
            boto.InvalidS3AddressingStyleError,
        ),
        ConfigError,
        "the AWS configuration of this machine cannot be used",
    ),
    Row(
        (
            boto.DataNotFoundError,
            boto.ApiVersionNotFoundError,
            boto.UndefinedModelAttributeError,
            boto.UnsupportedServiceProtocolsError,
            boto.UnknownServiceStyle,
            boto.UnknownSignatureVersionError,
            boto.UnsupportedSignatureVersionError,
            boto.MissingDependencyException,
            boto.MD5UnavailableError,
            boto.UnknownClientMethodError,
            boto3.ResourceLoadException,
            boto3.NoVersionFound,
            boto3.UnknownAPIVersionError,
            boto3.ResourceNotExistsError,
            boto3.RetriesExceededError,
            boto3.S3TransferFailedError,
            boto3.S3UploadFailedError,
            boto3.InvalidCrtTransferConfigError,
            boto3.DynamoDBOperationNotSupportedError,
            boto3.DynamoDBNeedsConditionError,
            boto3.DynamoDBNeedsKeyConditionError,
        ),
        ConfigError,
        "this installation of boto3 cannot make the call",
    ),
    Row(
        (
            boto.ParamValidationError,
            boto.MissingParametersError,
            boto.ValidationError,
            boto.UnseekableStreamError,
            boto.InvalidDNSNameError,
            boto.InvalidExpressionError,
            boto.PaginationError,
            boto.OperationNotPageableError,
            boto.WaiterError,
            boto.WaiterConfigError,
            boto.StubResponseError,
            boto.UnsupportedS3ArnError,
            boto.UnsupportedS3ControlArnError,
            boto.UnsupportedOutpostResourceError,
            boto.UnsupportedS3ConfigurationError,
            boto.UnsupportedS3AccesspointConfigurationError,
            boto.UnsupportedS3ControlConfigurationError,
        ),
        Rejected,
        "boto3 refused the parameters of the call before sending it",
    ),
    *HTTP,
    OTHER,
)
# The model's own text may quote the request, a signature's the session token; these speak of names only.
QUOTED = {"ValidationError", "ValidationException", "AccessDeniedException", "AccessDenied", "ThrottlingException"}


def from_answer(exc: boto.ClientError, *, place: str, service: str, secrets: Iterable[str] = ()) -> ServiceError:
    """Our exception for an error that the service itself answered with."""
    error, answer = exc.response.get("Error", {}), exc.response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), answer.get("HTTPStatusCode")
    headers = answer.get("HTTPHeaders", {})
    ours, may_refresh, detail = _verdict(exc, code, status)
    if code in QUOTED:
        detail = ": " + mask(str(error.get("Message", "")), secrets)[:200]
    request = f", request {answer['RequestId']}" if answer.get("RequestId") else ""
    return ours(
        f"{place}: {exc.operation_name} answered {code} (status {status}{request}){detail}",
        service=service,
        status=status,
        retry_after_s=retry_after_s(headers),
        may_refresh=may_refresh,
    )


def _verdict(exc: boto.ClientError, code: str, status: int | None) -> tuple[type[ServiceError], bool, str]:
    original = exc.response.get("OriginalStatusCode") or exc.response.get("originalStatusCode")
    if code == "ModelError":
        log = exc.response.get("LogStreamArn")
        detail = f": the model answered status {int(original or 0)}" + (f", its log is {log}" if log else "")
        return by_model_status(int(original or 0)), False, detail
    if code.lower() == "modelstreamerror":  # one exception of a stream; others write it in lower camel case
        late = exc.response.get("ErrorCode") == "ModelInvocationTimeExceeded"
        return (TimedOut if late else Unavailable), False, ""
    ours, may_refresh = by_code(code, status, int(original) if original else None)
    return ours, may_refresh, ""
