"""The app plugin ``mariadb``: a physical copy of a whole server, for any storage plugin to back up.

What quiesce promises: the copy is complete, its log is applied, and it starts by itself as the server at the
moment at which mariadb-backup ended. No session is open when quiesce has ended. The plugin stops no server
and replaces no data folder: a restore puts the copy on the disk and verifies it.
"""

import os
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Capability, PluginInfo, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.wording import shown
from workflows_app.plugins.mariadb.check import check
from workflows_app.plugins.mariadb.manifest import check_manifest
from workflows_app.plugins.mariadb.parameters import SPECS, Parameters
from workflows_app.plugins.mariadb.physical_copy import DATA, MANIFEST, make_copy, target_argument
from workflows_app.plugins.mariadb_server.leftovers import end_leftovers
from workflows_app.plugins.staging.discovery import discovered, warn_undiscovered
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.staging.restored import restored_folders


class MariadbServer:
    """An app plugin that copies a MariaDB server as a whole."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="mariadb",
            description="Copies a MariaDB server with mariadb-backup for the storage plugin to back up",
            version="1.0.0",
            type="app",
            capabilities=tuple(
                Capability(name=name)
                for name in ("discover", "quiesce", "unquiesce", "preRestore", "postRestore", "info")
            ),
            parameters=SPECS,
        )

    def discover(self, context: PluginContext) -> Result:
        """Answer the folder in which this run's copy will be. Raises ConfigInvalid."""
        parameters = Parameters.of(context)
        return discovered(context, parameters.server.where, _staging(context, parameters).path)

    def quiesce(self, context: PluginContext) -> Result:
        """Make the copy (see ``make_copy``, also for what is raised)."""
        parameters = Parameters.of(context)
        staging = _staging(context, parameters)
        warn_undiscovered(context, staging.path)
        make_copy(context, parameters, staging)
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Remove this run's copy, and end the mariadb-backup that a lost worker may have left.

        What cannot be done is a warning. Raises ConfigInvalid.
        """
        parameters = Parameters.of(context)
        staging = _staging(context, parameters)
        end_leftovers(context, target_argument(staging))
        try:
            if staging.discard():
                context.info(f"Removed the copy {shown(str(staging.path))}")
            else:
                context.info(f"There is no copy {shown(str(staging.path))} to remove")
        except PluginFailed as error:
            context.warn(f"The copy stays: {error}")
        return Result()

    def pre_restore(self, context: PluginContext) -> Result:
        """Check that the place of the copy is free. Raises ConfigInvalid, PluginFailed.

        A restore leaves files that are not in the backup, and a server must have none of another.
        """
        place = _restored(context, Parameters.of(context))
        if os.path.lexists(place):
            raise PluginFailed(
                f"{shown(str(place))} is there already: the files of two servers would be mixed. Remove it, "
                "or restore to another target"
            )
        context.info(f"The copy is restored to {shown(str(place))}; no server is touched")
        return Result()

    def post_restore(self, context: PluginContext) -> Result:
        """Verify the restored copy, and say how it becomes a server. Raises ConfigInvalid, PluginFailed."""
        place = _restored(context, Parameters.of(context))
        if not place.is_dir():
            raise PluginFailed(
                f"There is no copy in {shown(str(place))} after the restore: the backup was made without "
                "automatic discovery, or with another MysqlBackupPath"
            )
        try:
            check_manifest(place, place.parent / MANIFEST, context.check_cancelled)
        except PluginFailed as error:
            raise PluginFailed(f"The copy in {shown(str(place))} is not as it was: {error}") from None
        context.info(
            f"The copy in {shown(str(place))} is complete. To run it: stop the server, give the folder to "
            "the server's user, set it as the data folder, with the settings of its backup-my.cnf, and start "
            "the server, of the same version"
        )
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


def _staging(context: PluginContext, parameters: Parameters, run: str = "") -> Staging:
    """Where the copy of the call's own run is, or that of ``run``."""
    config = context.config.model_copy(update={"workflow_id": run}) if run else context.config
    return Staging(parameters.backup_path, config, (DATA, MANIFEST))


def _restored(context: PluginContext, parameters: Parameters) -> Path:
    """Where the storage plugin puts the copy back: below ``context.restore.target`` when that is given."""
    own = _staging(context, parameters, context.config.backup.workflow_id)
    return restored_folders(context, own)[0] / DATA


plugin = MariadbServer()
