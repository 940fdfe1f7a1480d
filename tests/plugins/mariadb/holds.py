"""What the tests of the method ``hold`` share: the lock seen from outside, and snapshots of a server."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.server import MariadbTestServer
from tests.plugins.mariadb.waiting import waiting_sessions
from tests.plugins.postgres.waiting import Attempt, until
from workflows_app.domain.results import Result
from workflows_app.plugins.databases.run_names import run_name
from workflows_app.plugins.mariadb.held import HeldSessions
from workflows_app.plugins.mariadb.plugin import MariadbServer


def fresh_plugin(calls: Calls) -> Iterator[MariadbServer]:
    """The plugin of a worker that has locked nothing yet; run 7's lock is gone in the end."""
    held = HeldSessions()
    yield MariadbServer(held)
    if session := held.take(run_name(calls.context().config)):
        session.end()


def holder(server: MariadbTestServer, calls: Calls) -> str:
    """The number of the session that has the mark of run 7; ``NULL`` for none."""
    ((number,),) = server.sql(f"SELECT IS_USED_LOCK('{run_name(calls.context().config)}')")
    return number


def is_free(server: MariadbTestServer, calls: Calls) -> bool:
    """Whether nobody holds anything: a write to each kind of table would go through at once."""
    locks = "SELECT count(*) FROM information_schema.PROCESSLIST WHERE info LIKE 'FLUSH TABLES WITH%'"
    return holder(server, calls) == "NULL" and server.sql(locks) == [["0"]]


def thaw_after_backup(plugin: MariadbServer, calls: Calls, **changes: str) -> Result:
    """Unquiesce as the run does after a backup on which it relies."""
    return plugin.unquiesce(replace(calls.context(**changes), relies_on_freeze=True))


def blocked(server: MariadbTestServer, shop: str, *statements: str) -> list[Attempt]:
    """Run each statement in a session of its own; all of them wait for a lock now."""
    attempts = [Attempt(lambda text=text: server.sql(text, shop)) for text in statements]
    until(lambda: len(waiting_sessions(server, shop)) == len(statements))
    return attempts


def snapshot(server: MariadbTestServer, to: Path) -> Path:
    """A copy of the data folder at one moment, as an atomic snapshot is: the server stands still."""
    assert server._process is not None
    stat = Path(f"/proc/{server._process.pid}/stat")
    os.kill(server._process.pid, signal.SIGSTOP)
    try:
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
        shutil.copytree(server.data, to, symlinks=True)
    finally:
        os.kill(server._process.pid, signal.SIGCONT)
    return to
