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
        self._given_back: set[tuple[str, str]] = set()

    def give_back(self, where: str, run: str) -> None:
        """Remember that ``run`` has no lock on ``where`` any more, though its note cannot be removed yet."""
        with self._lock:
            self._given_back.add((where, run))

    def begin(self, where: str, run: str) -> None:
        """Remember that ``run`` is about to lock ``where``, perhaps anew."""
        with self._lock:
            self._given_back.discard((where, run))

    def gave_back(self, where: str, run: str) -> bool:
        """Whether ``run`` gave its lock on ``where`` back on this worker."""
        with self._lock:
            return (where, run) in self._given_back

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
