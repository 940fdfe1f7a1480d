"""Reaching a cluster: kubeconfig, service account, certificates, tokens, and what goes wrong."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugins.kubernetes.api_server import TOKEN, ApiServer, ready_pod
from tests.plugins.kubernetes.certificates import Authority
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.kubernetes.channels import Ended
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.exec import run_in_pod
from workflows_app.plugins.kubernetes.pods import Pod, find_pod
from workflows_app.plugins.kubernetes.rights import may

Calls = Callable[..., ClusterCall]
DB = Pod("shop", "db-0", "main")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secured(tmp_path: Path, authority: Authority) -> Iterator[ApiServer]:
    """A server with TLS, which knows the authority's clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("server"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_OPTIONAL
    folder = tmp_path / "cluster"
    folder.mkdir(exist_ok=True)
    made = ApiServer(folder)
    made.add("shop", ready_pod("db-0"))
    with made.running(context):
        yield made


def reached(call: ClusterCall) -> tuple[Pod, Ended]:
    """A request and an exec, which have different clients, with the same configuration."""
    with connected(call.context) as cluster:
        pod = find_pod(cluster, call.parameters, lambda text: None)
        return pod, run_in_pod(call.context, cluster, pod, ["true"], lambda channel, line: None)


def call_of(**parameters: str) -> ClusterCall:
    return ClusterCall({"Namespace": "shop", "PodSelector": "db"} | parameters)


def test_a_token_over_tls(secured: ApiServer, authority: Authority) -> None:
    config = secured.kubeconfig(ca=str(authority.file))
    assert reached(call_of(KubeConfig=str(config))) == (DB, Ended())


def test_a_client_certificate(secured: ApiServer, authority: Authority) -> None:
    certificate, key = authority.certificate("worker")
    config = secured.kubeconfig(ca=str(authority.file), certificate=str(certificate), key=str(key))
    assert reached(call_of(KubeConfig=str(config))) == (DB, Ended())


def test_the_workers_kubeconfig_is_taken_where_none_is_named(
    secured: ApiServer, authority: Authority
) -> None:
    call = call_of()
    config = secured.kubeconfig(ca=str(authority.file))
    object.__setattr__(call.context, "environment", {"KUBECONFIG": str(config)})
    assert reached(call) == (DB, Ended())


def test_the_service_account_of_the_workers_pod(
    secured: ApiServer, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    where = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{where}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{where}.SERVICE_CERT_FILENAME", str(authority.file))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(secured.port))
    call = ClusterCall(
        {"Namespace": "shop", "PodSelector": "db"}, Config.model_validate({"accessWithinCluster": "true"})
    )
    assert reached(call) == (DB, Ended())


def test_a_certificate_of_a_stranger_is_refused_by_both_clients(secured: ApiServer, tmp_path: Path) -> None:
    config = secured.kubeconfig(ca=str(Authority(tmp_path, "stranger").file))
    call = call_of(KubeConfig=str(config))
    with connected(call.context) as cluster:
        with pytest.raises(PluginFailed, match="certificate is not trusted"):
            find_pod(cluster, call.parameters, lambda text: None)
        with pytest.raises(PluginFailed, match="certificate is not trusted"):
            run_in_pod(call.context, cluster, DB, ["true"], lambda channel, line: None)


def test_a_wrong_token_is_refused_by_both_clients_and_never_told(server: ApiServer) -> None:
    call = call_of(KubeConfig=str(server.kubeconfig(token="not-the-token")))
    with connected(call.context) as cluster:
        with pytest.raises(PluginFailed, match="does not accept the worker's credentials") as first:
            find_pod(cluster, call.parameters, lambda text: None)
        with pytest.raises(PluginFailed, match="does not accept the worker's credentials") as second:
            run_in_pod(call.context, cluster, DB, ["true"], lambda channel, line: None)
    assert "not-the-token" not in f"{first.value}{second.value}"


def test_a_missing_right_is_named(server: ApiServer, cluster_call: Calls) -> None:
    server.denied = {("list", "pods")}
    call = cluster_call()
    with connected(call.context) as cluster, pytest.raises(PluginFailed, match="'list' on 'pods'") as refused:
        find_pod(cluster, call.parameters, lambda text: None)
    assert "Cannot list pods in namespace 'shop'" in str(refused.value)


def test_rights_are_asked_for(server: ApiServer, cluster_call: Calls) -> None:
    server.denied = {("create", "pods/exec")}
    with connected(cluster_call().context) as cluster:
        assert may(cluster, "list", "pods")
        assert not may(cluster, "create", "pods", subresource="exec")


def test_a_cluster_that_is_away_is_told(server: ApiServer, cluster_call: Calls) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{free.getsockname()[1]}"
    call = cluster_call(KubeConfig=str(server.kubeconfig(server=away)))
    with connected(call.context) as cluster:
        with pytest.raises(PluginFailed, match="cluster cannot be reached"):
            find_pod(cluster, call.parameters, lambda text: None)
        with pytest.raises(PluginFailed, match="cluster cannot be reached"):
            run_in_pod(call.context, cluster, DB, ["true"], lambda channel, line: None)


def test_a_cluster_that_does_not_answer_is_given_up(
    server: ApiServer, cluster_call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.kubernetes.client.TIMEOUT", (1, 0.2))
    server.slow = lambda: 5.0
    call = cluster_call()
    with connected(call.context) as cluster, pytest.raises(PluginFailed, match="did not answer in time"):
        find_pod(cluster, call.parameters, lambda text: None)


def test_an_exec_goes_through_the_proxy_that_is_set(
    server: ApiServer, cluster_call: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that tunnels, as CONNECT asks it to, to wherever it is told."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def tunnel() -> None:
            client, _ = listening.accept()
            with client, socket.create_connection(("127.0.0.1", server.port)) as there:
                asked.append(client.recv(65536))
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=pump, args=(there, client), daemon=True)
                back.start()
                pump(client, there)
                back.join()

        thread = threading.Thread(target=tunnel, daemon=True)
        thread.start()
        call = cluster_call()
        with connected(call.context) as cluster:
            cluster.api.configuration.host = "http://cluster.example:6443"
            cluster.api.configuration.proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
            assert run_in_pod(call.context, cluster, DB, ["true"], lambda channel, line: None) == Ended()
        thread.join(10)
    assert asked[0].startswith(b"CONNECT cluster.example:6443 ")


def pump(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Namespace": ""}, "Namespace: is empty"),
        ({"Namespace": "../x"}, "Namespace: '../x' is not the name"),
        ({"AccessWithinCluster": "yes"}, "AccessWithinCluster: 'yes' is neither true nor false"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigInvalid, match=words), connected(call_of(**parameters).context):
        pass


def test_a_kubeconfig_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(PluginFailed, match=r"Cannot use the kubeconfig .*nothing"),
        connected(call_of(KubeConfig=str(tmp_path / "nothing")).context),
    ):
        pass


def test_a_broken_kubeconfig_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("users: [ {token: hidden-token\n")
    with (
        pytest.raises(PluginFailed, match="it is broken") as refused,
        connected(call_of(KubeConfig=str(tmp_path / "broken")).context),
    ):
        pass
    assert "hidden-token" not in str(refused.value)


def test_a_worker_outside_of_a_cluster_has_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with (
        pytest.raises(PluginFailed, match="AccessWithinCluster is true"),
        connected(call_of(AccessWithinCluster="true").context),
    ):
        pass
