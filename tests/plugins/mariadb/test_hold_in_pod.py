"""The session that holds the lock runs in the server's pod: it ends with the connection to it."""

from collections.abc import Iterator

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import commands, leave_programs_alone, pod_parameters
from tests.plugins.kubernetes.api_server import PROTOCOLS, ApiServer
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.holds import blocked, fresh_plugin, holder, is_free, thaw_after_backup
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer
from tests.plugins.mariadb.test_hold_lost import lose_worker
from tests.plugins.mariadb.waiting import locked
from tests.plugins.postgres.waiting import Attempt, processes, until
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.plugins.mariadb.held import HeldSessions
from workflows_app.plugins.mariadb.plugin import MariadbServer


@pytest.fixture(autouse=True)
def programs_go_on(pod: ApiServer) -> None:
    """Those of the pod, when nobody listens to them."""
    leave_programs_alone(pod)


@pytest.fixture
def calls(server: MariadbTestServer, pod: ApiServer) -> Calls:
    """Calls of the plugin mariadb with the method hold, for a server in a pod."""
    return Calls({**server_parameters(server), **pod_parameters(pod), "MysqlMethod": "hold"})


@pytest.fixture
def plugin(calls: Calls) -> Iterator[MariadbServer]:
    """The plugin of a worker that has locked nothing yet."""
    yield from fresh_plugin(calls)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_in_a_pod_is_locked_and_unlocked(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer, pod: ApiServer, protocol: str
) -> None:
    pod.protocols = (protocol,)
    plugin.quiesce(calls.context())
    (waiting,) = blocked(server, shop, "INSERT INTO audit VALUES (1)")
    assert commands(pod)[-1][-1:] == ["sync"]
    assert thaw_after_backup(plugin, calls).code == 0
    assert waiting.join() == []
    assert is_free(server, calls)
    until(lambda: not processes(f"--port={server.port} --user="))
    assert PASSWORD not in str(pod.execs)


def test_another_worker_thaws(server: MariadbTestServer, calls: Calls, plugin: MariadbServer) -> None:
    plugin.quiesce(calls.context())
    assert holder(server, calls) != "NULL"
    assert thaw_after_backup(MariadbServer(HeldSessions()), calls).code == 0
    assert is_free(server, calls)


def test_a_lost_worker_leaves_nothing_locked(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    lose_worker(server, calls, shop)
    until(lambda: is_free(server, calls))
    with pytest.raises(PluginFailed, match="do not rely on this backup"):
        thaw_after_backup(plugin, calls)


def test_a_cancelled_wait_leaves_nothing(
    server: MariadbTestServer, shop: str, calls: Calls, plugin: MariadbServer
) -> None:
    other = Calls(calls.parameters)
    context = calls.context()
    with locked(server, shop):
        attempt = Attempt(lambda: plugin.quiesce(context))
        until(lambda: holder(server, other) != "NULL")
        calls.cancel()
        assert isinstance(attempt.join(), Cancelled)
        assert is_free(server, other)
