"""Retention: deletes the backups that a policy no longer keeps."""

from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.csi.deleting import delete_snapshots
from workflows_app.plugins.csi.objects import Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.snapshots import backups_of, find_backup, grouped, own_snapshots
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.storing.retention import delete_surplus, delete_unheld, named_backup, surplus_of


def delete_expired(context: PluginContext) -> Result:
    """Delete what the run's policy no longer keeps of the configuration's backups of this ``BackupName``.

    Raises ConfigInvalid and PluginFailed before anything is deleted, and as ``delete_surplus``.
    """
    parameters = Parameters.of(context)
    with connected(context) as cluster:
        objects = Objects(cluster)
        snapshots = own_snapshots(objects, parameters)
        groups = grouped(snapshots)
        surplus = surplus_of(context, backups_of(snapshots), parameters.base)
        return delete_surplus(context, surplus, lambda name: delete_snapshots(objects, groups[name]))


def delete_one(context: PluginContext) -> Result:
    """Delete exactly the backup ``context.config.backup``, good or not. A failure is told, with code 1.

    Raises ConfigInvalid for a name that is no backup's; PluginFailed when it is held or not there.
    """
    name, parameters = named_backup(context), Parameters.of(context)
    with connected(context) as cluster:
        objects = Objects(cluster)
        found = find_backup(objects, parameters, context.config.backup)
        return delete_unheld(context, name, lambda name: delete_snapshots(objects, found))
