"""Reads the files of a source while the application may go on writing them."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Sequence

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.scan import Unreadable
from workflows_app.plugins.filesystem.sparse import Segment
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.walk import Entry
from workflows_app.plugins.wording import shown

PIECE = 1024 * 1024
"""How much is read at once at most, in bytes."""

_ZEROS = memoryview(bytes(PIECE))
# What opening a regular file answers when a link, a socket or a device node took its place.
_NO_FILE = (errno.ELOOP, errno.ENXIO, errno.ENODEV)


class Replaced(Exception):
    """What was to be read is no regular file any more."""


class SourceReader:
    """Reads and hashes files, no quicker than ``throttle`` lets, and counts their bytes in ``progress``.

    One buffer serves all of them. Raises what ``check_cancelled`` raises.
    """

    def __init__(self, throttle: Throttle, progress: Progress, check_cancelled: Callable[[], None]) -> None:
        self._throttle = throttle
        self._progress = progress
        self._check_cancelled = check_cancelled
        self._buffer = memoryview(bytearray(PIECE))

    def content(
        self,
        path: str,
        descriptor: int,
        size: int,
        segments: Sequence[Segment] | None,
        take: Callable[[int, memoryview], None],
    ) -> str:
        """Give ``take`` the data of an open file, as positions and pieces; answer the content's SHA-256.

        ``segments`` say where the data is, None: everywhere. A piece is good until ``take`` returns. Holes
        are hashed as the zeros that they read as, and not given. Raises OSError, and PluginFailed for a
        file that shrank.
        """
        digest = hashlib.sha256()
        position = 0
        for start, length in ((0, size),) if segments is None else segments:
            self._hash_hole(digest.update, start - position)
            position = start + length
            while start < position:
                piece = self._piece(path, descriptor, start, position - start)
                digest.update(piece)
                take(start, piece)
                start += len(piece)
                self._progress.advance(len(piece))
                self._throttle.took(len(piece), self._check_cancelled)
        return digest.hexdigest()

    def _piece(self, path: str, descriptor: int, start: int, length: int) -> memoryview:
        self._check_cancelled()
        most = self._throttle.piece(PIECE)
        read = os.preadv(descriptor, [self._buffer[: min(most, length)]], start)
        if not read:
            raise PluginFailed(
                f"{shown(path)} shrank while it was copied: {length} bytes that it had are gone. "
                "Freeze the application while it is backed up, or run the backup again"
            )
        return self._buffer[:read]

    def _hash_hole(self, update: Callable[[memoryview], None], length: int) -> None:
        """Hash the zeros that a hole of ``length`` bytes reads as."""
        while length:
            self._check_cancelled()
            piece = min(length, PIECE)
            update(_ZEROS[:piece])
            length -= piece
            self._progress.advance(piece)


class Opened:
    """A regular file that is open in a ``with``, which gives its descriptor and its status.

    Raises OSError, Replaced when something else took its place.
    """

    __slots__ = ("_descriptor", "_entry")

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._descriptor = -1

    def __enter__(self) -> tuple[int, os.stat_result]:
        try:
            self._descriptor = descriptor = self._entry.open()
        except OSError as error:
            if error.errno in _NO_FILE:
                raise Replaced from error
            raise
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Replaced
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, status

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def refuse_unreadable(path: str, error: OSError) -> None:
    """Raise PluginFailed for a file or directory that cannot be read."""
    unreadable = Unreadable()
    unreadable.add(path, error)
    unreadable.refuse()
