"""Tries beforehand what a copy of a cluster will need."""

from collections.abc import Generator, Iterator

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding, bad, good, refusal
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_way, is_missing
from workflows_app.plugins.postgres.base_backup import check_programs, check_server
from workflows_app.plugins.postgres.parameters import Parameters
from workflows_app.plugins.postgres.reach import reached
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.postgres_server.session import Session, session
from workflows_app.plugins.staging.check import check_staging

DATABASE = "PqDb"
FOLDER = "PqBackupPath"
PROGRAMS = "PqBinPath"
ROLE = "PqUser"

# pg_basebackup has two sessions: one for the files, one for the WAL.
_SESSIONS = 2
_SETTINGS = "SELECT current_setting('wal_level'), current_setting('max_wal_senders')::int"
_SIZE = (
    "SELECT sum(pg_database_size(oid))::bigint FROM pg_database "
    "WHERE has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')"
)


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the server opens, lets a copy be made, and how programs and folder for it are."""
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    way = check_way(context)
    yield from way
    size = 0
    if not is_missing(way):
        try:
            with reached(context, parameters) as (near, there):
                size = yield from _cluster(near, there)
        except PluginFailed as error:
            yield refusal(error, DATABASE)
    yield from check_staging(context, FOLDER, parameters.backup_path, size, "the cluster")


def _cluster(context: PluginContext, parameters: Parameters) -> Generator[Finding, None, int]:
    """Look at all but the folder, and answer the size of the cluster, in bytes. Raises PluginFailed."""
    with session(parameters.server, parameters.database) as server:
        facts = server.facts()
        size = _size(server)
        yield good(
            f"PostgreSQL {facts.version} on {parameters.server.where} opens: {size_words(size)} in all "
            "databases",
            DATABASE,
        )
        yield from tried(context, DATABASE, lambda call: _server(call, server, facts.major, facts.version))
        yield from _senders(server)
    yield from tried(context, ROLE, lambda call: _replication(parameters))
    yield from tried(context, PROGRAMS, lambda call: _programs(call, parameters, facts.major, facts.version))
    return size


def _size(server: Session) -> int:
    (size,) = server.row(_SIZE)
    return size if isinstance(size, int) else 0


def _server(context: PluginContext, server: Session, major: int, version: str) -> str:
    """Raises PluginFailed for a cluster that cannot be copied."""
    check_server(context, server, major, version)
    return "The cluster is one that can be copied"


def _senders(server: Session) -> Iterator[Finding]:
    level, senders = server.row(_SETTINGS)
    if level == "minimal":
        yield bad(
            "The server's wal_level is minimal, with which no copy can be made: set it to replica", DATABASE
        )
    if isinstance(senders, int) and senders < _SESSIONS:
        yield bad(
            f"The server's max_wal_senders is {senders}: a copy needs {_SESSIONS}. Set it higher", DATABASE
        )


def _replication(parameters: Parameters) -> str:
    """Open such a session as pg_basebackup does. Raises PluginFailed."""
    try:
        with session(parameters.server, parameters.database, replication=True):
            pass
    except PluginFailed as error:
        raise PluginFailed(
            f"{error}. A copy needs the attribute REPLICATION for the role, and a line for the database "
            "'replication' in pg_hba.conf"
        ) from None
    return f"The role {parameters.server.user!r} may copy the cluster (REPLICATION)"


def _programs(context: PluginContext, parameters: Parameters, major: int, version: str) -> str:
    """Raises ConfigInvalid for programs that do not fit the server."""
    check_programs(Programs(context, parameters.server), parameters, major, version)
    return f"pg_basebackup and pg_verifybackup of version {major} are there"
