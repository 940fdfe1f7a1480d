"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, PATH, choice, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import SPECS as POD_SPECS
from workflows_app.plugins.postgres_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.values import (
    absolute_path,
    flag,
    identifier,
    one_of,
    program_name,
    whole_number,
)

DEFAULT_LOCK_WAIT = 60
MAX_JOBS = 64


class DumpFormat(StrEnum):
    """The form of a dump: one file, or a folder that several sessions can fill at once."""

    CUSTOM = "custom"
    DIRECTORY = "directory"


# PqDb, PqDumpPath, PqDumpCmd and PqRestoreCmd are Fossul's (fossul-behaviour.md §7.5).
SPECS = (
    *SERVER_SPECS,
    *POD_SPECS,
    ParameterSpec(name="PqDb", help="The database to dump.", required=True),
    ParameterSpec(
        name="PqDumpPath",
        help="The absolute path of a folder, where the worker runs, that holds the dump while it is backed "
        "up; it needs room for one. A dump is in <profile>/<configuration>/<run> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="PqDumpFormat",
        help="custom (one file) or directory (a folder, which PqDumpJobs sessions can fill at once).",
        default=DumpFormat.CUSTOM,
        form=choice(*DumpFormat),
    ),
    ParameterSpec(
        name="PqDumpJobs",
        help=f"How many tables are dumped at once, 1 to {MAX_JOBS}; above 1 for the directory format only.",
        default="1",
        form=number(1, MAX_JOBS),
    ),
    ParameterSpec(
        name="PqLockWaitSeconds",
        help="How long a dump waits for a table that somebody has locked before it fails.",
        default=str(DEFAULT_LOCK_WAIT),
        form=number(1, 86400),
    ),
    ParameterSpec(name="PqDumpCmd", help="pg_dump: its name, or its absolute path.", default="pg_dump"),
    ParameterSpec(
        name="PqRestoreCmd", help="pg_restore: its name, or its absolute path.", default="pg_restore"
    ),
    ParameterSpec(
        name="PqRestoreDb",
        help="The database that a restore loads the dump into, which must exist. Empty: PqDb.",
    ),
    ParameterSpec(
        name="PqRestoreClean",
        help="true: a restore first drops what the dump has and the database has too. false: a restore into "
        "a database that is not empty is refused.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="PqRestoreOwners",
        help="false: what is restored belongs to PqUser, without the grants that the dump has; for a server "
        "without the roles of the first one.",
        default="true",
        form=FLAG,
    ),
    ParameterSpec(
        name="PqRestoreJobs",
        help=f"How many tables are loaded at once, 1 to {MAX_JOBS}. With 1, a restore is one transaction: it "
        "succeeds, or it changes nothing.",
        default="1",
        form=number(1, MAX_JOBS),
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk or the server.

    ``lock_wait`` is in seconds.
    """

    server: Server
    database: str
    dump_path: Path
    format: DumpFormat
    dump_jobs: int
    lock_wait: int
    dump_command: str
    restore_command: str
    restore_database: str
    clean: bool
    owners: bool
    restore_jobs: int

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        database = identifier("PqDb", given("PqDb"), "the database to dump")
        form = DumpFormat(one_of("PqDumpFormat", given("PqDumpFormat"), tuple(DumpFormat), DumpFormat.CUSTOM))
        jobs = whole_number("PqDumpJobs", given("PqDumpJobs"), 1, MAX_JOBS)
        if jobs > 1 and form is not DumpFormat.DIRECTORY:
            raise ConfigInvalid(
                "PqDumpJobs",
                f"{jobs} needs PqDumpFormat 'directory': only a folder can be filled in parallel",
            )
        server = Server.of(context.parameters)
        restore_jobs = whole_number("PqRestoreJobs", given("PqRestoreJobs"), 1, MAX_JOBS)
        if server.pod and form is not DumpFormat.CUSTOM:
            raise ConfigInvalid(
                "PqDumpFormat",
                f"'{form}' cannot be streamed out of a pod: use '{DumpFormat.CUSTOM}'",
            )
        if server.pod and restore_jobs > 1:
            raise ConfigInvalid(
                "PqRestoreJobs", f"{restore_jobs} cannot read a dump that is streamed into a pod: use 1"
            )
        return cls(
            server=server,
            database=database,
            dump_path=absolute_path("PqDumpPath", given("PqDumpPath")),
            format=form,
            dump_jobs=jobs,
            lock_wait=whole_number("PqLockWaitSeconds", given("PqLockWaitSeconds"), DEFAULT_LOCK_WAIT, 86400),
            dump_command=program_name("PqDumpCmd", given("PqDumpCmd"), "pg_dump"),
            restore_command=program_name("PqRestoreCmd", given("PqRestoreCmd"), "pg_restore"),
            restore_database=identifier(
                "PqRestoreDb", given("PqRestoreDb") or database, "the database to restore into"
            ),
            clean=flag("PqRestoreClean", given("PqRestoreClean"), default=False),
            owners=flag("PqRestoreOwners", given("PqRestoreOwners"), default=True),
            restore_jobs=restore_jobs,
        )
