"""Commands of a configuration that run in a pod, in Fossul's words."""

import threading
from collections.abc import Callable

import pytest

from tests.plugins.kubernetes.api_server import ApiServer, ready_pod
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.command import run_command

Calls = Callable[..., ClusterCall]


@pytest.fixture
def commanded(cluster_call: Calls) -> Callable[..., ClusterCall]:
    """Make a call whose configuration has a command, and its pod in the application's parameters."""

    def make(field: CommandField, value: str, **parameters: str) -> ClusterCall:
        given = cluster_call(**parameters).parameters
        name = field[0].lower() + field[1:]
        return ClusterCall({}, Config.model_validate({name: value, "appPluginParameters": given}))

    return make


def test_a_success_has_the_messages_of_fossul(commanded: Calls) -> None:
    call = commanded(CommandField.PRE_QUIESCE, ":sh,-c,echo one; echo two >&2; sleep 0.1; echo three")
    assert run_command(CommandField.PRE_QUIESCE, call.context) == Result()
    command = "sh -c echo one; echo two >&2; sleep 0.1; echo three"
    value = ":sh,-c,echo one; echo two >&2; sleep 0.1; echo three"
    assert sorted(call.said[2:4]) == [(Level.DEBUG, "STDOUT: one"), (Level.WARN, "STDERR: two")]
    assert call.said[:2] + call.said[4:] == [
        (Level.INFO, f"Performing remote pre quiesce command [{value}] on pod [db-0]"),
        (Level.CMD, f"Executing command [{command}] in namespace [shop] on pod [db-0] container [main]"),
        (Level.DEBUG, "STDOUT: three"),
        (Level.INFO, f"Command [{command}] on pod [db-0] container [main] completed successfully"),
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (CommandField.QUIESCE, "remote quiesce"),
        (CommandField.POST_QUIESCE, "post remote quiesce"),
        (CommandField.PRE_UNQUIESCE, "remote pre unquiesce"),
        (CommandField.UNQUIESCE, "remote unquiesce"),
        (CommandField.POST_UNQUIESCE, "remote post unquiesce"),
        (CommandField.PRE_RESTORE, "remote pre restore app"),
        (CommandField.POST_RESTORE, "remote post restore app"),
    ],
)
def test_each_command_has_its_words(commanded: Calls, field: CommandField, words: str) -> None:
    call = commanded(field, ":true")
    assert run_command(field, call.context) == Result()
    assert call.said[0] == (Level.INFO, f"Performing {words} command [:true] on pod [db-0]")
    assert call.said[-1] == (
        Level.INFO,
        "Command [true ] on pod [db-0] container [main] completed successfully",
    )


def test_a_failure_keeps_what_the_command_printed(commanded: Calls) -> None:
    call = commanded(CommandField.QUIESCE, ":sh,-c,echo why >&2; exit 3")
    assert run_command(CommandField.QUIESCE, call.context) == Result(code=1)
    assert call.said[-2:] == [
        (Level.WARN, "STDERR: why"),
        (Level.ERROR, "Could not execute command: command terminated with exit code 3"),
    ]


def test_only_the_first_colon_is_dropped(commanded: Calls, server: ApiServer) -> None:
    run_command(CommandField.QUIESCE, commanded(CommandField.QUIESCE, "ec:ho,a:b,:c").context)
    assert server.execs[-1]["command"] == ["echo", "a:b", ":c"]


def test_the_container_must_be_named_where_there_are_more(commanded: Calls, server: ApiServer) -> None:
    server.add("two", ready_pod("app-1", containers=("app", "proxy")))
    value, where = ":true", {"Namespace": "two", "PodSelector": "app"}
    with pytest.raises(PluginFailed, match=r"Pod \[app-1\] has more than one containers please specify"):
        run_command(CommandField.QUIESCE, commanded(CommandField.QUIESCE, value, **where).context)
    named = commanded(CommandField.QUIESCE, value, ContainerName="app", **where)
    assert run_command(CommandField.QUIESCE, named.context) == Result()
    assert server.execs[-1]["container"] == ["app"]


def test_a_cancel_ends_the_wait(commanded: Calls) -> None:
    call = commanded(CommandField.QUIESCE, ":sleep,60")
    threading.Timer(0.3, call.cancel).start()
    with pytest.raises(Cancelled):
        run_command(CommandField.QUIESCE, call.context)
    assert "may still run there" in call.said[-1][1]
