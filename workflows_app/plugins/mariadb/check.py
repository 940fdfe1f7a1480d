"""Tries beforehand what a copy of a server will need."""

from collections.abc import Iterator

from workflows_app.domain.errors import FossulError, PluginFailed
from workflows_app.domain.findings import Finding, good, refusal
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_pod, is_missing
from workflows_app.plugins.mariadb.parameters import Parameters
from workflows_app.plugins.mariadb.physical_copy import check_release
from workflows_app.plugins.mariadb.server_files import ServerFiles, find_files, log_position
from workflows_app.plugins.mariadb.unpacking import check_unpacker
from workflows_app.plugins.mariadb_server.facts import look
from workflows_app.plugins.mariadb_server.grants import missing_rights
from workflows_app.plugins.mariadb_server.programs import Programs, Release
from workflows_app.plugins.staging.check import check_staging
from workflows_app.plugins.wording import shown

CLIENT = "MysqlClientCmd"
FOLDER = "MysqlBackupPath"
PREPARER = "MysqlPrepareCmd"
PROGRAM = "MysqlBackupCmd"
SERVER = "MysqlHost"
UNPACKER = "MysqlStreamCmd"
USER = "MysqlUser"

# What mariadb-backup asks for, https://mariadb.com/kb/en/mariadb-backup-overview/#authentication-and-privileges
_NEEDED = frozenset({"RELOAD", "PROCESS", "LOCK TABLES"})
# One privilege, before and since its second name.
_BINLOG, _RENAMED = ("REPLICATION CLIENT", "BINLOG MONITOR"), (10, 5)


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the server opens and its files can be read, and how rights, programs and folder are."""
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    pod = check_pod(context)
    yield from pod
    if is_missing(pod):
        yield from check_staging(context, FOLDER, parameters.backup_path)
        return
    size = 0
    programs = Programs(context, parameters.server)
    try:
        programs.release(CLIENT, parameters.client, "mariadb")
        facts = look(programs, parameters.client, None)
    except FossulError as error:
        yield refusal(error, SERVER)
    else:
        size = facts.size
        yield good(
            f"MariaDB {facts.version} on {parameters.server.where} opens: {size_words(size)} in all "
            "databases",
            SERVER,
        )
        yield from _server(context, programs, parameters, facts.release)
    yield from check_staging(context, FOLDER, parameters.backup_path, size, "the server")


def _server(
    context: PluginContext, programs: Programs, parameters: Parameters, release: Release
) -> Iterator[Finding]:
    yield from tried(context, USER, lambda call: _rights(programs, parameters, release))
    try:
        files = find_files(programs, parameters.client)
        log_position(programs, parameters.client)
    except FossulError as error:
        yield refusal(error, SERVER)
        return
    where = "in the pod" if programs.pod else "here"
    yield good(f"The server's data folder {shown(str(files.data))} can be read {where}", SERVER)
    yield from tried(
        context, PROGRAM, lambda call: _copier(programs, PROGRAM, parameters.backup_command, files)
    )
    if programs.pod:
        own = programs.beside_worker()
        yield from tried(
            context, PREPARER, lambda call: _copier(own, PREPARER, parameters.prepare_command, files)
        )
        yield from tried(context, UNPACKER, lambda call: _unpacker(call, parameters.stream_command))


def _rights(programs: Programs, parameters: Parameters, release: Release) -> str:
    """Raises PluginFailed when the user lacks any."""
    needed = _NEEDED | {_BINLOG[release >= _RENAMED]}
    if missing := missing_rights(programs, parameters.client, needed):
        raise PluginFailed(
            f"The user {parameters.server.user!r} lacks {', '.join(missing)} on *.*, which mariadb-backup "
            "needs. Grant that"
        )
    return f"The user {parameters.server.user!r} has the rights that a copy needs"


def _copier(programs: Programs, parameter: str, command: str, files: ServerFiles) -> str:
    """Raises ConfigInvalid when mariadb-backup is missing, or of another version."""
    check_release(programs, parameter, command, files)
    where = "in the pod" if programs.pod else "where the worker runs"
    return f"mariadb-backup is there {where}, of the server's version"


def _unpacker(context: PluginContext, command: str) -> str:
    """Raises ConfigInvalid when mbstream is missing."""
    check_unpacker(context, command)
    return "mbstream is there where the worker runs"
