"""mongo-dump for a server in a pod: its port is forwarded, the worker reads and loads."""

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
from tests.plugins.kubernetes.certificates import Authority
from tests.plugins.mongo.server import PASSWORD, USER, MongoTestServer, guarded_server, running_server
from tests.plugins.mongo_dump.conftest import as_restored, left, staged
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import FindingState
from workflows_app.domain.results import Level
from workflows_app.plugins.mongo_dump.plugin import plugin


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 2.0)


@pytest.fixture
def in_pod(calls: Calls, pod: ApiServer) -> Calls:
    """Calls for the server that only the pod reaches, as far as the parameters say."""
    calls.parameters |= pod_parameters(pod)
    del calls.parameters["MongoHost"]
    return calls


def test_a_dump_comes_out_of_the_pod_and_back_into_another_database(
    server: MongoTestServer, shop: str, empty: str, in_pod: Calls, pod: ApiServer
) -> None:
    before = server.contents(shop)
    assert plugin.quiesce(in_pod.context()).code == 0
    assert f"on localhost:{server.port} of pod 'db' in namespace 'shop'" in in_pod.lines()[0]
    assert in_pod.lines()[-1].endswith(", verified")
    assert pod.forwards > 0
    assert pod.execs == [], "nothing runs in the pod"
    assert plugin.pre_restore(in_pod.restore(MongoRestoreDb=empty)).code == 0
    assert plugin.post_restore(in_pod.restore(MongoRestoreDb=empty)).code == 0
    assert server.contents(empty) == as_restored(before)
    assert not staged(in_pod).exists()


def test_no_container_needs_to_be_named(in_pod: Calls, pod: ApiServer) -> None:
    needs_no_container(plugin, in_pod, pod)


def test_a_connection_that_breaks_leaves_no_dump(in_pod: Calls, pod: ApiServer, impatient: None) -> None:
    in_pod.on_line = lambda text: setattr(pod, "break_after", 1) or pod.sever()
    with pytest.raises(PluginFailed, match="nothing is kept of it"):
        plugin.quiesce(in_pod.context())
    assert left(in_pod) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"MongoHost": "db.example.org"}, "MongoHost"),
        ({"MongoReplicaSet": "rs0"}, "MongoReplicaSet"),
        ({"MongoDumpMethod": "mongodump"}, "MongoDumpMethod"),
        ({"Namespace": ""}, "Namespace"),
    ],
)
def test_what_cannot_be_done_into_a_pod_is_refused_by_its_field(
    in_pod: Calls, change: dict[str, str], field: str
) -> None:
    refused(plugin, in_pod, change, field)
    assert in_pod.said == []


def test_a_port_where_no_server_is_says_what_the_cluster_says(in_pod: Calls, impatient: None) -> None:
    told = failed(plugin, in_pod, MongoPort="1")
    assert "failed to connect to localhost:1: connection refused" in told
    assert "Cannot connect to localhost:1 of pod 'db'" in told


def test_a_cluster_that_does_not_allow_it_says_what_is_missing(in_pod: Calls, pod: ApiServer) -> None:
    is_told_what_the_cluster_forbids(plugin, in_pod, pod)


def test_a_user_is_let_in_through_the_pod(in_pod: Calls) -> None:
    with guarded_server() as guarded:
        given = {"MongoPort": str(guarded.port), "MongoUser": USER, "MongoDb": "shop"}
        assert plugin.quiesce(in_pod.context(**given, MongoPassword=PASSWORD)).code == 0
        assert PASSWORD not in str(in_pod.said)
        assert f"does not let the user '{USER}' in" in failed(plugin, in_pod, **given, MongoPassword=WRONG)


def test_a_certificate_is_checked_through_the_pod(tmp_path: Path, pod: ApiServer, impatient: None) -> None:
    authority, other = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    cert, key = authority.certificate("server")
    with running_server("--tls-cert-file", str(cert), "--tls-key-file", str(key)) as server:
        given = {"MongoPort": str(server.port), "MongoDumpPath": str(tmp_path / "dumps")}
        calls = Calls(given | pod_parameters(pod))
        trusting = {"MongoSslMode": "verify", "MongoSslCa": str(authority.file)}
        assert plugin.pre_restore(calls.restore(**trusting)).code == 0
        with pytest.raises(PluginFailed, match="certificate verify failed"):
            plugin.pre_restore(calls.restore(**{**trusting, "MongoSslCa": str(other.file)}))


def test_the_check_tells_the_way_and_the_server(in_pod: Calls) -> None:
    Path(in_pod.parameters["MongoDumpPath"]).mkdir()
    found = plugin.check(in_pod.context())
    assert all_good(found), found
    assert "The way to the server is through pod db-0 of namespace shop" in words(found, FindingState.GOOD)


def test_the_check_tells_of_a_pod_that_is_not_there_once(in_pod: Calls) -> None:
    told = checked(plugin, in_pod, {"PodSelector": "web"}, "PodSelector", "MongoHost")
    assert "There is no pod with 'web' in the name" in told
    assert not in_pod.lines(Level.ERROR)
