"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.parameter_kinds import PATH, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import SPECS as POD_SPECS
from workflows_app.plugins.mariadb_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.mariadb_server.server import Server
from workflows_app.plugins.values import absolute_path, program_name, whole_number

DEFAULT_LOCK_WAIT = 600

SPECS = (
    *SERVER_SPECS,
    *POD_SPECS,
    ParameterSpec(
        name="MysqlBackupPath",
        help="The absolute path of a folder that holds the copy while it is backed up, where the worker runs "
        "(and the server, unless it is in a pod); it needs room for one. A copy is in "
        "<profile>/<configuration>/<run> below it.",
        required=True,
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
        help="How long a copy waits for changes that are under way, and for locks, before it fails.",
        default=str(DEFAULT_LOCK_WAIT),
        form=number(1, 86400),
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk or the server.

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

        server = Server.of(context.parameters)
        backup = program_name("MysqlBackupCmd", given("MysqlBackupCmd"), "mariadb-backup")
        prepare = program_name("MysqlPrepareCmd", given("MysqlPrepareCmd"), "mariadb-backup")
        wait = whole_number("MysqlLockWaitSeconds", given("MysqlLockWaitSeconds"), DEFAULT_LOCK_WAIT, 86400)
        return cls(
            server=server,
            backup_path=absolute_path("MysqlBackupPath", given("MysqlBackupPath")),
            backup_command=backup,
            prepare_command=prepare if server.pod else backup,
            stream_command=program_name("MysqlStreamCmd", given("MysqlStreamCmd"), "mbstream"),
            client=program_name("MysqlClientCmd", given("MysqlClientCmd"), "mariadb"),
            lock_wait=wait,
        )
