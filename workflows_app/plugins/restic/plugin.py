"""The storage plugin ``restic``: snapshots in a repository of restic, deduplicated and encrypted.

The repository is restic's own, on a disk, by SFTP, or in S3: every restic can read it. Retention, check and
lock are restic's, and shown as what they are.
"""

from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Backup, PluginInfo, Result, capabilities
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.restic.backup import make_backup
from workflows_app.plugins.restic.browsing import browse
from workflows_app.plugins.restic.check import check
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.restore import restore_backup
from workflows_app.plugins.restic.retention import delete_expired, delete_one
from workflows_app.plugins.restic.snapshots import backups_of, own_snapshots
from workflows_app.plugins.restic.specs import SPECS
from workflows_app.plugins.restic.verification import verify_backup
from workflows_app.plugins.storing.mounting import NothingToMount


class ResticStorage(NothingToMount):
    """A storage plugin that keeps backups in a repository of restic."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="restic",
            description="Backs up folders and files into a repository of restic, deduplicated and encrypted",
            version="1.0.0",
            type="storage",
            capabilities=capabilities(
                "backup",
                "restore",
                "restoreFiles",
                "backupList",
                "backupDelete",
                "backupDeleteWorkflow",
                "backupVerify",
                "backupBrowse",
                HOLDS,
                KEEP_RULES,
                "info",
            ),
            parameters=SPECS,
        )

    def backup(self, context: PluginContext) -> Result:
        """Back the sources up, and prove it (see ``make_backup``)."""
        return make_backup(context)

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """The proven backups of the configuration, the oldest first. Raises PluginFailed, ConfigInvalid."""
        parameters = Parameters.of(context)
        restic = Restic(context, parameters)
        with restic.leaving_no_lock():
            return backups_of(own_snapshots(restic, parameters))

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Forget the backups that the run's policy no longer keeps (see ``delete_expired``)."""
        return delete_expired(context)

    def backup_verify(self, context: PluginContext) -> Result:
        """Read all of exactly ``context.config.backup`` (see ``verify_backup``)."""
        return verify_backup(context)

    def backup_delete(self, context: PluginContext) -> Result:
        """Forget exactly ``context.config.backup``. Raises as ``delete_one``."""
        return delete_one(context)

    def backup_browse(self, context: PluginContext, query: FileQuery) -> FileListing:
        """A page of the files of ``context.config.backup``. Raises as ``browse``."""
        return browse(context, query)

    def restore(self, context: PluginContext) -> Result:
        """Restore exactly ``context.config.backup``. Raises as ``restore_backup``."""
        return restore_backup(context)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


plugin = ResticStorage()
