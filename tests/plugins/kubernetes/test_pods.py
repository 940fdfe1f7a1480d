"""Which pod and container a configuration means."""

from collections.abc import Callable

import pytest

from tests.plugins.kubernetes.api_server import ApiServer, ready_pod
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.pods import Pod, find_pod

Calls = Callable[..., ClusterCall]
HASHED = {"app": "web", "pod-template-hash": "5d9"}


def found(call: ClusterCall) -> Pod:
    with connected(call.context) as cluster:
        return find_pod(cluster, call.parameters, call.context.info)


def test_a_part_of_the_name_finds_the_pod(cluster_call: Calls) -> None:
    assert found(cluster_call(PodSelector="b-0")) == Pod("shop", "db-0", "main")


def test_labels_find_the_pod(server: ApiServer, cluster_call: Calls) -> None:
    server.add("shop", ready_pod("web-1", labels={"app": "web"}))
    assert found(cluster_call(PodSelector="", LabelSelector="app=web")).name == "web-1"


def test_name_and_labels_must_both_fit(cluster_call: Calls) -> None:
    with pytest.raises(PluginFailed, match="no pod with 'x' in the name and the labels app=db"):
        found(cluster_call(PodSelector="x", LabelSelector="app=db"))


def test_the_newest_pod_of_a_workload_is_taken_and_told(server: ApiServer, cluster_call: Calls) -> None:
    server.add(
        "shop",
        ready_pod("web-5d9-b", owner="ReplicaSet/web-5d9", labels=HASHED, created="2026-03-01T00:00:00Z"),
        ready_pod(
            "web-7f0-a",
            owner="ReplicaSet/web-7f0",
            labels={**HASHED, "pod-template-hash": "7f0"},
            created="2026-04-01T00:00:00Z",
        ),
        ready_pod("web-5d9-a", owner="ReplicaSet/web-5d9", labels=HASHED, created="2026-02-01T00:00:00Z"),
    )
    call = cluster_call(PodSelector="web")
    assert found(call).name == "web-7f0-a"
    assert call.lines() == ["Pods web-5d9-a, web-5d9-b, web-7f0-a fit; the newest, web-7f0-a, is taken"]


def test_pods_of_different_workloads_are_refused(server: ApiServer, cluster_call: Calls) -> None:
    server.add("shop", ready_pod("db-replica-0", owner="StatefulSet/db-replica"))
    with pytest.raises(PluginFailed, match="different workloads in namespace 'shop' fit: db-0, db-replica-0"):
        found(cluster_call(PodSelector="db"))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"ready": False}, "Running but not ready"),
        ({"deleted": True}, "being deleted"),
    ],
)
def test_a_pod_that_is_not_ready_is_not_taken(
    server: ApiServer, cluster_call: Calls, changes: dict[str, object], state: str
) -> None:
    server.add("shop", ready_pod("web-1", **changes))
    with pytest.raises(PluginFailed, match=f"is running and ready: web-1 is {state}"):
        found(cluster_call(PodSelector="web"))


def test_a_namespace_without_pods_is_told(cluster_call: Calls) -> None:
    with pytest.raises(PluginFailed, match="There is no pod with 'db' in the name in namespace 'empty'"):
        found(cluster_call(Namespace="empty"))


def test_a_container_that_is_not_there_is_told_with_those_that_are(
    server: ApiServer, cluster_call: Calls
) -> None:
    server.add("shop", ready_pod("web-1", containers=("app", "proxy")))
    assert found(cluster_call(PodSelector="web", ContainerName="proxy")).container == "proxy"
    with pytest.raises(PluginFailed, match="has no container 'other': give one of app, proxy"):
        found(cluster_call(PodSelector="web", ContainerName="other"))
