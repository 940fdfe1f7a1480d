"""The app plugin ``postgres-dump``: a logical dump of one database, for any storage plugin to back up.

What quiesce promises: the dump is the database at one moment, that at which pg_dump begins. Nothing is frozen
and nothing is held: when quiesce ends, the dump is a file, and no session is open.
"""

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Capability, PluginInfo, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.wording import shown
from workflows_app.plugins.postgres_dump.archive import FILE_NAMES
from workflows_app.plugins.postgres_dump.check import check
from workflows_app.plugins.postgres_dump.dumping import make_dump
from workflows_app.plugins.postgres_dump.loading import check_target, find_dump, load_dump
from workflows_app.plugins.postgres_dump.parameters import SPECS, Parameters
from workflows_app.plugins.postgres_server.leftovers import end_leftovers
from workflows_app.plugins.staging.discovery import discovered, warn_undiscovered
from workflows_app.plugins.staging.folder import Staging


class PostgresDump:
    """An app plugin that dumps a PostgreSQL database, and loads a dump into one."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="postgres-dump",
            description="Dumps a PostgreSQL database with pg_dump for the storage plugin to back up",
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
        return discovered(context, parameters.database, _staging(context, parameters).path)

    def quiesce(self, context: PluginContext) -> Result:
        """Make the dump (see ``make_dump``, also for what is raised)."""
        parameters = Parameters.of(context)
        staging = _staging(context, parameters)
        warn_undiscovered(context, staging.path)
        make_dump(context, parameters, staging)
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Remove this run's dump, and end the sessions that a lost worker's pg_dump may still have.

        What cannot be done is a warning: nothing of it freezes the database. Raises ConfigInvalid.
        """
        parameters = Parameters.of(context)
        staging = _staging(context, parameters)
        end_leftovers(context, parameters.server, parameters.database, "PqDumpCmd", parameters.dump_command)
        try:
            if staging.discard():
                context.info(f"Removed the dump {shown(str(staging.path))}")
            else:
                context.info(f"There is no dump {shown(str(staging.path))} to remove")
        except PluginFailed as error:
            context.warn(f"The dump stays: {error}")
        return Result()

    def pre_restore(self, context: PluginContext) -> Result:
        """Check, before anything is restored, that a dump may be loaded (see ``check_target``)."""
        parameters = Parameters.of(context)
        facts = check_target(context, parameters)
        context.info(
            f"Database {parameters.restore_database!r} of PostgreSQL {facts.version} on "
            f"{parameters.server.where} is ready for a restore"
        )
        return Result()

    def post_restore(self, context: PluginContext) -> Result:
        """Load the restored dump into the database (see ``load_dump``, also for what is raised).

        The dump is then removed again from its original place; from another target it is not.
        """
        parameters = Parameters.of(context)
        staging = _staging(context, parameters, context.config.backup.workflow_id)
        path = find_dump(context, staging)
        load_dump(context, parameters, path)
        if context.restore.target:
            context.info(f"The dump stays at {shown(str(path))}")
        elif path.parent == staging.path:
            try:
                staging.discard()
            except PluginFailed as error:
                context.warn(f"The dump stays: {error}")
        else:
            context.warn(
                f"The dump stays at {shown(str(path))}: that is not below PqDumpPath. Remove it by hand"
            )
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)


def _staging(context: PluginContext, parameters: Parameters, run: str = "") -> Staging:
    """Where the dump of the call's own run is, or that of ``run``."""
    config = context.config.model_copy(update={"workflow_id": run}) if run else context.config
    return Staging(parameters.dump_path, config, tuple(FILE_NAMES.values()))


plugin = PostgresDump()
