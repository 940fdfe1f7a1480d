"""The plugin mongo for a server in a pod: the forwarded connection is held while the server is locked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pod_cases import checked, failed
from tests.plugins.databases.pods import pod_parameters
from tests.plugins.findings import bad, words
from tests.plugins.kubernetes.api_server import ApiServer
from tests.plugins.mongo.conftest import Workers
from tests.plugins.mongo.scripted_mongod import ScriptedMongod
from tests.plugins.postgres.waiting import until
from workflows_app.domain.findings import FindingState
from workflows_app.domain.results import Backup, Content
from workflows_app.plugins.mongo.lock import StillLocked
from workflows_app.plugins.mongo.plugin import MongoServer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 3.0)
    monkeypatch.setattr("workflows_app.plugins.mongo.notes._SECONDS", 3.0)


@pytest.fixture
def mongod() -> Iterator[ScriptedMongod]:
    with ScriptedMongod("/data/db") as running:
        yield running


@pytest.fixture
def calls(pod: ApiServer, mongod: ScriptedMongod) -> Calls:
    return Calls({"MongoPort": str(mongod.port)} | pod_parameters(pod))


def test_a_run_locks_and_unlocks_through_the_connection_that_it_holds(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer, pod: ApiServer
) -> None:
    (found,) = plugin.discover(calls.context()).discover_list
    assert found.data == ("/data/db",)
    plugin.quiesce(calls.context())
    assert mongod.lock_count == 1
    handshakes, forwards = mongod.asked.count("ping"), pod.forwards
    plugin.unquiesce(calls.context())
    assert calls.lines() == [f"Unlocked localhost:{mongod.port} of pod 'db' in namespace 'shop'"]
    assert (mongod.asked.count("ping"), pod.forwards) == (handshakes, forwards), "no other connection"
    assert mongod.lock_count == 0
    assert mongod.runs == []
    until(lambda: mongod.connections == 0)


def test_a_connection_that_broke_meanwhile_is_made_anew(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer, pod: ApiServer
) -> None:
    plugin.quiesce(calls.context())
    pod.sever()
    until(lambda: mongod.connections == 0)
    assert mongod.lock_count == 1, "the lock is the server's own"
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_another_worker_unlocks(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer, new_worker: Workers
) -> None:
    plugin.quiesce(calls.context())
    new_worker().unquiesce(calls.context())
    assert mongod.lock_count == 0
    plugin.unquiesce(calls.context())


@pytest.mark.parametrize("trouble", ["no pod", "no right"])
def test_as_long_as_there_is_no_way_into_the_pod_the_unlock_is_tried_again(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer, pod: ApiServer, trouble: str
) -> None:
    plugin.quiesce(calls.context())
    pods = dict(pod.pods)
    if trouble == "no pod":
        pod.pods.clear()
    else:
        pod.denied.add(("create", "pods/portforward"))
    pod.sever()
    until(lambda: mongod.connections == 0)
    with pytest.raises(StillLocked, match=r"may still be locked: .*This is tried again"):
        plugin.unquiesce(calls.context())
    assert mongod.lock_count == 1
    pod.pods |= pods
    pod.denied.clear()
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_a_pod_that_is_not_there_fails_before_anything_is_locked(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    assert "There is no pod with 'web' in the name" in failed(plugin, calls, PodSelector="web")
    assert mongod.asked == []


@pytest.mark.parametrize("source", ["/data/db", "data-mongo-0"])
def test_what_is_back_in_the_cluster_is_not_looked_for_here(
    calls: Calls, plugin: MongoServer, source: str
) -> None:
    context = calls.restore(source=Path("/nowhere"))
    backup = Backup(name="shop-daily-7-1", contents=(Content(type="volume", source=source),))
    object.__setattr__(context, "config", context.config.model_copy(update={"backup": backup}))
    assert plugin.post_restore(context).code == 0
    assert "What was backed up is back. To run it: " in calls.lines()[0]


def test_the_check_tells_the_way_and_the_lock(calls: Calls, plugin: MongoServer) -> None:
    found = plugin.check(calls.context())
    told = words(found, FindingState.GOOD)
    assert "The way to the server is through pod db-0 of namespace shop" in told
    assert "It is not locked" in told
    assert bad(found) == ""
    told = checked(plugin, calls, {"PodSelector": "web"}, "PodSelector", "MongoHost")
    assert "There is no pod with 'web'" in told
