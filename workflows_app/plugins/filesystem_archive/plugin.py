"""The archive plugin ``filesystem``: verified copies of backups on another disk or mount.

An archive has the layout of the storage plugin's backups, so that it can be used as one by hand.
"""

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Archive, PluginInfo, Result, capabilities
from workflows_app.plugins.archiving.archive import archive_backup
from workflows_app.plugins.archiving.fetch import fetch_backup
from workflows_app.plugins.archiving.retention import delete_expired_archives
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.filesystem_archive.check import check
from workflows_app.plugins.filesystem_archive.parameters import SPECS, Parameters, shares_disk
from workflows_app.plugins.filesystem_archive.shelf import FolderShelf
from workflows_app.plugins.wording import shown


class FilesystemArchive:
    """An archive plugin that copies backups to another folder of the worker's machine."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="filesystem",
            description="Copies backups to another disk or mount, verified, and brings them back",
            version="1.0.0",
            type="archive",
            capabilities=capabilities(
                "archive", "archiveList", "archiveDelete", "archiveFetch", HOLDS, KEEP_RULES, "info"
            ),
            parameters=SPECS,
        )

    def archive(self, context: PluginContext) -> Result:
        """Copy the run's backup and read the copy back. Raises as ``archive_backup``."""
        parameters = Parameters.of(context)
        if shares_disk(context, parameters.root):
            context.warn(
                f"The archive folder {shown(str(parameters.root))} is on the same disk as the backups: who "
                "loses that disk loses both"
            )
        return archive_backup(context, FolderShelf(context, parameters))

    def archive_list(self, context: PluginContext) -> tuple[Archive, ...]:
        """The complete archives of the configuration, the oldest first."""
        return FolderShelf(context, Parameters.of(context)).archives()

    def archive_delete(self, context: PluginContext) -> Result:
        """Delete the archives that the run's policy no longer keeps (see ``delete_expired_archives``)."""
        return delete_expired_archives(context, FolderShelf(context, Parameters.of(context)))

    def fetch(self, context: PluginContext, name: str) -> Result:
        """Bring a backup back to the storage. Raises as ``fetch_backup``."""
        return fetch_backup(context, FolderShelf(context, Parameters.of(context)), name)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what an archive will need (see ``check``)."""
        return check(context)


plugin = FilesystemArchive()
