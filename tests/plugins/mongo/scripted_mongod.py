"""A small server that speaks MongoDB's wire protocol and locks as mongod does, for what SecantusDB has not.

It answers just the commands that the plugin sends. Its lock is made after mongod's source
(src/mongo/db/commands/fsync.cpp): it is counted, belongs to no connection, holds up writes, and is gone with
the process. It is no mongod: what a real one does besides is not seen by these tests.
"""

import datetime
import socketserver
import struct
import threading
from collections.abc import Callable
from typing import Any, Self

import bson

_HEADER = struct.Struct("<iiii")
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
Document = dict[str, Any]


class ScriptedMongod:
    """One server; its state may be looked at and changed by a test.

    ``lock_count`` is mongod's. ``notes`` are the documents of local.fossul_locks, ``asked`` the names of the
    commands, ``scripts`` answer a command instead, once, where they answer anything; None drops the
    connection after the command was done. ``meanwhile`` is called, once, when a command has come and is not
    done yet. ``clock`` is the server's time.
    """

    def __init__(self, db_path: str = "", *, primary: bool = False, router: bool = False) -> None:
        self.lock_count = 0
        self.notes: dict[str, Document] = {}
        self.asked: list[str] = []
        self.scripts: dict[str, Callable[[], Document | None]] = {}
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self.clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
        self.comments: list[str] = []
        self._process = bson.ObjectId()
        self.connections = 0
        self._db_path = db_path
        self._primary = primary
        self._router = router
        self._lock = threading.Lock()
        self._server = _Server(self)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        port: int = self._server.server_address[1]
        return port

    def __enter__(self) -> Self:
        serving = {"target": self._server.serve_forever, "kwargs": {"poll_interval": 0.05}}
        threading.Thread(**serving, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def restart(self) -> None:
        """As a mongod that is stopped and started: all locks are gone, what is on the disk stays."""
        self.lock_count = 0
        self._process = bson.ObjectId()

    @property
    def runs(self) -> list[str]:
        """The runs that have left a note."""
        return [name for name in self.notes if name != "turn"]

    def answer(self, command: Document) -> Document | None:
        """What it replies; None to drop the connection instead."""
        name = next(iter(command))
        with self._lock:
            meanwhile = self.meanwhile.pop(name, None)
        if meanwhile is not None:
            meanwhile()
        with self._lock:
            self.asked.append(name)
            done = self._do(name, command)
            script = self.scripts.pop(name, None)
        return done if script is None else script()

    def _do(self, name: str, command: Document) -> Document:
        if name in ("hello", "ismaster", "isMaster"):
            return self._hello(command)
        act: Callable[[Document], Document] | None = getattr(self, f"_do_{name}", None)
        if act is None:
            return _failure(59, f"no such command: '{name}'")
        return act(command)

    def _hello(self, command: Document) -> Document:
        kind = (
            {"msg": "isdbgrid"} if self._router else {"setName": "rs0", "hosts": [f"127.0.0.1:{self.port}"]}
        )
        if "lsid" in command:
            # Not to the driver's monitor, which would then want to be told of changes as they happen.
            kind = {**kind, "topologyVersion": {"processId": self._process, "counter": bson.Int64(0)}}
        return {
            "ok": 1.0, "localTime": self.clock(), "maxWireVersion": 21, "minWireVersion": 0,
            "isWritablePrimary": self._primary,
            "secondary": not self._primary, "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000, "logicalSessionTimeoutMinutes": 30, **kind,
        }  # fmt: skip

    def _do_ping(self, command: Document) -> Document:
        return {"ok": 1.0}

    _do_endSessions = _do_ping

    def _do_buildInfo(self, command: Document) -> Document:
        return {"ok": 1.0, "version": "7.0.5"}

    def _do_getCmdLineOpts(self, command: Document) -> Document:
        return {"ok": 1.0, "parsed": {"storage": {"dbPath": self._db_path}}}

    def _do_currentOp(self, command: Document) -> Document:
        return {"ok": 1.0, "inprog": [], **({"fsyncLock": True} if self.lock_count else {})}

    def _do_fsync(self, command: Document) -> Document:
        assert command["lock"] is True
        self.comments.append(command["comment"])
        self.lock_count += 1
        return {"ok": 1.0, "info": "now locked against writes", "lockCount": self.lock_count}

    def _do_fsyncUnlock(self, command: Document) -> Document:
        if not self.lock_count:
            return _failure(20, "fsyncUnlock called when not locked")
        self.lock_count -= 1
        return {"ok": 1.0, "info": "fsyncUnlock completed", "lockCount": self.lock_count}

    def _do_find(self, command: Document) -> Document:
        assert command["$db"] == "local" and command["find"] == "fossul_locks"
        wanted = command["filter"]["_id"]
        found = [note for name, note in self.notes.items() if name == wanted]
        return {"ok": 1.0, "cursor": {"id": 0, "ns": "local.fossul_locks", "firstBatch": found}}

    def _do_update(self, command: Document) -> Document:
        if "txnNumber" in command:
            return _failure(20, "a secondary keeps no track of retryable writes")
        if self.lock_count:
            return _failure(50, "operation exceeded time limit")
        (one,) = command["updates"]
        wanted, name = one["q"], one["q"]["_id"]
        found = self.notes.get(name, {})
        matched = all(found.get(key) == value for key, value in wanted.items())
        if matched or one.get("upsert"):
            self.notes[name] = one["u"]
        return {"ok": 1.0, "n": int(matched or one.get("upsert", False)), "nModified": int(matched)}

    def _do_insert(self, command: Document) -> Document:
        if self.lock_count:
            return _failure(50, "operation exceeded time limit")
        (document,) = command["documents"]
        if document["_id"] in self.notes:
            error = {"index": 0, "code": 11000, "errmsg": "E11000 duplicate key error"}
            return {"ok": 1.0, "n": 0, "writeErrors": [error]}
        self.notes[document["_id"]] = document
        return {"ok": 1.0, "n": 1}

    def _do_delete(self, command: Document) -> Document:
        if "txnNumber" in command:
            return _failure(20, "a secondary keeps no track of retryable writes")
        if self.lock_count:
            return _failure(50, "operation exceeded time limit")
        count = 0
        for one in command["deletes"]:
            before = one["q"].get("at", {}).get("$lt")
            for name, note in list(self.notes.items()):
                if name == one["q"].get("_id") or (before and note["at"] < before):
                    del self.notes[name]
                    count += 1
        return {"ok": 1.0, "n": count}


def _failure(code: int, words: str) -> Document:
    return {"ok": 0.0, "code": code, "errmsg": words}


def refused(code: int, words: str) -> Callable[[], Document]:
    """A script that says no."""
    return lambda: _failure(code, words)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, mongod: ScriptedMongod) -> None:
        self.mongod = mongod
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.mongod.connections += 1
        try:
            while head := self.rfile.read(_HEADER.size):
                length, request, _, kind = _HEADER.unpack(head)
                body = self.rfile.read(length - _HEADER.size)
                reply = self.server.mongod.answer(_command(kind, body))
                if reply is None:
                    return
                self.wfile.write(_message(kind, request, reply))
        except (ConnectionError, struct.error):
            return
        finally:
            self.server.mongod.connections -= 1


def _command(kind: int, body: bytes) -> Document:
    """The command in a message; its lists of documents may be in sections of their own."""
    if kind == _OP_QUERY:
        return bson.decode(body[body.index(b"\0", 4) + 9 :])
    at, command, lists = 4, {}, {}
    while at < len(body):
        section, at = body[at], at + 1
        (size,) = struct.unpack_from("<i", body, at)
        if section == 0:
            command = bson.decode(body[at : at + size])
        else:
            end = body.index(b"\0", at + 4)
            lists[body[at + 4 : end].decode()] = bson.decode_all(body[end + 1 : at + size])
        at += size
    return {**command, **lists}


def _message(kind: int, request: int, reply: Document) -> bytes:
    document = bson.encode(reply)
    if kind == _OP_QUERY:
        body, code = struct.pack("<iqii", 8, 0, 0, 1) + document, _OP_REPLY
    else:
        body, code = b"\0\0\0\0\0" + document, _OP_MSG
    return _HEADER.pack(_HEADER.size + len(body), request + 1, request, code) + body
