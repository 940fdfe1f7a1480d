"""Retention: deletes the backups that a policy no longer keeps."""

import os
from collections.abc import Callable
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.deletion import delete_backup, finish_deletion, half_deleted
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.listing import list_backups
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.storing.retention import (
    Delete,
    delete_surplus,
    delete_unheld,
    named_backup,
    surplus_of,
)
from workflows_app.plugins.wording import reason_of, shown


def delete_expired(context: PluginContext) -> Result:
    """Delete what the run's policy no longer keeps of the configuration's backups of this ``BackupName``.

    Before that, what an earlier deletion left behind is removed with a warning. Raises ConfigInvalid and
    PluginFailed before anything is deleted, and as ``delete_surplus``.
    """
    place = Place.of(context)
    folder = backups_folder(place.destination, place.profile, place.config)
    listed = list_backups(place.destination, place.profile, place.config)
    surplus = surplus_of(context, listed, place.base)
    finish = _deleting(folder, finish_deletion)
    for name in _leftovers(folder):
        context.check_cancelled()
        context.warn(f"Removing what an interrupted deletion left of backup {shown(name)}")
        try:
            finish(name)
        except PluginFailed as error:
            context.say(Level.ERROR, f"Backup {shown(name)} delete failed! {error}")
            return Result(code=1)
    return delete_surplus(context, surplus, _deleting(folder, delete_backup))


def delete_one(context: PluginContext) -> Result:
    """Delete exactly the backup ``context.config.backup``, complete or not. A failure is told, with code 1.

    Raises ConfigInvalid for a name that is no backup's; PluginFailed when it is held or not there.
    """
    place, name = Place.of(context), named_backup(context)
    folder = backups_folder(place.destination, place.profile, place.config)
    if (folder / name).is_symlink() or not (folder / name).is_dir():
        raise PluginFailed(f"There is no backup {shown(name)} in {shown(str(folder))}")
    return delete_unheld(context, name, _deleting(folder, delete_backup))


def _leftovers(folder: Path) -> list[str]:
    try:
        return half_deleted(folder)
    except OSError as error:
        raise PluginFailed(
            f"Cannot look for half-deleted backups in {shown(str(folder))}: {reason_of(error)}. Nothing was "
            "deleted; the next run tries again"
        ) from error


def _deleting(folder: Path, act: Callable[[Path, str], None]) -> Delete:
    """``act`` on a backup in ``folder``, which refuses in our words."""

    def delete(name: str) -> None:
        try:
            act(folder, name)
        except OSError as error:
            raise PluginFailed(
                f"{reason_of(error)} in {shown(str(folder))}. Check the permissions there for the worker's "
                f"user (uid {os.geteuid()}); the next run tries again"
            ) from error

    return delete
