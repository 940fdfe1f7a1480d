"""The app plugin ``mongo-dump``: a logical dump of one database or of all, for any storage plugin.

What quiesce promises: the dump is the databases at one moment, where the server can read several collections
at one moment (a replica set, MongoDB 5.0 or newer); elsewhere each collection is read for itself, which is
said. Nothing is frozen and nothing is held: when quiesce ends, the dump is files, and no session is open.
"""

from pathlib import Path

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.dumped import DumpedDatabase
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.mongo_dump.check import check
from workflows_app.plugins.mongo_dump.dumping import make_dump
from workflows_app.plugins.mongo_dump.loading import check_target, load_dump
from workflows_app.plugins.mongo_dump.manifest import DUMP, MANIFEST
from workflows_app.plugins.mongo_dump.parameters import SPECS, Parameters
from workflows_app.plugins.mongo_dump.program_dump import out_argument
from workflows_app.plugins.mongo_server.connection import connected
from workflows_app.plugins.staging.folder import Staging


class MongoDump(DumpedDatabase[Parameters]):
    """An app plugin that dumps MongoDB databases, and loads a dump."""

    name = "mongo-dump"
    description = "Dumps MongoDB databases in mongodump's format for the storage plugin to back up"
    parameters = SPECS
    files = (MANIFEST,)
    names = (DUMP, MANIFEST)
    folder = "MongoDumpPath"

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
        """End the mongodump that a lost worker may have left on this machine."""
        end_leftovers(context, out_argument(staging.partial / DUMP))

    def pre_restore(self, context: PluginContext) -> Result:
        """Check, before anything is restored, that a dump may be loaded (see ``check_target``).

        Into which databases a dump of all goes is known once it is there; then the server alone is asked.
        """
        parameters = Parameters.of(context)
        into = parameters.restore_database
        with connected(parameters.server) as client:
            facts = check_target(context, client, parameters, (into,) if into else ())
        what = f"Database {into!r} of MongoDB" if into else "MongoDB"
        context.info(f"{what} {facts.version} on {parameters.server.where} is ready for a restore")
        return Result()

    def dump_at(self, file: Path) -> Path:
        """The folder of the manifest: a dump is a tree of files."""
        return file.parent

    def load(self, context: PluginContext, parameters: Parameters, path: Path) -> None:
        """Load the dump in that folder (see ``load_dump``, also for what is raised)."""
        load_dump(context, parameters, path)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


plugin = MongoDump()
