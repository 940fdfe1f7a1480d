"""The app plugin ``mariadb-dump``: a logical dump of one database or of all, for any storage plugin.

What quiesce promises: the dump is the databases at one moment, that at which mariadb-dump begins, as far as
their tables are InnoDB's. Nothing is frozen and nothing is held: when quiesce ends, the dump is a file, and
no session is open.
"""

from pathlib import Path

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.dumped import DumpedDatabase
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.mariadb_dump.check import check
from workflows_app.plugins.mariadb_dump.dump_file import FILE_NAMES
from workflows_app.plugins.mariadb_dump.dumping import PIPE, make_dump, pipe_argument
from workflows_app.plugins.mariadb_dump.loading import check_target, load_dump
from workflows_app.plugins.mariadb_dump.parameters import SPECS, Parameters
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.staging.folder import Staging


class MariadbDump(DumpedDatabase[Parameters]):
    """An app plugin that dumps MariaDB databases, and loads a dump."""

    name = "mariadb-dump"
    description = "Dumps MariaDB databases with mariadb-dump for the storage plugin to back up"
    parameters = SPECS
    files = tuple(FILE_NAMES.values())
    names = (*files, PIPE)
    folder = "MysqlDumpPath"

    def read(self, context: PluginContext) -> Parameters:
        """The parameters of a call. Raises ConfigInvalid."""
        return Parameters.of(context)

    def root(self, parameters: Parameters) -> Path:
        """The folder below which each run has its own."""
        return parameters.dump_path

    def instance(self, parameters: Parameters) -> str:
        """The database that is dumped, or the server."""
        return parameters.database or parameters.server.where

    def make(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """Make the dump (see ``make_dump``, also for what is raised)."""
        make_dump(context, parameters, staging)

    def end_leftovers(self, context: PluginContext, parameters: Parameters, staging: Staging) -> None:
        """End the mariadb-dump that a lost worker may have left on this machine."""
        end_leftovers(context, pipe_argument(staging))

    def pre_restore(self, context: PluginContext) -> Result:
        """Check, before anything is restored, that a dump may be loaded (see ``check_target``).

        Into which databases a dump of all goes is known once it is there; then the server alone is asked.
        """
        parameters = Parameters.of(context)
        into = parameters.restore_database
        facts = check_target(Programs(context, parameters.server), parameters, (into,) if into else ())
        what = f"Database {into!r} of MariaDB" if into else "MariaDB"
        context.info(f"{what} {facts.version} on {parameters.server.where} is ready for a restore")
        return Result()

    def load(self, context: PluginContext, parameters: Parameters, path: Path) -> None:
        """Load a dump (see ``load_dump``, also for what is raised)."""
        load_dump(context, parameters, path)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


plugin = MariadbDump()
