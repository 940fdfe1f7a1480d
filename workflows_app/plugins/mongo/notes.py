"""Which run has locked a server: written into the server itself, so that any worker can unlock it.

MongoDB counts locks, and does not say whose they are. The notes are in ``local.fossul_locks``: that database
is of this server alone (it is not replicated), and takes writes on a secondary, too.
"""

from datetime import UTC, datetime, timedelta

from pymongo import WriteConcern, timeout
from pymongo.collection import Collection

from workflows_app.plugins.mongo_server.connection import Client, Document

DATABASE = "local"
COLLECTION = "fossul_locks"

# A server under a lock answers reads, though it may take its time.
_SECONDS = 30
# Of runs that ended otherwise, and may be forgotten.
_OLD = timedelta(days=30)


class LockNotes:
    """The notes in one server. Its methods raise the driver's errors."""

    def __init__(self, client: Client) -> None:
        self._notes: Collection[Document] = client[DATABASE].get_collection(
            COLLECTION, write_concern=WriteConcern(w=1)
        )

    def write(self, run: str) -> None:
        """Note, before it locks, that ``run`` is about to. The server must not be locked."""
        now = datetime.now(UTC)
        with timeout(_SECONDS):
            self._notes.delete_many({"at": {"$lt": now - _OLD}})
            self._notes.replace_one({"_id": run}, {"_id": run, "at": now}, upsert=True)

    def has(self, run: str) -> bool:
        """Whether ``run`` has noted that it locks."""
        with timeout(_SECONDS):
            return self._notes.find_one({"_id": run}) is not None

    def newest(self) -> str:
        """The run that has noted a lock last, and since when, for people; empty for none."""
        with timeout(_SECONDS):
            found = self._notes.find_one({}, sort=[("at", -1)])
        return f"{found['_id']}, {found['at']:%Y-%m-%d %H:%M} UTC" if found else ""

    def remove(self, run: str) -> None:
        """Forget ``run``. The server must not be locked."""
        with timeout(_SECONDS):
            self._notes.delete_one({"_id": run})
