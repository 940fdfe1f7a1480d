"""Holds an archive against its manifest, byte by byte, reading both from disk side by side."""

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.manifest import (
    Footer,
    ManifestBroken,
    ManifestReader,
    read_ends,
    read_lines,
)
from workflows_app.plugins.filesystem.members import FILE, Member
from workflows_app.plugins.filesystem.read_ahead import ReadAhead
from workflows_app.plugins.filesystem.unpacking import Found, Unpacking, unpacked_pieces
from workflows_app.plugins.wording import reason_of, shown

_PIECE = 1024 * 1024


class VerificationFailed(PluginFailed):
    """An archive is not what its manifest says; the text says where they differ."""


def verify(archive: Path, manifest: Path, advance: Callable[[int, int], None]) -> Footer:
    """Read the whole archive and answer the manifest's last line when everything agrees with it.

    Held against the manifest are the archive's size and SHA-256, and of each member the whole line: its
    place, attributes, size, and the SHA-256 of its content as it would be restored. ``advance`` is given
    the bytes of content and the files (directories do not count) that were checked since the last call, at
    least once for each MiB of data; what it raises ends the verification.

    Raises VerificationFailed at the first difference, and when either file cannot be read.
    """
    with _failing(archive, manifest):
        hashed = _Hash()
        with manifest.open("rb") as lines, Unpacking(archive, hashed.update) as unpacking:
            reader = ManifestReader(lines)
            members = reader.members()
            while (found := unpacking.next(expected := next(members, None))) is not None:
                _compare(expected, _hashed(unpacking, found, advance))
                advance(0, 0 if found.member.type == "directory" else 1)
            if expected is not None:
                raise VerificationFailed(f"the archive ends before {shown(expected.path)}")
            unpacking.finish(lambda: advance(0, 0))
            footer = reader.footer
        if footer is None:
            raise ManifestBroken("its last line is missing")
        hashed.compare(archive.name, footer)
    return footer


def verify_written(archive: Path, manifest: Path, advance: Callable[[int], None]) -> Footer:
    """Read back what a backup has just written and answer the manifest's last line, which tells of it.

    The lines of the manifest and the packed bytes of the archive are held against the hashes of what went
    to the disk, the unpacked bytes against the checksum that zstd took of what went into it. ``advance`` is
    given how many bytes of the archive were read since the last call, for each MiB.

    Raises VerificationFailed, and what ``advance`` raises.
    """
    return _verify_packed(archive, manifest, lambda pieces: unpacked_pieces(_fed(pieces)), advance)


def verify_packed(archive: Path, manifest: Path, advance: Callable[[int], None]) -> Footer:
    """Hold both files against the hashes of what was written, without unpacking anything.

    So they are what was verified when the backup was made. A manifest of an earlier version has no hash of
    its own: then everything is unpacked, as by ``verify``. Raises as ``verify_written``.
    """
    with _failing(archive, manifest):
        if not read_ends(manifest)[1].lines:
            return verify(archive, manifest, lambda size, files: advance(0))
    return _verify_packed(archive, manifest, lambda pieces: pieces, advance)


def _verify_packed(
    archive: Path,
    manifest: Path,
    look: Callable[[Iterator[bytes]], Iterator[bytes]],
    advance: Callable[[int], None],
) -> Footer:
    with _failing(archive, manifest):
        footer = read_lines(manifest, lambda: advance(0))
        hashed = _Hash()
        with archive.open("rb", buffering=0) as packed, ReadAhead(_read(packed, hashed.update)) as ahead:
            for _ in look(_counted(ahead.pieces(), advance)):
                pass
        hashed.compare(archive.name, footer)
    return footer


@contextmanager
def _failing(archive: Path, manifest: Path) -> Iterator[None]:
    """Turn every way to fail into a VerificationFailed that names the file."""
    where = f"The backup in {shown(str(archive))} failed its verification"
    try:
        yield
    except VerificationFailed as error:
        told = str(error)
        raise VerificationFailed(told if told.startswith(where) else f"{where}: {told}") from None
    except ManifestBroken as error:
        raise VerificationFailed(f"{where}: the manifest {shown(manifest.name)} is broken: {error}") from None
    except (tarfile.TarError, zstandard.ZstdError, ValueError, EOFError) as error:
        raise VerificationFailed(f"{where}: the archive is damaged: {error}") from error
    except OSError as error:
        raise VerificationFailed(f"{where}: cannot read it back: {reason_of(error)}") from error


class _Hash:
    """The size and the hash of what an archive's file has."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0

    def update(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._size += len(piece)

    def compare(self, name: str, footer: Footer) -> None:
        """Raise VerificationFailed unless that is what the manifest says."""
        found = self._hash.hexdigest()
        if (name, self._size, found) != (footer.file, footer.size, footer.sha256):
            raise VerificationFailed(
                f"the archive has {self._size} bytes and SHA-256 {found} instead of {footer.size} "
                f"bytes and SHA-256 {footer.sha256} as {shown(footer.file)}"
            )


class _Fed:
    """What is read from pieces as from a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        return next(self._pieces, b"")


def _fed(pieces: Iterator[bytes]) -> BinaryIO:
    return cast(BinaryIO, _Fed(pieces))


def _counted(pieces: Iterator[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        advance(len(piece))
        yield piece


def _read(packed: BinaryIO, hear: Callable[[bytes], None]) -> Iterator[bytes]:
    while piece := packed.read(_PIECE):
        hear(piece)
        yield piece


def _hashed(unpacking: Unpacking, found: Found, advance: Callable[[int, int], None]) -> Member:
    """The member with the hash of its content, which only a regular file has."""
    if found.member.type != FILE:
        return replace(found.member, sha256=None)
    return replace(
        found.member, sha256=unpacking.content(found, lambda position, piece: advance(len(piece), 0))
    )


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
