"""The plugin postgres for a server in a pod: its port is forwarded, the copy is made beside the worker."""

import os
import signal
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pod_cases import (
    WRONG,
    checked,
    failed,
    is_told_what_the_cluster_forbids,
    needs_no_container,
    refused,
)
from tests.plugins.databases.pods import pod_parameters
from tests.plugins.findings import all_good, words
from tests.plugins.kubernetes.api_server import ApiServer
from tests.plugins.postgres.cluster import PASSWORD, Cluster
from tests.plugins.postgres.conftest import server_parameters
from tests.plugins.postgres.copies import started
from tests.plugins.postgres.waiting import Attempt, processes, slow_checkpoint, until
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.findings import FindingState
from workflows_app.domain.results import Level
from workflows_app.plugins.postgres.plugin import plugin

_SENDERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'"


@pytest.fixture
def copies(cluster: Cluster, shop: str, place: Path, pod: ApiServer) -> Calls:
    """Calls for the server that only the pod reaches, as far as the parameters say."""
    (place / "copies").mkdir()
    given = server_parameters(cluster) | pod_parameters(pod)
    del given["PqHost"]
    return Calls(given | {"PqBackupPath": str(place / "copies"), "PqBinPath": str(cluster.bin)})


def staged(copies: Calls) -> Path:
    return Path(copies.parameters["PqBackupPath"]) / "test" / "shop" / "7"


def test_a_copy_of_a_cluster_in_a_pod_starts_and_is_equal(
    cluster: Cluster, shop: str, copies: Calls, place: Path, pod: ApiServer
) -> None:
    assert plugin.quiesce(copies.context()).code == 0
    assert copies.lines(Level.WARN, Level.ERROR) == []
    assert pod.forwards > 1
    assert pod.execs == [], "nothing runs in the pod"
    assert f"on localhost:{cluster.port} of pod 'db'" in "\n".join(copies.lines())
    assert cluster.rows(_SENDERS) == [(0,)]
    with started(staged(copies) / "data", place / "server") as other:
        assert other.contents(shop) == cluster.contents(shop)
    plugin.unquiesce(copies.context())
    assert not staged(copies).exists()


def test_a_restored_copy_is_verified_beside_the_worker(copies: Calls, pod: ApiServer) -> None:
    plugin.quiesce(copies.context())
    pod.pods.clear()
    assert plugin.post_restore(copies.restore()).code == 0
    control = staged(copies) / "data" / "global" / "pg_control"
    control.write_bytes(control.read_bytes()[:-1] + b"x")
    with pytest.raises(PluginFailed, match="is not as it was"):
        plugin.post_restore(copies.restore())


def test_no_container_needs_to_be_named(copies: Calls, pod: ApiServer) -> None:
    needs_no_container(plugin, copies, pod)


def test_the_password_is_in_no_line(copies: Calls) -> None:
    plugin.quiesce(copies.context())
    assert PASSWORD not in str(copies.said)


def test_a_connection_that_breaks_leaves_no_copy_and_no_session(
    cluster: Cluster, copies: Calls, pod: ApiServer
) -> None:
    pod.break_after = 3_000_000
    with pytest.raises(PluginFailed, match="could not be copied, and nothing is kept"):
        plugin.quiesce(copies.context())
    assert list(staged(copies).parent.iterdir()) == []
    until(lambda: cluster.rows(_SENDERS) == [(0,)])


@pytest.mark.parametrize("end", ["cancelled", "killed", "severed"])
def test_a_copy_that_ends_in_the_middle_leaves_nothing(
    cluster: Cluster, copies: Calls, pod: ApiServer, end: str
) -> None:
    with slow_checkpoint(cluster):
        attempt = Attempt(lambda: plugin.quiesce(copies.context(PqCheckpoint="spread")))
        until(lambda: any("waiting for checkpoint" in line for line in copies.lines()))
        if end == "cancelled":
            copies.cancel()
            assert isinstance(attempt.join(), Cancelled)
            copies.go_on()
        elif end == "killed":
            (pid,) = processes(copies.parameters["PqBackupPath"])
            os.kill(pid, signal.SIGKILL)
            assert "pg_basebackup ended with [signal: killed]" in str(attempt.join())
        else:
            pod.sever()
            assert "nothing is kept" in str(attempt.join())
        assert cluster.rows(_SENDERS) != [(0,)], "the session does not notice by itself"
        assert plugin.unquiesce(copies.context()).code == 0
        until(lambda: cluster.rows(_SENDERS) == [(0,)])
    assert not processes(copies.parameters["PqBackupPath"])
    assert [path for path in Path(copies.parameters["PqBackupPath"]).rglob("*") if path.is_file()] == []


def test_unquiesce_without_a_way_into_the_pod_still_removes_the_copy(copies: Calls, pod: ApiServer) -> None:
    plugin.quiesce(copies.context())
    pod.pods.clear()
    assert plugin.unquiesce(copies.context()).code == 0
    assert "Cannot look for sessions" in "\n".join(copies.lines(Level.WARN))
    assert not staged(copies).exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"PqHost": "db.example.org"}, "PqHost"),
        ({"PqHost": "/var/run/postgresql"}, "PqHost"),
        ({"PqSslMode": "verify-full"}, "PqSslMode"),
        ({"Namespace": ""}, "Namespace"),
    ],
)
def test_what_cannot_be_done_into_a_pod_is_refused_by_its_field(
    copies: Calls, change: dict[str, str], field: str
) -> None:
    refused(plugin, copies, change, field)
    assert copies.said == []


def test_a_port_where_no_server_is_says_what_the_cluster_says(copies: Calls) -> None:
    told = failed(plugin, copies, PqPort="1")
    assert "failed to connect to localhost:1: connection refused" in told
    assert "Cannot connect to database 'postgres' on localhost:1 of pod 'db'" in told


def test_a_cluster_that_does_not_allow_it_says_what_is_missing(copies: Calls, pod: ApiServer) -> None:
    is_told_what_the_cluster_forbids(plugin, copies, pod)


def test_the_check_tells_the_way_the_server_and_the_programs(copies: Calls) -> None:
    found = plugin.check(copies.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert "The way to the server is through pod db-0 of namespace shop" in told
    assert "may copy the cluster (REPLICATION)" in told
    assert "pg_basebackup and pg_verifybackup of version" in told


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        ({"PodSelector": "web"}, "PodSelector", "There is no pod with 'web' in the name"),
        ({"PqPort": "1"}, "PqDb", "connection refused"),
        ({"PqPassword": WRONG}, "PqDb", "password authentication failed"),
        ({"PqBinPath": "/nowhere"}, "PqBinPath", "cannot be run"),
    ],
)
def test_the_check_tells_what_is_wrong(copies: Calls, change, parameter, why) -> None:
    assert why in checked(plugin, copies, change, parameter, "PqDb")
    found = plugin.check(copies.context(**change))
    assert "can be written" in words(found, FindingState.GOOD, "PqBackupPath")
