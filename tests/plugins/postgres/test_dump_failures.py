"""Bad days of a dump, with a real server: what is said, and that nothing is left that looks good."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.postgres.cluster import PASSWORD, Cluster, free_port, running_cluster
from tests.plugins.postgres.conftest import server_parameters
from tests.plugins.postgres.waiting import Attempt, locked, processes, until, waiting_sessions
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.postgres_dump.plugin import plugin

ROOT = Path(__file__).resolve().parents[3]
LOST_WORKER = """
import json, sys
from tests.plugins.databases.calls import Calls
from workflows_app.plugins.postgres_dump.plugin import plugin
plugin.quiesce(Calls(json.loads(sys.argv[1])).context())
"""


def left(calls: Calls) -> list[str]:
    """All files below PqDumpPath, hidden or not."""
    root = Path(calls.parameters["PqDumpPath"])
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_a_wrong_password(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match="password authentication failed") as failure:
        plugin.quiesce(calls.context(PqPassword="not the right one"))
    assert "not the right one" not in str(failure.value)
    assert "Check PqHost, PqPort, PqUser, PqPassword" in str(failure.value)
    assert left(calls) == []


def test_a_server_that_is_not_there(calls: Calls, place: Path) -> None:
    with pytest.raises(PluginFailed, match="Connection refused"):
        plugin.quiesce(calls.context(PqPort=str(free_port())))
    with pytest.raises(PluginFailed, match="No such file or directory"):
        plugin.pre_restore(calls.restore(PqHost=str(place)))


def test_a_database_that_is_not_there(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match='database "nowhere" does not exist'):
        plugin.quiesce(calls.context(PqDb="nowhere"))
    with pytest.raises(PluginFailed, match='database "nowhere" does not exist'):
        plugin.pre_restore(calls.restore(PqRestoreDb="nowhere"))


def test_a_table_that_may_not_be_read(calls: Calls, role: str) -> None:
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context(PqUser=role))
    assert (
        "nothing is kept of it: pg_dump ended with [exit status 1]: query failed: ERROR:  permission denied"
        in str(failure.value)
    )
    assert (
        calls.lines(Level.ERROR)[0]
        == "pg_dump: error: query failed: ERROR:  permission denied for table accounts"
    )
    assert left(calls) == []


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A filesystem of 200 KiB."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k,mode=755", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small filesystem")
@pytest.mark.parametrize(
    "form", [{}, {"PqDumpFormat": "directory", "PqDumpJobs": "2"}], ids=["custom", "directory"]
)
def test_a_full_disk(cluster: Cluster, shop: str, calls: Calls, form: dict[str, str]) -> None:
    cluster.execute(
        "CREATE TABLE noise AS SELECT md5(random()::text) AS a FROM generate_series(1, 40000)", shop
    )
    with small_disk(Path(calls.parameters["PqDumpPath"])):
        with pytest.raises(PluginFailed, match="No space left on device"):
            plugin.quiesce(calls.context(**form))
        assert left(calls) == []


def test_a_folder_that_cannot_be_made(calls: Calls, place: Path) -> None:
    (place / "dumps").write_text("a file")
    with pytest.raises(PluginFailed, match=r"Cannot write or remove .*Not a directory"):
        plugin.quiesce(calls.context())


def test_a_table_that_stays_locked(cluster: Cluster, shop: str, calls: Calls) -> None:
    with locked(cluster, shop), pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context(PqLockWaitSeconds="1"))
    assert "LOCK TABLE public.ledger" in str(failure.value)
    assert str(failure.value).endswith("It waited 1 s (PqLockWaitSeconds) for a table that is locked")
    assert left(calls) == []


def test_a_pg_dump_that_is_killed_leaves_no_session_that_waits(
    cluster: Cluster, shop: str, calls: Calls
) -> None:
    with locked(cluster, shop):
        attempt = Attempt(lambda: plugin.quiesce(calls.context()))
        until(lambda: waiting_sessions(cluster, shop))
        (pid,) = processes(calls.parameters["PqDumpPath"])
        os.kill(pid, signal.SIGKILL)
        outcome = attempt.join()
        assert isinstance(outcome, PluginFailed)
        assert "pg_dump ended with [signal: killed]" in str(outcome)
        until(lambda: not waiting_sessions(cluster, shop))
    assert left(calls) == []


def test_a_session_that_the_server_ends(cluster: Cluster, shop: str, calls: Calls) -> None:
    with locked(cluster, shop):
        attempt = Attempt(lambda: plugin.quiesce(calls.context()))
        (pid,) = until(lambda: waiting_sessions(cluster, shop))
        cluster.execute(f"SELECT pg_terminate_backend({pid})")
        outcome = attempt.join()
    assert isinstance(outcome, PluginFailed)
    assert "terminating connection due to administrator command" in str(outcome)
    assert left(calls) == []


def test_a_server_that_stops_in_the_middle(place: Path) -> None:
    with running_cluster() as cluster:
        cluster.execute("CREATE TABLE ledger (n int)")
        calls = Calls(
            server_parameters(cluster)
            | {
                "PqDb": "postgres",
                "PqDumpPath": str(place / "dumps"),
                "PqDumpCmd": str(cluster.bin / "pg_dump"),
            }
            | {"PqRestoreCmd": str(cluster.bin / "pg_restore")}
        )
        with cluster.connect() as connection:
            connection.autocommit = False
            connection.execute("LOCK TABLE ledger")
            attempt = Attempt(lambda: plugin.quiesce(calls.context()))
            until(lambda: waiting_sessions(cluster, "postgres"))
            cluster.stop()
            outcome = attempt.join()
            connection.close()
    assert isinstance(outcome, PluginFailed)
    assert "terminating connection due to administrator command" in str(outcome)
    assert left(calls) == []
    assert plugin.unquiesce(calls.context()).code == 0, "nothing stays frozen on a server that is gone"
    assert "Cannot look for sessions" in calls.lines(Level.WARN)[0]


def test_a_cancel_ends_the_dump_and_its_session(cluster: Cluster, shop: str, calls: Calls) -> None:
    with locked(cluster, shop):
        attempt = Attempt(lambda: plugin.quiesce(calls.context()))
        until(lambda: waiting_sessions(cluster, shop))
        assert not processes(PASSWORD), "the password is in no process's arguments"
        calls.cancel()
        assert isinstance(attempt.join(), Cancelled)
        until(lambda: not waiting_sessions(cluster, shop))
    assert not processes(calls.parameters["PqDumpPath"])
    assert left(calls) == []


def test_what_a_lost_worker_left_is_ended_and_removed(cluster: Cluster, shop: str, calls: Calls) -> None:
    """The worker is killed while its pg_dump waits; unquiesce, on the next worker, cleans up."""
    with locked(cluster, shop):
        worker = subprocess.Popen([sys.executable, "-c", LOST_WORKER, json.dumps(calls.parameters)], cwd=ROOT)
        until(lambda: waiting_sessions(cluster, shop), 30)
        worker.kill()
        worker.wait()
        assert waiting_sessions(cluster, shop), "its pg_dump goes on"
        assert plugin.unquiesce(calls.context()).code == 0
        assert calls.lines(Level.WARN) == [
            f"Ended 1 sessions that were left of this run on 127.0.0.1:{cluster.port}"
        ]
        until(lambda: not waiting_sessions(cluster, shop))
    until(lambda: not processes(calls.parameters["PqDumpPath"]))
    assert not (Path(calls.parameters["PqDumpPath"]) / "test" / "shop" / ".7.partial").exists()
    assert left(calls) == []


def test_the_next_attempt_of_a_run_takes_the_place_of_the_last(calls: Calls) -> None:
    partial = Path(calls.parameters["PqDumpPath"]) / "test" / "shop" / ".7.partial"
    partial.mkdir(parents=True)
    (partial / "postgres.dump").write_text("half of one")
    plugin.quiesce(calls.context())
    plugin.quiesce(calls.context())
    assert left(calls) == ["test/shop/7/postgres.dump"]


def test_a_link_out_of_the_dump_path_is_not_followed(calls: Calls, place: Path) -> None:
    (place / "dumps").mkdir()
    (place / "mine" / "shop" / "7").mkdir(parents=True)
    (place / "mine" / "shop" / "7" / "postgres.dump").write_text("mine")
    (place / "dumps" / "test").symlink_to(place / "mine")
    with pytest.raises(PluginFailed, match=r"leads to .*/mine/shop, elsewhere"):
        plugin.quiesce(calls.context())
    plugin.unquiesce(calls.context())
    assert (place / "mine" / "shop" / "7" / "postgres.dump").read_text() == "mine"


def test_no_line_has_the_password(calls: Calls, role: str) -> None:
    with pytest.raises(PluginFailed):
        plugin.quiesce(calls.context(PqUser=role))
    assert not [text for _, text in calls.said if PASSWORD in text]
    assert PASSWORD not in repr(calls.said)


def test_the_workers_own_environment_is_not_the_plugins(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = {"PGHOSTADDR": "192.0.2.1", "PGPASSWORD": PASSWORD, "PGOPTIONS": "-c nonsense=1"}
    with monkeypatch.context() as patched:
        for name, value in worker.items():
            patched.setenv(name, value)
        calls.environment.update(worker)
        assert plugin.quiesce(calls.context()).code == 0
        with pytest.raises(PluginFailed, match="no password supplied"):
            plugin.quiesce(calls.context(PqPassword=""))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("PqHost", "one,two"), ("PqHost", "host name"), ("PqHost", "x?sslmode=disable"), ("PqHost", "-x"),
        ("PqPort", "0"), ("PqPort", "65536"), ("PqPort", "5432x"),
        ("PqUser", ""), ("PqUser", "x" * 64), ("PqUser", "a\nb"),
        ("PqPassword", "a\nb"), ("PqSslMode", "maybe"), ("PqLibraryPath", "lib"),
        ("PqDb", ""), ("PqDb", "x" * 64), ("PqDb", "a\0b"),
        ("PqDumpPath", ""), ("PqDumpPath", "dumps"), ("PqDumpPath", "/a,b"), ("PqDumpPath", "/a\nb"),
        ("PqDumpFormat", "plain"), ("PqDumpJobs", "0"), ("PqDumpJobs", "2"), ("PqDumpJobs", "-1"),
        ("PqLockWaitSeconds", "0"), ("PqLockWaitSeconds", "soon"),
        ("PqDumpCmd", "bin/pg_dump"), ("PqDumpCmd", "-x"), ("PqDumpCmd", "/bin/true"),
        ("PqDumpCmd", "/nowhere/pg_dump"),
        ("PqRestoreCmd", "../pg_restore"), ("PqRestoreCmd", "psql"), ("PqRestoreDb", "x" * 64),
        ("PqRestoreClean", "yes"), ("PqRestoreOwners", "1"), ("PqRestoreJobs", "65"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(calls: Calls, field: str, value: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(calls.context(**{field: value}))
    assert refused.value.field == field
    assert left(calls) == []
