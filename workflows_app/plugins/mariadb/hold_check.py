"""Tries beforehand what holding a lock on a server will need."""

from collections.abc import Iterator

from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_pod, is_missing
from workflows_app.plugins.mariadb.data_folder import told_files
from workflows_app.plugins.mariadb.hold_rules import refuse_copying
from workflows_app.plugins.mariadb.parameters import HoldParameters
from workflows_app.plugins.mariadb.server_files import ask_files
from workflows_app.plugins.mariadb_server.facts import ask_rows
from workflows_app.plugins.mariadb_server.grants import missing_rights
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.wording import shown

CLIENT = "MysqlClientCmd"
FOLDER = "MysqlDataPath"
METHOD = "MysqlMethod"
SERVER = "MysqlHost"
USER = "MysqlUser"

_NEEDED = frozenset({"RELOAD"})
# What those wait for that a lock of the whole server holds up; others are shown with the right PROCESS.
_WAITING = (
    "count(*) FROM information_schema.PROCESSLIST "
    "WHERE state IN ('Waiting for backup lock', 'Waiting for global read lock')"
)


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the server opens and could be locked, and how rights and the storage plugin are."""
    return looked(context, HoldParameters.of, _look)


def _look(context: PluginContext, parameters: HoldParameters) -> Iterator[Finding]:
    yield from tried(context, METHOD, _storage)
    pod = check_pod(context)
    yield from pod
    if is_missing(pod):
        return
    programs = Programs(context, parameters.server)
    try:
        programs.release(CLIENT, parameters.client, "mariadb")
        programs.ask(parameters.client, "SELECT 1")
    except FossulError as error:
        yield refusal(error, SERVER)
        return
    yield from tried(context, SERVER, lambda call: _server(call, parameters))
    yield from tried(context, FOLDER, lambda call: _folder(call, parameters))
    try:
        missing = missing_rights(programs, parameters.client, _NEEDED)
    except FossulError as error:
        yield refusal(error, USER)
        return
    if missing:
        yield bad(
            f"The user {parameters.server.user!r} lacks {', '.join(missing)} on *.*, which BACKUP STAGE "
            "needs. "
            "Grant that",
            USER,
        )
        return
    yield good(f"The user {parameters.server.user!r} may lock and unlock", USER)
    yield _lock_state(programs, parameters)


def _storage(context: PluginContext) -> str:
    refuse_copying(context.config)
    name = context.config.storage_plugin
    return f"The storage plugin {name!r} is not known to copy file by file: its snapshot must be atomic"


def _server(context: PluginContext, parameters: HoldParameters) -> str:
    files, _ = ask_files(Programs(context, parameters.server), parameters.client)
    return f"MariaDB {files.version} on {parameters.server.where} opens"


def _folder(context: PluginContext, parameters: HoldParameters) -> str:
    files = told_files(Programs(context, parameters.server), parameters)
    return f"Its data is in {shown(str(files.data))}"


def _lock_state(programs: Programs, parameters: HoldParameters) -> Finding:
    """Look whether others wait for a lock now: to try it would freeze the server for a moment."""
    try:
        ((waiting,),) = ask_rows(programs, parameters.client, _WAITING)
    except FossulError as error:
        return refusal(error, SERVER)
    if waiting != "0":
        return doubtful(f"Somebody has locked it: {waiting} sessions wait for that now", SERVER)
    return good("Nobody is seen to wait for a lock of the whole server", SERVER)
