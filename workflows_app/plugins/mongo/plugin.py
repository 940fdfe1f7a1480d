"""The app plugin ``mongo``: locks one mongod against writes while a storage plugin copies its files.

What quiesce promises: all writes are on the disk, and the files do not change until unquiesce. The lock is
the server's own. It outlives the worker and its connection; then unquiesce, on any worker, takes it back.
"""

from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import PluginInfo, Result, capabilities
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.own_files import goes_elsewhere, say_how_to_run
from workflows_app.plugins.databases.run_names import run_digest
from workflows_app.plugins.mongo.check import check
from workflows_app.plugins.mongo.data_folder import data_folder, restored_data
from workflows_app.plugins.mongo.held import HeldConnections, held_connections
from workflows_app.plugins.mongo.lock import BY_HAND, WriteLock
from workflows_app.plugins.mongo.parameters import SPECS, Parameters
from workflows_app.plugins.mongo_server.connection import connected
from workflows_app.plugins.mongo_server.facts import look
from workflows_app.plugins.staging.discovery import discovered, warn_undiscovered


class MongoServer:
    """An app plugin that locks a mongod; ``held`` are the connections of locks that it has."""

    def __init__(self, held: HeldConnections = held_connections) -> None:
        self._held = held

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="mongo",
            description="Locks a MongoDB server against writes while the storage plugin copies its files",
            version="1.0.0",
            type="app",
            capabilities=capabilities(
                "discover", "quiesce", "unquiesce", "preRestore", "postRestore", "info"
            ),
            parameters=SPECS,
        )

    def discover(self, context: PluginContext) -> Result:
        """Answer the server's data folder. Raises ConfigInvalid, PluginFailed."""
        parameters = Parameters.of(context)
        if parameters.data_path is not None:
            return discovered(context, parameters.server.where, parameters.data_path)
        with connected(parameters.server) as client:
            return discovered(context, parameters.server.where, data_folder(client, parameters))

    def quiesce(self, context: PluginContext) -> Result:
        """Lock the server (see ``WriteLock.lock``, also for what is raised)."""
        parameters = Parameters.of(context)
        with connected(parameters.server) as client:
            facts = look(client, parameters.server)
            if facts.sharded:
                raise ConfigInvalid(
                    "MongoHost",
                    f"{parameters.server.where} is a router (mongos), and not where the data is: give the "
                    "host of one mongod of a shard",
                )
            warn_undiscovered(context, data_folder(client, parameters))
        context.info(f"Locking MongoDB {facts.version} on {parameters.server.where} against writes")
        said = self._lock(context, parameters).lock(parameters.lock_wait)
        context.info(f"The server said: {said}")
        context.warn(
            f"{parameters.server.where} is locked: nobody can write until it is unlocked, not even when this "
            "worker is lost. Unquiesce unlocks it, on any worker; by hand, db.fsyncUnlock() does"
        )
        context.check_cancelled()
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Unlock what this run locked (see ``WriteLock.unlock``, also for what is raised)."""
        parameters = Parameters.of(context)
        others = self._lock(context, parameters).unlock(relies=context.relies_on_freeze)
        if others is None:
            context.info(f"This run has no lock on {parameters.server.where}")
        elif others:
            context.warn(
                f"This run's lock on {parameters.server.where} is taken back, and {others} of others stay: "
                f"nobody can write until those are, too. If nobody backs it up, {BY_HAND}"
            )
        else:
            context.info(f"Unlocked {parameters.server.where}")
        return Result()

    def pre_restore(self, context: PluginContext) -> Result:
        """Refuse to let files be put under a server that runs. Raises ConfigInvalid, PluginFailed."""
        parameters = Parameters.of(context)
        if goes_elsewhere(context):
            return Result()
        try:
            with connected(parameters.server):
                pass
        except PluginFailed:
            context.info(f"Nothing answers on {parameters.server.where}: its files may be replaced")
            return Result()
        raise PluginFailed(
            f"MongoDB runs on {parameters.server.where}, and its files would be replaced under it: stop it, "
            "or restore to another target"
        )

    def post_restore(self, context: PluginContext) -> Result:
        """Say how what was restored becomes a server.

        Raises ConfigInvalid; PluginFailed when it is on this machine and has no data folder.
        """
        say_how_to_run(
            context,
            restored_data(context),
            "give the folder to the server's user, "
            "remove its file mongod.lock, and start mongod, of the same version, with it as the dbPath. A "
            "member of a replica set joins its set again by itself, or is started without --replSet to look",
        )
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)

    def _lock(self, context: PluginContext, parameters: Parameters) -> WriteLock:
        return WriteLock(parameters.server, run_name(context.config), self._held)


def run_name(config: Config) -> str:
    """The name under which a run's lock is noted, the same in all its steps."""
    return f"fossul run {config.workflow_id} {config.profile_name}/{config.config_name} {run_digest(config)}"


plugin = MongoServer()
