"""The app plugin ``mongo-dump``: a logical dump of one database or of all, for any storage plugin.

What quiesce promises: the dump is the databases at one moment, where the server can read several collections
at one moment (a replica set, MongoDB 5.0 or newer); elsewhere each collection is read for itself, which is
said. Nothing is frozen and nothing is held: when quiesce ends, the dump is files, and no session is open.
"""

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Capability, PluginInfo, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.mongo_dump.check import check
from workflows_app.plugins.mongo_dump.dumping import make_dump
from workflows_app.plugins.mongo_dump.loading import check_target, find_dump, load_dump
from workflows_app.plugins.mongo_dump.manifest import DUMP, MANIFEST
from workflows_app.plugins.mongo_dump.parameters import SPECS, Parameters
from workflows_app.plugins.mongo_dump.program_dump import out_argument
from workflows_app.plugins.mongo_server.connection import connected
from workflows_app.plugins.staging.discovery import discovered, warn_undiscovered
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import shown


class MongoDump:
    """An app plugin that dumps MongoDB databases, and loads a dump."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="mongo-dump",
            description="Dumps MongoDB databases in mongodump's format for the storage plugin to back up",
            version="1.0.0",
            type="app",
            capabilities=tuple(
                Capability(name=name)
                for name in ("discover", "quiesce", "unquiesce", "preRestore", "postRestore", "info")
            ),
            parameters=SPECS,
        )

    def discover(self, context: PluginContext) -> Result:
        """Answer the folder in which this run's dump will be. Raises ConfigInvalid."""
        parameters = Parameters.of(context)
        instance = parameters.database or parameters.server.where
        return discovered(context, instance, _staging(context, parameters).path)

    def quiesce(self, context: PluginContext) -> Result:
        """Make the dump (see ``make_dump``, also for what is raised)."""
        parameters = Parameters.of(context)
        staging = _staging(context, parameters)
        warn_undiscovered(context, staging.path)
        make_dump(context, parameters, staging)
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Remove this run's dump, and end the mongodump that a lost worker may have left.

        What cannot be done is a warning: nothing of it freezes the database. Raises ConfigInvalid.
        """
        parameters = Parameters.of(context)
        staging = _staging(context, parameters)
        end_leftovers(context, out_argument(staging.partial / DUMP))
        try:
            if staging.discard():
                context.info(f"Removed the dump {shown(str(staging.path))}")
            else:
                context.info(f"There is no dump {shown(str(staging.path))} to remove")
        except PluginFailed as error:
            context.warn(f"The dump stays: {error}")
        return Result()

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

    def post_restore(self, context: PluginContext) -> Result:
        """Load the restored dump (see ``load_dump``, also for what is raised).

        The dump is then removed again from its original place; from another target it is not.
        """
        parameters = Parameters.of(context)
        staging = _staging(context, parameters, context.config.backup.workflow_id)
        folder = find_dump(context, staging)
        load_dump(context, parameters, folder)
        if context.restore.target:
            context.info(f"The dump stays at {shown(str(folder))}")
        elif folder == staging.path:
            try:
                staging.discard()
            except PluginFailed as error:
                context.warn(f"The dump stays: {error}")
        else:
            context.warn(
                f"The dump stays at {shown(str(folder))}: that is not below MongoDumpPath. Remove it by hand"
            )
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


def _staging(context: PluginContext, parameters: Parameters, run: str = "") -> Staging:
    """Where the dump of the call's own run is, or that of ``run``."""
    config = context.config.model_copy(update={"workflow_id": run}) if run else context.config
    return Staging(parameters.dump_path, config, (DUMP, MANIFEST))


plugin = MongoDump()
