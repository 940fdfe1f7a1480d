"""What goes wrong with a server, in words for the operator, and never with a credential."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
)

from workflows_app.domain.errors import Cancelled, PluginFailed

_NOT_ALLOWED = "the access key may not do this: give it the rights that docs/plugins/s3.md lists"
_CODES = {
    "NoSuchBucket": "there is no such bucket. Correct BucketName, create it, or set CreateBucket to true",
    "NoSuchKey": "it is not there",
    "InvalidAccessKeyId": "the server does not know the access key. Check AccessKeyId",
    "SignatureDoesNotMatch": "the secret does not belong to the access key. Check SecretAccessKey",
    "InvalidToken": "the session token is not valid. Check SessionToken",
    "ExpiredToken": "the credentials have expired",
    "AccessDenied": _NOT_ALLOWED,
    "Forbidden": _NOT_ALLOWED,
    "403": _NOT_ALLOWED,
    "404": "it is not there",
    "ObjectLockConfigurationNotFoundError": "the bucket was made without object lock. Make another one with "
    "it, or leave ObjectLockDays empty",
    "RequestTimeTooSkewed": "the clocks of worker and server differ too much. Correct the worker's",
    "PermanentRedirect": "the bucket is in another region. Check AwsRegion and EndpointUrl",
    "AuthorizationHeaderMalformed": "the bucket is in another region. Check AwsRegion and EndpointUrl",
    "BadDigest": "what arrived is not what was sent. Run the backup again, and check the network",
    "XAmzContentChecksumMismatch": "what arrived is not what was sent. Run the backup again",
}


@contextmanager
def asking(where: str, what: str) -> Iterator[None]:
    """Turn what the client raises into PluginFailed: ``Cannot <what> in <where>: …``."""
    try:
        yield
    except ClientError as error:
        raise PluginFailed(f"Cannot {what} in {where}: {_refusal(error)}") from None
    except BotoCoreError as error:
        if _was_cancelled(error):
            raise Cancelled from None
        raise PluginFailed(f"Cannot {what} in {where}: {_trouble(error)}") from None


def _was_cancelled(error: BaseException | None) -> bool:
    """The client wraps what is raised while it reads, or rewinds, a body that it sends."""
    while error is not None:
        if isinstance(error, Cancelled):
            return True
        error = error.__context__
    return False


def is_missing(error: ClientError) -> bool:
    """Whether a bucket or an object was asked for that is not there."""
    return error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


def _refusal(error: ClientError) -> str:
    told = error.response.get("Error", {})
    code = told.get("Code", "")
    return _CODES.get(code) or f"the server says {told.get('Message') or 'no'!r} ({code or 'no code'})"


def _trouble(error: BotoCoreError) -> str:
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "the worker has no AWS credentials of its own. Give AccessKeyId and SecretAccessKey, or set up "
            "the worker's environment or credentials file"
        )
    if isinstance(error, ProfileNotFound):
        return "the worker's AWS configuration has no such profile. Check AwsProfile"
    if isinstance(error, SSLError):
        return "the server's certificate is not trusted. Check EndpointUrl, or set the worker's AWS_CA_BUNDLE"
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return "the server cannot be reached. Check EndpointUrl, AwsRegion and the network"
    if isinstance(error, ReadTimeoutError):
        return "the server did not answer in time. Check it and the network"
    if isinstance(error, (ConnectionClosedError, HTTPClientError, IncompleteReadError)):
        return "the connection broke. Check the server and the network"
    return str(error)
