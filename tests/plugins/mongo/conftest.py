"""What the tests of the lock share: a scripted server, calls of it, and workers that know of no other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.scripted_mongod import ScriptedMongod
from workflows_app.plugins.mongo.held import HeldConnections
from workflows_app.plugins.mongo.plugin import MongoServer

Workers = Callable[[], MongoServer]


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[ScriptedMongod]:
    with ScriptedMongod(str(tmp_path / "db")) as running:
        yield running


@pytest.fixture
def calls(mongod: ScriptedMongod) -> Calls:
    return Calls({"MongoHost": "127.0.0.1", "MongoPort": str(mongod.port)})


@pytest.fixture
def new_worker() -> Iterator[Workers]:
    """Answers the plugin of a worker that has locked nothing yet, another one at each call."""
    begun: list[HeldConnections] = []

    def begin() -> MongoServer:
        begun.append(HeldConnections())
        return MongoServer(begun[-1])

    yield begin
    for held in begun:
        for kept in held.take_all(lambda _: True):
            kept.client.close()


@pytest.fixture
def plugin(new_worker: Workers) -> MongoServer:
    """The plugin of one worker."""
    return new_worker()
