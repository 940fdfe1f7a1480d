"""The session that holds the lock is lost, or another worker has it: nothing stays locked, and it is told."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.holds import blocked, fresh_plugin, holder, is_free, thaw_after_backup
from tests.plugins.mariadb.server import MariadbTestServer
from tests.plugins.postgres.waiting import until
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mariadb.held import HeldSessions
from workflows_app.plugins.mariadb.plugin import MariadbServer
from workflows_app.plugins.mariadb.thaw import StillHeld

ROOT = Path(__file__).resolve().parents[3]
# It is told on its input what to connect with: nobody is to see that among its arguments.
WORKER = """
import json, os, sys
from tests.plugins.databases.calls import Calls
from workflows_app.plugins.mariadb.plugin import plugin
plugin.quiesce(Calls(json.loads(sys.stdin.readline())).context())
print("locked", flush=True)
sys.stdin.readline()
os._exit(9)
"""


@pytest.fixture
def calls(server: MariadbTestServer) -> Calls:
    """Calls of the plugin mariadb with the method hold."""
    return Calls({**server_parameters(server), "MysqlMethod": "hold"})


@pytest.fixture
def plugin(calls: Calls) -> Iterator[MariadbServer]:
    """The plugin of a worker that has locked nothing yet."""
    yield from fresh_plugin(calls)


def lose_worker(server: MariadbTestServer, calls: Calls, shop: str) -> None:
    """Let a worker lock the server, and let it go away without a word while a write waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(calls.parameters) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "locked\n"
        (waiting,) = blocked(server, shop, "INSERT INTO audit VALUES (1)")
        process.stdin.write("\n")
    assert process.returncode == 9
    assert waiting.join(10) == [], "the write goes on by itself"


def test_a_lost_worker_leaves_nothing_locked_and_fails_the_run(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    lose_worker(server, calls, shop)
    until(lambda: is_free(server, calls))
    with pytest.raises(PluginFailed, match=r"was gone before unquiesce\. .* do not rely on this backup"):
        thaw_after_backup(plugin, calls)
    assert plugin.unquiesce(calls.context()).code == 0, "a run that is given up relies on nothing"


def test_another_worker_thaws(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    plugin.quiesce(calls.context())
    number = holder(server, calls)
    (waiting,) = blocked(server, shop, "INSERT INTO audit VALUES (1)")
    other = MariadbServer(HeldSessions())
    assert other.unquiesce(calls.context(8)).code == 0
    assert holder(server, calls) == number, "the session is not run 8's"
    assert thaw_after_backup(other, calls).code == 0
    assert f"ended the session {number} of this run, which another worker held" in calls.lines()[-1]
    assert waiting.join() == []
    assert is_free(server, calls)


def test_a_session_that_was_killed_fails_the_run_once(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    plugin.quiesce(calls.context())
    server.sql(f"KILL {holder(server, calls)}")
    until(lambda: is_free(server, calls))
    with pytest.raises(PluginFailed, match=r"was gone before unquiesce: .* do not rely on this backup"):
        thaw_after_backup(plugin, calls)
    with pytest.raises(PluginFailed, match="do not rely on this backup"):
        thaw_after_backup(plugin, calls)
    assert plugin.unquiesce(calls.context()).code == 0


def test_a_session_of_which_nothing_is_heard_is_ended_by_the_server(
    server: MariadbTestServer, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the worker's machine is without power, or network: nobody tells the server."""
    monkeypatch.setattr("workflows_app.plugins.mariadb.hold.SILENCE_SECONDS", 1)
    silent = MariadbServer(HeldSessions(beat=3600))
    silent.quiesce(calls.context())
    until(lambda: is_free(server, calls))
    with pytest.raises(PluginFailed, match="do not rely on this backup"):
        thaw_after_backup(silent, calls)


def test_a_worker_that_lives_keeps_its_session(
    server: MariadbTestServer, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.mariadb.hold.SILENCE_SECONDS", 1)
    living = MariadbServer(HeldSessions(beat=0.1))
    living.quiesce(calls.context())
    number = holder(server, calls)
    server.sql("DO SLEEP(2)")
    assert holder(server, calls) == number
    assert thaw_after_backup(living, calls).code == 0


def test_a_server_that_cannot_be_asked_is_asked_again(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    """The first attempt crashes, so that Temporal makes another: a refusal would be the end of it."""
    plugin.quiesce(calls.context())
    with pytest.raises(StillHeld, match=r"may still be locked: Cannot connect .* is tried again"):
        MariadbServer(HeldSessions()).unquiesce(calls.context(MysqlPort="1"))
    assert holder(server, calls) != "NULL"
    assert thaw_after_backup(plugin, calls).code == 0


def test_a_restarted_server_fails_the_run(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    plugin.quiesce(calls.context())
    server.stop()
    server.start()
    with pytest.raises(PluginFailed, match="do not rely on this backup"):
        thaw_after_backup(plugin, calls)
    assert is_free(server, calls)
