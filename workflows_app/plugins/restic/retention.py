"""Retention: forgets the snapshots that a policy no longer keeps, in Fossul's words (§7.4)."""

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.retention import expired
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.restic.parameters import Parameters, own_name
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.snapshots import Snapshot, backups_of, find_snapshot, own_snapshots


def delete_expired(context: PluginContext) -> Result:
    """Forget what the run's policy no longer keeps of the configuration's backups of this ``BackupName``.

    What is held stays, and is told; snapshots of others are never looked at. Then, as ``Prune`` says, the
    data that nothing needs is removed. A failure is told at level ERROR, with code 1. Raises ConfigInvalid
    (for a retention below 1, too) and PluginFailed before anything is forgotten, and Cancelled.
    """
    parameters = Parameters.of(context)
    config = context.config
    policy, keep = config.selected_backup_policy, config.selected_backup_retention
    restic = Restic(context, parameters)
    with restic.leaving_no_lock():
        snapshots = {snapshot.name: snapshot for snapshot in own_snapshots(restic, parameters)}
        backups = [
            backup
            for backup in backups_of(tuple(snapshots.values()))
            if backup.policy == policy and _base(backup) == parameters.base
        ]
        surplus = expired(
            backups,
            policy=policy,
            keep=keep,
            made=own_name(context),
            rules=config.keep_rules_of(policy),
        )
        context.held()  # What cannot be read is in the way before anything is removed.
        count = len(backups)
        if not surplus:
            context.info(
                f"Backup deletion skipped, there are [{count}] backups but backup retention is [{keep}]"
            )
            return Result()
        for backup in surplus:
            context.check_cancelled()
            if backup.name in context.held():
                context.info(f"Backup {backup.name} is held and stays")
                continue
            context.info(f"Number of backups [{count}] greater than backup retention [{keep}]")
            if not _forget(context, restic, snapshots[backup.name]):
                return Result(code=1)
            count -= 1
        return _prune(context, restic, parameters)


def delete_one(context: PluginContext) -> Result:
    """Forget exactly the backup ``context.config.backup``. A failure is told, with code 1.

    Raises ConfigInvalid for a name that is no backup's; PluginFailed when it is held or not there.
    """
    name = context.config.backup.name
    if parse_backup_name(name) is None:
        raise ConfigInvalid("backup", f"{name!r} is not the name of a backup")
    parameters = Parameters.of(context)
    restic = Restic(context, parameters)
    with restic.leaving_no_lock():
        snapshot = find_snapshot(restic, parameters, context.config.backup)
        if name in context.held():
            raise PluginFailed(f"The backup {name} is held: release the hold first")
        if not _forget(context, restic, snapshot):
            return Result(code=1)
        return _prune(context, restic, parameters)


def _forget(context: PluginContext, restic: Restic, snapshot: Snapshot) -> bool:
    """Whether a snapshot was forgotten; if not, why is said."""
    context.info(f"Deleting backup {snapshot.name}")
    try:
        restic.run("forget", snapshot.id)
    except PluginFailed as error:
        context.say(Level.ERROR, f"Backup {snapshot.name} delete failed! {error}")
        return False
    context.info(f"Backup {snapshot.name} deleted successfully")
    return True


def _prune(context: PluginContext, restic: Restic, parameters: Parameters) -> Result:
    """Remove the data that no snapshot needs. A failure loses nothing, but the space."""
    if not parameters.prune:
        context.info("The data stays in the repository until it is pruned: Prune is false")
        return Result()
    context.info("Pruning the repository")
    try:
        restic.run("prune", read=context.info)
    except PluginFailed as error:
        context.say(Level.ERROR, f"The repository could not be pruned, and still takes the space: {error}")
        return Result(code=1)
    return Result()


def _base(backup: Backup) -> str:
    return backup.name.removesuffix(f"-{backup.policy}-{backup.workflow_id}-{backup.timestamp}")
