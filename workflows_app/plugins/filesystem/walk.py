"""Walks a tree in a fixed order, never through a symbolic link, and however long the paths are."""

import os
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PASSAGE = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a tree: its absolute path and its status (of a link, not of what it points to).

    ``folder`` is a descriptor of the directory that it is in, open only until the walk goes on.
    """

    path: str
    name: str
    folder: int
    stat: os.stat_result

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.stat.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.stat.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.stat.st_mode)

    @property
    def is_socket(self) -> bool:
        """Whether it is a socket."""
        return stat.S_ISSOCK(self.stat.st_mode)

    def open(self) -> int:
        """A descriptor of the regular file, to read. Raises OSError, ELOOP when it is a link by now."""
        return os.open(self.name, _FILE, dir_fd=self.folder)

    def target(self) -> str:
        """What the symbolic link says. Raises OSError."""
        return os.readlink(self.name, dir_fd=self.folder)

    def may_read(self) -> bool:
        """Whether the file's permissions let this process read it."""
        return os.access(self.name, os.R_OK, dir_fd=self.folder, effective_ids=True)


class Rules(Protocol):
    """What of a tree a walk is for."""

    def keeps(self, entry: Entry) -> bool:
        """Whether the entry is yielded; what is below one that is not, is not either."""

    def enters(self, entry: Entry) -> bool:
        """Whether what is in the directory is looked at."""


class _Everything:
    def keeps(self, entry: Entry) -> bool:
        return True

    def enters(self, entry: Entry) -> bool:
        return True


EVERYTHING: Rules = _Everything()
"""The rules of a walk that leaves nothing out."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A directory on the way down, and the names in it that are still to come."""

    prefix: str
    folder: int
    names: Iterator[str]


def walk(
    source: str, on_error: Callable[[str, OSError], None], rules: Rules = EVERYTHING
) -> Generator[Entry, None, None]:
    """Yield ``source`` (an absolute, real path) and all that is below it, a directory before what it holds.

    The names in a directory come sorted, so that the same tree comes in the same order; memory is that of
    the names in the directories on one way down. What vanishes meanwhile is left out. ``on_error`` is given
    what cannot be looked at or listed, and ``source`` itself when it is not there; ``rules`` decide of each
    entry.
    """
    parent, name = os.path.split(source)
    try:
        os.lstat(source)
        levels = [_Level(_prefix(parent), os.open(parent, _PASSAGE), iter((name,)))]
    except OSError as error:
        on_error(source, error)
        return
    try:
        while levels:
            level = levels[-1]
            for name in level.names:
                entry = _look(level, name, on_error)
                if entry is None or not rules.keeps(entry):
                    continue
                yield entry
                if entry.is_directory and rules.enters(entry) and (below := _enter(entry, on_error)):
                    levels.append(below)
                    break
            else:
                os.close(levels.pop().folder)
    finally:
        for level in levels:
            os.close(level.folder)


def _prefix(folder: str) -> str:
    """What stands before a name in a folder."""
    return folder if folder.endswith("/") else f"{folder}/"


def _look(level: _Level, name: str, on_error: Callable[[str, OSError], None]) -> Entry | None:
    path = level.prefix + name
    try:
        return Entry(path, name, level.folder, os.lstat(name, dir_fd=level.folder))
    except FileNotFoundError:
        return None
    except OSError as error:
        on_error(path, error)
        return None


def _enter(entry: Entry, on_error: Callable[[str, OSError], None]) -> _Level | None:
    folder = -1
    try:
        folder = os.open(entry.name, _FOLDER, dir_fd=entry.folder)
        return _Level(_prefix(entry.path), folder, iter(sorted(os.listdir(folder))))  # noqa: PTH208 - by its descriptor
    except (FileNotFoundError, NotADirectoryError):
        # With O_DIRECTORY, this is also what the kernel says of a link that took the directory's place.
        pass
    except OSError as error:
        on_error(entry.path, error)
    if folder >= 0:
        os.close(folder)
    return None
