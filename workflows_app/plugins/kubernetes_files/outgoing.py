"""Writes the members of a backup as the tar stream that a pod unpacks."""

import os
import tarfile
from collections.abc import Callable, Iterator

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.members import FILE, Member, tar_header
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.filesystem.unpacking import Found, Unpacking
from workflows_app.plugins.kubernetes_files.selection import Selection
from workflows_app.plugins.wording import shown

_GATHER = 256 * 1024
_ZEROS = memoryview(bytes(_GATHER))
_TYPES = {
    "file": tarfile.REGTYPE,
    "hardlink": tarfile.LNKTYPE,
    "symlink": tarfile.SYMTYPE,
    "directory": tarfile.DIRTYPE,
    "fifo": tarfile.FIFOTYPE,
    "character": tarfile.CHRTYPE,
    "block": tarfile.BLKTYPE,
}


class Outgoing:
    """The tar stream of what is chosen of a backup.

    ``extended`` asks for pax headers, which have exact times; else long names are GNU's, which every tar
    knows, times are whole seconds, and a folder comes once more after all that is in it: a simple tar gives
    it its time when it meets it, and then puts files there. Owners go by number: the names of the pod are
    its image's.
    """

    def __init__(self, stored: Stored, selection: Selection, *, extended: bool) -> None:
        self._stored = stored
        self._selection = selection
        self._extended = extended

    def size(self) -> int:
        """How long the stream is, in bytes. Raises as ``Stored.members``."""
        size = 2 * tarfile.BLOCKSIZE
        folders: list[Member] = []
        for member in self._stored.members():
            if self._selection.has(member.path):
                size += sum(map(len, self._left(folders, member)))
                size += len(self._header(member, 0)) + member.size + -member.size % tarfile.BLOCKSIZE
        size += sum(map(len, self._left(folders, None)))
        return size + -size % tarfile.RECORDSIZE

    def write(self, put: Callable[[bytes | memoryview], None], advance: Callable[[int, int], None]) -> None:
        """Give all of the stream to ``put``; what that or ``advance`` raises ends it.

        ``advance`` is given the bytes and files since the last call. Raises PluginFailed when the backup is
        not what its manifest says any more.
        """
        try:
            with _Gathered(put) as out, Unpacking(self._stored.archive) as unpacking:
                members = self._stored.members()
                folders: list[Member] = []
                while (found := unpacking.next(member := next(members, None))) is not None:
                    if member is None or not found.fits(member):
                        raise self._changed(f"{shown(found.member.path)} is not what the manifest says")
                    if self._selection.has(member.path):
                        for header in self._left(folders, member):
                            out.write(header)
                        self._member(out, unpacking, found, member, advance)
                if member is not None:
                    raise self._changed(f"it ends before {shown(member.path)}")
                for header in self._left(folders, None):
                    out.write(header)
                out.finish()
        except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
            raise self._changed(str(error)) from error

    def _member(
        self,
        out: "_Gathered",
        unpacking: Unpacking,
        found: Found,
        member: Member,
        advance: Callable[[int, int], None],
    ) -> None:
        out.write(self._header(member, found.device))
        if member.type == FILE:
            written = 0

            def take(position: int, piece: memoryview) -> None:
                nonlocal written
                out.zeros(position - written)
                out.write(piece)
                written = position + len(piece)
                advance(len(piece), 0)

            sha256 = unpacking.content(found, take)
            out.zeros(member.size - written + -member.size % tarfile.BLOCKSIZE)
            if sha256 != member.sha256:
                raise self._changed(f"the content of {shown(member.path)} is not what the manifest says")
        if member.type != "directory":
            advance(0, 1)

    def _left(self, folders: list[Member], member: Member | None) -> Iterator[bytes]:
        """The headers of the ``folders`` that are over when ``member`` comes (None: the end); keeps track."""
        while folders and not (member and member.path.startswith(f"{folders[-1].path}/")):
            yield self._header(folders.pop(), 0)
        if member and member.type == "directory" and not self._extended:
            folders.append(member)

    def _header(self, member: Member, device: int) -> bytes:
        member = member._replace(uname="", gname="")
        return tar_header(member, device) if self._extended else _classic_header(member, device)

    def _changed(self, why: str) -> PluginFailed:
        return PluginFailed(
            f"The backup {shown(self._stored.name)} changed since it was verified: {why}. What was restored "
            "before that stays in the pod; run the restore again"
        )


class _Gathered:
    """Gathers small pieces, for each costs a message. What is left goes out with ``finish``."""

    def __init__(self, put: Callable[[bytes | memoryview], None]) -> None:
        self._put = put
        self._pieces = bytearray()
        self._size = 0

    def __enter__(self) -> "_Gathered":
        return self

    def __exit__(self, *_: object) -> None:
        self._pieces.clear()

    def write(self, data: bytes | memoryview) -> None:
        self._size += len(data)
        if len(data) >= _GATHER:
            self._flush()
            self._put(data)
            return
        self._pieces += data
        if len(self._pieces) >= _GATHER:
            self._flush()

    def zeros(self, size: int) -> None:
        while size > 0:
            self.write(_ZEROS[: min(size, _GATHER)])
            size -= min(size, _GATHER)

    def finish(self) -> None:
        """The end of the archive."""
        self.zeros(2 * tarfile.BLOCKSIZE)
        self.zeros(-self._size % tarfile.RECORDSIZE)
        self._flush()

    def _flush(self) -> None:
        if self._pieces:
            self._put(bytes(self._pieces))
            self._pieces.clear()


def _classic_header(member: Member, device: int) -> bytes:
    info = tarfile.TarInfo(member.path)
    info.type = _TYPES[member.type]
    info.size = member.size
    info.mode = member.mode
    info.uid, info.gid = member.uid, member.gid
    info.linkname = member.link
    info.mtime = max(member.mtime_ns // 1_000_000_000, 0)
    info.devmajor, info.devminor = os.major(device), os.minor(device)
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
