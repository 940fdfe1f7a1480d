"""postgres-dump in a pod: PostgreSQL's programs run there, and the worker has none."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.pods import (
    commands,
    leave_programs_alone,
    pod_parameters,
    running_pod,
    use_busybox,
)
from tests.plugins.findings import all_good, bad, words
from tests.plugins.kubernetes.api_server import PROTOCOLS, ApiServer
from tests.plugins.postgres.cluster import PASSWORD, Cluster
from tests.plugins.postgres.conftest import Calls
from tests.plugins.postgres.waiting import Attempt, locked, until, waiting_sessions
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.postgres_dump.plugin import plugin


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[ApiServer]:
    with running_pod(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def in_pod(calls: Calls, pod: ApiServer) -> Calls:
    """Calls whose programs run in the pod: the worker finds none."""
    calls.parameters |= pod_parameters(pod)
    calls.environment["PATH"] = "/nowhere"
    return calls


def staged(calls: Calls) -> Path:
    return Path(calls.parameters["PqDumpPath"]) / "test" / "shop" / "7"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dump_comes_out_of_the_pod_and_back_into_another_database(
    cluster: Cluster, shop: str, empty: str, in_pod: Calls, pod: ApiServer, protocol: str
) -> None:
    pod.protocols = (protocol,)
    before = cluster.contents(shop)
    assert plugin.quiesce(in_pod.context()).code == 0
    assert [entry.name for entry in staged(in_pod).iterdir()] == ["postgres.dump"]
    assert (staged(in_pod) / "postgres.dump").stat().st_mode & 0o777 == 0o600
    assert in_pod.lines()[-1].endswith(", verified")
    assert "Dumping table public.ledger" in "\n".join(in_pod.lines())
    assert in_pod.reports[-1].done_bytes == (staged(in_pod) / "postgres.dump").stat().st_size
    assert plugin.pre_restore(in_pod.restore(PqRestoreDb=empty)).code == 0
    assert plugin.post_restore(in_pod.restore(PqRestoreDb=empty)).code == 0
    assert cluster.contents(empty) == before
    assert not staged(in_pod).exists()


def test_busybox_is_enough(cluster: Cluster, shop: str, empty: str, in_pod: Calls, pod: ApiServer) -> None:
    use_busybox(pod)
    plugin.quiesce(in_pod.context())
    plugin.post_restore(in_pod.restore(PqRestoreDb=empty))
    assert cluster.contents(empty) == cluster.contents(shop)


def test_memory_does_not_grow_with_the_dump(cluster: Cluster, shop: str, empty: str, in_pod: Calls) -> None:
    cluster.execute(
        "CREATE TABLE big AS SELECT string_agg(md5((60 * n + k)::text), '') AS text "
        "FROM generate_series(1, 16000) n, generate_series(1, 60) k GROUP BY n",
        shop,
    )
    tracemalloc.start()
    try:
        plugin.quiesce(in_pod.context())
        size = (staged(in_pod) / "postgres.dump").stat().st_size
        plugin.post_restore(in_pod.restore(PqRestoreDb=empty))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 2
    assert cluster.rows("SELECT count(*) FROM big", empty) == [(16000,)]


def test_the_password_is_in_no_argument_and_no_line(in_pod: Calls, pod: ApiServer) -> None:
    plugin.quiesce(in_pod.context())
    assert any("pg_dump" in argument for command in commands(pod) for argument in command)
    assert PASSWORD not in str(pod.execs)
    assert PASSWORD not in str(in_pod.said)
    assert len({command[2] for command in commands(pod)}) == 2, "the scripts are constants"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"PqDumpFormat": "directory"}, "PqDumpFormat"),
        ({"PqRestoreJobs": "2"}, "PqRestoreJobs"),
        ({"Namespace": ""}, "Namespace"),
        ({"PqDumpCmd": "/nowhere/pg_dump"}, "PqDumpCmd"),
        ({"PqRestoreCmd": "no-such-restore"}, "PqRestoreCmd"),
    ],
)
def test_what_cannot_be_done_in_a_pod_is_refused_by_its_field(
    in_pod: Calls, change: dict[str, str], field: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(in_pod.context(**change))
    assert refused.value.field == field
    assert not staged(in_pod).exists()


def test_a_program_that_the_container_lacks_is_told_of_with_where_it_belongs(in_pod: Calls) -> None:
    with pytest.raises(ConfigInvalid, match=r"in the image of the container 'main' of pod 'db-0'"):
        plugin.quiesce(in_pod.context(PqRestoreCmd="no-such-restore"))


def test_a_server_that_refuses_is_told_of_with_its_words(in_pod: Calls, shop: str) -> None:
    with pytest.raises(PluginFailed, match="password authentication failed") as refused:
        plugin.quiesce(in_pod.context(PqPassword="wrong-password"))
    assert "Check PqHost, PqPort, PqUser" in str(refused.value)
    assert "of pod 'db'" in str(refused.value)
    assert "wrong-password" not in str(refused.value)


def test_a_connection_that_breaks_leaves_no_dump(
    cluster: Cluster, shop: str, in_pod: Calls, pod: ApiServer
) -> None:
    cluster.execute("CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 40000) n", shop)
    pod.break_after = 200_000
    with pytest.raises(PluginFailed, match="broke before the command had ended") as failed:
        plugin.quiesce(in_pod.context())
    assert "nothing is kept of it" in str(failed.value)
    assert list(staged(in_pod).parent.iterdir()) == []


def test_a_connection_that_breaks_during_a_restore_changes_nothing(
    cluster: Cluster, shop: str, empty: str, in_pod: Calls, pod: ApiServer
) -> None:
    cluster.execute("CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 90000) n", shop)
    plugin.quiesce(in_pod.context())
    size = (staged(in_pod) / "postgres.dump").stat().st_size
    in_pod.on_line = lambda text: setattr(
        pod, "break_input", size // 2 if text.startswith("Loading the dump of") else pod.break_input
    )
    with pytest.raises(PluginFailed, match="unless pg_restore still ends that in the pod"):
        plugin.post_restore(in_pod.restore(PqRestoreDb=empty))
    assert cluster.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty) == [(0,)]
    assert (staged(in_pod) / "postgres.dump").exists()


def test_a_failed_restore_says_why_and_changes_nothing(cluster: Cluster, empty: str, in_pod: Calls) -> None:
    plugin.quiesce(in_pod.context())
    cluster.execute("CREATE VIEW ledger AS SELECT 1 AS one", empty)
    with pytest.raises(PluginFailed, match="it is as it was") as failed:
        plugin.post_restore(in_pod.restore(PqRestoreDb=empty, PqRestoreClean="true"))
    assert "not supported for views" in str(failed.value)
    assert cluster.rows("SELECT * FROM ledger", empty) == [(1,)]


def test_a_dump_that_waits_is_killed_in_the_pod_when_nobody_listens(
    cluster: Cluster, shop: str, in_pod: Calls, pod: ApiServer
) -> None:
    leave_programs_alone(pod)
    with locked(cluster, shop):
        attempt = Attempt(lambda: plugin.quiesce(in_pod.context()))
        until(lambda: bool(waiting_sessions(cluster, shop)))
        in_pod.cancel()
        assert isinstance(attempt.join(), Cancelled)
        until(lambda: not waiting_sessions(cluster, shop))
        in_pod._cancelled.clear()
        assert plugin.unquiesce(in_pod.context()).code == 0
    assert not staged(in_pod).exists()


def test_a_damaged_dump_is_found_before_anything_is_loaded(
    cluster: Cluster, empty: str, in_pod: Calls
) -> None:
    plugin.quiesce(in_pod.context())
    dump = staged(in_pod) / "postgres.dump"
    dump.write_bytes(dump.read_bytes()[:-2000])
    with pytest.raises(PluginFailed, match="cannot be read"):
        plugin.post_restore(in_pod.restore(PqRestoreDb=empty))
    assert cluster.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty) == [(0,)]


def test_the_check_tells_the_pod_the_server_and_the_programs(in_pod: Calls, shop: str) -> None:
    Path(in_pod.parameters["PqDumpPath"]).mkdir()
    found = plugin.check(in_pod.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert "The programs run in pod db-0, container main, of namespace shop" in told
    assert f"Database '{shop}' of PostgreSQL" in told
    assert "may read all tables" in told
    assert "pg_dump and pg_restore are there" in told


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        ({"PodSelector": "web"}, "PodSelector", "There is no pod with 'web' in the name"),
        ({"ContainerName": "other"}, "PodSelector", "has no container 'other'"),
        ({"PqDumpCmd": "/nowhere/pg_dump"}, "PqDumpCmd", "in the image of the container 'main'"),
        ({"PqPassword": "wrong-password"}, "PqDb", "password authentication failed"),
        ({"Namespace": ""}, "Namespace", "is empty"),
    ],
)
def test_the_check_tells_what_a_pod_lacks(in_pod: Calls, change, parameter, why) -> None:
    found = plugin.check(in_pod.context(**change))
    assert why in bad(found, parameter)
    assert "wrong-password" not in bad(found)
    assert parameter != "PodSelector" or bad(found, "PqDb") == "", "said once"
