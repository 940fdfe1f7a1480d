"""A dry run in a pod: tells what a restore would do there, and writes nothing."""

import os
import posixpath
import re
import stat
from collections import Counter
from typing import NamedTuple

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.members import FILE, HARD_LINK, Member
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.kubernetes.channels import Channel
from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.exec import executing
from workflows_app.plugins.kubernetes.pods import Pod
from workflows_app.plugins.kubernetes_files.selection import Selection
from workflows_app.plugins.output import OutputLines
from workflows_app.plugins.wording import shown

NAMED = 100
"""How many paths are named, of each kind."""

# More things in the pod than these are not compared: they are held in memory.
MOST = 500_000

# More bytes of it are not listed at all: the pod says how long a line is, and how many there are.
MOST_BYTES = 256 * 1024 * 1024

# Linux has no longer path; each byte of it may be a line break.
_LONGEST_PATH = 4096

# As both GNU's and BusyBox's find say it.
_ABSENT = "No such file or directory"
_LINE = re.compile(rb"([0-9a-f]{1,8}) ([0-9]{1,20}) (-?[0-9]{1,20}) (/.*)", re.DOTALL)
_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFLNK: "symlink",
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
    stat.S_IFSOCK: "socket",
}
_CREATE, _CHANGE, _LEFT = "to create", "to change", "not in the backup and left as they are"


class _There(NamedTuple):
    """What is at a path in the pod: mode with its type, size in bytes, time in whole seconds."""

    mode: int
    size: int
    mtime: int


def tell_preview(
    context: PluginContext, cluster: Cluster, pod: Pod, stored: Stored, selection: Selection, root: str
) -> None:
    """Say what would be created and changed, what is not in the backup, and the totals.

    The pod is asked by ``find`` and ``stat``; where it has them not, that is said, and everything counts as
    unknown. Owners are not compared.
    """
    places = [posixpath.join(root, source.lstrip("/")) for source in stored.sources]
    if selection.paths:
        places = [posixpath.join(root, path) for path in sorted(selection.paths - {""})] or places
    there = _listing(context, cluster, pod, places)
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()

    def note(kind: str, path: str, size: int, words: str) -> None:
        counts[kind] += 1
        sizes[kind] += size
        if counts[kind] <= NAMED:
            context.info(f"{shown(path)} ({size_words(size)}): {words}")

    unchanged = chosen = total = 0
    for member in stored.members():
        context.check_cancelled()
        if not selection.has(member.path):
            continue
        chosen += 1
        total += member.size
        if there is None:
            continue
        path = posixpath.join(root, member.path)
        found = there.pop(path, None)
        if found is None:
            note(_CREATE, path, member.size, "would be created")
        elif differences := _differences(member, found):
            note(_CHANGE, path, member.size, f"would be changed: {', '.join(differences)}")
        else:
            unchanged += 1
    if there is None:
        context.warn(
            f"What is in the pod now is not known, for it cannot be listed there. Dry run of {stored.name}: "
            f"{chosen} to write ({size_words(total)})"
        )
        return
    for path, found in there.items():
        note(_LEFT, path, found.size, "not in the backup, left as it is")
    for kind in (_CREATE, _CHANGE, _LEFT):
        if counts[kind] > NAMED:
            context.info(f"… and {counts[kind] - NAMED} more {kind}")
    context.info(
        f"Dry run of {stored.name}: {counts[_CREATE]} {_CREATE} ({size_words(sizes[_CREATE])}), "
        f"{counts[_CHANGE]} {_CHANGE} ({size_words(sizes[_CHANGE])}), {unchanged} unchanged, "
        f"{counts[_LEFT]} {_LEFT}"
    )


def _listing(
    context: PluginContext, cluster: Cluster, pod: Pod, places: list[str]
) -> dict[str, _There] | None:
    """What is at and below ``places`` in the pod, by path; None when that cannot be listed."""
    argv = ["find", *places, "-exec", "stat", "-c", "%f %s %Y %n", "{}", "+"]
    there = _Listing()
    complaints, complained = OutputLines(), False
    with executing(context, cluster, pod, argv) as process:
        for channel, piece in process.output():
            if channel is Channel.STDOUT:
                there.feed(piece)
                if not there.complete:
                    return None
            else:
                complained |= any(not line.endswith(_ABSENT) for line in complaints.feed(piece))
        complained |= any(not line.endswith(_ABSENT) for line in complaints.finish())
    # find answers 1 for a place that is not there.
    known = process.ended is not None and process.ended.code in (0, 1) and not complained
    return there.found if known and there.complete else None


class _Listing:
    """What find and stat print, line by line. ``complete`` is False when there was too much, or nonsense."""

    def __init__(self) -> None:
        self.found: dict[str, _There] = {}
        self.complete = True
        self._partial = b""
        self._last = ""
        self._size = 0

    def feed(self, piece: bytes) -> None:
        self._size += len(piece)
        *lines, self._partial = (self._partial + piece).split(b"\n")
        too_long = max(len(self._partial), len(self._last)) > 2 * _LONGEST_PATH
        if self._size > MOST_BYTES or too_long:
            self.complete = False
            return
        for line in lines:
            match = _LINE.fullmatch(line)
            if len(self.found) >= MOST or (match is None and not self._last):
                self.complete = False
            elif match is None:  # a line break in a name
                there = self.found.pop(self._last)
                self._last = f"{self._last}\n{os.fsdecode(line)}"
                self.found[self._last] = there
            else:
                mode, size, mtime, path = match.groups()
                self._last = os.fsdecode(path)
                self.found[self._last] = _There(int(mode, 16), int(size), int(mtime))


def _differences(member: Member, found: _There) -> list[str]:
    """In what the member and what is at its place differ, in words."""
    kind = _KINDS.get(stat.S_IFMT(found.mode), "something else")
    if (kind == "directory") if member.type == HARD_LINK else (kind != member.type):
        return [f"{kind} becomes {member.type}"]
    differences = []
    if member.type == FILE and found.size != member.size:
        differences.append(f"size {size_words(found.size)} becomes {size_words(member.size)}")
    if kind != "directory" and found.mtime != member.mtime_ns // 1_000_000_000:
        differences.append("time")
    if kind != "symlink" and stat.S_IMODE(found.mode) != member.mode:
        differences.append(f"mode {stat.S_IMODE(found.mode):04o} becomes {member.mode:04o}")
    return differences
