"""Asks a server: a session of its own for each look, and words for what the server answers instead."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.postgres_server.server import Server

CONNECT_SECONDS = 15
_TRUST = " The server's certificate must be for the name in PqHost, from an authority in PqSslCa."
LOOK_OPTIONS = "-c statement_timeout=60s"

# Relations and functions that are neither PostgreSQL's own nor an extension's.
_OBJECTS = """
SELECT count(*) FILTER (WHERE kind = 'r'), count(*) FROM (
    SELECT c.relkind::text AS kind, c.oid, c.relnamespace AS space, 'pg_class'::regclass AS catalog
    FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'function', p.oid, p.pronamespace, 'pg_proc'::regclass FROM pg_proc p
) found
JOIN pg_namespace n ON n.oid = found.space
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = found.catalog AND d.objid = found.oid AND d.deptype = 'e'
)
"""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a look at one database found.

    ``major`` is the server's major version, ``version`` all of it; ``tables`` and ``objects`` count what is
    neither PostgreSQL's own nor an extension's; ``sessions`` are those of others in this database, ``size``
    is in bytes. ``hears_loss`` says that the server can notice a client that is gone (PostgreSQL 14).
    """

    major: int
    version: str
    size: int
    tables: int
    objects: int
    sessions: int
    hears_loss: bool


class Session(ABC):
    """Asks one database, in autocommit mode. Its methods raise PluginFailed."""

    @abstractmethod
    def row(self, query: str, parameters: Sequence[str] | None = None) -> tuple[object, ...]:
        """The first row that ``query`` answers: numbers, texts, truths and None."""

    @abstractmethod
    def accepts(self, setting: str, value: str) -> bool:
        """Whether the server lets a session have that setting."""

    def facts(self) -> DatabaseFacts:
        """Look at the database."""
        number, version, size, sessions = self.row(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), "
            "pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend')"
        )
        tables, objects = self.row(_OBJECTS)
        return DatabaseFacts(
            major=_int(number) // 10000,
            version=str(version),
            size=_int(size),
            tables=_int(tables),
            objects=_int(objects),
            sessions=_int(sessions),
            hears_loss=self.accepts("client_connection_check_interval", "1s"),
        )

    def end_sessions(self, application: str) -> int:
        """End the sessions that the same role has under that name, in any database; answers how many."""
        (ended,) = self.row(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()",
            (application,),
        )
        return _int(ended)


class ConnectedSession(Session):
    """A session by one connection from the worker."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]", what: str) -> None:
        self._connection = connection
        self._what = what

    def row(self, query: str, parameters: Sequence[str] | None = None) -> tuple[object, ...]:
        """The first row that ``query`` answers."""
        try:
            found = self._connection.execute(query.encode(), parameters).fetchone()
        except psycopg.Error as error:
            raise PluginFailed(f"Cannot ask {self._what}: {words_of(error)}") from None
        if found is None:
            raise PluginFailed(f"Cannot ask {self._what}: it answered nothing")
        return found

    def accepts(self, setting: str, value: str) -> bool:
        """Whether the server lets this session have that setting; it has it from then on."""
        try:
            self._connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        except psycopg.Error:
            return False
        return True


@contextmanager
def session(server: Server, database: str, *, replication: bool = False) -> Iterator[Session]:
    """A session in ``database``, closed in the end. Raises PluginFailed when there can be none.

    One for ``replication`` is in no database, and only opens.
    """
    what = asked(server, database)
    try:
        connection = psycopg.connect(
            host=server.host,
            # These are given so that libpq does not take them from the worker's own environment; an empty
            # password still lets it look into the .pgpass file.
            hostaddr="",
            password=server.password,
            options=LOOK_OPTIONS,
            port=server.port,
            user=server.user,
            dbname=database,
            sslmode=server.ssl_mode,
            connect_timeout=CONNECT_SECONDS,
            application_name="fossul",
            autocommit=True,
            replication="true" if replication else "false",
            sslrootcert=server.ssl_ca or None,
        )
    except psycopg.Error as error:
        raise no_connection(what, words_of(error)) from None
    with connection:
        yield ConnectedSession(connection, what)


def asked(server: Server, database: str) -> str:
    """What is asked, and as whom, for messages."""
    return f"database {database!r} on {server.where} as {server.user!r}"


def no_connection(what: str, words: str) -> PluginFailed:
    """The refusal of a connection, with the server's or libpq's words."""
    trust = _TRUST if "certificate" in words else ""
    return PluginFailed(
        f"Cannot connect to {what}: {words.rstrip('.?')}.{trust} Check "
        "PqHost, PqPort, PqUser, PqPassword and PqSslMode, and that the server lets this worker in"
    )


def words_of(error: psycopg.Error) -> str:
    """What the server or libpq said, on one line."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip()) or type(error).__name__


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - the queries above answer numbers
    return value
