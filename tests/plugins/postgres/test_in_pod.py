"""postgres-dump in a pod: PostgreSQL's programs run there, and the worker has none."""

import tracemalloc
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pod_cases import (
    POD_LACKS,
    WRONG,
    checked,
    ends_in_the_pod_with_a_cancel,
    failed,
    keeps_nothing_of_a_broken_dump,
    keeps_secret,
    refused,
)
from tests.plugins.databases.pods import (
    commands,
    pod_parameters,
    use_busybox,
)
from tests.plugins.findings import all_good, words
from tests.plugins.kubernetes.api_server import PROTOCOLS, ApiServer
from tests.plugins.postgres.cluster import PASSWORD, Cluster
from tests.plugins.postgres.waiting import locked, waiting_sessions
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.postgres_dump.plugin import plugin


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
    keeps_secret(in_pod, pod, PASSWORD, "pg_dump")
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
    refused(plugin, in_pod, change, field)
    assert not staged(in_pod).exists()


def test_a_program_that_the_container_lacks_is_told_of_with_where_it_belongs(in_pod: Calls) -> None:
    told = refused(plugin, in_pod, {"PqRestoreCmd": "no-such-restore"}, "PqRestoreCmd")
    assert "in the image of the container 'main' of pod 'db-0'" in told


def test_a_server_that_refuses_is_told_of_with_its_words(in_pod: Calls, shop: str) -> None:
    told = failed(plugin, in_pod, PqPassword=WRONG)
    for part in ("password authentication failed", "Check PqHost, PqPort, PqUser", "of pod 'db'"):
        assert part in told


def test_a_connection_that_breaks_leaves_no_dump(
    cluster: Cluster, shop: str, in_pod: Calls, pod: ApiServer
) -> None:
    cluster.execute("CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 40000) n", shop)
    keeps_nothing_of_a_broken_dump(plugin, in_pod, pod, 200_000, staged(in_pod).parent)


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
    with locked(cluster, shop):
        ends_in_the_pod_with_a_cancel(plugin, in_pod, pod, lambda: waiting_sessions(cluster, shop))
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
        *POD_LACKS,
        ({"PqDumpCmd": "/nowhere/pg_dump"}, "PqDumpCmd", "in the image of the container 'main'"),
        ({"PqPassword": WRONG}, "PqDb", "password authentication failed"),
        ({"Namespace": ""}, "Namespace", "is empty"),
    ],
)
def test_the_check_tells_what_a_pod_lacks(in_pod: Calls, change, parameter, why) -> None:
    assert why in checked(plugin, in_pod, change, parameter, "PqDb")
