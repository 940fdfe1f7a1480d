"""What an operator should know of single files, without a line for each of a million."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from workflows_app.plugins.wording import shown

# How many files are named, of each kind.
NAMED = 20


class Notice(StrEnum):
    """What may be peculiar about a file that does not stop the backup."""

    SOCKET = "a socket, which no archive can hold; it is left out"
    VANISHED = "vanished while the backup ran; it is left out"
    REPLACED = "was replaced by something else while the backup ran; it is left out"
    CHANGED = "changed while it was copied; the backup has what was read, which may be a mixture"
    UNKEPT = "its extended attributes (such as an ACL or capabilities) are not kept"
    DAMAGED = "its copy in an earlier backup is damaged, verify that one; it is copied anew"
    LOST = "what the interrupted backup had of it is not what was read; it is copied anew"
    UNLINKABLE = "cannot be a hard link to the backup before on this disk; it is copied"


class Notices:
    """Warns of files: the first ones of each kind by name, and in the end of how many more there were."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._counts: Counter[Notice] = Counter()

    def add(self, notice: Notice, path: str) -> None:
        """Take notice of a file."""
        self._counts[notice] += 1
        if self._counts[notice] <= NAMED:
            self._warn(f"{shown(path)}: {notice}")

    def close(self) -> None:
        """Say how many files were not named."""
        for notice, count in self._counts.items():
            if count > NAMED:
                self._warn(f"… and {count - NAMED} more: {notice}")
