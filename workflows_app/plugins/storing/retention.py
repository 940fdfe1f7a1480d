"""How a storage plugin deletes backups, whatever a backup is: in Fossul's order and words (§7.4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.naming import base_name, parse_backup_name
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.retention.retention import expired
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.storing.names import own_name
from workflows_app.plugins.wording import shown

Delete = Callable[[str], None]
"""Deletes the backup of that name. Raises PluginFailed with why not; then it is whole, or in no list."""


@dataclass(frozen=True, slots=True)
class Surplus:
    """What a policy no longer keeps of ``count`` backups, in the order in which it goes."""

    count: int
    backups: tuple[Backup, ...]


def surplus_of(context: PluginContext, listed: Iterable[Backup], base: str) -> Surplus:
    """Answer what the run's policy no longer keeps of the listed backups whose ``BackupName`` is ``base``.

    Raises ConfigInvalid, for a retention below 1, too, and PluginFailed when what is held cannot be read.
    """
    config = context.config
    policy = config.selected_backup_policy
    backups = [backup for backup in listed if backup.policy == policy and base_name(backup) == base]
    surplus = expired(
        backups,
        policy=policy,
        keep=config.selected_backup_retention,
        made=own_name(context),
        rules=config.keep_rules_of(policy),
    )
    context.held()  # What cannot be read is in the way before anything is removed.
    return Surplus(len(backups), surplus)


def delete_surplus(context: PluginContext, surplus: Surplus, delete: Delete) -> Result:
    """Delete it, one by one. What is held stays, and is told; the first that cannot be deleted ends the work.

    That is told at level ERROR, with code 1. Raises Cancelled between two deletions, and PluginFailed when
    what is held can no longer be read.
    """
    count, keep = surplus.count, context.config.selected_backup_retention
    if not surplus.backups:
        context.info(f"Backup deletion skipped, there are [{count}] backups but backup retention is [{keep}]")
    for backup in surplus.backups:
        context.check_cancelled()
        if backup.name in context.held():
            context.info(f"Backup {backup.name} is held and stays")
            continue
        context.info(f"Number of backups [{count}] greater than backup retention [{keep}]")
        if not _deleted(context, backup.name, delete):
            return Result(code=1)
        count -= 1
    return Result()


def named_backup(context: PluginContext) -> str:
    """The name of the backup that the call is about. Raises ConfigInvalid for one that is no backup's."""
    name = context.config.backup.name
    if parse_backup_name(name) is None:
        raise ConfigInvalid("backup", f"{name!r} is not the name of a backup")
    return name


def delete_unheld(context: PluginContext, name: str, delete: Delete) -> Result:
    """Delete a backup that is there, unless it is held (PluginFailed). A failure is told, with code 1."""
    if name in context.held():
        raise PluginFailed(f"The backup {shown(name)} is held: release the hold first")
    return Result(code=0 if _deleted(context, name, delete) else 1)


def _deleted(context: PluginContext, name: str, delete: Delete) -> bool:
    """Whether a backup was deleted; if not, why is said."""
    context.info(f"Deleting backup {name}")
    try:
        delete(name)
    except PluginFailed as error:
        context.say(Level.ERROR, f"Backup {shown(name)} delete failed! {error}")
        return False
    context.info(f"Backup {name} deleted successfully")
    return True
