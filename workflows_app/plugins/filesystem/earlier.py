"""A tree that is there already, from which a new one takes what did not change."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workflows_app.plugins.filesystem.kept import Kept
from workflows_app.plugins.filesystem.layout import TREE
from workflows_app.plugins.filesystem.manifest import ManifestBroken, ManifestReader
from workflows_app.plugins.filesystem.members import FILE, Member
from workflows_app.plugins.filesystem.notices import Notice
from workflows_app.plugins.filesystem.rolling import RollingShare
from workflows_app.plugins.filesystem.tree_files import TreeFiles, hash_stored
from workflows_app.plugins.filesystem.walk import Entry


@dataclass(frozen=True, slots=True)
class Known:
    """A file of an earlier tree, and where it is stored. ``entry`` is good until the next look."""

    member: Member
    kept: Kept
    entry: Entry

    def looks_like(self, status: os.stat_result) -> bool:
        """Whether a file of that status has the size and time that this one had."""
        return (status.st_size, status.st_mtime_ns) == (self.member.size, self.member.mtime_ns)

    def is_untouched(self, status: os.stat_result) -> bool:
        """Whether it is the very same file, which nothing has written to since.

        The change time cannot be set back, unlike that of the last write.
        """
        same = (status.st_ino, status.st_ctime_ns) == (self.kept.inode, self.kept.ctime_ns)
        return same and self.looks_like(status)


class EarlierTree:
    """A backup in ``folder``, or what an interrupted run left of one, asked for in the order of a walk.

    It is known as far as the lines of its ``manifest`` go. ``share`` says which of its files are read before
    they are linked, ``damaged`` what is told of one that is not what it was. To be closed. Raises OSError,
    and ManifestBroken when there is not even a first line.
    """

    def __init__(
        self, folder: Path, manifest: Path, share: RollingShare, damaged: Notice = Notice.DAMAGED
    ) -> None:
        self.damaged = damaged
        self._share = share
        self._lines: BinaryIO = manifest.open("rb")
        try:
            self._members = _as_far_as_they_go(ManifestReader(self._lines))
            self._next = next(self._members, None)
            self._files = TreeFiles(str(folder / TREE), lambda path, error: None)
        except BaseException:
            self._lines.close()
            raise

    def find(self, path: str) -> Known | None:
        """The file at a member's ``path``, when it had one."""
        wanted = path.split("/")
        while self._next is not None and self._next[0].path.split("/") < wanted:
            self._next = next(self._members, None)
        if self._next is None or self._next[0].path != path or self._next[0].type != FILE:
            return None
        member, kept = self._next
        entry = self._files.find(path)
        return Known(member, kept, entry) if entry is not None else None

    def is_sound(self, known: Known, advance: Callable[[int], None]) -> bool:
        """Whether the stored file is what the manifest says, as far as the share asks for it to be read.

        ``advance`` is given the bytes that were read, and may raise.
        """
        entry, member = known.entry, known.member
        if not entry.is_file or entry.stat.st_size != member.size:
            return False
        if not self._share.has(member.path):
            return True
        try:
            return hash_stored(entry, member.size, advance) == member.sha256
        except OSError:
            return False

    def close(self) -> None:
        """Let go of its files."""
        self._files.close()
        self._lines.close()


def _as_far_as_they_go(reader: ManifestReader) -> Iterator[tuple[Member, Kept]]:
    with suppress(ManifestBroken, OSError):
        yield from reader.entries()
