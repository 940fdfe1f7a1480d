"""What ``container-basic`` and ``tar`` have in common: files of a pod, kept as ``filesystem`` keeps files."""

from dataclasses import replace

from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Backup, Result, capabilities
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.filesystem.browsing import browse
from workflows_app.plugins.filesystem.listing import list_backups
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.retention import delete_expired, delete_one
from workflows_app.plugins.filesystem.verification import verify_backup
from workflows_app.plugins.kubernetes_files.backup import make_backup
from workflows_app.plugins.kubernetes_files.check import check_pod_files
from workflows_app.plugins.kubernetes_files.restore import restore_into_pod
from workflows_app.plugins.storing.mounting import NothingToMount

CAPABILITIES = capabilities(
    "backup",
    "restore",
    "backupList",
    "backupDelete",
    "backupDeleteWorkflow",
    "backupVerify",
    "backupBrowse",
    HOLDS,
    KEEP_RULES,
    "info",
)


class PodFilesStorage(NothingToMount):
    """A storage plugin for the files of a pod.

    ``ignored`` are Fossul's parameters that mean nothing here; ``default_destination`` is the
    ``BackupDestPath`` where none is given, empty for none.
    """

    def __init__(self, what: str, ignored: tuple[str, ...], default_destination: str = "") -> None:
        self._what = what
        self._ignored = ignored
        self._default_destination = default_destination

    def backup(self, context: PluginContext) -> Result:
        """Make the run's backup. Raises as ``make_backup``."""
        context.info(f"Performing {self._what} backup")
        self._tell_ignored(context)
        return make_backup(self._complete(context))

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """The complete backups of the configuration, of every policy and ``BackupName``, the oldest first.

        Raises ConfigInvalid, or PluginFailed when any of them cannot be read.
        """
        place = Place.of(self._complete(context))
        return list_backups(place.destination, place.profile, place.config)

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Delete the backups that the run's policy no longer keeps. Raises as ``delete_expired``."""
        return delete_expired(self._complete(context))

    def backup_verify(self, context: PluginContext) -> Result:
        """Verify exactly ``context.config.backup``. Raises as ``verify_backup``."""
        return verify_backup(self._complete(context))

    def backup_delete(self, context: PluginContext) -> Result:
        """Delete exactly ``context.config.backup``. Raises as ``delete_one``."""
        return delete_one(self._complete(context))

    def backup_browse(self, context: PluginContext, query: FileQuery) -> FileListing:
        """The files that the manifest of ``context.config.backup`` tells of. Raises as ``browse``."""
        return browse(self._complete(context), query)

    def restore(self, context: PluginContext) -> Result:
        """Restore exactly ``context.config.backup`` into the pod. Raises as ``restore_into_pod``."""
        context.info(f"Performing {self._what} restore")
        self._tell_ignored(context)
        return restore_into_pod(self._complete(context))

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a run will need. Raises as ``check_pod_files``."""
        return check_pod_files(self._complete(context))

    def _complete(self, context: PluginContext) -> PluginContext:
        if context.parameters.get("BackupDestPath", "").strip() or not self._default_destination:
            return context
        given = {**context.parameters, "BackupDestPath": self._default_destination}
        return replace(context, parameters=given)

    def _tell_ignored(self, context: PluginContext) -> None:
        for name in self._ignored:
            if context.parameters.get(name):
                context.info(f"The parameter {name} is not used: the worker speaks to the cluster itself")
