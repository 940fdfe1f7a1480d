"""What the tests of mongo-dump share: one server, a database for each test, calls of the plugin."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import monitoring

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.server import MongoTestServer, running_server

ACCOUNTS = 20


def fill(server: MongoTestServer, name: str) -> None:
    """Put something of everything into a database."""
    shop = server.client[name]
    shop["accounts"].insert_many([{"_id": n, "balance": 1000} for n in range(ACCOUNTS)])
    shop["ledger"].insert_many([{"_id": n, "source": n % 20, "amount": Int64(n)} for n in range(3000)])
    shop["ledger"].create_index([("source", 1), ("amount", -1)], name="by source", unique=True)
    shop["ledger"].create_index("amount", partialFilterExpression={"amount": {"$gt": 3}}, sparse=False)
    shop["places"].create_index([("at", "2dsphere")])
    shop["places"].create_index("seen", expireAfterSeconds=3600)
    shop["places"].insert_one({"at": {"type": "Point", "coordinates": [8.5, 47.4]}})
    everything: list[dict[str, Any]] = [
        {
            "_id": ObjectId(), "double": 0.1, "text": "line\n\tÄÖ😀\"'", "nested": {"a": [1, None]},
            "binary": Binary(b"\x00\xff", 5), "decimal": Decimal128("1E+6144"), "long": Int64(1), "int": 1,
            "date": datetime.datetime(2026, 3, 29, 2, 30, tzinfo=datetime.UTC), "stamp": Timestamp(4, 2),
            "min": MinKey(), "max": MaxKey(), "pattern": Regex("^a.*$", re.IGNORECASE),
            "code": Code("return 1"), "none": None,
        },
        {"_id": "a key", "": "no name"},
        {"_id": {"a": 1, "b": 2}},
    ]  # fmt: skip
    shop["it's/a %file:ü 100%"].insert_many(everything)
    shop.create_collection("capped", capped=True, size=100_000, max=50)
    shop["capped"].insert_many([{"_id": n} for n in (3, 1, 2)])
    shop.create_collection(
        "checked", validator={"$jsonSchema": {"required": ["q"]}}, collation={"locale": "de", "strength": 2}
    )
    shop["checked"].insert_many(
        [RawBSONDocument(b"\x0e\x00\x00\x00\x10_id\x00\x01\x00\x00\x00\x00")], bypass_document_validation=True
    )
    shop.create_collection("empty")
    shop.create_collection("rich", viewOn="accounts", pipeline=[{"$match": {"balance": {"$gt": 10}}}])


class Commands(monitoring.CommandListener):
    """All that is asked of servers while it listens."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Take it down."""
        self.seen.append((event.command_name, dict(event.command)))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to take down."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to take down."""

    def named(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """The commands of a name, and what each is about."""
        return [(str(command[name]), command) for seen, command in self.seen if seen == name]

    def read_concerns(self) -> list[dict[str, Any]]:
        """Those of all reads of documents, in their order."""
        return [
            dict(command.get("readConcern", {}))
            for name, command in self.seen
            if name == "find" or (name == "getMore" and not command["collection"].startswith("$cmd"))
        ]


@pytest.fixture
def commands() -> Iterator[Commands]:
    """All that clients made from now on ask of servers."""
    listener = Commands()
    monitoring.register(listener)
    yield listener
    monitoring._LISTENERS.command_listeners.remove(listener)


@pytest.fixture(scope="session")
def server() -> Iterator[MongoTestServer]:
    """One server for all tests; each has databases of its own."""
    with running_server() as running:
        yield running


@pytest.fixture
def shop(server: MongoTestServer) -> Iterator[str]:
    """A database with something of everything."""
    name = f"shop-{uuid4().hex[:8]}"
    fill(server, name)
    yield name
    server.client.drop_database(name)


@pytest.fixture
def empty(server: MongoTestServer) -> Iterator[str]:
    """The name of a database that does not exist yet."""
    name = f"empty-{uuid4().hex[:8]}"
    yield name
    server.client.drop_database(name)


def server_parameters(server: MongoTestServer) -> dict[str, str]:
    """How a plugin reaches the server."""
    return {"MongoHost": "127.0.0.1", "MongoPort": str(server.port)}


@pytest.fixture
def calls(server: MongoTestServer, shop: str, tmp_path: Path) -> Calls:
    """Calls of mongo-dump for the database of the test."""
    return Calls({**server_parameters(server), "MongoDb": shop, "MongoDumpPath": str(tmp_path / "dumps")})


def staged(calls: Calls, number: int = 7) -> Path:
    """Where the dump of a run is."""
    return Path(calls.parameters["MongoDumpPath"]) / "test" / "shop" / str(number)


def left(calls: Calls) -> list[Path]:
    """The files that are anywhere below the folder of dumps."""
    return [path for path in Path(calls.parameters["MongoDumpPath"]).rglob("*") if path.is_file()]


def as_restored(contents: dict[str, Any]) -> dict[str, Any]:
    """What is in a database after its dump was loaded.

    SecantusDB forgets a collection's options when it is renamed, which MongoDB does not; there they are told
    to be lost (see ``test_what_the_server_does_not_keep_is_said``).
    """
    return {
        name: (value[0], {}) if isinstance(value, tuple) and value[0] == "collection" else value
        for name, value in contents.items()
    }
