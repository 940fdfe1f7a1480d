"""The app plugin ``postgres``: a physical copy of a whole cluster, for any storage plugin to back up.

What quiesce promises: the copy is complete, verified, and starts by itself as the cluster at the moment at
which pg_basebackup ended. Nothing is frozen, and no session is open when quiesce has ended. The plugin stops
no server and replaces no data folder: a restore puts the copy on the disk and verifies it.
"""

from pathlib import Path

from workflows_app.domain.findings import Finding
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.copied import CopiedServer
from workflows_app.plugins.databases.pod_parameters import without_pod
from workflows_app.plugins.postgres.base_backup import DATA, make_base_backup, verify_base_backup
from workflows_app.plugins.postgres.check import check
from workflows_app.plugins.postgres.parameters import SPECS, Parameters
from workflows_app.plugins.postgres.reach import asking, reached
from workflows_app.plugins.postgres_server.leftovers import end_leftovers
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.staging.folder import Staging


class PostgresCluster(CopiedServer[Parameters]):
    """An app plugin that copies a PostgreSQL cluster as a whole."""

    name = "postgres"
    description = "Copies a PostgreSQL cluster with pg_basebackup for the storage plugin to back up"
    parameters = SPECS
    names = (DATA,)
    folder = "PqBackupPath"
    data = DATA
    restored = "cluster"
    owners = "clusters"
    how_to_run = (
        "stop the server, give the folder to the server's user, set it as the data folder, and start the "
        "server, which recovers by itself"
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
        """Make the copy (see ``make_base_backup``, also for what is raised)."""
        with reached(context, parameters) as (near, there):
            make_base_backup(near, there, staging)

    def end_leftovers(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """End the sessions that a lost worker's pg_basebackup may still have."""
        end_leftovers(context, parameters.server.where, asking(context, parameters))

    def verify(self, context: PluginContext, parameters: Parameters, place: Path) -> None:
        """Verify a restored copy (see ``verify_base_backup``, also for what is raised)."""
        verify_base_backup(Programs(without_pod(context), parameters.server), parameters, place)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


plugin = PostgresCluster()
