"""Reads a tar stream as it comes out of a pod, and believes only what is complete and where it belongs."""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Self, cast

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.tar_headers import PossibleInfo
from workflows_app.plugins.filesystem.archive import ArchiveWriter
from workflows_app.plugins.filesystem.manifest import ManifestWriter
from workflows_app.plugins.filesystem.members import FILE, HARD_LINK, Member, archived_path, tar_header
from workflows_app.plugins.wording import shown

_PIECE = 1024 * 1024
# How much may come before something of it is taken: a header with all that extends it is held in memory.
_LONGEST_HEADER = 8 * 1024 * 1024
_KNOWN = (
    tarfile.REGTYPE,
    tarfile.AREGTYPE,
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
)


class StreamBroken(PluginFailed):
    """The stream is no whole tar archive."""


class Incoming:
    """Copies a tar stream into an archive, and what is in it into the manifest.

    ``advance`` is given the bytes and files (directories do not count) since the last call; what it raises
    ends the copy. ``files`` and ``bytes`` are as ``Footer`` has them.
    """

    def __init__(
        self,
        sources: Sequence[str],
        archive: ArchiveWriter,
        manifest: ManifestWriter,
        advance: Callable[[int, int], None],
    ) -> None:
        self._missing = {archived_path(source) for source in sources}
        self._sources = tuple(self._missing)
        self._archive = archive
        self._manifest = manifest
        self._advance = advance
        self._stream = _Stream(iter(()))
        self.files = 0
        self.bytes = 0

    def copy(self, pieces: Iterator[bytes]) -> None:
        """Copy all of the stream.

        Raises StreamBroken when it is damaged or cut off, and PluginFailed when it holds what it must not.
        """
        self._stream = _Stream(pieces)
        try:
            with tarfile.open(
                fileobj=cast(IO[bytes], self._stream),
                mode="r|",
                bufsize=_PIECE,
                encoding="utf-8",
                errors="surrogateescape",
                tarinfo=_StrictInfo,
            ) as tar:
                while (info := tar.next()) is not None:
                    self._take(tar, info)
                    cast(Any, tar).members.clear()  # it would keep every one
                    self._stream.allow(_LONGEST_HEADER)
        except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
            raise StreamBroken(
                f"What came out of the pod is no whole tar archive: {error}. Nothing of it is kept; run the "
                "backup again"
            ) from None
        for _ in pieces:  # the zeros after the end
            pass

    def check_sources(self) -> None:
        """Raise PluginFailed unless there was something of every source."""
        if self._missing:
            missing = ", ".join(shown(f"/{path}") for path in sorted(self._missing))
            raise PluginFailed(f"Nothing came out of the pod for {missing}: check BackupSrcPaths")

    def _take(self, tar: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        if info.type not in _KNOWN or info.issparse():
            raise PluginFailed(f"{shown(info.name)} is of tar's type {info.type!r}, which is not known here")
        if info.isreg():
            info.type = tarfile.REGTYPE
        member = Member.of_tar(info, None)
        link = archived_path(member.link) if member.type == HARD_LINK else member.link
        member = member._replace(path=archived_path(member.path), mode=member.mode & 0o7777, link=link)
        self._check(member)
        device = os.makedev(info.devmajor, info.devminor) if info.ischr() or info.isblk() else 0
        self._archive.write(tar_header(member, device))
        if member.type == FILE:
            member = member._replace(sha256=self._content(tar, info, member))
        self._manifest.add(member)
        if member.type != "directory":
            self.files += 1
            self.bytes += member.size
            self._advance(0, 1)

    def _content(self, tar: tarfile.TarFile, info: tarfile.TarInfo, member: Member) -> str:
        """Copy the content of a file; answers its hash."""
        content = tar.extractfile(info)
        assert content is not None  # noqa: S101 - a regular file has one
        digest = hashlib.sha256()
        left = member.size
        while left:
            self._stream.allow(_LONGEST_HEADER)
            piece = content.read(min(left, _PIECE))
            if not piece:
                raise tarfile.ReadError(f"it ends within {member.path!r}")
            digest.update(piece)
            self._archive.write(piece)
            left -= len(piece)
            self._advance(len(piece), 0)
        self._archive.pad()
        return digest.hexdigest()

    def _check(self, member: Member) -> None:
        """Refuse what is not part of a source, and a source that is only a link to what was meant."""
        for path in (member.path, member.link) if member.type == HARD_LINK else (member.path,):
            if {"", ".", ".."} & set(path.split("/")) or not any(
                path == source or path.startswith(f"{source}/") for source in self._sources
            ):
                raise PluginFailed(
                    f"The pod answered with {shown(path)}, which lies in none of the paths that were asked "
                    "for: nothing of it is kept"
                )
        if member.path in self._missing:
            if member.type == "symlink":
                raise PluginFailed(
                    f"/{shown(member.path)} is a symbolic link to {shown(member.link)} in the pod, and tar "
                    "would keep nothing but the link: give the real path in BackupSrcPaths"
                )
            self._missing.discard(member.path)


class _StrictInfo(PossibleInfo):
    """A header that ends the archive only where it says so: tarfile takes any trouble for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read one block. Raises tarfile.ReadError for one that is about all members: it would be kept."""
        info = super().frombuf(buf, encoding, errors)
        if info.type == tarfile.XGLTYPE:
            raise tarfile.ReadError("it has a header for all of its members, as no tar writes unasked")
        return info

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        """Read the next header. Raises tarfile.ReadError for anything else than a header or the end."""
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if str(error) == "end of file header":
                raise
            raise tarfile.ReadError(f"{error} at byte {tarfile_.offset}") from None


class _Stream:
    """What is read from pieces as from a file; the end of the pieces is its end.

    No more is read at once than is allowed: who writes the archive says how long a header is.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self._allowed = _LONGEST_HEADER

    def allow(self, size: int) -> None:
        """Let ``size`` more bytes be read from now on, at most."""
        self._allowed = size

    def read(self, size: int) -> bytes:
        """The next bytes, ``size`` at most. Raises tarfile.ReadError for more than is allowed."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._allowed -= len(taken)
        if self._allowed < 0:
            raise tarfile.ReadError("a header of it is longer than any file's can be")
        return bytes(taken)
