"""What a server says of itself."""

from dataclasses import dataclass

from workflows_app.plugins.mongo_server.connection import Client
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.mongo_server.server import Server

Release = tuple[int, int]

# The first release that reads several collections at one moment outside of a transaction.
_SNAPSHOTS = (5, 0)
SYSTEM_DATABASES = frozenset({"admin", "config", "local"})


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A look at a server.

    ``release`` is the first two parts of ``version``. ``replica_set`` is the name of the set that it is a
    member of, empty for a server on its own; ``sharded`` says that it is a router (mongos) of a cluster,
    ``writable`` that it takes writes.
    """

    version: str
    release: Release
    replica_set: str
    sharded: bool
    writable: bool

    @property
    def has_snapshots(self) -> bool:
        """Whether several collections can be read at one moment."""
        return bool(self.replica_set or self.sharded) and self.release >= _SNAPSHOTS

    @property
    def kind(self) -> str:
        """What it is, for people."""
        if self.sharded:
            return "a router of a sharded cluster"
        return f"a member of the replica set {self.replica_set!r}" if self.replica_set else "on its own"


def look(client: Client, server: Server) -> ServerFacts:
    """Ask a server what it is. Raises PluginFailed."""
    with asking(server, "say what it is"):
        hello = client.admin.command("hello")
        version = str(client.admin.command("buildInfo")["version"])
    numbers = [int(part) for part in version.split(".")[:2]]
    return ServerFacts(
        version=version,
        release=(numbers[0], numbers[1]),
        replica_set=str(hello.get("setName", "")),
        sharded=hello.get("msg") == "isdbgrid",
        writable=bool(hello.get("isWritablePrimary")),
    )
