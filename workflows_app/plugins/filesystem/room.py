"""Whether there is room for what a restore writes."""

import os
from collections import defaultdict
from collections.abc import Callable

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.filesystem.comparison import compare
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.filesystem.target import Target, nearest_existing
from workflows_app.plugins.wording import shown


def shortage(stored: Stored, target: Target, check_cancelled: Callable[[], None]) -> str:
    """Why there is not enough room at the target, in words; empty when there is.

    Holes count as data, for the manifest does not tell of them. Checks every member on the way: raises
    PluginFailed as ``Stored.members``, and what ``check_cancelled`` raises.
    """
    needed = 0
    for member in stored.members():
        check_cancelled()
        needed += member.size
    if all(_free(target.place(root)) >= needed for root in stored.roots):
        return ""
    return _shortage_in_turn(stored, target, check_cancelled)


def _shortage_in_turn(stored: Stored, target: Target, check_cancelled: Callable[[], None]) -> str:
    """The same, where it depends on what gives way: a file is written beside the one that it replaces, whose
    room is free only then.
    """
    disks = {root: os.stat(nearest_existing(target.place(root))).st_dev for root in stored.roots}  # noqa: PTH116
    taken: dict[int, int] = defaultdict(int)
    most: dict[int, int] = defaultdict(int)
    for member, entry in compare(stored, target, lambda path, error: None):
        check_cancelled()
        if member is None:
            continue
        disk = disks[stored.source_of(member)]
        most[disk] = max(most[disk], taken[disk] + member.size)
        taken[disk] += member.size
        if entry and entry.is_file and entry.stat.st_nlink == 1 and entry.stat.st_dev == disk:
            taken[disk] -= entry.stat.st_blocks * 512
    for root, disk in disks.items():
        free = _free(target.place(root))
        if most[disk] > free:
            place = nearest_existing(target.place(root))
            return (
                f"Not enough space at {shown(place)}: the restore needs {size_words(most[disk])}, "
                f"{size_words(free)} are free. Make room, or choose another target"
            )
    return ""


def _free(place: str) -> int:
    """The bytes that may be written at a path that may not exist yet. Raises OSError."""
    status = os.statvfs(nearest_existing(place))
    return status.f_bavail * status.f_frsize
