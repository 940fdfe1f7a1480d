"""The method ``hold``: one session holds a lock while a storage plugin takes an atomic snapshot.

What quiesce promises: until unquiesce nobody writes, commits or changes the structure, and all that was
committed is on the disk. The lock is the session's and ends with it, at the latest when this worker does.
Unquiesce finds out whether it was there until then.
"""

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.own_files import goes_elsewhere, say_how_to_run
from workflows_app.plugins.databases.run_names import run_name
from workflows_app.plugins.mariadb.data_folder import restored_data, told_files
from workflows_app.plugins.mariadb.held import SILENCE_SECONDS, HeldSessions
from workflows_app.plugins.mariadb.hold import Hold
from workflows_app.plugins.mariadb.hold_check import check
from workflows_app.plugins.mariadb.hold_rules import refuse_copying
from workflows_app.plugins.mariadb.parameters import HoldParameters
from workflows_app.plugins.mariadb.thaw import thaw
from workflows_app.plugins.mariadb_server.programs import Programs, Unreachable
from workflows_app.plugins.staging.discovery import discovered, warn_undiscovered


class ByHold:
    """Locks a MariaDB server in one session; ``held`` are the sessions of this worker."""

    def __init__(self, held: HeldSessions) -> None:
        self._held = held

    def discover(self, context: PluginContext) -> Result:
        """Answer the server's data folder. Raises ConfigInvalid, PluginFailed, Cancelled."""
        parameters = HoldParameters.of(context)
        refuse_copying(context.config)
        path = parameters.data_path
        if path is None:
            path = told_files(Programs(context, parameters.server), parameters).data
        return discovered(context, parameters.server.where, path)

    def quiesce(self, context: PluginContext) -> Result:
        """Lock the server (see ``Hold.lock``). Raises ConfigInvalid, PluginFailed, Cancelled."""
        parameters = HoldParameters.of(context)
        refuse_copying(context.config)
        programs = Programs(context, parameters.server)
        programs.release("MysqlClientCmd", parameters.client, "mariadb")
        files = told_files(programs, parameters)
        warn_undiscovered(context, files.data)
        where = parameters.server.where
        context.info(f"Locking MariaDB {files.version} on {where} in a session that stays open")
        self._hold(context, parameters).lock()
        if programs.pod or files.data.is_dir():
            _write_out(programs)
        context.warn(
            f"{where} is locked: nobody can write, and reads go on, until unquiesce. The lock goes when its "
            f"session does: with this worker, or after {SILENCE_SECONDS} s in which nothing is heard of it"
        )
        context.check_cancelled()
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Give this run's lock back (see ``thaw``, also for what is raised)."""
        parameters = HoldParameters.of(context)
        thaw(context, parameters, run_name(context.config), self._held)
        return Result()

    def pre_restore(self, context: PluginContext) -> Result:
        """Refuse to let files be put under a server that runs.

        Raises ConfigInvalid, PluginFailed, Cancelled.
        """
        parameters = HoldParameters.of(context)
        if goes_elsewhere(context):
            return Result()
        where = parameters.server.where
        try:
            Programs(context, parameters.server).ask(parameters.client, "SELECT 1")
        except Unreachable:
            context.info(f"Nothing answers on {where}: its files may be replaced")
            return Result()
        except PluginFailed as error:
            raise PluginFailed(
                f"Whether MariaDB runs on {where}, under whose files others would be put, is not known: "
                f"{error}. Restore to another target"
            ) from None
        raise PluginFailed(
            f"MariaDB runs on {where}, and its files would be replaced under it: stop it, or restore to "
            "another target"
        )

    def post_restore(self, context: PluginContext) -> Result:
        """Say how what was restored becomes a server.

        Raises ConfigInvalid; PluginFailed when it is on this machine and has no data folder.
        """
        say_how_to_run(
            context,
            restored_data(context),
            "give the folder to the server's user, and start MariaDB, of the same "
            "version and with the same innodb settings, with it as the datadir. InnoDB then recovers to the "
            "moment of the snapshot, as after a power cut",
        )
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need (see ``check``)."""
        return check(context)

    def _hold(self, context: PluginContext, parameters: HoldParameters) -> Hold:
        return Hold(context, parameters, run_name(context.config), self._held)


def _write_out(programs: Programs) -> None:
    """Have the system write to the disk what it has of the server's files; that it cannot is a warning.

    InnoDB does so by itself; MyISAM leaves it to the system, of which a snapshot of a disk knows nothing.
    """
    try:
        programs.run(["sync"], judge=lambda line: None)
    except (ConfigInvalid, PluginFailed) as error:
        programs.context.warn(
            f"What the system has not written to the disk yet could not be written: {error}"
        )
