"""A file of BSON documents one after the other, compressed or not: written and read in constant memory."""

import gzip
import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from workflows_app.plugins.mongo_dump.file_names import GZIP

_CHUNK = 1024 * 1024
# After how many documents a reader says how far it is.
_OFTEN = 1000
# zlib's usual 6 takes three times as long for a tenth less.
_LEVEL = 3
# The most that a document inside of the server may have.
_MOST = 16 * 1024 * 1024 + 16 * 1024
_LENGTH = struct.Struct("<i")
_SMALLEST = 5


class Damaged(Exception):
    """A file is not what it should be; the text says how."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is in a file: how many ``documents``, their bytes, and the file's own SHA-256 (in hex)."""

    documents: int
    size: int
    sha256: str


class BsonWriter:
    """A new file, which only its owner may read; once it was left, all is on the disk. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._documents = 0
        self._size = 0

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = self._stack.enter_context(os.fdopen(descriptor, "wb"))
        self._hashed = _Hashed(self._file)
        zipped = self._path.name.endswith(GZIP)
        self._packer = gzip.GzipFile("", "wb", _LEVEL, cast("BinaryIO", self._hashed), 0) if zipped else None
        return self

    def write(self, documents: bytes) -> int:
        """Add whole documents that follow each other; answers how many. Raises Damaged for what is none."""
        count = count_documents(documents)
        (self._packer or self._hashed).write(documents)
        self._documents += count
        self._size += len(documents)
        return count

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                if self._packer is not None:
                    self._packer.close()
                self._file.flush()
                os.fsync(self._file.fileno())

    @property
    def tally(self) -> Tally:
        """What was written, once the file was left."""
        return Tally(self._documents, self._size, self._hashed.sha256)


def read_documents(path: Path) -> Iterator[bytes]:
    """The documents of a file. Raises OSError, and Damaged where there is something else than a document."""
    with path.open("rb") as file:
        yield from _documents(_plain(path, file))


def tally_of(path: Path, on_size: Callable[[int], None]) -> Tally:
    """Read all of a file. ``on_size`` is told, now and then, how many bytes of documents it was until then.

    Raises OSError, and Damaged where there is something else than a document; what ``on_size`` does.
    """
    count = size = 0
    with path.open("rb") as file:
        hashed = _Hashed(file)
        for document in _documents(_plain(path, io.BufferedReader(hashed, _CHUNK))):
            count += 1
            size += len(document)
            if count % _OFTEN == 0:
                on_size(size)
        while hashed.read(_CHUNK):
            pass
        return Tally(count, size, hashed.sha256)


def count_documents(documents: bytes) -> int:
    """How many documents there are one after the other. Raises Damaged."""
    count = at = 0
    while at < len(documents):
        if at + 4 > len(documents):
            raise Damaged(f"{len(documents) - at} bytes are too many")
        (length,) = _LENGTH.unpack_from(documents, at)
        end = at + length
        if length < _SMALLEST or end > len(documents) or documents[end - 1]:
            raise Damaged(f"document {count + 1} is none")
        at = end
        count += 1
    return count


def _documents(stream: BinaryIO) -> Iterator[bytes]:
    count = 0
    try:
        while head := stream.read(4):
            count += 1
            length = _LENGTH.unpack(head)[0] if len(head) == 4 else 0
            if not _SMALLEST <= length <= _MOST:
                raise Damaged(f"document {count} is none")
            document = head + stream.read(length - 4)
            if len(document) < length or document[-1]:
                raise Damaged(f"document {count} is not whole")
            yield document
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(f"after document {count}: {error}") from None


def _plain(path: Path, file: BinaryIO) -> BinaryIO:
    if path.name.endswith(GZIP):
        return cast("BinaryIO", gzip.GzipFile("", "rb", fileobj=file))
    return file


class _Hashed(io.RawIOBase):
    """Passes on what is written to or read from a file, and takes down its SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of all that was passed on, in hex."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read up to as many bytes as ``buffer`` has; answers how many."""
        view = memoryview(buffer)
        data = self._file.read(len(view))
        self._digest.update(data)
        view[: len(data)] = data
        return len(data)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write all of ``data``."""
        self._digest.update(data)
        return self._file.write(data)
