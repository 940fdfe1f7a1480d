"""A dump or a load that waits: somebody has locked a table, so that a test can strike in the middle of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.plugins.mariadb.server import MariadbTestServer

_WAITING = "SELECT id FROM information_schema.PROCESSLIST WHERE db = '{}' AND state LIKE 'Waiting for%'"


@contextmanager
def locked(server: MariadbTestServer, database: str, table: str = "ledger") -> Iterator[None]:
    """Hold a lock on a table that lets nobody even read it."""
    with server.session(f"LOCK TABLES {table} WRITE", database):
        yield


def waiting_sessions(server: MariadbTestServer, database: str) -> list[str]:
    """The server's sessions in a database that wait for a lock."""
    return [number for (number,) in server.sql(_WAITING.format(database))]
