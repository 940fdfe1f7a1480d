"""A server is locked in one session: what waits, what goes on, and what a snapshot of that moment has."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.holds import blocked, fresh_plugin, holder, is_free, snapshot, thaw_after_backup
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer, started
from tests.plugins.mariadb.transfers import is_one_moment, made, transferring
from tests.plugins.mariadb.waiting import locked, waiting_sessions
from tests.plugins.postgres.waiting import Attempt, processes, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb.held import HeldSessions
from workflows_app.plugins.mariadb.plugin import MariadbServer

TABLES = (
    "CREATE TABLE trans (n int) ENGINE=InnoDB; CREATE TABLE old (n int) ENGINE=MyISAM;"
    "CREATE TABLE crashsafe (n int) ENGINE=Aria"
)


@pytest.fixture
def calls(server: MariadbTestServer, shop: str) -> Calls:
    """Calls of the plugin mariadb with the method hold."""
    server.sql(TABLES, shop)
    return Calls({**server_parameters(server), "MysqlMethod": "hold"})


@pytest.fixture
def plugin(calls: Calls) -> Iterator[MariadbServer]:
    """The plugin of a worker that has locked nothing yet."""
    yield from fresh_plugin(calls)


def test_writes_commits_and_changes_of_structure_wait_and_reads_go_on(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    assert plugin.quiesce(calls.context()).code == 0
    waiting = blocked(
        server, shop,
        "INSERT INTO trans VALUES (1)", "INSERT INTO old VALUES (1)", "INSERT INTO crashsafe VALUES (1)",
        "CREATE TABLE young (n int)", "ALTER TABLE accounts ADD COLUMN more int",
        "START TRANSACTION; INSERT INTO ledger (source, target, amount) VALUES (1, 2, 9); COMMIT",
    )  # fmt: skip
    assert server.sql("SELECT count(*) FROM accounts", shop) == [["20"]]
    for table in ("trans", "old", "crashsafe"):
        assert server.sql(f"SELECT * FROM {table}", shop) == []  # noqa: S608
    assert server.sql("SELECT id FROM ledger WHERE amount = 9", shop) == []

    assert thaw_after_backup(plugin, calls).code == 0
    assert [attempt.join() for attempt in waiting] == [[]] * len(waiting)
    for table in ("trans", "old", "crashsafe"):
        assert server.sql(f"SELECT * FROM {table}", shop) == [["1"]]  # noqa: S608
    assert is_free(server, calls)


def test_a_snapshot_under_the_lock_starts_and_has_exactly_what_was_committed(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer, place: Path
) -> None:
    server.sql("INSERT INTO old VALUES (1), (2); INSERT INTO crashsafe VALUES (3)", shop)
    with transferring(server, shop):
        plugin.quiesce(calls.context())
        begun = made(server, shop)
        until(lambda: waiting_sessions(server, shop))
        data = snapshot(server, place / "snapshot")
        assert made(server, shop) == begun, "nothing was committed while it was locked"
        thaw_after_backup(plugin, calls)
        until(lambda: made(server, shop) > begun)
    with started(data, place / "server") as other:
        assert is_one_moment(other, shop)
        assert made(other, shop) == begun
        assert other.sql("SELECT n FROM old ORDER BY 1", shop) == [["1"], ["2"]]
        assert other.sql("SELECT n FROM crashsafe", shop) == [["3"]]
        assert other.sql("CHECK TABLE old, crashsafe, ledger, accounts", shop) == [
            [f"{shop}.{name}", "check", "status", "OK"] for name in ("old", "crashsafe", "ledger", "accounts")
        ]


def test_the_data_folder_is_discovered(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    (found,) = plugin.discover(calls.context()).discover_list
    assert found.data == (str(server.data),)
    (found,) = plugin.discover(calls.context(MysqlDataPath="/mounted/data")).discover_list
    assert found.data == ("/mounted/data",)


def test_what_is_said(server: MariadbTestServer, calls: Calls, plugin: MariadbServer) -> None:
    plugin.quiesce(calls.context())
    (warning,) = calls.lines(Level.WARN)
    assert "nobody can write, and reads go on, until unquiesce" in warning
    assert PASSWORD not in str(calls.said)
    clients = processes(f"--port={server.port} --user=")
    assert clients and PASSWORD not in str(clients)
    thaw_after_backup(plugin, calls)
    assert calls.lines() == [f"Unlocked 127.0.0.1:{server.port}"]
    thaw_after_backup(plugin, calls)
    assert "it was given back in good order" in calls.lines()[0]
    MariadbServer(HeldSessions()).unquiesce(calls.context())
    assert calls.lines() == [f"This run holds no lock on 127.0.0.1:{server.port}"]


def test_a_lock_that_does_not_come_in_time_leaves_nothing(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    with (
        locked(server, shop),
        pytest.raises(PluginFailed, match=r"could not be locked in 1 s \(MysqlLockWaitSeconds\)"),
    ):
        plugin.quiesce(calls.context(MysqlLockWaitSeconds="1"))
    assert is_free(server, calls)
    server.sql("INSERT INTO trans VALUES (1)", shop)
    assert plugin.unquiesce(calls.context()).code == 0


def test_a_cancelled_wait_leaves_nothing(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    with locked(server, shop):
        context = calls.context()
        attempt = Attempt(lambda: plugin.quiesce(context))
        until(lambda: not is_free(server, Calls(calls.parameters)))
        calls.cancel()
        assert isinstance(attempt.join(), Cancelled)
        assert is_free(server, Calls(calls.parameters))
    server.sql("INSERT INTO trans VALUES (1)", shop)


def test_a_cancel_after_the_lock_does_not_reach_it(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    """The step has ended then; the compensation gives the lock back."""
    plugin.quiesce(calls.context())
    calls.cancel()
    assert holder(server, Calls(calls.parameters)) != "NULL"
    later = Calls(calls.parameters)
    assert thaw_after_backup(plugin, later).code == 0
    assert is_free(server, later)


def test_another_attempt_of_quiesce_replaces_the_first(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    plugin.quiesce(calls.context())
    first = holder(server, calls)
    other = MariadbServer(HeldSessions())
    other.quiesce(calls.context())
    assert holder(server, calls) not in ("NULL", first)
    thaw_after_backup(other, calls)
    assert is_free(server, calls)
    plugin.unquiesce(calls.context())
    assert "was gone already" in calls.lines(Level.WARN)[0]


def test_a_run_that_locks_anew_on_another_worker_is_thawed_by_the_first(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    """As when it was thawed to wait for a person: that the first lock was given back says nothing of this."""
    plugin.quiesce(calls.context())
    thaw_after_backup(plugin, calls)
    other = MariadbServer(HeldSessions())
    other.quiesce(calls.context())
    assert thaw_after_backup(plugin, calls).code == 0
    assert is_free(server, calls)
    other.unquiesce(calls.context())


def test_a_client_that_was_killed_fails_the_run(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer
) -> None:
    plugin.quiesce(calls.context())
    (client,) = processes(f"--port={server.port} --user=")
    os.kill(client, signal.SIGKILL)
    with pytest.raises(PluginFailed, match="do not rely on this backup"):
        thaw_after_backup(plugin, calls)
    until(lambda: is_free(server, calls))
    assert plugin.unquiesce(calls.context()).code == 0


def test_rights_that_are_missing_are_told(
    server: MariadbTestServer, calls: Calls, plugin: MariadbServer, user: str
) -> None:
    with pytest.raises(PluginFailed, match=r"could not be locked, and nothing stays .*RELOAD") as refused:
        plugin.quiesce(calls.context(MysqlUser=user))
    assert "Access denied" in str(refused.value)
    server.sql(f"GRANT RELOAD ON *.* TO {user}@'%'")
    assert plugin.quiesce(calls.context(MysqlUser=user)).code == 0
    other = MariadbServer(HeldSessions())
    assert thaw_after_backup(other, calls, MysqlUser=user).code == 0, "one's own session needs no right"
    assert is_free(server, calls)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MysqlMethod", "both"),
        ("MysqlDataPath", "data"),
        ("MysqlLockWaitSeconds", "0"),
        ("MysqlHost", "a b"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    calls: Calls, plugin: MariadbServer, field: str, value: str
) -> None:
    for step in (plugin.discover, plugin.quiesce, plugin.unquiesce):
        with pytest.raises(ConfigInvalid) as refusal:
            step(calls.context(**{field: value}))
        assert refusal.value.field == field


def test_a_copy_needs_its_folder(calls: Calls, plugin: MariadbServer) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        plugin.quiesce(calls.context(MysqlMethod="copy"))
    assert refusal.value.field == "MysqlBackupPath"
