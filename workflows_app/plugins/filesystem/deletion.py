"""Deletes a backup so that no half of it is ever listed, whatever happens on the way.

Everything is done relative to a descriptor of the configuration's folder, and no link is followed.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.naming import parse_backup_name
from workflows_app.plugins.filesystem.removal import remove_in

_HIDDEN = re.compile(r"\.(.+)\.deleted")


def delete_backup(folder: Path, name: str) -> None:
    """Delete the backup ``name`` in ``folder``.

    Raises OSError; then the backup is whole, or hidden and half deleted (see ``half_deleted``).
    """
    with _descriptor(folder) as descriptor:
        os.rename(name, _hidden(name), src_dir_fd=descriptor, dst_dir_fd=descriptor)
        # Before anything is removed, or a crash could bring back the name with a part of the backup.
        os.fsync(descriptor)
        remove_in(descriptor, _hidden(name))


def half_deleted(folder: Path) -> list[str]:
    """The names of the backups whose deletion was begun and has not ended. Raises OSError."""
    try:
        hidden = [entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    names = (match[1] for name in hidden if (match := _HIDDEN.fullmatch(name)))
    return sorted(name for name in names if parse_backup_name(name))


def finish_deletion(folder: Path, name: str) -> None:
    """Remove what is left of a half-deleted backup. Raises OSError."""
    with _descriptor(folder) as descriptor:
        remove_in(descriptor, _hidden(name))


def _hidden(name: str) -> str:
    return f".{name}.deleted"


@contextmanager
def _descriptor(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
