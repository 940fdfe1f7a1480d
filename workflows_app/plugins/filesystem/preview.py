"""A dry run: tells what a restore would do, and writes nothing."""

import os
import stat
from collections import Counter
from enum import StrEnum

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.comparison import compare
from workflows_app.plugins.filesystem.members import FILE, HARD_LINK, Member
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.filesystem.target import Target
from workflows_app.plugins.filesystem.walk import Entry
from workflows_app.plugins.wording import reason_of, shown

NAMED = 100
"""How many paths are named, of each kind."""


class _Kind(StrEnum):
    """What would become of a path, in the words that follow ``… and 7 more``."""

    CREATE = "to create"
    CHANGE = "to change"
    LEFT = "not in the backup and left as they are"


class Preview:
    """Compares a backup with the target and says what differs.

    As rsync does, it takes a file of the same size and time for the same. A folder's time does not count:
    it changes with whatever is restored into it. Owners count only for root, who alone can restore them.
    """

    def __init__(self, context: PluginContext, stored: Stored, target: Target) -> None:
        self._context = context
        self._stored = stored
        self._target = target
        self._counts: Counter[_Kind] = Counter()
        self._sizes: Counter[_Kind] = Counter()
        self._unchanged = 0

    def tell(self) -> None:
        """Say what would be created and changed and what is not in the backup, and the totals."""
        total = self._stored.footer
        progress = Progress(self._context.report, "comparing", total.bytes, total.files)
        for member, entry in compare(self._stored, self._target, self._cannot_look):
            self._context.check_cancelled()
            if member is None:
                assert entry is not None  # noqa: S101 - a pair is never empty
                self._note(
                    _Kind.LEFT, entry.path, entry.stat.st_size if entry.is_file else 0, "left as it is"
                )
                continue
            self._tell_member(member, entry)
            progress.advance(member.size, files=0 if member.type == "directory" else 1)
        progress.tell()
        for kind in _Kind:
            if self._counts[kind] > NAMED:
                self._context.info(f"… and {self._counts[kind] - NAMED} more {kind}")
        self._context.info(
            f"Dry run of {self._stored.name}: {self._total(_Kind.CREATE)}, {self._total(_Kind.CHANGE)}, "
            f"{self._unchanged} unchanged, {self._counts[_Kind.LEFT]} {_Kind.LEFT}"
        )

    def _tell_member(self, member: Member, entry: Entry | None) -> None:
        path = self._target.absolute(member.path)
        if entry is None:
            self._note(_Kind.CREATE, path, member.size, "would be created")
        elif differences := _differences(member, entry):
            self._note(_Kind.CHANGE, path, member.size, f"would be changed: {', '.join(differences)}")
        else:
            self._unchanged += 1

    def _note(self, kind: _Kind, path: str, size: int, what: str) -> None:
        self._counts[kind] += 1
        self._sizes[kind] += size
        if self._counts[kind] <= NAMED:
            missing = "not in the backup, " if kind is _Kind.LEFT else ""
            self._context.info(f"{shown(path)} ({size_words(size)}): {missing}{what}")

    def _total(self, kind: _Kind) -> str:
        return f"{self._counts[kind]} {kind} ({size_words(self._sizes[kind])})"

    def _cannot_look(self, path: str, error: OSError) -> None:
        self._context.warn(f"Cannot look at {shown(path)}: {reason_of(error)}. It counts as not there")


def _differences(member: Member, entry: Entry) -> list[str]:
    """In what the member and what is at its place differ, in words."""
    status = entry.stat
    there = Member.of_status(entry.path, status).type if not entry.is_socket else "socket"
    if (there == "directory") if member.type == HARD_LINK else (there != member.type):
        return [f"{there} becomes {member.type}"]
    differences = []
    if member.type == HARD_LINK and status.st_nlink < 2:
        differences.append("becomes hardlink")
    if member.type == FILE and status.st_size != member.size:
        differences.append(f"size {size_words(status.st_size)} becomes {size_words(member.size)}")
    if entry.is_link and member.type != HARD_LINK and entry.target() != member.link:
        differences.append("link target")
    if not entry.is_directory and status.st_mtime_ns != member.mtime_ns:
        differences.append("time")
    if stat.S_IMODE(status.st_mode) != member.mode:
        differences.append(f"mode {stat.S_IMODE(status.st_mode):04o} becomes {member.mode:04o}")
    if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (member.uid, member.gid):
        differences.append(f"owner {status.st_uid}:{status.st_gid} becomes {member.uid}:{member.gid}")
    return differences
