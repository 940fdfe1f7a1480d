"""The files of a tree as they are stored: found side by side with their members, and read."""

import hashlib
import os
from collections.abc import Callable

from workflows_app.plugins.filesystem.reading import PIECE
from workflows_app.plugins.filesystem.sparse import Segment, data_segments
from workflows_app.plugins.filesystem.walk import Entry, walk

_ZEROS = memoryview(bytes(PIECE))


class TreeFiles:
    """Walks the folder ``root`` of a stored tree, as far as it is asked for paths in the order of a walk.

    ``on_error`` is given what cannot be looked at, ``on_extra`` each entry but folders that was not asked
    for. To be closed.
    """

    def __init__(
        self,
        root: str,
        on_error: Callable[[str, OSError], None],
        on_extra: Callable[[Entry], None] = lambda entry: None,
    ) -> None:
        self._prefix = len(root) + 1
        self._walk = walk(root, on_error)
        self._on_extra = on_extra
        self._entry = next(self._walk, None)
        self._asked = True

    def find(self, path: str) -> Entry | None:
        """What is stored at a member's ``path``; None when nothing is. Good until the next call."""
        wanted = path.split("/")
        while self._entry is not None and self._entry.path[self._prefix :].split("/") < wanted:
            self._pass()
        if self._entry is None or self._entry.path[self._prefix :] != path:
            return None
        self._asked = True
        return self._entry

    def finish(self) -> None:
        """Walk to the end, for ``on_extra`` to be told."""
        while self._entry is not None:
            self._pass()

    def close(self) -> None:
        """Let go of all folders."""
        self._walk.close()

    def _pass(self) -> None:
        if self._entry is not None and not self._asked and not self._entry.is_directory:
            self._on_extra(self._entry)
        self._entry = next(self._walk, None)
        self._asked = False


def read_stored(
    descriptor: int,
    segments: tuple[Segment, ...],
    size: int,
    take: Callable[[int, memoryview], None],
) -> str:
    """Give ``take`` the data of an open stored file, as positions and pieces; answer the content's SHA-256.

    Holes are hashed as the zeros that they read as, and not given. A file that is shorter than ``size`` has
    another hash. Raises OSError, and what ``take`` raises.
    """
    digest = hashlib.sha256()
    position = 0
    for start, length in segments:
        _hash_hole(digest.update, start - position)
        position, end = start, start + length
        while position < end:
            piece = memoryview(os.pread(descriptor, min(PIECE, end - position), position))
            if not piece:
                return digest.hexdigest()
            digest.update(piece)
            take(position, piece)
            position += len(piece)
    _hash_hole(digest.update, size - position)
    return digest.hexdigest()


def stored_segments(descriptor: int, size: int) -> tuple[Segment, ...]:
    """Where an open stored file of ``size`` bytes has data. Raises OSError."""
    segments = data_segments(descriptor, os.fstat(descriptor))
    return ((0, size),) if segments is None else segments


def hash_stored(entry: Entry, size: int, advance: Callable[[int], None]) -> str:
    """The SHA-256 of a stored file, read from the disk and not from the memory where that is possible.

    ``advance`` is given the bytes that were read since the last call. Raises OSError, and what ``advance``
    raises.
    """
    descriptor = entry.open()
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        segments = stored_segments(descriptor, size)
        return read_stored(descriptor, segments, size, lambda position, piece: advance(len(piece)))
    finally:
        os.close(descriptor)


def _hash_hole(update: Callable[[memoryview], None], length: int) -> None:
    while length > 0:
        piece = min(length, PIECE)
        update(_ZEROS[:piece])
        length -= piece
