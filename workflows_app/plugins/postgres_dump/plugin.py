"""The app plugin ``postgres-dump``: a logical dump of one database, for any storage plugin to back up.

What quiesce promises: the dump is the database at one moment, that at which pg_dump begins. Nothing is frozen
and nothing is held: when quiesce ends, the dump is a file, and no session is open.
"""

from pathlib import Path

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.dumped import DumpedDatabase
from workflows_app.plugins.postgres_dump.archive import FILE_NAMES
from workflows_app.plugins.postgres_dump.check import check
from workflows_app.plugins.postgres_dump.dumping import make_dump
from workflows_app.plugins.postgres_dump.loading import check_target, load_dump
from workflows_app.plugins.postgres_dump.parameters import SPECS, Parameters
from workflows_app.plugins.postgres_server.leftovers import end_leftovers
from workflows_app.plugins.postgres_server.psql import opened
from workflows_app.plugins.staging.folder import Staging


class PostgresDump(DumpedDatabase[Parameters]):
    """An app plugin that dumps a PostgreSQL database, and loads a dump into one."""

    name = "postgres-dump"
    description = "Dumps a PostgreSQL database with pg_dump for the storage plugin to back up"
    parameters = SPECS
    files = names = tuple(FILE_NAMES.values())
    folder = "PqDumpPath"

    def read(self, context: PluginContext) -> Parameters:
        """The parameters of a call. Raises ConfigInvalid."""
        return Parameters.of(context)

    def root(self, parameters: Parameters) -> Path:
        """The folder below which each run has its own."""
        return parameters.dump_path

    def instance(self, parameters: Parameters) -> str:
        """The database that is dumped."""
        return parameters.database

    def make(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """Make the dump (see ``make_dump``, also for what is raised)."""
        make_dump(context, parameters, staging)

    def end_leftovers(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """End the sessions that a lost worker's pg_dump may still have."""
        server, command = parameters.server, parameters.dump_command
        asking = opened(context, server, parameters.database, "PqDumpCmd", command)
        end_leftovers(context, server.where, asking)

    def pre_restore(self, context: PluginContext) -> Result:
        """Check, before anything is restored, that a dump may be loaded (see ``check_target``)."""
        parameters = Parameters.of(context)
        facts = check_target(context, parameters)
        context.info(
            f"Database {parameters.restore_database!r} of PostgreSQL {facts.version} on "
            f"{parameters.server.where} is ready for a restore"
        )
        return Result()

    def load(self, context: PluginContext, parameters: Parameters, path: Path) -> None:
        """Load a dump (see ``load_dump``, also for what is raised)."""
        load_dump(context, parameters, path)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


plugin = PostgresDump()
