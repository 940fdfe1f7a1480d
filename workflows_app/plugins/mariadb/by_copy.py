"""The method ``copy``: a physical copy of a whole server, for any storage plugin to back up.

What quiesce promises: the copy is complete, its log is applied, and it starts by itself as the server at the
moment at which mariadb-backup ended. No session is open when quiesce has ended. The plugin stops no server
and replaces no data folder: a restore puts the copy on the disk and verifies it.
"""

from pathlib import Path

from workflows_app.domain.findings import Finding
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.copied import CopiedServer
from workflows_app.plugins.mariadb.check import check
from workflows_app.plugins.mariadb.manifest import check_manifest
from workflows_app.plugins.mariadb.parameters import SPECS, Parameters
from workflows_app.plugins.mariadb.physical_copy import DATA, MANIFEST, end_copying, make_copy
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.staging.folder import Staging


class ByCopy(CopiedServer[Parameters]):
    """Copies a MariaDB server as a whole."""

    name = "mariadb"
    description = (
        "Copies a MariaDB server with mariadb-backup for the storage plugin to back up, or holds a lock on "
        "it while the storage plugin takes an atomic snapshot"
    )
    parameters = SPECS
    names = (DATA, MANIFEST)
    folder = "MysqlBackupPath"
    data = DATA
    restored = "copy"
    owners = "servers"
    how_to_run = (
        "stop the server, give the folder to the server's user, set it as the data folder, with the settings "
        "of its backup-my.cnf, and start the server, of the same version"
    )

    def read(self, context: PluginContext) -> Parameters:
        """The parameters of a call. Raises ConfigInvalid."""
        return Parameters.of(context)

    def root(self, parameters: Parameters) -> Path:
        """The folder below which each run has its own."""
        return parameters.backup_path

    def instance(self, parameters: Parameters) -> str:
        """The server that is copied."""
        return parameters.server.where

    def make(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """Make the copy (see ``make_copy``, also for what is raised)."""
        make_copy(context, parameters, staging)

    def end_leftovers(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """End the mariadb-backup that a lost worker may have left (see ``end_copying``)."""
        end_copying(Programs(context, parameters.server), staging)

    def verify(self, context: PluginContext, parameters: Parameters, place: Path) -> None:
        """Hold a restored copy against its checksums (see ``check_manifest``, also for what is raised)."""
        check_manifest(place, place.parent / MANIFEST, context.check_cancelled)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)
