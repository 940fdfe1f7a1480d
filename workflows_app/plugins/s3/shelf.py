"""Archives in a bucket: the files below a key of their own, and beside them the record, stored last.

Keys are ``<Prefix>/<profile>/<config>/<backup name>/<path>``, as Fossul's (§7.7). An archive exists when
``<backup name>.archive.jsonl`` does; ``<backup name>.archive.begun`` marks what is incomplete. Objects
without either are not ours, such as those that Fossul itself made, and are not touched.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Archive
from workflows_app.plugins.archiving.names import archive_of, sorted_archives
from workflows_app.plugins.archiving.shelf import Advance
from workflows_app.plugins.archiving.source import SourceEntry
from workflows_app.plugins.archiving.sums import Sums
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.s3.download import download
from workflows_app.plugins.s3.errors import asking, is_missing
from workflows_app.plugins.s3.parameters import Parameters
from workflows_app.plugins.s3.upload import Upload, abort_upload
from workflows_app.plugins.wording import shown

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

RECORD = ".archive.jsonl"
BEGUN = ".archive.begun"


class BucketShelf:
    """The archives of a configuration in a bucket."""

    def __init__(self, context: PluginContext, parameters: Parameters, client: "S3Client") -> None:
        config = context.config
        self._context = context
        self._parameters = parameters
        self._client = client
        self._base = f"{parameters.prefix}{config.profile_name}/{config.config_name}/"
        self.where = f"s3://{parameters.bucket}/{self._base}"

    def archives(self) -> tuple[Archive, ...]:
        """The complete archives, the oldest first: those that have a record."""
        names = self._marked(RECORD)
        return sorted_archives([archive for name in names if (archive := archive_of(name))])

    def leftovers(self) -> tuple[str, ...]:
        """What is marked as begun and has no record."""
        begun = self._marked(BEGUN)
        return tuple(sorted(name for name in begun - self._marked(RECORD) if archive_of(name)))

    def clear(self, name: str) -> None:
        """Remove all objects and open uploads of an archive that has no record, its mark last."""
        bucket, folder = self._parameters.bucket, self._folder(name)
        with asking(self._parameters.where, f"remove {shown(folder)}"):
            for key in self._keys(folder):
                self._client.delete_object(Bucket=bucket, Key=key)
            self._abort_uploads(folder)
            self._client.delete_object(Bucket=bucket, Key=self._base + name + BEGUN)

    def delete(self, name: str) -> None:
        """Delete an archive: marked as incomplete first, then its record, and then its files.

        In a bucket with versions, older ones stay: its lifecycle rules are not ours to pass by.
        """
        self._mark(name)
        with asking(self._parameters.where, f"delete the record of {name}"):
            self._client.delete_object(Bucket=self._parameters.bucket, Key=self._base + name + RECORD)
        self.clear(name)

    def locked_until(self, name: str) -> datetime | None:
        """Until when object lock keeps the archive, as its record, which is locked last, says."""
        with asking(self._parameters.where, f"look at {name}"):
            head = self._client.head_object(Bucket=self._parameters.bucket, Key=self._base + name + RECORD)
        return head.get("ObjectLockRetainUntilDate")

    @contextmanager
    def put(self, name: str) -> Iterator["BucketParcel"]:
        """A new archive. Raises PluginFailed when there is anything of that name, or no bucket."""
        with asking(self._parameters.where, "look for an archive"):
            taken = name in self._marked(RECORD) or next(self._keys(self._folder(name)), None)
        if taken:
            raise PluginFailed(f"There is an archive {self.where}{name} already, which is left as it is")
        self._mark(name)
        parcel = BucketParcel(self._context, self._parameters, self._client, self._base + name)
        try:
            yield parcel
        except BaseException:
            if not parcel.published:
                self._give_up(name)
            raise
        try:
            self._client.delete_object(Bucket=self._parameters.bucket, Key=self._base + name + BEGUN)
        except Exception as error:  # the archive is complete: a mark beside a record means nothing
            self._context.warn(f"Cannot remove {self.where}{name}{BEGUN}: {type(error).__name__}")

    def record(self, name: str) -> Iterator[bytes]:
        """The pieces of an archive's record."""
        if name not in self._marked(RECORD):
            raise PluginFailed(f"There is no complete archive {shown(name)} in {self.where}")
        return download(self._client, self._parameters, self._base + name + RECORD)

    def pieces(self, name: str, path: str) -> Iterator[bytes]:
        """The pieces of a file of an archive."""
        return download(self._client, self._parameters, self._folder(name) + path)

    def _folder(self, name: str) -> str:
        return f"{self._base}{name}/"

    def _mark(self, name: str) -> None:
        with asking(self._parameters.where, f"write {self._base}{name}{BEGUN}"):
            self._client.put_object(Bucket=self._parameters.bucket, Key=self._base + name + BEGUN, Body=b"")

    def _give_up(self, name: str) -> None:
        """Remove what was stored of an archive; what cannot be removed is left to the next run."""
        self._context.info(f"Removing what was stored of archive {name}")
        try:
            with asking(self._parameters.where, f"remove {shown(self._folder(name))}"):
                # It may have arrived although the answer did not.
                self._client.delete_object(Bucket=self._parameters.bucket, Key=self._base + name + RECORD)
            self.clear(name)
        except (PluginFailed, Cancelled) as error:
            why = str(error) or "it was cancelled"
            self._context.warn(f"The rest of archive {name} is removed by the next run: {why}")

    def prepare(self) -> None:
        """Create the bucket where that is asked for, and refuse one that cannot lock where it should."""
        if self._parameters.create_bucket:
            self._create_bucket()
        if self._parameters.lock_days is not None:
            with asking(self._parameters.where, "lock an archive"):
                self._client.get_object_lock_configuration(Bucket=self._parameters.bucket)

    def _create_bucket(self) -> None:
        parameters, client = self._parameters, self._client
        with asking(parameters.where, "look for the bucket"):
            try:
                client.head_bucket(Bucket=parameters.bucket)
                return
            except ClientError as error:
                if not is_missing(error):
                    raise
        self._context.warn(f"There is no {parameters.where}; it is created")
        given: dict[str, Any] = {}
        if parameters.lock_days is not None:
            given["ObjectLockEnabledForBucket"] = True
        region = client.meta.region_name
        if region not in ("us-east-1", "aws-global"):
            given["CreateBucketConfiguration"] = {"LocationConstraint": region}
        with asking(parameters.where, "create the bucket"):
            client.create_bucket(Bucket=parameters.bucket, **given)

    def _marked(self, suffix: str) -> set[str]:
        """The names that have a mark of that kind."""
        names = set()
        with asking(self._parameters.where, "list the archives"):
            for key in self._keys(self._base, "/"):
                inner = key.removeprefix(self._base)
                if inner.endswith(suffix):
                    names.add(inner.removesuffix(suffix))
        return names

    def _keys(self, prefix: str, delimiter: str = "") -> Iterator[str]:
        """The keys that begin so; with a delimiter, those that have none after the prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._parameters.bucket, Prefix=prefix, Delimiter=delimiter
        )
        for page in pages:
            for found in page.get("Contents", []):
                yield found["Key"]

    def _abort_uploads(self, folder: str) -> None:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._parameters.bucket, Prefix=folder
        )
        for page in pages:
            for upload in page.get("Uploads", []):
                abort_upload(self._client, self._parameters.bucket, upload["Key"], upload["UploadId"])


class BucketParcel:
    """An archive in the making: its objects are there, and marked as begun. ``published`` once complete."""

    def __init__(self, context: PluginContext, parameters: Parameters, client: "S3Client", base: str) -> None:
        lock: dict[str, Any] = {}
        if parameters.lock_days is not None:
            lock = {
                "ObjectLockMode": parameters.lock_mode,
                "ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=parameters.lock_days),
            }
        self._upload = Upload(client, parameters, lock, context.check_cancelled)
        self._base = base
        self.published = False

    def add_folder(self, path: str) -> None:
        """Nothing: a bucket knows no folders."""

    def add_file(self, entry: SourceEntry, advance: Advance) -> Sums:
        """Send a file. Raises PluginFailed for a name that S3 cannot have, too."""
        try:
            os.fsencode(entry.path).decode()
        except UnicodeDecodeError:
            raise PluginFailed(f"{shown(str(entry.full))} has a name that no object can have") from None
        return self._upload.send(entry.full, f"{self._base}/{entry.path}", advance)

    def publish(self, record: BinaryIO) -> None:
        """Store the record."""
        self._upload.send_open(record.fileno(), self._base + RECORD, lambda size: None)
        self.published = True
