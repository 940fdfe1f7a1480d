"""The names that the scan saw, kept on disk: what is missing later can be named, in constant memory."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_CHUNK = 64 * 1024


class NameList:
    """A list of paths in the order of a walk, in a file without a name in ``folder``.

    First all paths are added; then the paths of a second walk are held against them. Raises OSError when
    the file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        # It lives longer than one block of code: ``close`` closes it, and with it the file is gone.
        self._file: IO[bytes] = TemporaryFile(dir=folder)  # noqa: SIM115
        self._rest: Iterator[str] | None = None
        self._head: str | None = None

    def add(self, path: str) -> None:
        """Write down a path."""
        self._file.write(os.fsencode(path) + b"\0")

    def missing_before(self, path: str | None) -> Iterator[str]:
        """The paths that were written down and that a second walk, now at ``path``, has passed by.

        None stands for the end of the walk.
        """
        if self._rest is None:
            self._file.seek(0)
            self._rest = self._read()
            self._head = next(self._rest, None)
        while self._head is not None and self._head != path:
            if path is not None and _order(self._head) > _order(path):
                return
            yield self._head
            self._head = next(self._rest, None)
        self._head = next(self._rest, None)

    def close(self) -> None:
        """Forget the list and give its room back."""
        self._file.close()

    def _read(self) -> Iterator[str]:
        partial = b""
        while chunk := self._file.read(_CHUNK):
            *paths, partial = (partial + chunk).split(b"\0")
            yield from map(os.fsdecode, paths)


def _order(path: str) -> list[str]:
    """The place of a path in a walk, which sorts name by name."""
    return path.split("/")
