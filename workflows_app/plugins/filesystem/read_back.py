"""Reads an archive back from the disk in a thread of its own, while the rest of it is still being written."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Condition
from typing import BinaryIO, cast

from workflows_app.plugins.filesystem.damage import PackedHash
from workflows_app.plugins.filesystem.output import writing
from workflows_app.plugins.filesystem.progress import Advance
from workflows_app.plugins.filesystem.unpacking import unpacked_pieces

BATCH = 32 * 1024 * 1024
"""So many bytes go to the disk and are read back together: a multiple of the largest pages that the kernel
keeps, for a page with a byte that is not on the disk yet stays in memory."""

_PIECE = 1024 * 1024
# How often who waits for the end looks whether to go on, in seconds.
_LOOK = 0.1


class ReadBack:
    """The archive at ``path``, which another thread writes from its beginning to its end.

    Each batch of it, as soon as it is whole, is had on the disk and out of the memory, so that it is the disk
    that is read. All of it is hashed, and unpacked for zstd to hold it against its checksum. To be closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = PackedHash()
        self._changed = Condition()
        self._written = 0
        self._ended = False
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-back")
        self._done = self._thread.submit(self._read_all)

    @property
    def read(self) -> int:
        """How many bytes were read so far."""
        return self._hash.size

    def grow(self, size: int) -> None:
        """Take note that the file has ``size`` bytes by now. Raises as ``finish``."""
        if self._done.done():
            self._done.result()
        if size - self.read >= BATCH:
            with self._changed:
                self._written = size
                self._changed.notify()

    def finish(self, size: int, advance: Advance) -> PackedHash:
        """Read the rest of the file, which is complete with ``size`` bytes; answer the hash of all.

        ``advance`` is given the bytes that were read since the last call. Raises what it raises, OSError and
        zstandard.ZstdError for what cannot be read, and PluginFailed for what cannot be had on the disk.
        """
        with self._changed:
            self._written, self._ended = size, True
            self._changed.notify()
        told = 0
        while True:
            wait((self._done,), _LOOK)
            is_done, read = self._done.done(), self.read
            advance(read - told)
            told = read
            if is_done:
                self._done.result()
                return self._hash

    def close(self) -> None:
        """Let go of the file, wherever the reading is."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.shutdown()

    def _read_all(self) -> None:
        for _ in unpacked_pieces(cast(BinaryIO, _Fed(self._pieces()))):
            pass

    def _pieces(self) -> Iterator[bytes]:
        start, end = 0, self._wait_beyond(0)
        with self._path.open("rb", buffering=0) as file:
            while start < end:
                with writing(self._path):
                    os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), start, end - start, os.POSIX_FADV_DONTNEED)
                while start < end:
                    piece = file.read(min(_PIECE, end - start))
                    if self._closed or not piece:
                        return  # what is missing, the hash tells
                    self._hash.update(piece)
                    start += len(piece)
                    yield piece
                end = self._wait_beyond(start)

    def _wait_beyond(self, start: int) -> int:
        """Where the batches that are whole end, or in the end the file; ``start`` when nothing more comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._ended or self._written - start >= BATCH)
            if self._closed:
                return start
            return self._written if self._ended else self._written // BATCH * BATCH


class _Fed:
    """What is read from pieces as from a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        return next(self._pieces, b"")
