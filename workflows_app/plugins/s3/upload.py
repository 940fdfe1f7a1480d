"""Sends a file in constant memory and holds what the server has against what was read."""

import hashlib
import os
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.plugins.archiving.shelf import Advance
from workflows_app.plugins.archiving.source import cannot_read
from workflows_app.plugins.archiving.sums import Sums
from workflows_app.plugins.s3.download import download
from workflows_app.plugins.s3.errors import asking
from workflows_app.plugins.s3.parameters import MiB, Parameters
from workflows_app.plugins.wording import shown

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

_PIECE = MiB
_MOST_PARTS = 10_000


class Slice:
    """A part of an open file, as the client sends it; several may be read at the same time."""

    def __init__(self, descriptor: int, begin: int, size: int, check: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._begin = begin
        self._size = size
        self._check = check
        self._position = 0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes; empty at the end. Raises OSError, and what ``check`` raises."""
        self._check()
        rest = self._size - self._position
        wanted = rest if size is None or size < 0 else min(size, rest)
        data = os.pread(self._descriptor, wanted, self._begin + self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position in the part, as for another attempt. Raises what ``check`` raises."""
        self._check()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """The position in the part."""
        return self._position


class Digests:
    """The hashes of a file and of its parts, taken while it is read from its beginning to its end."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._sha256: list[bytes] = []
        self._md5: list[bytes] = []
        self.size = 0

    def add(self, part: Slice) -> str:
        """Read a part and answer its SHA-256 as S3 writes it."""
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        while piece := part.read(_PIECE):
            self._whole.update(piece)
            sha256.update(piece)
            md5.update(piece)
            self.size += len(piece)
        part.seek(0)
        self._sha256.append(sha256.digest())
        self._md5.append(md5.digest())
        return b64encode(sha256.digest()).decode()

    @property
    def sums(self) -> Sums:
        """What was read."""
        return Sums(self.size, self._whole.hexdigest())

    def checksum(self, whole: bool) -> str:
        """What S3 says as SHA-256 of the object, sent whole or in parts."""
        if whole:
            return b64encode(self._sha256[0]).decode()
        return f"{b64encode(hashlib.sha256(b''.join(self._sha256)).digest()).decode()}-{len(self._sha256)}"

    def etag(self, whole: bool) -> str:
        """What S3 says as ETag of an object that it does not encrypt."""
        if whole:
            return self._md5[0].hex()
        return f"{hashlib.md5(b''.join(self._md5), usedforsecurity=False).hexdigest()}-{len(self._md5)}"


class Upload:
    """Sends files to a bucket; ``lock`` is what S3 is told of object lock."""

    def __init__(
        self, client: "S3Client", parameters: Parameters, lock: dict[str, Any], check: Callable[[], None]
    ) -> None:
        self._client = client
        self._parameters = parameters
        self._lock = lock
        self._check = check

    def send(self, path: Path, key: str, advance: Advance) -> Sums:
        """Send a file and answer what was read of it. Raises PluginFailed, and what ``advance`` raises."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise cannot_read(path, error) from error
        try:
            return self.send_open(descriptor, key, advance)
        except OSError as error:
            raise cannot_read(path, error) from error
        finally:
            os.close(descriptor)

    def send_open(self, descriptor: int, key: str, advance: Advance) -> Sums:
        """As ``send``, of an open file. Raises OSError, too."""
        size = os.fstat(descriptor).st_size
        digests = Digests()
        with asking(self._parameters.where, f"store {shown(key)}"):
            whole = size <= self._parameters.part_size
            if whole:
                self._send_whole(descriptor, size, key, digests)
                advance(size)
            else:
                self._send_parts(descriptor, size, key, digests, advance)
            self._verify(key, digests, whole)
        return digests.sums

    def _send_whole(self, descriptor: int, size: int, key: str, digests: Digests) -> None:
        body = Slice(descriptor, 0, size, self._check)
        checksum = digests.add(body)
        self._client.put_object(
            Bucket=self._parameters.bucket,
            Key=key,
            Body=cast(IO[bytes], body),
            ChecksumSHA256=checksum,
            **self._lock,
        )

    def _send_parts(self, descriptor: int, size: int, key: str, digests: Digests, advance: Advance) -> None:
        stop = threading.Event()

        def check() -> None:
            if stop.is_set():
                raise Cancelled
            self._check()

        with self._multipart(key) as upload, ThreadPoolExecutor(self._parameters.connections) as pool:
            done: list[CompletedPartTypeDef] = []
            running: deque[tuple[int, Future[CompletedPartTypeDef]]] = deque()

            def take() -> None:
                length, part = running.popleft()
                done.append(part.result())
                advance(length)

            try:
                for number, begin in enumerate(range(0, size, self._part_size(size)), start=1):
                    body = Slice(descriptor, begin, min(self._part_size(size), size - begin), check)
                    checksum = digests.add(body)
                    if len(running) == self._parameters.connections:
                        take()
                    length = body.seek(0, os.SEEK_END)
                    body.seek(0)
                    running.append(
                        (length, pool.submit(self._send_part, key, upload, number, body, checksum))
                    )
                while running:
                    take()
            except BaseException:
                stop.set()
                raise
            self._complete(key, upload, done)

    def _complete(self, key: str, upload: str, parts: "list[CompletedPartTypeDef]") -> None:
        try:
            self._client.complete_multipart_upload(
                Bucket=self._parameters.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            # So says a second attempt when the answer to the first was lost: the verification will tell.
            if error.response.get("Error", {}).get("Code") != "NoSuchUpload":
                raise

    def _send_part(
        self, key: str, upload: str, number: int, body: Slice, checksum: str
    ) -> "CompletedPartTypeDef":
        answer = self._client.upload_part(
            Bucket=self._parameters.bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            Body=cast(IO[bytes], body),
            ChecksumSHA256=checksum,
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    @contextmanager
    def _multipart(self, key: str) -> Iterator[str]:
        """An upload in parts, which is aborted when the block raises anything."""
        bucket = self._parameters.bucket
        upload = self._client.create_multipart_upload(
            Bucket=bucket, Key=key, ChecksumAlgorithm="SHA256", **self._lock
        )["UploadId"]
        try:
            yield upload
        except BaseException:
            # Where the server is away, the parts go with what the interrupted archive leaves.
            abort_upload(self._client, bucket, key, upload)
            raise

    def _part_size(self, size: int) -> int:
        """Large enough for S3's most parts, in whole MiB."""
        least = -(-size // _MOST_PARTS)
        return max(self._parameters.part_size, -(-least // MiB) * MiB)

    def _verify(self, key: str, digests: Digests, whole: bool) -> None:
        """Hold what the server has against what was read: by its checksum, or else by reading it back.

        An ETag that differs proves nothing, for encryption changes it; one that is equal is enough.
        """
        head = self._client.head_object(Bucket=self._parameters.bucket, Key=key, ChecksumMode="ENABLED")
        if head["ContentLength"] == digests.size:
            if checksum := head.get("ChecksumSHA256"):
                same = checksum == digests.checksum(whole)
            else:
                same = head["ETag"].strip('"') == digests.etag(whole) or self._read_back(key) == digests.sums
            if same:
                return
        raise PluginFailed(
            f"What {self._parameters.where} holds as {shown(key)} is not what was sent: run the backup "
            "again, and check the server"
        )

    def _read_back(self, key: str) -> Sums:
        digest, size = hashlib.sha256(), 0
        for piece in download(self._client, self._parameters, key):
            self._check()
            digest.update(piece)
            size += len(piece)
        return Sums(size, digest.hexdigest())


def abort_upload(client: "S3Client", bucket: str, key: str, upload: str) -> None:
    """Give up an upload in parts, if the server lets us."""
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    except (BotoCoreError, ClientError, Cancelled):
        return
