"""The client of one call: it signs, retries with growing pauses, and hears a cancel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config as ClientConfig

from workflows_app.plugins.s3.errors import asking
from workflows_app.plugins.s3.parameters import Parameters

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_CANCELLED_OPERATIONS = ("PutObject", "CreateMultipartUpload", "UploadPart", "GetObject")


@contextmanager
def client_of(parameters: Parameters, check_cancelled: Callable[[], None]) -> Iterator["S3Client"]:
    """A client for the bucket, closed at the end. Raises PluginFailed when it cannot be made.

    ``check_cancelled`` is called before each attempt to send or get data, and what it raises ends the
    request; the removal of what was sent goes on after a cancel.
    """
    given = parameters.credentials
    with asking(parameters.where, "prepare"):
        session = boto3.session.Session(
            aws_access_key_id=given.access_key or None,
            aws_secret_access_key=given.secret_key or None,
            aws_session_token=given.token or None,
            region_name=parameters.region or None,
            profile_name=given.profile or None,
        )
        client = session.client(
            "s3",
            endpoint_url=parameters.endpoint or None,
            config=ClientConfig(
                # Servers other than AWS often have no name for each bucket.
                s3={"addressing_style": "path" if parameters.endpoint else "auto"},
                retries={"mode": "standard", "total_max_attempts": parameters.attempts},
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                max_pool_connections=parameters.connections + 1,
                # We send SHA-256 ourselves; a checksum on top is more than many servers know.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def before_send(**_: Any) -> None:
        check_cancelled()

    for operation in _CANCELLED_OPERATIONS:
        client.meta.events.register(f"before-send.s3.{operation}", before_send)
    try:
        yield client
    finally:
        client.close()
