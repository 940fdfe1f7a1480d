"""Reads an archive as a stream of members, side by side with what its manifest says, in constant memory.

The header that a member of the manifest has in the archive is known beforehand: one that is there byte for
byte need not be parsed. Python's tarfile reads any other: that of a file with holes, of a device, or of an
archive that was not written by this plugin.
"""

import hashlib
import os
import struct
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import zstandard

from workflows_app.plugins.filesystem.members import FILE, Member, tar_header
from workflows_app.plugins.filesystem.read_ahead import ReadAhead
from workflows_app.plugins.filesystem.sparse import Segment

_PIECE = 1024 * 1024
_ZEROS = memoryview(bytes(_PIECE))
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(_BLOCK)


@dataclass(frozen=True, slots=True)
class Found:
    """A member as the archive has it, not hashed. ``device`` is the number of a device node.

    ``segments`` say where its content has data; what is between them is a hole.
    """

    member: Member
    device: int
    segments: tuple[Segment, ...]

    def fits(self, expected: Member) -> bool:
        """Whether it is what the manifest says, but for the content."""
        return self.member is expected or self.member._replace(sha256=expected.sha256) == expected

    @property
    def has_holes(self) -> bool:
        """Whether its content has holes."""
        return sum(length for _, length in self.segments) < self.member.size


class Unpacking:
    """An archive that is read from its beginning to its end; to be used in ``with``.

    ``hear`` is given every packed piece, in another thread. Every method raises OSError,
    zstandard.ZstdError, and tarfile.TarError for what is no archive or ends too soon.
    """

    def __init__(self, archive: Path, hear: Callable[[bytes], None] = lambda piece: None) -> None:
        self._packed = archive.open("rb", buffering=0)
        self._stream = _Stream(ReadAhead(unpacked_pieces(cast(BinaryIO, _Heard(self._packed, hear)))))
        self._unread = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._packed.close()

    def next(self, expected: Member | None) -> Found | None:
        """The next member, which should be ``expected``; None at the end of the archive."""
        self._stream.skip(self._unread)
        found = self._found(expected)
        stored = sum(length for _, length in found.segments) if found else 0
        self._unread = stored + -stored % _BLOCK
        return found

    def content(self, found: Found, take: Callable[[int, memoryview], None]) -> str:
        """Give ``take`` the content of a file, as positions and pieces of data; answer its SHA-256.

        Holes are hashed as the zeros that they read as, and not given. What ``take`` raises is raised.
        """
        digest = hashlib.sha256()
        position = 0
        for start, length in found.segments:
            _hash_hole(digest.update, start - position)
            position, end = start, start + length
            while position < end:
                piece = self._stream.some(end - position)
                self._unread -= len(piece)
                digest.update(piece)
                take(position, piece)
                position += len(piece)
        _hash_hole(digest.update, found.member.size - position)
        return digest.hexdigest()

    def finish(self, advance: Callable[[], None]) -> None:
        """Read what is left, to the end of the file; ``advance`` is called for each MiB."""
        while self._stream.drop():
            advance()

    def _found(self, expected: Member | None) -> Found | None:
        header = _header(expected) if expected is not None else None
        if expected is not None and header is not None and self._stream.starts_with(header):
            return Found(expected, 0, ((0, expected.size),) if expected.type == FILE else ())
        if self._stream.starts_with(_END):
            return None
        return self._parsed()

    def _parsed(self) -> Found:
        """The next member, as tarfile reads it: with a block at a time, nothing beyond the header."""
        with tarfile.open(
            fileobj=cast(BinaryIO, self._stream),
            mode="r|",
            bufsize=_BLOCK,
            encoding="utf-8",
            errors="surrogateescape",
        ) as tar:
            info = tar.next()
        if info is None:
            raise tarfile.ReadError("unexpected end of data")
        member = Member.of_tar(info, None)
        device = os.makedev(info.devmajor, info.devminor) if info.ischr() or info.isblk() else 0
        return Found(member, device, _segments(info) if info.isreg() else ())


class _Stream:
    """The tar stream, from which pieces of any size can be taken."""

    def __init__(self, ahead: ReadAhead) -> None:
        self._ahead = ahead
        self._piece = memoryview(b"")

    def starts_with(self, data: bytes) -> bool:
        """Take ``data`` if that is what comes next."""
        size = len(data)
        while len(self._piece) < size and self._more():
            pass
        if bytes(self._piece[:size]) != data:  # quicker than without bytes()
            return False
        self._piece = self._piece[size:]
        return True

    def some(self, most: int) -> memoryview:
        """Take what is at hand, ``most`` bytes at most. Raises tarfile.ReadError at the end."""
        if not self._piece and not self._more():
            raise tarfile.ReadError("unexpected end of data")
        taken, self._piece = self._piece[:most], self._piece[most:]
        return taken

    def read(self, size: int) -> bytes:
        """Take ``size`` bytes, as a file gives them: fewer at the end."""
        while len(self._piece) < size and self._more():
            pass
        taken, self._piece = self._piece[:size], self._piece[size:]
        return bytes(taken)

    def skip(self, size: int) -> None:
        """Leave ``size`` bytes out."""
        while size:
            size -= len(self.some(size))

    def drop(self) -> bool:
        """Leave out what is at hand and fetch more; whether there was any."""
        self._piece = memoryview(b"")
        return self._more()

    def close(self) -> None:
        """End the reading ahead."""
        self._ahead.close()

    def _more(self) -> bool:
        """Fetch another piece; what is at hand stays before it."""
        piece = self._ahead.read()
        rest = bytes(self._piece)
        self._piece = memoryview(rest + piece if rest else piece)
        return bool(piece)


class _Heard:
    """A file of which another one is told all that is read."""

    def __init__(self, file: BinaryIO, hear: Callable[[bytes], None]) -> None:
        self._file = file
        self._hear = hear

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._hear(piece)
        return piece


def unpacked_pieces(packed: BinaryIO) -> Iterator[bytes]:
    """The pieces of an unpacked file, whose checksum they have; in the end all of ``packed`` has been read.

    Raises OSError and zstandard.ZstdError.
    """
    with zstandard.ZstdDecompressor().stream_reader(packed, read_size=_PIECE, closefd=False) as stream:
        while piece := stream.read(_PIECE):
            yield piece
    while packed.read(_PIECE):
        pass


def _header(member: Member) -> bytes | None:
    """What stands in an archive of this plugin before the content; None for what can be no member."""
    try:
        return tar_header(member)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error):
        return None  # a damaged manifest may say anything


def _segments(info: tarfile.TarInfo) -> tuple[Segment, ...]:
    """Where a file's content has data. Raises tarfile.ReadError for what cannot be."""
    if info.sparse is None:
        return ((0, info.size),)
    segments = tuple(cast(list[Segment], info.sparse))
    position = 0
    for start, length in segments:
        if start < position or length < 0:
            raise tarfile.ReadError(f"the holes of {info.name!r} make no sense")
        position = start + length
    if position > info.size:
        raise tarfile.ReadError(f"{info.name!r} has data beyond its end")
    return segments


def _hash_hole(update: Callable[[memoryview], None], length: int) -> None:
    while length:
        piece = min(length, _PIECE)
        update(_ZEROS[:piece])
        length -= piece
