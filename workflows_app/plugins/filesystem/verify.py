"""Holds an archive against its manifest, byte by byte, reading both from disk side by side."""

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.manifest import Footer, ManifestBroken, ManifestReader
from workflows_app.plugins.filesystem.members import Member
from workflows_app.plugins.filesystem.read_ahead import ReadAhead
from workflows_app.plugins.filesystem.wording import reason_of, shown

_PIECE = 1024 * 1024


class VerificationFailed(PluginFailed):
    """An archive is not what its manifest says; the text says where they differ."""


def verify(archive: Path, manifest: Path, advance: Callable[[int, int], None]) -> Footer:
    """Read the whole archive and answer the manifest's last line when everything agrees with it.

    Held against the manifest are the archive's size and SHA-256, and of each member the whole line: its
    place, attributes, size, and the SHA-256 of its content as it would be restored. ``advance`` is given
    the bytes of content and the files (directories do not count) that were checked since the last call, at
    least once for each MiB; what it raises ends the verification.

    Raises VerificationFailed at the first difference, and when either file cannot be read.
    """
    try:
        with archive.open("rb", buffering=0) as packed, manifest.open("rb") as lines:
            reader = ManifestReader(lines)
            raw = _Hashed(packed)
            members = reader.members()
            for found in _members(raw, advance):
                _compare(next(members, None), found)
            for missing in members:
                raise VerificationFailed(f"the archive ends before {shown(missing.path)}")
            footer = reader.footer
            if footer is None:
                raise ManifestBroken("its last line is missing")
            if (archive.name, raw.size, raw.sha256) != (footer.file, footer.size, footer.sha256):
                raise VerificationFailed(
                    f"the archive has {raw.size} bytes and SHA-256 {raw.sha256} instead of {footer.size} "
                    f"bytes and SHA-256 {footer.sha256} as {shown(footer.file)}"
                )
    except VerificationFailed as error:
        raise _failed(archive, str(error)) from None
    except ManifestBroken as error:
        raise _failed(archive, f"the manifest {shown(manifest.name)} is broken: {error}") from None
    except (tarfile.TarError, zstandard.ZstdError, ValueError, EOFError) as error:
        raise _failed(archive, f"the archive is damaged: {error}") from error
    except OSError as error:
        raise _failed(archive, f"cannot read it back: {reason_of(error)}") from error
    return footer


def _failed(archive: Path, why: str) -> VerificationFailed:
    return VerificationFailed(f"The backup in {shown(str(archive))} failed its verification: {why}")


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        self.size += len(data)
        return data


def _members(raw: _Hashed, advance: Callable[[int, int], None]) -> Iterator[Member]:
    """Unpack an archive member by member, and then read the rest of it, to the end of the file."""
    pieces = _unpacked(raw)
    with ReadAhead(lambda: next(pieces, b"")) as stream:
        with tarfile.open(
            fileobj=cast(BinaryIO, stream),
            mode="r|",
            bufsize=_PIECE,
            encoding="utf-8",
            errors="surrogateescape",
        ) as tar:
            while (info := tar.next()) is not None:
                # Otherwise it would remember every member.
                tar.members = []  # type: ignore[attr-defined] # typeshed does not know it
                yield Member.of_tar(info, _content_hash(tar, info, advance))
                advance(0, 0 if info.isdir() else 1)
        while stream.read():
            advance(0, 0)


def _unpacked(raw: _Hashed) -> Iterator[bytes]:
    """The pieces of the tar stream; in the end, all of ``raw`` has been read, to the end of the file."""
    unpacker = zstandard.ZstdDecompressor()
    with unpacker.stream_reader(cast(BinaryIO, raw), read_size=_PIECE, closefd=False) as stream:
        while piece := stream.read(_PIECE):
            yield piece
    while raw.read(_PIECE):
        pass


def _content_hash(
    tar: tarfile.TarFile, info: tarfile.TarInfo, advance: Callable[[int, int], None]
) -> str | None:
    """The hash of a regular file's content, with its holes; None for all else."""
    if not info.isreg():
        return None
    digest = hashlib.sha256()
    content = tar.extractfile(info)
    if content is None:
        raise tarfile.ReadError(f"{shown(info.name)} has no content")
    with closing(content):
        while piece := content.read(_PIECE):
            digest.update(piece)
            advance(len(piece), 0)
    return digest.hexdigest()


def _compare(expected: Member | None, found: Member) -> None:
    if expected is None:
        raise VerificationFailed(f"{shown(found.path)} is in the archive but not in the manifest")
    if expected == found:
        return
    if expected.path != found.path:
        raise VerificationFailed(f"the archive has {shown(found.path)} where {shown(expected.path)} belongs")
    differences = ", ".join(
        f"{field.name} {getattr(found, field.name)!r} instead of {getattr(expected, field.name)!r}"
        for field in fields(Member)
        if getattr(found, field.name) != getattr(expected, field.name)
    )
    raise VerificationFailed(f"{shown(found.path)} has {differences}")
