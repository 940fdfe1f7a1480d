"""Reads an object piece by piece, and goes on where a broken connection ended."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import (
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from workflows_app.plugins.s3.errors import asking
from workflows_app.plugins.s3.parameters import MiB, Parameters

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_BROKEN = (ConnectionClosedError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)


def download(client: "S3Client", parameters: Parameters, key: str) -> Iterator[bytes]:
    """Yield the pieces of an object, 1 MiB at most. Raises PluginFailed.

    The client retries requests but not the reading of an answer: here it is asked for the rest, of the very
    same object, as often as a request may be tried.
    """
    position, size, etag, broken = 0, 0, "", 0
    with asking(parameters.where, f"read {key}"):
        while True:
            if position:
                answer = client.get_object(
                    Bucket=parameters.bucket, Key=key, Range=f"bytes={position}-", IfMatch=etag
                )
            else:
                answer = client.get_object(Bucket=parameters.bucket, Key=key)
                size, etag = answer["ContentLength"], answer["ETag"]
            body = answer["Body"]
            try:
                for piece in body.iter_chunks(MiB):
                    position += len(piece)
                    yield piece
                return
            except _BROKEN:
                broken += 1
                if position >= size:
                    return
                if broken >= parameters.attempts:
                    raise
            finally:
                body.close()
