"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.parameter_kinds import PATH, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import refuse_pod
from workflows_app.plugins.mariadb_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.mariadb_server.server import Server
from workflows_app.plugins.values import absolute_path, program_name, whole_number

DEFAULT_LOCK_WAIT = 600

SPECS = (
    *SERVER_SPECS,
    ParameterSpec(
        name="MysqlBackupPath",
        help="The absolute path of a folder, where the worker and the server run, that holds the copy while "
        "it is backed up; it needs room for one. A copy is in <profile>/<configuration>/<run> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="MysqlBackupCmd",
        help="mariadb-backup, of the server's version: its name, or its absolute path.",
        default="mariadb-backup",
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

    ``lock_wait`` is in seconds.
    """

    server: Server
    backup_path: Path
    backup_command: str
    client: str
    lock_wait: int

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        refuse_pod(context.parameters, "mariadb-dump")
        wait = whole_number("MysqlLockWaitSeconds", given("MysqlLockWaitSeconds"), DEFAULT_LOCK_WAIT, 86400)
        return cls(
            server=Server.of(context.parameters),
            backup_path=absolute_path("MysqlBackupPath", given("MysqlBackupPath")),
            backup_command=program_name("MysqlBackupCmd", given("MysqlBackupCmd"), "mariadb-backup"),
            client=program_name("MysqlClientCmd", given("MysqlClientCmd"), "mariadb"),
            lock_wait=wait,
        )
