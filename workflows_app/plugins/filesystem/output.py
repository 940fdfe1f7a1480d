"""A new file that is hashed while it is written and is safely on disk in the end."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.wording import reason_of, shown


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
    """A new file, readable by its owner only. Every method raises PluginFailed when the disk refuses.

    ``size`` is what was written so far, in bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        with writing(path):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, hexadecimal."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of ``data`` and answer its length."""
        rest = memoryview(data)
        with writing(self.path):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def sync(self) -> None:
        """Have it all on disk, and out of the memory: who reads it now reads the disk."""
        with writing(self.path):
            os.fsync(self._descriptor)
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Let go of the file, complete or not."""
        os.close(self._descriptor)
