"""A port of a pod as a socket of this machine: what goes through, and what happens when nothing does."""

import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.plugins.kubernetes.api_server import ApiServer
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.forwarding import forwarding
from workflows_app.plugins.kubernetes.pods import Pod

Calls = Callable[..., ClusterCall]
POD = Pod("shop", "db-0", "")
MIB = 1024 * 1024


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server in the pod that serves each of its clients in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=attend, args=(client,)).start()

        def attend(client: socket.socket) -> None:
            with client, suppress(ConnectionError):
                serve(client)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()


def echo(client: socket.socket) -> None:
    while data := client.recv(65536):
        client.sendall(data)


def dialled(folder: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(folder / "way.sock"))
    return client


def taken(client: socket.socket, size: int) -> bytes:
    found = bytearray()
    # What the other side has not read when it hangs up resets the connection.
    with suppress(ConnectionResetError):
        while len(found) < size and (data := client.recv(size - len(found))):
            found += data
    return bytes(found)


def test_many_clients_speak_to_the_port_at_once(server: ApiServer, cluster: Cluster) -> None:
    with listening(echo) as port, forwarding(cluster, POD, port, "way.sock") as forward:
        clients = [dialled(forward.folder) for _ in range(4)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number * 100)
        for number, client in enumerate(clients):
            assert taken(client, 100) == b"%d" % number * 100
            client.close()
        assert forward.trouble == ""
    assert server.forwards == 4, "the first connection is used, too"


def test_what_is_large_arrives_whole_both_ways(cluster: Cluster) -> None:
    sent = os.urandom(7 * MIB + 3)
    with (
        listening(echo) as port,
        forwarding(cluster, POD, port, "way.sock") as forward,
        dialled(forward.folder) as client,
    ):
        sending = threading.Thread(target=client.sendall, args=(sent,))
        sending.start()
        found = taken(client, len(sent))
        sending.join()
    assert hashlib.sha256(found).digest() == hashlib.sha256(sent).digest()


def test_what_the_pod_says_last_arrives(cluster: Cluster) -> None:
    with (
        listening(lambda client: client.sendall(bytes(3 * MIB))) as port,
        forwarding(cluster, POD, port, "way.sock") as forward,
        dialled(forward.folder) as client,
    ):
        assert len(taken(client, 4 * MIB)) == 3 * MIB


def test_a_client_that_leaves_ends_the_connection_in_the_pod(cluster: Cluster) -> None:
    gone = threading.Event()

    def wait(client: socket.socket) -> None:
        assert client.recv(100) == b"bye"
        assert client.recv(100) == b""
        gone.set()

    with listening(wait) as port, forwarding(cluster, POD, port, "way.sock") as forward:
        client = dialled(forward.folder)
        client.sendall(b"bye")
        client.close()
        assert gone.wait(10)


def test_the_end_of_the_block_ends_connections_and_removes_the_socket(cluster: Cluster) -> None:
    with listening(echo) as port:
        with forwarding(cluster, POD, port, "way.sock") as forward:
            assert (forward.folder.stat().st_mode & 0o777) == 0o700, "only the worker's user may come in"
            client = dialled(forward.folder)
            client.sendall(b"x")
            assert taken(client, 1) == b"x"
        assert client.recv(1) == b""
        client.close()
    assert not forward.folder.exists()
    assert [thread for thread in threading.enumerate() if "_attend" in thread.name] == []


def test_a_client_that_reads_slowly_holds_the_pod_back(cluster: Cluster) -> None:
    given = 0

    def flood(client: socket.socket) -> None:
        nonlocal given
        try:
            while True:
                given += client.send(bytes(65536))
        except OSError:
            return

    with (
        listening(flood) as port,
        forwarding(cluster, POD, port, "way.sock") as forward,
        dialled(forward.folder) as client,
    ):
        taken(client, 1)
        before = -1
        while given != before:
            before = given
            threading.Event().wait(0.3)
        assert given < 60 * MIB, "what nobody takes is not fetched"


def test_a_port_where_nobody_listens_is_told_of(cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken_port:
        port = taken_port.getsockname()[1]
    with forwarding(cluster, POD, port, "way.sock") as forward, dialled(forward.folder) as client:
        assert client.recv(1) == b""
        assert f"failed to connect to localhost:{port}" in forward.trouble


def test_a_cluster_that_does_not_allow_it_says_what_is_missing(server: ApiServer, cluster: Cluster) -> None:
    server.denied.add(("create", "pods/portforward"))
    with (
        pytest.raises(PluginFailed, match="verb 'create' on 'pods/portforward'") as refused,
        forwarding(cluster, POD, 5432, "way.sock"),
    ):
        pass
    assert "Cannot reach port 5432 of pod 'db-0' in namespace 'shop'" in str(refused.value)


def test_a_pod_that_is_gone_is_told_of(cluster: Cluster) -> None:
    with (
        pytest.raises(PluginFailed, match="it is not there"),
        forwarding(cluster, Pod("shop", "db-9", ""), 5432, "way.sock"),
    ):
        pass


def test_a_connection_that_breaks_ends_the_clients_and_a_later_one_is_made(
    server: ApiServer, cluster: Cluster
) -> None:
    server.break_after = 2 * MIB
    with listening(echo) as port, forwarding(cluster, POD, port, "way.sock") as forward:
        with dialled(forward.folder) as client:
            sending = threading.Thread(target=_flood, args=(client,))
            sending.start()
            assert len(taken(client, 5 * MIB)) <= 2 * MIB
            sending.join()
        server.break_after = None
        with dialled(forward.folder) as client:
            client.sendall(b"again")
            assert taken(client, 5) == b"again"


def _flood(client: socket.socket) -> None:
    try:
        client.sendall(bytes(5 * MIB))
    except OSError:
        return


def test_no_room_for_a_socket_is_told_of(cluster: Cluster, monkeypatch, tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(PluginFailed, match="TMPDIR"), forwarding(cluster, POD, 5432, "way.sock"):
        pass
