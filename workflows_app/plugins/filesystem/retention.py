"""Retention: deletes the backups that a policy no longer keeps, in Fossul's words (§7.4)."""

import os
from collections.abc import Callable
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Level, Result
from workflows_app.domain.retention import expired
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.deletion import delete_backup, finish_deletion, half_deleted
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.listing import base_name, list_backups
from workflows_app.plugins.filesystem.parameters import Place, own_name
from workflows_app.plugins.wording import reason_of, shown


def delete_expired(context: PluginContext) -> Result:
    """Delete what the run's policy no longer keeps of the configuration's backups of this ``BackupName``.

    What is held stays, and is told. Before that, what an earlier deletion left behind is removed with a
    warning. A backup that cannot be deleted is told at level ERROR and ends the work with code 1. Raises
    ConfigInvalid (for a retention below 1, too) and PluginFailed before anything is deleted; Cancelled
    between two deletions, and PluginFailed when what is held can no longer be read.
    """
    place = Place.of(context)
    own = own_name(context)
    policy, keep = context.config.selected_backup_policy, context.config.selected_backup_retention
    folder = backups_folder(place.destination, place.profile, place.config)
    backups = [
        backup
        for backup in list_backups(place.destination, place.profile, place.config)
        if backup.policy == policy and base_name(backup) == place.base
    ]
    rules = context.config.keep_rules_of(policy)
    surplus = expired(backups, policy=policy, keep=keep, made=own, rules=rules)
    context.held()  # What cannot be read is in the way before anything is removed.

    for name in _leftovers(folder):
        context.check_cancelled()
        context.warn(f"Removing what an interrupted deletion left of backup {shown(name)}")
        if not _done(context, folder, name, finish_deletion):
            return Result(code=1)
    count = len(backups)
    if not surplus:
        context.info(f"Backup deletion skipped, there are [{count}] backups but backup retention is [{keep}]")
    for backup in surplus:
        context.check_cancelled()
        if backup.name in context.held():
            context.info(f"Backup {backup.name} is held and stays")
            continue
        context.info(f"Number of backups [{count}] greater than backup retention [{keep}]")
        context.info(f"Deleting backup {backup.name}")
        if not _done(context, folder, backup.name, delete_backup):
            return Result(code=1)
        context.info(f"Backup {backup.name} deleted successfully")
        count -= 1
    return Result()


def delete_one(context: PluginContext) -> Result:
    """Delete exactly the backup ``context.config.backup``, complete or not. A failure is told, with code 1.

    Raises ConfigInvalid for a name that is no backup's; PluginFailed when it is held or not there.
    """
    place, name = Place.of(context), context.config.backup.name
    if parse_backup_name(name) is None:
        raise ConfigInvalid("backup", f"{name!r} is not the name of a backup")
    folder = backups_folder(place.destination, place.profile, place.config)
    if (folder / name).is_symlink() or not (folder / name).is_dir():
        raise PluginFailed(f"There is no backup {shown(name)} in {shown(str(folder))}")
    if name in context.held():
        raise PluginFailed(f"The backup {shown(name)} is held: release the hold first")
    context.info(f"Deleting backup {name}")
    if not _done(context, folder, name, delete_backup):
        return Result(code=1)
    context.info(f"Backup {name} deleted successfully")
    return Result()


def _leftovers(folder: Path) -> list[str]:
    try:
        return half_deleted(folder)
    except OSError as error:
        raise PluginFailed(
            f"Cannot look for half-deleted backups in {shown(str(folder))}: {reason_of(error)}. Nothing was "
            "deleted; the next run tries again"
        ) from error


def _done(context: PluginContext, folder: Path, name: str, delete: Callable[[Path, str], None]) -> bool:
    """Whether a deletion went well; if not, why is said."""
    try:
        delete(folder, name)
    except OSError as error:
        context.say(
            Level.ERROR,
            f"Backup {shown(name)} delete failed! {reason_of(error)} in {shown(str(folder))}. Check the "
            f"permissions there for the worker's user (uid {os.geteuid()}); the next run tries again",
        )
        return False
    return True
