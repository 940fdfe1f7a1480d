"""The connections through which servers were locked, kept open until they are unlocked.

A locked server may let nobody in any more: it reads who a user is, and such a read may wait behind a write
that the lock holds up. Whoever is in can unlock
(https://www.mongodb.com/docs/manual/reference/method/db.fsyncLock/).
"""

from dataclasses import dataclass

from workflows_app.plugins.databases.held_locks import HeldLocks
from workflows_app.plugins.mongo_server.connection import Client


@dataclass(frozen=True, slots=True)
class HeldConnection:
    """A connection to the server ``where``, which a run has locked."""

    where: str
    client: Client


class HeldConnections(HeldLocks[HeldConnection]):
    """Those of this worker, one to a server at most."""

    def hold(self, run: str, where: str, client: Client) -> None:
        """Keep the connection with which ``run`` has locked ``where``; one of an earlier run is closed."""
        for earlier in self.take_all(lambda held: held.where == where):
            earlier.client.close()
        self.keep(run, HeldConnection(where, client))


held_connections = HeldConnections()
"""Those of this worker."""
