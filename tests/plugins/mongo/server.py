"""A server for tests that speaks MongoDB's protocol and keeps its data on the disk: SecantusDB.

It is a program of its own, poses as MongoDB 8.2, and is no mongod: what it does not have (fsync with a lock,
sharding, text indexes), these tests do not show.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.plugins.postgres.cluster import free_port

USER = "keeper"
PASSWORD = 'correct: horse "battery" #\'1'


def program() -> str:
    """The path of the server's program. Fails when it is not there."""
    found = shutil.which("secantusd-py", path=str(Path(sys.executable).parent)) or shutil.which(
        "secantusd-py"
    )
    if not found:
        pytest.fail("The tests need secantusdb: pip install -r requirements/dev.txt", pytrace=False)
    return found


class MongoTestServer:
    """One server, with its data in ``folder``; a replica set of one member, unless options say otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._client: MongoClient[dict[str, Any]] | None = None

    def start(self, *options: str) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program(), "--host", "127.0.0.1", "--port", str(self.port), "--cache-size", "64M",
                    "--storage-path", str(self.folder / "data"), *options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        end = time.monotonic() + 30
        while not self._answers("--tls-cert-file" in options):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop what runs."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    @property
    def client(self) -> "MongoClient[dict[str, Any]]":
        """A client of a test, without a user."""
        if self._client is None:
            self._client = MongoClient("127.0.0.1", self.port, directConnection=True)
        return self._client

    def contents(self, database: str) -> dict[str, Any]:
        """All that is in a database: documents, byte for byte, options and indexes."""
        opened = self.client[database]
        found: dict[str, Any] = {}
        for info in opened.list_collections():
            name = info["name"]
            if name.startswith("system."):
                continue
            found[name] = (info["type"], info["options"])
            if info["type"] == "collection":
                raw: Any = opened[name].find_raw_batches({}, sort=[("_id", 1)])
                indexes = [{k: v for k, v in one.items() if k != "ns"} for one in opened[name].list_indexes()]
                found[f"{name} documents"] = b"".join(raw)
                found[f"{name} indexes"] = sorted(indexes, key=lambda one: str(one["name"]))
        return found

    def _answers(self, tls: bool) -> bool:
        options = {"tls": True, "tlsInsecure": True} if tls else {}
        try:
            with MongoClient[dict[str, Any]](
                "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=500, **options
            ) as client:
                client.admin.command("hello")
        except PyMongoError:
            return False
        return True


@contextmanager
def running_server(*options: str) -> Iterator[MongoTestServer]:
    """A server of its own, started; stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="fossul-mongo-"))
    server = MongoTestServer(folder)
    try:
        server.start(*options)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextmanager
def guarded_server(*users: dict[str, Any]) -> Iterator[MongoTestServer]:
    """A server that lets in these users alone (arguments of createUser), and one who may do everything."""
    folder = Path(tempfile.mkdtemp(prefix="fossul-mongo-"))
    server = MongoTestServer(folder)
    try:
        server.start()
        for user in ({"createUser": USER, "pwd": PASSWORD, "roles": ["root"]}, *users):
            server.client.admin.command(user)
        server.client["shop"]["accounts"].insert_many([{"_id": n, "balance": n} for n in range(20)])
        server.stop()
        server.start("--auth")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
