"""The storage plugin ``filesystem``: folders and files, as a compressed tar archive or as plain files.

Kept are names, contents, holes, links, owners, permissions and times; not kept, as by GNU tar unless it is
told to, are extended attributes and access control lists.
"""

from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Backup, PluginInfo, Result, capabilities
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.filesystem.backup import make_backup
from workflows_app.plugins.filesystem.browsing import browse
from workflows_app.plugins.filesystem.check import check
from workflows_app.plugins.filesystem.layout import LAYOUT_SPECS
from workflows_app.plugins.filesystem.listing import list_backups
from workflows_app.plugins.filesystem.parameters import SPECS, Place
from workflows_app.plugins.filesystem.restore import restore_backup
from workflows_app.plugins.filesystem.retention import delete_expired, delete_one
from workflows_app.plugins.filesystem.selection import SELECTION_SPECS
from workflows_app.plugins.filesystem.verification import verify_backup
from workflows_app.plugins.storing.mounting import NothingToMount


class FilesystemStorage(NothingToMount):
    """A storage plugin that backs up folders and files which the worker can read."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="filesystem",
            description="Backs up folders and files, verified, into compressed archives or incremental trees",
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
            parameters=(*SPECS, *SELECTION_SPECS, *LAYOUT_SPECS),
        )

    def backup(self, context: PluginContext) -> Result:
        """Back up the sources, as an archive or a tree. Raises as ``make_backup``."""
        return make_backup(context)

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """The complete backups of the configuration, of every policy and ``BackupName``, the oldest first.

        Raises ConfigInvalid, or PluginFailed when any of them cannot be read.
        """
        place = Place.of(context)
        return list_backups(place.destination, place.profile, place.config)

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Delete the backups that the run's policy no longer keeps (see ``delete_expired``)."""
        return delete_expired(context)

    def backup_verify(self, context: PluginContext) -> Result:
        """Verify exactly ``context.config.backup``. Raises as ``verify_backup``."""
        return verify_backup(context)

    def backup_delete(self, context: PluginContext) -> Result:
        """Delete exactly ``context.config.backup``. Raises as ``delete_one``."""
        return delete_one(context)

    def backup_browse(self, context: PluginContext, query: FileQuery) -> FileListing:
        """The files that the manifest of ``context.config.backup`` tells of. Raises as ``browse``."""
        return browse(context, query)

    def restore(self, context: PluginContext) -> Result:
        """Restore exactly ``context.config.backup`` as ``context.restore`` asks. Raises as restore_backup."""
        return restore_backup(context)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


plugin = FilesystemStorage()
