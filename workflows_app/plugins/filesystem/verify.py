"""Holds an archive against its manifest, byte by byte, reading both from disk side by side."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from workflows_app.plugins.filesystem.damage import PackedHash, VerificationFailed, failing
from workflows_app.plugins.filesystem.manifest import (
    Footer,
    ManifestBroken,
    ManifestReader,
    read_ends,
    read_lines,
)
from workflows_app.plugins.filesystem.members import FILE, Member
from workflows_app.plugins.filesystem.read_ahead import ReadAhead
from workflows_app.plugins.filesystem.unpacking import Found, Unpacking
from workflows_app.plugins.wording import shown

_PIECE = 1024 * 1024


def verify(archive: Path, manifest: Path, advance: Callable[[int, int], None]) -> Footer:
    """Read the whole archive and answer the manifest's last line when everything agrees with it.

    Held against the manifest are the archive's size and SHA-256, and of each member the whole line: its
    place, attributes, size, and the SHA-256 of its content as it would be restored. ``advance`` is given
    the bytes of content and the files (directories do not count) that were checked since the last call, at
    least once for each MiB of data; what it raises ends the verification.

    Raises VerificationFailed at the first difference, and when either file cannot be read.
    """
    with failing(archive, manifest):
        hashed = PackedHash()
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


def verify_packed(archive: Path, manifest: Path, advance: Callable[[int], None]) -> Footer:
    """Hold both files against the hashes of what was written, without unpacking anything.

    So they are what was verified when the backup was made. A manifest of an earlier version has no hash of
    its own: then everything is unpacked, as by ``verify``. ``advance`` is given how many bytes of the archive
    were read since the last call, for each MiB.

    Raises VerificationFailed, and what ``advance`` raises.
    """
    with failing(archive, manifest):
        if not read_ends(manifest)[1].lines:
            return verify(archive, manifest, lambda size, files: advance(0))
        footer = read_lines(manifest, lambda: advance(0))
        hashed = PackedHash()
        with archive.open("rb", buffering=0) as packed, ReadAhead(_read(packed)) as ahead:
            for piece in ahead.pieces():
                hashed.update(piece)
                advance(len(piece))
        hashed.compare(archive.name, footer)
    return footer


def _read(packed: BinaryIO) -> Iterator[bytes]:
    while piece := packed.read(_PIECE):
        yield piece


def _hashed(unpacking: Unpacking, found: Found, advance: Callable[[int, int], None]) -> Member:
    """The member with the hash of its content, which only a regular file has."""
    if found.member.type != FILE:
        return found.member._replace(sha256=None)
    sha256 = unpacking.content(found, lambda position, piece: advance(len(piece), 0))
    return found.member._replace(sha256=sha256)


def _compare(expected: Member | None, found: Member) -> None:
    if expected is None:
        raise VerificationFailed(f"{shown(found.path)} is in the archive but not in the manifest")
    if expected == found:
        return
    if expected.path != found.path:
        raise VerificationFailed(f"the archive has {shown(found.path)} where {shown(expected.path)} belongs")
    differences = ", ".join(
        f"{field} {has!r} instead of {should!r}"
        for field, has, should in zip(Member._fields, found, expected, strict=True)
        if has != should
    )
    raise VerificationFailed(f"{shown(found.path)} has {differences}")
