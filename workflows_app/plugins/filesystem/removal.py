"""Removes a folder with all that is in it, however deep that is, and never through a link."""

import os
from dataclasses import dataclass
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_folder(path: Path) -> None:
    """Remove the folder at ``path``. Raises OSError; what was removed until then is gone."""
    above = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove_in(above, path.name)
    finally:
        os.close(above)


def remove_in(above: int, name: str) -> None:
    """Remove the folder ``name`` in the open folder ``above``. Raises as ``remove_folder``.

    The standard library's rmtree calls itself for each level, which ends with some hundred of them.
    """
    levels = [_Level.of(above, name)]
    try:
        while levels:
            level = levels[-1]
            if level.folders:
                levels.append(_Level.of(level.descriptor, level.folders.pop()))
                continue
            os.close(levels.pop().descriptor)
            os.rmdir(level.name, dir_fd=levels[-1].descriptor if levels else above)
    finally:
        for level in levels:
            os.close(level.descriptor)


@dataclass(frozen=True, slots=True)
class _Level:
    """An open folder on the way down in which only ``folders`` are left, and its name in the one above."""

    name: str
    descriptor: int
    folders: list[str]

    @classmethod
    def of(cls, above: int, name: str) -> "_Level":
        descriptor = os.open(name, _FOLDER, dir_fd=above)
        try:
            return cls(name, descriptor, _clear(descriptor))
        except BaseException:
            os.close(descriptor)
            raise


def _clear(folder: int) -> list[str]:
    """Remove all but the folders from an open folder, and answer their names."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return folders
