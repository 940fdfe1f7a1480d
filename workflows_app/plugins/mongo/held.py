"""The connections through which servers were locked, kept open until they are unlocked.

A locked server may let nobody in any more: it reads who a user is, and such a read may wait behind a write
that the lock holds up. Whoever is in can unlock
(https://www.mongodb.com/docs/manual/reference/method/db.fsyncLock/).
"""

import threading
from dataclasses import dataclass

from workflows_app.plugins.mongo_server.connection import Client


@dataclass(frozen=True, slots=True)
class _Held:
    run: str
    client: Client


class HeldConnections:
    """The connection to each server that a run of this worker has locked. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def keep(self, where: str, run: str, client: Client) -> None:
        """Keep the connection of ``run`` to the server ``where``; one of an earlier run is closed."""
        with self._lock:
            before = self._held.get(where)
            self._held[where] = _Held(run, client)
        if before is not None:
            before.client.close()

    def take(self, where: str, run: str) -> Client | None:
        """The connection of ``run`` to the server ``where``, no longer kept; None where there is none."""
        with self._lock:
            held = self._held.get(where)
            if held is None or held.run != run:
                return None
            del self._held[where]
            return held.client


held_connections = HeldConnections()
"""Those of this worker."""
