"""A new file that is hashed while it is written and is safely on disk in the end."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.wording import reason_of, shown

# How many pieces wait for the disk at most.
_DEPTH = 4


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into a PluginFailed that says that ``path`` cannot be written, and why."""
    try:
        yield
    except OSError as error:
        raise PluginFailed(
            f"Cannot write {shown(str(path))}: {reason_of(error)}. Check the space and the permissions of "
            f"BackupDestPath for the worker's user (uid {os.geteuid()}), and run the backup again"
        ) from error


class OutputFile:
    """A new file, readable by its owner only, written and hashed by a thread of its own.

    Every method but ``close`` raises PluginFailed when the disk refused, then or for an earlier piece.
    ``size`` is what was taken so far, in bytes. ``grown`` is told by that thread, after each piece, how many
    bytes the file has; what it raises is raised by a later call.
    """

    def __init__(self, path: Path, grown: Callable[[int], None] = lambda size: None) -> None:
        self.path = path
        self._grown = grown
        self._written = 0
        self.size = 0
        self._hash = hashlib.sha256()
        with writing(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="output")
        self._pending: deque[Future[None]] = deque()

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, hexadecimal."""
        self._wait(0)
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take all of ``data``, which may be overwritten afterwards, and answer its length."""
        self._wait(_DEPTH - 1)
        self._pending.append(self._thread.submit(self._put, bytes(data)))
        self.size += len(data)
        return len(data)

    def sync(self) -> None:
        """Have it all on disk."""
        self._wait(0)
        with writing(self.path):
            os.fsync(self._descriptor)

    def forget(self) -> None:
        """Have what is on disk out of the memory: who reads it now reads the disk."""
        with writing(self.path):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Let go of the file, complete or not."""
        self._thread.shutdown()
        os.close(self._descriptor)

    def _wait(self, remaining: int) -> None:
        """Wait until no more than ``remaining`` pieces are to be written."""
        while len(self._pending) > remaining:
            self._pending.popleft().result()

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        with writing(self.path):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self._hash.update(data)
        self._written += len(data)
        self._grown(self._written)
