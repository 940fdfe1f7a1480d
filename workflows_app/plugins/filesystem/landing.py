"""Puts things into the folders of a target, by descriptors all the way down, never through a link."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from workflows_app.plugins.filesystem.members import Member

# A folder above the sources need not be readable, only passable.
_PASSAGE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Level:
    """An open folder on the way down, and the member that it is, None for one that is in no backup."""

    name: str
    folder: int
    member: Member | None


class Landing:
    """The folders of a target that are open: those on the way to the member at hand.

    ``base`` is a real path; it is created. ``temporary`` is the name under which things are made, beside
    those that they replace; what is left of that name from an interrupted restore is removed. ``settle`` is
    given a folder's descriptor and member when the members below it have come and gone.
    """

    def __init__(self, base: str, temporary: str, settle: Callable[[int, Member], None]) -> None:
        os.makedirs(base, exist_ok=True)  # noqa: PTH103 - the path may not be UTF-8, and is text throughout
        self._base = os.open(base, _PASSAGE)
        self._temporary = temporary
        self._settle = settle
        self._levels: list[_Level] = []

    def folder_of(self, path: str) -> int:
        """The descriptor of the folder that the member ``path`` is in, valid until the next call.

        Folders that the backup does not tell of are created. Raises OSError, NotADirectoryError when a link
        is on the way.
        """
        *folders, _ = path.split("/")
        common = 0
        for level, name in zip(self._levels, folders, strict=False):
            if level.name != name:
                break
            common += 1
        self._leave(common)
        for name in folders[common:]:
            above = self._here()
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=above)
            self._levels.append(_Level(name, os.open(name, _PASSAGE, dir_fd=above), None))
        return self._here()

    def enter(self, member: Member) -> int:
        """Create the folder ``member`` unless it is there, and answer its descriptor. Raises OSError.

        What is no folder makes way for it, a link to one, too.
        """
        above = self.folder_of(member.path)
        name = member.path.rpartition("/")[2]
        try:
            os.mkdir(name, 0o700, dir_fd=above)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(name, dir_fd=above).st_mode):
                os.unlink(name, dir_fd=above)
                os.mkdir(name, 0o700, dir_fd=above)
        folder = os.open(name, _FOLDER, dir_fd=above)
        self._levels.append(_Level(name, folder, member))
        mode = os.fstat(folder).st_mode
        if mode & stat.S_IRWXU != stat.S_IRWXU and os.geteuid() != 0:
            # Its own mode comes in the end; until then there must be a way in.
            os.fchmod(folder, stat.S_IMODE(mode) | stat.S_IRWXU)
        return folder

    def place(self, path: str, make: Callable[[int, str], None], *, hard_link: bool = False) -> None:
        """Put at ``path`` what ``make`` creates, which is given a folder and a free name in it.

        What is there is replaced in one step, an empty folder in two. When ``make`` raises, or the place is
        taken by a folder that is not empty, what it made is removed. Raises OSError.
        """
        folder = self.folder_of(path)
        name = path.rpartition("/")[2]
        try:
            try:
                make(folder, self._temporary)
            except FileExistsError:
                os.unlink(self._temporary, dir_fd=folder)
                make(folder, self._temporary)
            try:
                os.rename(self._temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except IsADirectoryError:
                os.rmdir(name, dir_fd=folder)
                os.rename(self._temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            self._remove_temporary(folder)
            raise
        if hard_link:
            # A name of the very file that it replaces is still there.
            self._remove_temporary(folder)

    def find(self, path: str) -> tuple[int, str]:
        """A new descriptor of the folder of ``path``, whose caller closes it, and the name there.

        Nothing is created, and no folder is left for it. Raises OSError.
        """
        *folders, name = path.split("/")
        folder = os.dup(self._base)
        for part in folders:
            try:
                below = os.open(part, _PASSAGE, dir_fd=folder)
            finally:
                os.close(folder)
            folder = below
        return folder, name

    def close(self) -> None:
        """Leave all folders."""
        try:
            self._leave(0)
        finally:
            for level in self._levels:
                os.close(level.folder)
            os.close(self._base)

    def _remove_temporary(self, folder: int) -> None:
        with suppress(OSError):
            os.unlink(self._temporary, dir_fd=folder)

    def _here(self) -> int:
        return self._levels[-1].folder if self._levels else self._base

    def _leave(self, remaining: int) -> None:
        while len(self._levels) > remaining:
            level = self._levels.pop()
            try:
                if level.member is not None:
                    self._settle(level.folder, level.member)
            finally:
                os.close(level.folder)
