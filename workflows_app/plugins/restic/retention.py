"""Retention: forgets the snapshots that a policy no longer keeps, and removes their data."""

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.snapshots import backups_of, find_snapshot, own_snapshots
from workflows_app.plugins.storing.retention import delete_surplus, delete_unheld, named_backup, surplus_of


def delete_expired(context: PluginContext) -> Result:
    """Forget what the run's policy no longer keeps of the configuration's backups of this ``BackupName``.

    Snapshots of others are never looked at. Then, as ``Prune`` says, the data that nothing needs is removed.
    Raises ConfigInvalid and PluginFailed before anything is forgotten, and as ``delete_surplus``.
    """
    parameters = Parameters.of(context)
    restic = Restic(context, parameters)
    with restic.leaving_no_lock():
        snapshots = {snapshot.name: snapshot for snapshot in own_snapshots(restic, parameters)}
        surplus = surplus_of(context, backups_of(tuple(snapshots.values())), parameters.base)
        result = delete_surplus(context, surplus, lambda name: restic.run("forget", snapshots[name].id))
        if result.code or not surplus.backups:
            return result
        return _prune(context, restic, parameters)


def delete_one(context: PluginContext) -> Result:
    """Forget exactly the backup ``context.config.backup``. A failure is told, with code 1.

    Raises ConfigInvalid for a name that is no backup's; PluginFailed when it is held or not there.
    """
    name, parameters = named_backup(context), Parameters.of(context)
    restic = Restic(context, parameters)
    with restic.leaving_no_lock():
        snapshot = find_snapshot(restic, parameters, context.config.backup)
        result = delete_unheld(context, name, lambda name: restic.run("forget", snapshot.id))
        return result if result.code else _prune(context, restic, parameters)


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
