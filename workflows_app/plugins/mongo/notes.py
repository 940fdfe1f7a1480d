"""Which run has locked a server: written into the server itself, so that any worker can unlock it.

MongoDB counts locks, and does not say whose they are. What is written is in ``local.fossul_locks``: that
database is of this server alone (it is not replicated), and takes writes on a secondary, too. A run leaves a
note before it locks, and the turn names the one run that may: it changes hands in one write, so that of
several runs, on whichever workers, one locks. A run has a lock as long as its note is there and the turn is
its own; nothing can be written while the server is locked.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import WriteConcern, timeout
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, PyMongoError

from workflows_app.plugins.mongo_server.connection import Client, Document

DATABASE = "local"
COLLECTION = "fossul_locks"

_TURN = "turn"
# A server under a lock answers reads, though it may take its time.
_SECONDS = 30
# A note without the turn does no harm, and may stay where the server is locked just now.
_TIDY_SECONDS = 5
# A run that has the turn locks at once: mongod counts the lock before it waits for writes that are under way
# (src/mongo/db/commands/fsync.cpp).
_ABOUT_TO_LOCK = timedelta(seconds=60)
# Of runs that ended otherwise, and may be forgotten.
_OLD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """The lock of a run as it was written down; ``name`` is of this lock and no other one, of the same run.

    ``stands`` is false when the lock is gone: another run has the turn, or the server was restarted.
    """

    name: str
    stands: bool


@dataclass(frozen=True, slots=True)
class _Process:
    """A server as it runs now: ``name`` is another one after each start, ``now`` is its own time."""

    name: object
    now: datetime


class LockNotes:
    """The notes in one server. Its methods raise the driver's errors."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._notes: Collection[Document] = client[DATABASE].get_collection(
            COLLECTION, write_concern=WriteConcern(w=1)
        )

    def write(self, run: str) -> None:
        """Leave a note of ``run``. The server must not be locked."""
        now = self._process().now
        with timeout(_SECONDS):
            self._notes.delete_many({"at": {"$lt": now - _OLD}})
            self._notes.replace_one({"_id": run}, {"_id": run, "at": now}, upsert=True)

    def claim(self, run: str) -> str:
        """Leave a note of ``run`` and take the turn; empty when it is had, else the run whose turn it is.

        The server must not be locked.
        """
        self.write(run)
        before = self._find(_TURN)
        process = self._process()
        if before and before["run"] != run and self._stands(before, process):
            self.forget(run)
            return _told(before)
        if self._take(before, {"_id": _TURN, "run": run, "at": process.now, "process": process.name}):
            return ""
        self.forget(run)
        return _told(self._find(_TURN)) or "another run"

    def of(self, run: str) -> Claim | None:
        """What ``run`` has written of its lock; None where it has none."""
        note = self._find(run)
        if note is None:
            return None
        # Without any turn it is a note of an earlier version.
        turn = self._find(_TURN)
        stands = not turn or (turn["run"] == run and turn["process"] == self._process().name)
        return Claim(f"{run} at {note['at']}", stands)

    def holder(self) -> str:
        """The run that has, or is about to take, the lock, and since when, for people; empty for none."""
        turn = self._find(_TURN)
        return _told(turn) if turn and self._find(turn["run"]) else ""

    def remove(self, run: str) -> None:
        """Forget ``run``. The server must not be locked."""
        with timeout(_SECONDS):
            self._notes.delete_one({"_id": run})

    def forget(self, run: str) -> None:
        """Forget ``run``, which has no lock, if the server takes that now."""
        with suppress(PyMongoError), timeout(_TIDY_SECONDS):
            self._notes.delete_one({"_id": run})

    def _stands(self, turn: Document, process: _Process) -> bool:
        """Whether a turn is to be respected while the server is not locked."""
        return (
            process.now - turn["at"] < _ABOUT_TO_LOCK
            and turn["process"] == process.name
            and self._find(turn["run"]) is not None
        )

    def _take(self, before: Document | None, turn: Document) -> bool:
        """Put ``turn`` in the place of ``before``; whether that was still there."""
        with timeout(_SECONDS):
            if before is None:
                try:
                    self._notes.insert_one(turn)
                except DuplicateKeyError:
                    return False
                return True
            same = {key: before[key] for key in ("_id", "run", "at")}
            return self._notes.replace_one(same, turn).matched_count == 1

    def _find(self, name: str) -> Document | None:
        with timeout(_SECONDS):
            return self._notes.find_one({"_id": name})

    def _process(self) -> _Process:
        with timeout(_SECONDS):
            hello = self._client.admin.command("hello")
        # A server that gives its process no name (before 4.4) is not seen to restart.
        return _Process(hello.get("topologyVersion", {}).get("processId"), hello["localTime"])


def _told(turn: Document | None) -> str:
    return f"{turn['run']}, {turn['at']:%Y-%m-%d %H:%M} UTC" if turn else ""
