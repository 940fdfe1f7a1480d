"""Processes in pods: streams, ends, breaks and cancels, over the protocol itself."""

import hashlib
import os
import threading
import time
from collections.abc import Callable

import pytest

from tests.plugins.kubernetes.api_server import PROTOCOLS, ApiServer
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.kubernetes.channels import Channel, Ended
from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.exec import executing, run_in_pod
from workflows_app.plugins.kubernetes.pods import Pod

Calls = Callable[..., ClusterCall]
POD = Pod("shop", "db-0", "main")
MIB = 1024 * 1024


def lines_of(call: ClusterCall, cluster: Cluster, *argv: str) -> tuple[Ended, list[tuple[Channel, str]]]:
    heard: list[tuple[Channel, str]] = []
    ended = run_in_pod(call.context, cluster, POD, argv, lambda channel, line: heard.append((channel, line)))
    return ended, heard


def test_lines_of_both_streams_arrive_and_the_end_is_known(cluster_call: Calls, cluster: Cluster) -> None:
    ended, heard = lines_of(
        cluster_call(), cluster, "sh", "-c", "echo one; echo two >&2; printf thr$1", "x", "ee"
    )
    assert ended == Ended()
    assert [line for channel, line in heard if channel == Channel.STDOUT] == ["one", "three"]
    assert [line for channel, line in heard if channel == Channel.STDERR] == ["two"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_exit_code_is_known(
    server: ApiServer, cluster_call: Calls, cluster: Cluster, protocol: str
) -> None:
    server.protocols = (protocol,)
    ended, _ = lines_of(cluster_call(), cluster, "sh", "-c", "exit 3")
    assert ended == Ended(3, "command terminated with exit code 3")


def test_a_program_that_is_not_there_is_no_exit_code(cluster_call: Calls, cluster: Cluster) -> None:
    ended, _ = lines_of(cluster_call(), cluster, "no-such-program")
    assert ended.code is None
    assert "no-such-program" in ended.reason


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_input_is_taken_and_ended(
    server: ApiServer, cluster_call: Calls, cluster: Cluster, protocol: str
) -> None:
    server.protocols = (protocol,)
    sent = os.urandom(3 * MIB + 7)
    digest = hashlib.sha256()
    argv = ["cat"] if protocol == PROTOCOLS[0] else ["head", "-c", str(len(sent))]
    with executing(cluster_call().context, cluster, POD, argv, stdin=True) as process:
        assert process.can_end_input == (protocol == PROTOCOLS[0])
        for start in range(0, len(sent), 100_000):
            assert process.send(sent[start : start + 100_000])
            for _, piece in process.heard():
                digest.update(piece)
        if process.can_end_input:
            process.end_input()
        for _, piece in process.output():
            digest.update(piece)
    assert process.ended == Ended()
    assert digest.hexdigest() == hashlib.sha256(sent).hexdigest()


def test_output_that_comes_after_the_end_is_not_lost(
    server: ApiServer, cluster_call: Calls, cluster: Cluster
) -> None:
    server.early_status = True
    with executing(cluster_call().context, cluster, POD, ["head", "-c", "3000000", "/dev/zero"]) as process:
        received = sum(len(piece) for _, piece in process.output())
    assert (received, process.ended) == (3_000_000, Ended())


def test_a_flood_of_both_streams_does_not_stall_the_input(cluster_call: Calls, cluster: Cluster) -> None:
    """The process prints as much as it reads, while the client only sends."""
    with executing(cluster_call().context, cluster, POD, ["tee", "/dev/stderr"], stdin=True) as process:
        for _ in range(200):
            assert process.send(bytes(64 * 1024))
        process.end_input()
        received = sum(len(piece) for _, piece in process.output())
    assert received == 2 * 200 * 64 * 1024


def test_a_process_that_ends_early_takes_no_more(cluster_call: Calls, cluster: Cluster) -> None:
    with executing(cluster_call().context, cluster, POD, ["sh", "-c", "exit 4"], stdin=True) as process:
        while process.send(bytes(MIB)):
            pass
    assert process.ended == Ended(4, "command terminated with exit code 4")


def test_a_connection_that_breaks_is_no_end(server: ApiServer, cluster_call: Calls, cluster: Cluster) -> None:
    server.break_after = 5 * MIB
    with (
        pytest.raises(PluginFailed, match="broke before the command had ended"),
        executing(cluster_call().context, cluster, POD, ["head", "-c", "50M", "/dev/zero"]) as process,
    ):
        for _ in process.output():
            pass
    assert process.ended is None


def test_an_end_without_a_status_is_no_end(server: ApiServer, cluster_call: Calls, cluster: Cluster) -> None:
    server.silent_end = True
    with pytest.raises(PluginFailed, match="broke before the command had ended"):
        lines_of(cluster_call(), cluster, "echo", "x")


def test_a_cancel_ends_the_wait_and_says_what_may_go_on(cluster_call: Calls, cluster: Cluster) -> None:
    call = cluster_call()
    threading.Timer(0.2, call.cancel).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        lines_of(call, cluster, "sleep", "60")
    assert time.monotonic() - began < 10
    ((level, text),) = call.said
    assert level == Level.WARN
    assert "may still run there" in text


def test_a_cancel_ends_a_send_that_nobody_reads(cluster_call: Calls, cluster: Cluster) -> None:
    call = cluster_call()
    threading.Timer(0.2, call.cancel).start()
    with (
        pytest.raises(Cancelled),
        executing(call.context, cluster, POD, ["sleep", "60"], stdin=True) as process,
    ):
        while process.send(bytes(MIB)):
            pass


def test_a_refusal_names_the_right_that_is_missing(
    server: ApiServer, cluster_call: Calls, cluster: Cluster
) -> None:
    server.denied = {("create", "pods/exec")}
    with pytest.raises(PluginFailed, match="'create' on 'pods/exec'") as refused:
        lines_of(cluster_call(), cluster, "true")
    assert "Cannot run 'true' in namespace [shop] on pod [db-0] container [main]" in str(refused.value)


def test_a_pod_that_is_gone_is_told(cluster_call: Calls, cluster: Cluster) -> None:
    with (
        pytest.raises(PluginFailed, match='pods "gone-0" not found'),
        executing(cluster_call().context, cluster, Pod("shop", "gone-0", "main"), ["true"]),
    ):
        pass


def test_a_cluster_of_another_protocol_is_refused(
    server: ApiServer, cluster_call: Calls, cluster: Cluster
) -> None:
    server.protocols = ()
    with pytest.raises(PluginFailed, match=r"none of the protocols v5.channel.k8s.io, v4.channel.k8s.io"):
        lines_of(cluster_call(), cluster, "true")
