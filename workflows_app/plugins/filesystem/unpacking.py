"""Reads an archive as a stream of members, in constant memory."""

import tarfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from workflows_app.plugins.filesystem.read_ahead import ReadAhead

_PIECE = 1024 * 1024


def unpacked(archive: Path) -> Generator[tuple[tarfile.TarFile, tarfile.TarInfo], None, None]:
    """Yield each member's header, with the archive from which its content can be read until the next one.

    Raises OSError, zstandard.ZstdError, and tarfile.TarError.
    """
    with archive.open("rb", buffering=0) as packed:
        pieces = _pieces(packed)
        with (
            ReadAhead(lambda: next(pieces, b"")) as stream,
            tarfile.open(
                fileobj=cast(BinaryIO, stream),
                mode="r|",
                bufsize=_PIECE,
                encoding="utf-8",
                errors="surrogateescape",
            ) as tar,
        ):
            while (info := tar.next()) is not None:
                # Otherwise it would remember every member.
                tar.members = []  # type: ignore[attr-defined] # typeshed does not know it
                yield tar, info


def _pieces(packed: BinaryIO) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor()
    with unpacker.stream_reader(packed, read_size=_PIECE, closefd=False) as stream:
        while piece := stream.read(_PIECE):
            yield piece
