"""Tries beforehand what locking a server will need."""

from collections.abc import Iterator

from workflows_app.domain.errors import FossulError, PluginFailed
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal, unknown
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_way, is_missing
from workflows_app.plugins.mongo.data_folder import data_folder
from workflows_app.plugins.mongo.lock import BY_HAND, is_locked
from workflows_app.plugins.mongo.notes import LockNotes
from workflows_app.plugins.mongo.parameters import Parameters
from workflows_app.plugins.mongo_server.connection import Client, connected
from workflows_app.plugins.mongo_server.facts import look
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.wording import shown

FOLDER = "MongoDataPath"
SERVER = "MongoHost"
USER = "MongoUser"

_RIGHTS = frozenset({"fsync", "unlock", "getCmdLineOpts"})


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the server opens and is not locked, and how rights and data folder are."""
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    way = check_way(context)
    yield from way
    if is_missing(way):
        return
    try:
        with connected(parameters.server, retry_writes=False) as client:
            facts = look(client, parameters.server)
            yield good(f"MongoDB {facts.version} on {parameters.server.where} opens", SERVER)
            if facts.sharded:
                yield bad(
                    "It is a router (mongos): give the host of one mongod, and back each shard up", SERVER
                )
                return
            if facts.replica_set and facts.writable:
                yield doubtful(
                    f"It is the primary of the replica set {facts.replica_set!r}: nobody can write while it "
                    "is locked. Give the host of a secondary, if there is one",
                    SERVER,
                )
            yield _lock_state(client, parameters)
            yield from _rights(client, parameters)
            yield from tried(
                context, FOLDER, lambda call: f"Its data is in {shown(str(data_folder(client, parameters)))}"
            )
            yield from tried(context, USER, lambda call: _notes(client, parameters))
    except FossulError as error:
        yield refusal(error, SERVER)


def _lock_state(client: Client, parameters: Parameters) -> Finding:
    with asking(parameters.server, "say whether it is locked (currentOp)"):
        if not is_locked(client):
            return good("It is not locked", SERVER)
        who = LockNotes(client).holder()
    return bad(
        f"It is locked against writes{f' ({who})' if who else ''}. If nobody backs it up, {BY_HAND}", SERVER
    )


def _rights(client: Client, parameters: Parameters) -> Iterator[Finding]:
    if not parameters.server.user:
        return
    with asking(parameters.server, "say what the user may do"):
        status = client.admin.command({"connectionStatus": 1, "showPrivileges": True})
    privileges = status.get("authInfo", {}).get("authenticatedUserPrivileges")
    if not privileges:
        yield unknown("The server does not say what the user may do; a run will show", USER)
        return
    actions = {
        action
        for privilege in privileges
        if privilege.get("resource", {}).get("cluster") or privilege.get("resource", {}).get("anyResource")
        for action in privilege.get("actions", [])
    }
    if missing := sorted(_RIGHTS - actions - (_RIGHTS if "anyAction" in actions else set())):
        yield bad(
            f"The user {parameters.server.user!r} lacks {', '.join(missing)}. Grant the roles hostManager "
            "and clusterMonitor on admin",
            USER,
        )
    else:
        yield good(f"The user {parameters.server.user!r} may lock and unlock", USER)


def _notes(client: Client, parameters: Parameters) -> str:
    """Write a note of no run, and take it away. Raises PluginFailed."""
    if is_locked(client):
        raise PluginFailed("Whether the lock can be noted cannot be tried while the server is locked")
    with asking(parameters.server, "take a note of the lock (local.fossul_locks)"):
        notes = LockNotes(client)
        notes.write("check")
        notes.remove("check")
    return "The run that locks can be noted in local.fossul_locks"
