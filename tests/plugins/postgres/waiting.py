"""A dump that waits: somebody has locked a table, so that a test can strike in the middle of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.plugins.postgres.cluster import Cluster

_SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND application_name LIKE 'fossul run %' "
    "AND wait_event_type = 'Lock'"
)


class Attempt:
    """A call in a thread of its own, and what became of it."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.outcome: object = None
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.outcome = self._call()
        except BaseException as error:
            self.outcome = error

    def join(self, seconds: float = 20) -> object:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the call does not end"
        return self.outcome


@contextmanager
def locked(cluster: Cluster, database: str, table: str = "ledger") -> Iterator[None]:
    """Hold a lock on a table that lets nobody even read it."""
    with cluster.connect(database) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


@contextmanager
def slow_checkpoint(cluster: Cluster) -> Iterator[None]:
    """Let a spread checkpoint take long: pg_basebackup waits for it, and its session is deaf meanwhile."""
    cluster.execute("ALTER SYSTEM SET checkpoint_timeout = '1h'")
    cluster.execute("ALTER SYSTEM SET checkpoint_completion_target = 1")
    cluster.execute("SELECT pg_reload_conf()")
    cluster.execute("CREATE TABLE work AS SELECT md5(n::text) AS t FROM generate_series(1, 100000) n")
    try:
        yield
    finally:
        cluster.execute("DROP TABLE work")
        cluster.execute("ALTER SYSTEM RESET ALL")
        cluster.execute("SELECT pg_reload_conf()")
        cluster.execute("CHECKPOINT")


def waiting_sessions(cluster: Cluster, database: str) -> list[Any]:
    """The server's processes that wait for the lock on behalf of a run."""
    return [pid for (pid,) in cluster.rows(_SESSIONS.format(database))]


def processes(argument: str) -> dict[int, str]:
    """The arguments of the processes on this machine that have ``argument`` among them, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if argument in line:
                found[int(entry.name)] = line
    return found


def until(ask: Callable[[], Any], seconds: float = 15) -> Any:
    """Answer what ``ask`` answers as soon as it is truthy; fail when it never is."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"still {answer!r} after {seconds} s"
        time.sleep(0.02)
    return answer
