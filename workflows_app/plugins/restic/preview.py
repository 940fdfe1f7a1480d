"""A dry run of a restore: tells what it would do, and writes nothing."""

import os
import stat
from collections import Counter
from collections.abc import Sequence

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.target import Target
from workflows_app.plugins.restic.nodes import Node, is_in, list_nodes
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.snapshots import Snapshot
from workflows_app.plugins.wording import reason_of, shown

NAMED = 100
"""How many paths are named, of each kind."""

_CREATE, _CHANGE, _SAME = "to create", "to change", "unchanged"
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
}


class Preview:
    """Compares a snapshot with what is at its target.

    As restic does, it takes a file of the same size and time for the same. What is at the target and not in
    the snapshot is left as it is by a restore, and is not looked for.
    """

    def __init__(self, context: PluginContext, target: Target) -> None:
        self._context = context
        self._target = target
        self._counts: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()

    def tell(self, restic: Restic, snapshot: Snapshot, wanted: Sequence[str]) -> None:
        """Say what would be created and what changed, and the totals. Raises PluginFailed, Cancelled."""

        def look(node: Node) -> None:
            if is_in(node.path, wanted):
                self._look(node)

        list_nodes(restic, snapshot, [], look)
        for kind in (_CREATE, _CHANGE):
            if self._counts[kind] > NAMED:
                self._context.info(f"… and {self._counts[kind] - NAMED} more {kind}")
        create, change = (f"{self._counts[k]} {k} ({size_words(self._sizes[k])})" for k in (_CREATE, _CHANGE))
        self._context.info(
            f"Dry run of {snapshot.name}: {create}, {change}, {self._counts[_SAME]} {_SAME}; what is not in "
            "the backup is left as it is"
        )

    def _look(self, node: Node) -> None:
        place = self._target.place(node.path)
        try:
            status = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            self._note(_CREATE, place, node.size, "would be created")
            return
        except OSError as error:
            self._context.warn(f"Cannot look at {shown(place)}: {reason_of(error)}. It counts as not there")
            self._note(_CREATE, place, node.size, "would be created")
            return
        changes = _differences(node, status)
        if changes:
            self._note(_CHANGE, place, node.size, f"would be changed: {', '.join(changes)}")
        else:
            self._counts[_SAME] += 1

    def _note(self, kind: str, place: str, size: int, what: str) -> None:
        self._counts[kind] += 1
        self._sizes[kind] += size
        if self._counts[kind] <= NAMED:
            self._context.info(f"{shown(place)} ({size_words(size)}): {what}")


def _differences(node: Node, status: os.stat_result) -> list[str]:
    there = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
    if there != node.type:
        return [f"{there} becomes {node.type}"]
    found = []
    if node.type == "file" and status.st_size != node.size:
        found.append(f"size {size_words(status.st_size)} becomes {size_words(node.size)}")
    if node.type == "file" and status.st_mtime_ns != node.mtime_ns:
        found.append("time")
    if node.type != "symlink" and stat.S_IMODE(status.st_mode) != node.mode:
        found.append(f"mode {stat.S_IMODE(status.st_mode):04o} becomes {node.mode:04o}")
    if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (node.uid, node.gid):
        found.append(f"owner {status.st_uid}:{status.st_gid} becomes {node.uid}:{node.gid}")
    return found
