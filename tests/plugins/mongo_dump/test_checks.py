"""The test of the plugin: what a dump will need is found out, and nothing is left of the look."""

from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.findings import all_good, bad, words
from tests.plugins.mongo.server import MongoTestServer, guarded_server, running_server
from tests.plugins.mongo_dump.conftest import fill, server_parameters
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.mongo_dump.plugin import plugin

WRONG = "wrong-password"


@pytest.fixture
def folder(calls: Calls) -> Path:
    path = Path(calls.parameters["MongoDumpPath"])
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 1)


def test_all_that_a_dump_needs_is_good(
    calls: Calls, folder: Path, shop: str, server: MongoTestServer
) -> None:
    before = server.contents(shop)
    found = plugin.check(calls.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert f"Database '{shop}' of MongoDB 8.2" in told
    assert "opens: 8 collections" in told
    assert "The server reads all collections at one moment" in told
    assert "The worker may read all collections" in told
    assert f"{folder} can be written" in told
    assert list(folder.iterdir()) == []
    assert server.contents(shop) == before


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        ({"MongoDb": "nowhere"}, "MongoDb", "There is no database 'nowhere'"),
        ({"MongoPort": "1"}, "MongoHost", "Cannot connect"),
        ({"MongoPort": "many"}, "MongoPort", "is not a whole number"),
        ({"MongoUser": "u", "MongoPassword": WRONG}, "MongoHost", "does not let the user 'u' in"),
        ({"MongoDumpMethod": "mongodump", "MongoDumpCmd": "no-such"}, "MongoDumpCmd", "cannot be run"),
        ({"MongoDumpMethod": "mongodump", "MongoDumpCmd": "ls"}, "MongoDumpCmd", "is not mongodump"),
        ({"MongoDumpPath": "/proc/dumps"}, "MongoDumpPath", "cannot be written"),
    ],
)
def test_what_a_dump_lacks_is_told_at_its_parameter(
    calls: Calls, folder: Path, change: dict[str, str], parameter: str, why: str
) -> None:
    found = plugin.check(calls.context(**change))
    assert why in bad(found, parameter), found
    assert WRONG not in bad(found)


def test_that_there_is_no_one_moment_is_doubtful(folder: Path) -> None:
    with running_server("--standalone") as alone:
        fill(alone, "shop")
        calls = Calls({**server_parameters(alone), "MongoDb": "shop", "MongoDumpPath": str(folder)})
        found = plugin.check(calls.context())
        assert "The dump is of no one moment" in words(found, FindingState.WARN, "MongoDb")
        assert bad(found) == ""
        found = plugin.check(calls.context(MongoConsistency="snapshot"))
        assert "is 'snapshot', and" in bad(found, "MongoConsistency")


def test_a_user_who_may_not_read_is_told(folder: Path) -> None:
    with guarded_server({"createUser": "nobody", "pwd": WRONG, "roles": []}) as server:
        calls = Calls({**server_parameters(server), "MongoDb": "shop", "MongoDumpPath": str(folder)})
        found = plugin.check(calls.context(MongoUser="nobody", MongoPassword=WRONG))
        assert "The user 'nobody' may not list the collections of 'shop'" in bad(found)
        assert WRONG not in bad(found)
