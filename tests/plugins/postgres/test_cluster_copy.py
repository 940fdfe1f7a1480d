"""The plugin postgres against a real server: the copy is started, and has what the cluster had."""

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.postgres.cluster import PASSWORD, Cluster
from tests.plugins.postgres.conftest import server_parameters
from tests.plugins.postgres.copies import started
from tests.plugins.postgres.waiting import Attempt, processes, slow_checkpoint, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.postgres.plugin import plugin


@pytest.fixture
def copies(cluster: Cluster, shop: str, place: Path) -> Calls:
    """Calls of the plugin postgres."""
    return Calls(
        server_parameters(cluster) | {"PqBackupPath": str(place / "copies"), "PqBinPath": str(cluster.bin)}
    )


def staged(copies: Calls) -> Path:
    return Path(copies.parameters["PqBackupPath"]) / "test" / "shop" / "7"


def test_a_copy_starts_and_has_each_transfer_whole(
    cluster: Cluster, shop: str, copies: Calls, place: Path
) -> None:
    cluster.execute("UPDATE accounts SET balance = 1000000", shop)
    stop = threading.Event()
    transfers = 0

    def transfer() -> None:
        nonlocal transfers
        with cluster.connect(shop) as connection:
            while not stop.is_set():
                connection.execute(
                    "WITH paid AS (UPDATE accounts SET balance = balance - 1 WHERE id = 1 + %(n)s %% 10), "
                    "got AS (UPDATE accounts SET balance = balance + 1 WHERE id = 11 + %(n)s %% 10) "
                    "INSERT INTO ledger (source, target, amount) "
                    "VALUES (1 + %(n)s %% 10, 11 + %(n)s %% 10, 1)",
                    {"n": transfers},
                )
                transfers += 1

    writer = threading.Thread(target=transfer)
    writer.start()
    try:
        until(lambda: transfers > 5)
        begun = transfers
        assert plugin.quiesce(copies.context()).code == 0
        ended = transfers
    finally:
        stop.set()
        writer.join()
    assert ended > begun, "the server was written to while it was copied"
    (found,) = plugin.discover(copies.context()).discover_list
    assert found.data == (str(staged(copies)),)
    with started(staged(copies) / "data", place / "server") as other:
        assert other.rows("SELECT total FROM totals", shop) == [(20_000_000,)]
        moved = dict(other.rows("SELECT target, sum(amount) FROM ledger WHERE amount > 0 GROUP BY 1", shop))
        balances = dict(
            other.rows("SELECT id, balance - 1000000 FROM accounts WHERE id > 10 AND balance > 1000000", shop)
        )
        assert balances == moved
        assert begun <= sum(moved.values()) <= ended + 1, "all that was committed before, nothing of later"


def test_a_copy_of_a_quiet_cluster_is_equal(cluster: Cluster, shop: str, copies: Calls, place: Path) -> None:
    plugin.quiesce(copies.context())
    assert copies.lines(Level.WARN, Level.ERROR) == []
    assert copies.lines()[-1] == f"The copy {staged(copies) / 'data'} is complete and verified"
    assert copies.reports[-1].done_bytes > 0
    assert cluster.rows("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'") == [(0,)]
    with started(staged(copies) / "data", place / "server") as other:
        assert other.contents(shop) == cluster.contents(shop)
    plugin.unquiesce(copies.context())
    assert not staged(copies).exists()


def test_a_restored_copy_is_verified(copies: Calls) -> None:
    plugin.quiesce(copies.context())
    with pytest.raises(PluginFailed, match="is there already: the files of two clusters would be mixed"):
        plugin.pre_restore(copies.restore())
    assert plugin.post_restore(copies.restore()).code == 0
    assert f"The cluster in {staged(copies) / 'data'} is complete. To run it: " in copies.lines()[-1]
    control = staged(copies) / "data" / "global" / "pg_control"
    control.write_bytes(control.read_bytes()[:-1] + b"x")
    with pytest.raises(
        PluginFailed, match=r"is not as it was: .*checksum mismatch for file \"global/pg_control\""
    ):
        plugin.post_restore(copies.restore())
    plugin.unquiesce(copies.context())
    assert plugin.pre_restore(copies.restore()).code == 0
    with pytest.raises(PluginFailed, match="There is no cluster in"):
        plugin.post_restore(copies.restore())


@pytest.mark.parametrize("end", ["cancelled", "killed", "lost"])
def test_a_copy_that_ends_in_the_middle_leaves_nothing(cluster: Cluster, copies: Calls, end: str) -> None:
    with slow_checkpoint(cluster):
        attempt = Attempt(lambda: plugin.quiesce(copies.context(PqCheckpoint="spread")))
        until(lambda: any("waiting for checkpoint" in line for line in copies.lines()))
        assert not processes(PASSWORD), "the password is in no process's arguments"
        if end == "cancelled":
            copies.cancel()
            assert isinstance(attempt.join(), Cancelled)
        elif end == "killed":
            (pid,) = processes(copies.parameters["PqBackupPath"])
            os.kill(pid, signal.SIGKILL)
            assert "pg_basebackup ended with [signal: killed]" in str(attempt.join())
        else:
            cluster.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'"
            )
            assert re.search("terminating connection|closed the connection", str(attempt.join()))
        assert plugin.unquiesce(copies.context()).code == 0
        until(lambda: cluster.rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender'") == [])
    assert not processes(copies.parameters["PqBackupPath"])
    assert [path for path in Path(copies.parameters["PqBackupPath"]).rglob("*") if path.is_file()] == []


def test_a_role_that_may_not_replicate(copies: Calls, role: str) -> None:
    with pytest.raises(PluginFailed, match="must be superuser or replication role to start walsender"):
        plugin.quiesce(copies.context(PqUser=role))


def test_tablespaces_are_refused(cluster: Cluster, copies: Calls, place: Path) -> None:
    (place / "space").mkdir()
    cluster.give(place / "space")
    cluster.execute(f"CREATE TABLESPACE other LOCATION '{place}/space'")
    try:
        with pytest.raises(PluginFailed, match=r"has tablespaces of its own \('other'\)"):
            plugin.quiesce(copies.context())
    finally:
        cluster.execute("DROP TABLESPACE other")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("PqBackupPath", ""),
        ("PqBackupPath", "/a,b"),
        ("PqBinPath", "bin"),
        ("PqBinPath", "/nowhere"),
        ("PqCheckpoint", "never"),
        ("PqUser", ""),
        ("PqDb", "x" * 64),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(copies: Calls, field: str, value: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(copies.context(**{field: value}))
    assert refused.value.field == field
