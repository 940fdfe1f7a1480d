"""Tries beforehand whether archives can be put into the bucket, listed, and deleted again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal, unknown
from workflows_app.plugins.archiving.check import check_source
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.s3.client import client_of
from workflows_app.plugins.s3.errors import asking, is_missing
from workflows_app.plugins.s3.parameters import Parameters
from workflows_app.plugins.s3.shelf import BucketShelf

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "BucketName"
LOCK = "ObjectLockDays"

_NO_LOCK = frozenset({"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed"})


def check(context: PluginContext, *, create_bucket: bool) -> tuple[Finding, ...]:
    """Answer whether the bucket is there, what the credentials may do in it, and whether it can lock.

    Each request is tried once. A small object is written below the configuration's own keys and deleted, in
    all its versions; where the bucket would keep it, an upload is begun and given up in its place.
    """
    return (*check_source(context), *looked(context, lambda call: Parameters.of(call, create_bucket), _look))


def _look(context: PluginContext, given: Parameters) -> Iterator[Finding]:
    parameters = replace(given, attempts=1)
    try:
        with client_of(parameters, context.check_cancelled) as client:
            yield from _ask(context, parameters, client)
    except PluginFailed as error:
        yield refusal(error, BUCKET)


def _ask(context: PluginContext, parameters: Parameters, client: "S3Client") -> Iterator[Finding]:
    """Raises PluginFailed for what makes any further look pointless."""
    with asking(parameters.where, "look for the bucket"):
        try:
            # The answer to a HEAD would not say what is wrong.
            client.list_objects_v2(Bucket=parameters.bucket, MaxKeys=1)
        except ClientError as error:
            if not is_missing(error) or not parameters.create_bucket:
                raise
            yield doubtful(f"There is no {parameters.where}; the first archive creates it", BUCKET)
            return
    yield good(f"The {parameters.where} is there, and opens with these credentials", BUCKET)

    def list_archives(context: PluginContext) -> str:
        shelf = BucketShelf(context, parameters, client)
        return f"{shelf.where} has {len(shelf.archives())} archives of this configuration"

    yield from tried(context, BUCKET, list_archives)
    keeps = _keeps_what_is_written(parameters, client)
    if parameters.lock_days is not None:
        yield from tried(context, LOCK, lambda call: _lock(call, parameters, client))
    key = f"{parameters.prefix}{context.config.profile_name}/{context.config.config_name}/.test-{uuid4()}"
    yield from _begin(parameters, client, key) if keeps else _write(parameters, client, key)


def _lock(context: PluginContext, parameters: Parameters, client: "S3Client") -> str:
    """Raises PluginFailed when the bucket cannot lock."""
    BucketShelf(context, replace(parameters, create_bucket=False), client).prepare()
    return f"The bucket can lock: an archive is kept for {parameters.lock_days} days ({parameters.lock_mode})"


def _keeps_what_is_written(parameters: Parameters, client: "S3Client") -> bool:
    """Whether the bucket locks every object by itself, or may do so as far as is known."""
    try:
        answer = client.get_object_lock_configuration(Bucket=parameters.bucket)
    except ClientError as error:
        return error.response.get("Error", {}).get("Code") not in _NO_LOCK
    return "Rule" in answer.get("ObjectLockConfiguration", {})


def _write(parameters: Parameters, client: "S3Client", key: str) -> Iterator[Finding]:
    try:
        with asking(parameters.where, "write an object"):
            answer = client.put_object(Bucket=parameters.bucket, Key=key, Body=b"")
    except PluginFailed as error:
        yield refusal(error, BUCKET)
        return
    version = answer.get("VersionId")
    try:
        with asking(parameters.where, "delete an object"):
            if version and _deleted(parameters, client, key, version):
                yield good("An object was written and deleted again, in all its versions", BUCKET)
                return
            client.delete_object(Bucket=parameters.bucket, Key=key)
    except PluginFailed as error:
        yield bad(f"{error}. The empty object {key} of this test stays", BUCKET)
        return
    if version:
        yield doubtful(
            f"An object was written and deleted again. Of {key} an empty older version stays, since these "
            "credentials may not delete versions; the bucket's lifecycle rules remove it",
            BUCKET,
        )
    else:
        yield good("An object was written and deleted again", BUCKET)


def _deleted(parameters: Parameters, client: "S3Client", key: str, version: str) -> bool:
    """Delete a version for good, where the credentials may: archives do not need that right."""
    try:
        client.delete_object(Bucket=parameters.bucket, Key=key, VersionId=version)
    except ClientError:
        return False
    return True


def _begin(parameters: Parameters, client: "S3Client", key: str) -> Iterator[Finding]:
    """What a bucket that keeps each object can be asked: an upload that is given up leaves nothing."""
    try:
        with asking(parameters.where, "write an object"):
            upload = client.create_multipart_upload(Bucket=parameters.bucket, Key=key)["UploadId"]
            client.abort_multipart_upload(Bucket=parameters.bucket, Key=key, UploadId=upload)
    except PluginFailed as error:
        yield refusal(error, BUCKET)
        return
    yield good("An upload was begun and given up again", BUCKET)
    yield unknown(
        "Whether archives can be deleted was not tried: the bucket may lock all that is written to it", BUCKET
    )
