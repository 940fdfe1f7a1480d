"""Reads a tree as a stream of members, in the way in which ``unpacking`` reads an archive."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.members import FILE, Member
from workflows_app.plugins.filesystem.tree_copy import device_number
from workflows_app.plugins.filesystem.tree_files import TreeFiles, read_stored, stored_segments
from workflows_app.plugins.filesystem.unpacking import Found
from workflows_app.plugins.wording import reason_of, shown


class TreeUnpacking:
    """A tree that is read from its first member to its last; to be used in ``with``.

    Every method raises PluginFailed for what cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self._files = TreeFiles(str(root), _refuse)
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        self._files.close()

    def next(self, expected: Member | None) -> Found | None:
        """The next member, which is ``expected``; None when that is none."""
        self._leave()
        if expected is None:
            return None
        if expected.type != FILE:
            is_device = expected.type in ("character", "block")
            return Found(expected, device_number(expected.link) if is_device else 0, ())
        entry = self._files.find(expected.path)
        if entry is None or not entry.is_file or entry.stat.st_size != expected.size:
            raise PluginFailed(
                f"{shown(expected.path)} of the backup is gone or has another size since it was verified: "
                "verify the backup, or choose another one"
            )
        try:
            self._descriptor = entry.open()
            return Found(expected, 0, stored_segments(self._descriptor, expected.size))
        except OSError as error:
            _refuse(entry.path, error)

    def content(self, found: Found, take: Callable[[int, memoryview], None]) -> str:
        """Give ``take`` the content of a file, as positions and pieces of data; answer its SHA-256.

        Holes are hashed as the zeros that they read as, and not given. What ``take`` raises is raised.
        """
        return read_stored(self._descriptor, found.segments, found.member.size, take)

    def _leave(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _refuse(path: str, error: OSError) -> NoReturn:
    raise PluginFailed(
        f"Cannot read {shown(path)} of the backup: {reason_of(error)}. Verify the backup, or choose another "
        "one"
    ) from error
