"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import PATH, choice
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import FORWARDED_SPECS, refuse_elsewhere
from workflows_app.plugins.postgres_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.values import absolute_path, identifier, one_of

_CHECKPOINTS = ("fast", "spread")
# PostgreSQL's clients know no TLS on the socket that leads into a pod.
_WITHOUT_TLS = ("disable", "allow", "prefer")

# PqDb is Fossul's (fossul-behaviour.md §7.5); the others it has no need of.
SPECS = (
    *SERVER_SPECS,
    ParameterSpec(
        name="PqDb", help="A database to ask the server in; all of them are backed up.", default="postgres"
    ),
    ParameterSpec(
        name="PqBackupPath",
        help="The absolute path of a folder, where the worker runs, that holds the copy of the cluster while "
        "it is backed up; it needs room for one. A copy is in <profile>/<configuration>/<run> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="PqBinPath",
        help="The folder with pg_basebackup, pg_verifybackup and pg_waldump of the server's version, such as "
        "/usr/lib/postgresql/15/bin. Empty: they are in $PATH.",
        form=PATH,
    ),
    ParameterSpec(
        name="PqCheckpoint",
        help="fast: begin at once, at the cost of more writing; spread: wait for the server's own pace.",
        default="fast",
        form=choice(*_CHECKPOINTS),
    ),
    *FORWARDED_SPECS,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk or the server."""

    server: Server
    database: str
    backup_path: Path
    programs: str
    checkpoint: str

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        server = Server.of(context.parameters)
        if server.pod:
            refuse_elsewhere("PqHost", server.host)
            _refuse_tls(server.ssl_mode)
        folder = given("PqBinPath").strip()
        return cls(
            server=server,
            database=identifier("PqDb", given("PqDb") or "postgres", "a database to ask the server in"),
            backup_path=absolute_path("PqBackupPath", given("PqBackupPath")),
            programs=f"{absolute_path('PqBinPath', folder)}/" if folder else "",
            checkpoint=one_of("PqCheckpoint", given("PqCheckpoint"), _CHECKPOINTS, "fast"),
        )

    def program(self, name: str) -> str:
        """How the program ``name`` is called."""
        return f"{self.programs}{name}"


def _refuse_tls(mode: str) -> None:
    if mode not in _WITHOUT_TLS:
        raise ConfigInvalid(
            "PqSslMode",
            f"{mode!r} is not possible into a pod, where the cluster's own connection protects the way: give "
            "'prefer', or reach the server by TCP, without PodSelector and LabelSelector",
        )
