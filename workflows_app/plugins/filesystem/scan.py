"""The first look at a source: how much there is, and whether all of it can be read."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.hard_links import HardLinks
from workflows_app.plugins.filesystem.names import NameList
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.sources import backs_up_itself
from workflows_app.plugins.filesystem.walk import EVERYTHING, Entry, Rules, walk
from workflows_app.plugins.wording import reason_of, shown

# How many unreadable files are named.
NAMED = 20


@dataclass(slots=True)
class Scanned:
    """A source and what was found in it.

    ``files`` is everything but directories and sockets; ``bytes`` the sizes of the regular files, each hard
    link counted once. ``rules`` are those of the walk. ``folder`` tells which folder the source was; it is
    None for a file.
    """

    source: str
    names: NameList
    rules: Rules = EVERYTHING
    files: int = 0
    bytes: int = 0
    folder: tuple[int, int] | None = None


@dataclass(slots=True)
class Unreadable:
    """What cannot be read: the first ones by name, and how many."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: str, error: OSError) -> None:
        """Take down a file or directory and what the system says of it."""
        self.count += 1
        if self.count <= NAMED:
            self.named.append(f"{shown(path)} ({reason_of(error)})")

    def refuse(self) -> None:
        """Raise PluginFailed when there is anything."""
        if not self.count:
            return
        what = "1 file or folder" if self.count == 1 else f"{self.count} files or folders"
        more = f" and {self.count - NAMED} more" if self.count > NAMED else ""
        raise PluginFailed(
            f"Cannot read {what}: {', '.join(self.named)}{more}. Let the "
            f"worker's user (uid {os.geteuid()}) read them, or leave them out of the sources, and run the "
            "backup again"
        )


class Scan:
    """Looks at all sources of a backup. ``scratch`` is a folder for what it must remember."""

    def __init__(
        self, scratch: Path, notices: Notices, progress: Progress, check_cancelled: Callable[[], None]
    ) -> None:
        self._scratch = scratch
        self._notices = notices
        self._progress = progress
        self._check_cancelled = check_cancelled
        self._links = HardLinks()
        folder = scratch.parent.stat()
        self._backups = (folder.st_dev, folder.st_ino)
        self.unreadable = Unreadable()

    def look(self, source: str, rules: Rules = EVERYTHING) -> Scanned:
        """Count what ``rules`` let be in ``source`` and note what cannot be read in ``unreadable``.

        The caller closes ``Scanned.names``. Raises PluginFailed when the backups are in the source, and
        OSError when the scratch folder is full.
        """
        found = Scanned(source, NameList(self._scratch), rules)
        try:
            self._count(found)
        except BaseException:
            found.names.close()
            raise
        return found

    def _count(self, found: Scanned) -> None:
        for entry in walk(found.source, self.unreadable.add, found.rules):
            self._check_cancelled()
            status = entry.stat
            if entry.is_directory:
                if entry.path == found.source:
                    found.folder = (status.st_dev, status.st_ino)
                # A bind mount may have led here by a path that tells nothing.
                if (status.st_dev, status.st_ino) == self._backups:
                    raise backs_up_itself(found.source, entry.path)
                continue
            if entry.is_socket:
                self._notices.add(Notice.SOCKET, entry.path)
                continue
            size = 0
            if entry.is_file:
                self._try(entry)
                if self._links.first(status) is None:
                    self._links.meet(entry.path, status)
                    size = status.st_size
            found.names.add(entry.path)
            found.files += 1
            found.bytes += size
            self._progress.advance(size, files=1)

    def _try(self, entry: Entry) -> None:
        """Note a file that cannot be read; it is opened only where its permissions speak against it."""
        if entry.may_read():
            return
        try:
            os.close(entry.open())
        except FileNotFoundError:
            pass  # it vanished, which the copying tells
        except OSError as error:
            self.unreadable.add(entry.path, error)
