"""The test of the plugin: whether a server can be locked is found out, and it is not locked for that."""

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.findings import all_good, bad, words
from tests.plugins.mongo.scripted_mongod import ScriptedMongod, refused
from tests.plugins.mongo.server import PASSWORD, guarded_server
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.mongo.plugin import plugin


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 1)


def calls_of(port: int) -> Calls:
    return Calls({"MongoHost": "127.0.0.1", "MongoPort": str(port)})


def test_a_secondary_that_can_be_locked_is_good() -> None:
    with ScriptedMongod("/var/lib/mongodb") as mongod:
        found = plugin.check(calls_of(mongod.port).context())
        assert all_good(found), found
        told = words(found, FindingState.GOOD)
        assert "MongoDB 7.0.5 on 127.0.0.1:" in told
        assert "Its data is in /var/lib/mongodb" in told
        assert "It is not locked" in told
        assert "fsync" not in mongod.asked
        assert mongod.notes == {}


def test_a_primary_is_doubtful_and_a_router_is_bad() -> None:
    with ScriptedMongod("/db", primary=True) as mongod:
        found = plugin.check(calls_of(mongod.port).context())
        assert "nobody can write while it is locked" in words(found, FindingState.WARN, "MongoHost")
        assert bad(found) == ""
    with ScriptedMongod("/db", router=True) as mongod:
        assert "It is a router" in bad(plugin.check(calls_of(mongod.port).context()), "MongoHost")


def test_what_is_in_the_way_is_told() -> None:
    with ScriptedMongod() as mongod:
        mongod.lock_count = 1
        found = plugin.check(calls_of(mongod.port).context())
        assert "It is locked against writes" in bad(found, "MongoHost")
        assert "give it as MongoDataPath" in bad(found, "MongoDataPath")
        assert "cannot be tried while the server is locked" in bad(found, "MongoUser")
        mongod.lock_count = 0
        mongod.scripts["delete"] = refused(13, "not authorized on local")
        assert "take a note of the lock" in bad(plugin.check(calls_of(mongod.port).context()), "MongoUser")
    assert "Cannot connect" in bad(plugin.check(calls_of(1).context()), "MongoHost")
    assert "is not a whole number" in bad(plugin.check(calls_of(1).context(MongoPort="x")), "MongoPort")


def test_rights_are_looked_at_where_there_are_users() -> None:
    """Over the real protocol; SecantusDB knows users, and this one may nothing."""
    with guarded_server({"createUser": "nobody", "pwd": PASSWORD, "roles": []}) as server:
        calls = calls_of(server.port)
        found = plugin.check(calls.context(MongoUser="nobody", MongoPassword=PASSWORD))
        assert bad(found), found
        assert PASSWORD not in str(found)
        found = plugin.check(calls.context(MongoUser="nobody", MongoPassword="wrong"))
        assert "does not let the user 'nobody' in" in bad(found, "MongoHost")
