"""Backups in the format ``tree``, and what is in them, for tests."""

from dataclasses import replace
from pathlib import Path

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import Picture, picture
from workflows_app.plugins.filesystem.plugin import plugin


def tree(storage: Storage, number: int = 7, **parameters: str) -> None:
    """Make the backup of a run as a tree."""
    assert storage.backup(number, Format="tree", **parameters).code == 0


def restored(storage: Storage, number: int, target: Path) -> dict[str, Picture]:
    """Restore a backup below ``target``: what is there of the source then."""
    assert Restoring(storage).restore(number, target=target).code == 0
    return picture(target / str(storage.source).lstrip("/"))


def inode(path: Path) -> int:
    """Which file it is, whatever its names."""
    return path.lstat().st_ino


def verify(storage: Storage, number: int = 7) -> None:
    """Verify the backup of a run."""
    context = storage.context(number)
    backup = Restoring(storage).backup(number)
    changed = context.config.model_copy(update={"backup": backup})
    plugin.backup_verify(replace(context, config=changed))
