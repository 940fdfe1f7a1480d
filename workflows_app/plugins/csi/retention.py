"""Retention: deletes the backups that a policy no longer keeps, in Fossul's words (§7.4)."""

from collections.abc import Sequence

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.retention import expired
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.csi.deleting import delete_snapshots
from workflows_app.plugins.csi.objects import Objects
from workflows_app.plugins.csi.parameters import Parameters, own_name
from workflows_app.plugins.csi.snapshots import Snapshot, backups_of, find_backup, grouped, own_snapshots
from workflows_app.plugins.kubernetes.client import connected


def delete_expired(context: PluginContext) -> Result:
    """Delete what the run's policy no longer keeps of the configuration's backups of this ``BackupName``.

    What is held stays, and is told. A backup that cannot be deleted is told at level ERROR and ends the work
    with code 1. Raises ConfigInvalid (for a retention below 1, too) and PluginFailed before anything is
    deleted; Cancelled between two deletions.
    """
    parameters, config = Parameters.of(context), context.config
    policy, keep = config.selected_backup_policy, config.selected_backup_retention
    with connected(context) as cluster:
        objects = Objects(cluster)
        snapshots = own_snapshots(objects, parameters)
        groups = grouped(snapshots)
        backups = [
            backup
            for backup in backups_of(snapshots)
            if backup.policy == policy and _base(backup) == parameters.base
        ]
        surplus = expired(
            backups, policy=policy, keep=keep, made=own_name(context), rules=config.keep_rules_of(policy)
        )
        context.held()  # What cannot be read is in the way before anything is removed.
        count = len(backups)
        if not surplus:
            context.info(
                f"Backup deletion skipped, there are [{count}] backups but backup retention is [{keep}]"
            )
        for backup in surplus:
            context.check_cancelled()
            if backup.name in context.held():
                context.info(f"Backup {backup.name} is held and stays")
                continue
            context.info(f"Number of backups [{count}] greater than backup retention [{keep}]")
            if not _deleted(context, objects, backup.name, groups[backup.name]):
                return Result(code=1)
            count -= 1
    return Result()


def delete_one(context: PluginContext) -> Result:
    """Delete exactly the backup ``context.config.backup``, good or not. A failure is told, with code 1.

    Raises ConfigInvalid for a name that is no backup's; PluginFailed when it is held or not there.
    """
    name = context.config.backup.name
    if parse_backup_name(name) is None:
        raise ConfigInvalid("backup", f"{name!r} is not the name of a backup")
    parameters = Parameters.of(context)
    with connected(context) as cluster:
        objects = Objects(cluster)
        found = find_backup(objects, parameters, context.config.backup)
        if name in context.held():
            raise PluginFailed(f"The backup {name} is held: release the hold first")
        return Result(code=0 if _deleted(context, objects, name, found) else 1)


def _deleted(context: PluginContext, objects: Objects, name: str, snapshots: Sequence[Snapshot]) -> bool:
    """Whether a backup was deleted; if not, why is said."""
    context.info(f"Deleting backup {name}")
    try:
        delete_snapshots(objects, snapshots)
    except PluginFailed as error:
        context.say(Level.ERROR, f"Backup {name} delete failed! {error}")
        return False
    context.info(f"Backup {name} deleted successfully")
    return True


def _base(backup: Backup) -> str:
    return backup.name.removesuffix(f"-{backup.policy}-{backup.workflow_id}-{backup.timestamp}")
