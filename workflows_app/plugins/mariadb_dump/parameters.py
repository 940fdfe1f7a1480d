"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import SPECS as POD_SPECS
from workflows_app.plugins.mariadb_server.facts import SYSTEM_DATABASES
from workflows_app.plugins.mariadb_server.server import NAME_BYTES, Server
from workflows_app.plugins.mariadb_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.values import absolute_path, flag, identifier, one_of, program_name, whole_number

DEFAULT_LOCK_WAIT = 60


class DumpFormat(StrEnum):
    """The form of a dump: SQL, compressed or not."""

    ZSTD = "zstd"
    PLAIN = "plain"


# MysqlDb, MysqlDumpPath, MysqlDumpCmd and MysqlRestoreCmd are Fossul's (fossul-behaviour.md §7.5).
SPECS = (
    *SERVER_SPECS,
    *POD_SPECS,
    ParameterSpec(
        name="MysqlDb",
        help="The database to dump. Empty: all but the server's own (mysql, sys and the schemas).",
    ),
    ParameterSpec(
        name="MysqlDumpPath",
        help="The absolute path of a folder, where the worker runs, that holds the dump while it is backed "
        "up; it needs room for one. A dump is in <profile>/<configuration>/<run> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="MysqlDumpFormat",
        help="zstd (compressed, with a checksum) or plain (SQL as it is).",
        default=DumpFormat.ZSTD,
        form=choice(*DumpFormat),
    ),
    ParameterSpec(
        name="MysqlCompressionLevel",
        help="zstd's level, 1 to 19.",
        default="3",
        form=number(1, 19),
    ),
    ParameterSpec(
        name="MysqlAnyEngine",
        help="false: a database with tables of engines without transactions (MyISAM, Aria, …) is refused, "
        "since such tables are dumped at a moment of their own each. true: it is dumped with a warning.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="MysqlDumpCmd", help="mariadb-dump: its name, or its absolute path.", default="mariadb-dump"
    ),
    ParameterSpec(
        name="MysqlRestoreCmd",
        help="mariadb, the client, which also asks the server: its name, or its absolute path.",
        default="mariadb",
    ),
    ParameterSpec(
        name="MysqlRestoreDb",
        help="The database that a restore loads the dump of one database into, which must exist. Empty: "
        "MysqlDb.",
    ),
    ParameterSpec(
        name="MysqlRestoreClean",
        help="true: a restore first drops each table, view, routine and event that the dump has too. false: "
        "a restore into a database that is not empty is refused.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="MysqlLockWaitSeconds",
        help="How long a restore waits for a table that somebody uses before it fails.",
        default=str(DEFAULT_LOCK_WAIT),
        form=number(1, 86400),
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk or the server.

    An empty ``database`` is all of them, an empty ``restore_database`` where each comes from. ``lock_wait``
    is in seconds.
    """

    server: Server
    database: str
    dump_path: Path
    format: DumpFormat
    level: int
    any_engine: bool
    dump_command: str
    client: str
    restore_database: str
    clean: bool
    lock_wait: int

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        database = _database("MysqlDb", given("MysqlDb"), "the database to dump")
        into = _database("MysqlRestoreDb", given("MysqlRestoreDb"), "the database to restore into")
        wait = whole_number("MysqlLockWaitSeconds", given("MysqlLockWaitSeconds"), DEFAULT_LOCK_WAIT, 86400)
        return cls(
            server=Server.of(context.parameters),
            database=database,
            dump_path=absolute_path("MysqlDumpPath", given("MysqlDumpPath")),
            format=DumpFormat(
                one_of("MysqlDumpFormat", given("MysqlDumpFormat"), tuple(DumpFormat), DumpFormat.ZSTD)
            ),
            level=whole_number("MysqlCompressionLevel", given("MysqlCompressionLevel"), 3, 19),
            any_engine=flag("MysqlAnyEngine", given("MysqlAnyEngine"), default=False),
            dump_command=program_name("MysqlDumpCmd", given("MysqlDumpCmd"), "mariadb-dump"),
            client=program_name("MysqlRestoreCmd", given("MysqlRestoreCmd"), "mariadb"),
            restore_database=into or database,
            clean=flag("MysqlRestoreClean", given("MysqlRestoreClean"), default=False),
            lock_wait=wait,
        )

    @property
    def what(self) -> str:
        """What is dumped, for people."""
        return f"database {self.database!r}" if self.database else "all databases"


def _database(field: str, text: str, what: str) -> str:
    if not text.strip():
        return ""
    name = identifier(field, text, what, NAME_BYTES)
    if name.lower() in SYSTEM_DATABASES:
        raise ConfigInvalid(field, f"{name!r} is the server's own: choose another")
    return name
