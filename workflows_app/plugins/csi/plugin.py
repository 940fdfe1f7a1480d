"""The storage plugin ``csi``: VolumeSnapshots of a Kubernetes cluster's claims, by their CSI drivers.

Unlike Fossul's (fossul-behaviour.md §7.6) it never deletes a live claim: a restore makes new ones.
"""

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Backup, PluginInfo, Result, capabilities
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.csi.backup import make_backup
from workflows_app.plugins.csi.check import check_snapshots
from workflows_app.plugins.csi.objects import Objects
from workflows_app.plugins.csi.parameters import SPECS, Parameters
from workflows_app.plugins.csi.restore import restore_backup
from workflows_app.plugins.csi.retention import delete_expired, delete_one
from workflows_app.plugins.csi.snapshots import backups_of, own_snapshots
from workflows_app.plugins.csi.verification import verify_backup
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.storing.mounting import NothingToMount


class CsiStorage(NothingToMount):
    """A storage plugin whose backups are snapshots in the cluster."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="csi",
            description="Snapshots the volumes of a Kubernetes application by its CSI driver",
            version="1.0.0",
            type="storage",
            capabilities=capabilities(
                "backup",
                "restore",
                "backupList",
                "backupDelete",
                "backupDeleteWorkflow",
                "backupVerify",
                HOLDS,
                KEEP_RULES,
                "info",
            ),
            parameters=SPECS,
        )

    def backup(self, context: PluginContext) -> Result:
        """Snapshot every claim (see ``make_backup``)."""
        return make_backup(context)

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """The backups whose snapshots are all there and ready, the oldest first. Raises PluginFailed."""
        parameters = Parameters.of(context)
        with connected(context) as cluster:
            return backups_of(own_snapshots(Objects(cluster), parameters))

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Delete the backups that the run's policy no longer keeps (see ``delete_expired``)."""
        return delete_expired(context)

    def backup_verify(self, context: PluginContext) -> Result:
        """See whether the snapshots of ``context.config.backup`` are usable (see ``verify_backup``)."""
        return verify_backup(context)

    def backup_delete(self, context: PluginContext) -> Result:
        """Delete exactly ``context.config.backup``. Raises as ``delete_one``."""
        return delete_one(context)

    def restore(self, context: PluginContext) -> Result:
        """Restore exactly ``context.config.backup`` to new claims. Raises as ``restore_backup``."""
        return restore_backup(context)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need. Raises as ``check_snapshots``."""
        return check_snapshots(context)


plugin = CsiStorage()
