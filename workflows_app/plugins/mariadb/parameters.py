"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.parameter_kinds import PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import SPECS as POD_SPECS
from workflows_app.plugins.mariadb_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.mariadb_server.server import Server
from workflows_app.plugins.values import absolute_path, one_of, program_name, whole_number

DEFAULT_LOCK_WAIT = 600
DEFAULT_HOLD_WAIT = 60
LONGEST_WAIT = 86400

COPY, HOLD = METHODS = ("copy", "hold")

SPECS = (
    *SERVER_SPECS,
    *POD_SPECS,
    ParameterSpec(
        name="MysqlMethod",
        help="copy (mariadb-backup makes a copy, which any storage plugin backs up), or hold (one session "
        "holds a lock while the storage plugin takes an atomic snapshot, as csi does).",
        default=COPY,
        form=choice(*METHODS),
    ),
    ParameterSpec(
        name="MysqlBackupPath",
        help="Needed with copy: the absolute path of a folder that holds the copy while it is backed up, "
        "where the worker runs (and the server, unless it is in a pod); it needs room for one. A copy is in "
        "<profile>/<configuration>/<run> below it.",
        required=True,
        unless="MysqlMethod=hold",
        form=PATH,
    ),
    ParameterSpec(
        name="MysqlDataPath",
        help="With hold: the absolute path of the server's data folder, as the storage plugin sees it. "
        "Empty: the datadir that the server says.",
        form=PATH,
    ),
    ParameterSpec(
        name="MysqlBackupCmd",
        help="mariadb-backup, of the server's version: its name, or its absolute path.",
        default="mariadb-backup",
    ),
    ParameterSpec(
        name="MysqlPrepareCmd",
        help="With a pod: mariadb-backup where the worker runs, of the server's version too, which applies "
        "the log to the copy: its name, or its absolute path.",
        default="mariadb-backup",
    ),
    ParameterSpec(
        name="MysqlStreamCmd",
        help="With a pod: mbstream where the worker runs, which unpacks what comes out of the pod: its name, "
        "or its absolute path.",
        default="mbstream",
    ),
    ParameterSpec(
        name="MysqlClientCmd",
        help="mariadb, the client, which asks the server: its name, or its absolute path.",
        default="mariadb",
    ),
    ParameterSpec(
        name="MysqlLockWaitSeconds",
        help="How long a copy, or the lock of hold, waits for changes that are under way, and for other "
        f"locks, before it fails. Empty: {DEFAULT_LOCK_WAIT} for copy, {DEFAULT_HOLD_WAIT} for hold.",
        form=number(1, LONGEST_WAIT),
    ),
)


def holds(context: PluginContext) -> bool:
    """Whether a call is for the method ``hold``. Raises ConfigInvalid."""
    return one_of("MysqlMethod", context.parameters.get("MysqlMethod", ""), METHODS, COPY) == HOLD


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call with the method ``copy`` asks for, checked without a look at the disk or the server.

    ``client`` and ``backup_command`` run where the server is reached, ``prepare_command`` and
    ``stream_command`` where the worker runs; without a pod, ``prepare_command`` is ``backup_command``.
    ``lock_wait`` is in seconds.
    """

    server: Server
    backup_path: Path
    backup_command: str
    prepare_command: str
    stream_command: str
    client: str
    lock_wait: int

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        holds(context)
        _data_path(context)
        server = Server.of(context.parameters)
        backup = program_name("MysqlBackupCmd", given("MysqlBackupCmd"), "mariadb-backup")
        prepare = program_name("MysqlPrepareCmd", given("MysqlPrepareCmd"), "mariadb-backup")
        return cls(
            server=server,
            backup_path=absolute_path("MysqlBackupPath", given("MysqlBackupPath")),
            backup_command=backup,
            prepare_command=prepare if server.pod else backup,
            stream_command=program_name("MysqlStreamCmd", given("MysqlStreamCmd"), "mbstream"),
            client=_client(context),
            lock_wait=_lock_wait(context, DEFAULT_LOCK_WAIT),
        )


@dataclass(frozen=True, slots=True)
class HoldParameters:
    """As ``Parameters``, with the method ``hold``. ``data_path`` is None where the server is to be asked."""

    server: Server
    data_path: Path | None
    client: str
    lock_wait: int

    @classmethod
    def of(cls, context: PluginContext) -> "HoldParameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        return cls(
            server=Server.of(context.parameters),
            data_path=_data_path(context),
            client=_client(context),
            lock_wait=_lock_wait(context, DEFAULT_HOLD_WAIT),
        )


def _data_path(context: PluginContext) -> Path | None:
    text = context.parameters.get("MysqlDataPath", "")
    return absolute_path("MysqlDataPath", text) if text.strip() else None


def _client(context: PluginContext) -> str:
    return program_name("MysqlClientCmd", context.parameters.get("MysqlClientCmd", ""), "mariadb")


def _lock_wait(context: PluginContext, default: int) -> int:
    name = "MysqlLockWaitSeconds"
    return whole_number(name, context.parameters.get(name, ""), default, LONGEST_WAIT)
