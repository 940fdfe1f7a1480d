"""Loads a dump that was restored to disk into a database, or into those that it comes from."""

from collections.abc import Iterable
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.mongo_dump.listing import RESTORING, names_in
from workflows_app.plugins.mongo_dump.manifest import (
    CollectionKind,
    Manifest,
    read_manifest,
    verify_dump,
)
from workflows_app.plugins.mongo_dump.parameters import Parameters
from workflows_app.plugins.mongo_dump.progress import CollectionProgress, documents_words
from workflows_app.plugins.mongo_dump.replacing import Replacement
from workflows_app.plugins.mongo_server.connection import Client, connected
from workflows_app.plugins.mongo_server.facts import ServerFacts, look


def check_target(
    context: PluginContext, client: Client, parameters: Parameters, databases: tuple[str, ...]
) -> ServerFacts:
    """Look whether a dump may be loaded into ``databases``, and answer what the server is.

    What a lost restore has loaded is no content, and is told. A database that does not exist is made by the
    load. Raises PluginFailed when the server takes no writes, and ConfigInvalid when a database is not empty
    and may not be cleaned.
    """
    server = parameters.server
    facts = look(client, server)
    if not facts.writable:
        raise PluginFailed(
            f"{server.where} takes no writes, since it is not the primary of the replica set "
            f"{facts.replica_set!r}: give the primary's MongoHost, or MongoReplicaSet"
        )
    for database in databases:
        found = names_in(client, server, database)
        names = [name for name in found if not name.startswith(RESTORING)]
        if len(names) < len(found):
            context.warn(
                f"Another restore is loading into {database!r}, or was lost: its collections begin with "
                f"{RESTORING!r}. If there is none, drop them by hand"
            )
        if names and not parameters.clean:
            raise ConfigInvalid(
                "MongoRestoreClean",
                f"database {database!r} on {server.where} is not empty ({len(names)} collections, such as "
                f"{names[0]!r}): set MongoRestoreClean to 'true' to let the restore replace what the dump "
                "has, or restore into an empty database (MongoRestoreDb)",
            )
    return facts


def load_dump(context: PluginContext, parameters: Parameters, folder: Path) -> None:
    """Load the dump in ``folder``.

    It is verified first, and refused when its server was newer than this one. All is loaded beside what is
    there, and only then takes its place. Raises ConfigInvalid, PluginFailed, or Cancelled; each says what
    that left.
    """
    manifest = _verified(context, folder)
    into = _targets(parameters, manifest)
    with connected(parameters.server) as client:
        facts = check_target(context, client, parameters, tuple(into.values()))
        _check_fit(manifest, parameters, facts)
        if facts.sharded:
            context.warn("Collections that are restored are not sharded; shard them again by hand")
        context.info(
            f"Loading the dump of MongoDB {manifest.server_version} ({manifest.moment}) into "
            f"{_quoted(into.values())} of MongoDB {facts.version} on {parameters.server.where}"
        )
        progress = CollectionProgress(context, "loading", "Loaded", len(manifest.collections), manifest.size)
        replacement = Replacement(context, client, parameters, manifest, folder)
        replacement.load(into, progress)
    context.info(
        f"Restored {_quoted(into.values())}: {len(manifest.collections)} collections, "
        f"{documents_words(manifest.documents)}, {size_words(manifest.size)}"
    )


def _verified(context: PluginContext, folder: Path) -> Manifest:
    total = read_manifest(folder).size

    def report(done: int) -> None:
        context.report(Report(done_bytes=done, total_bytes=total, note="verifying the dump"))

    return verify_dump(folder, context.check_cancelled, report)


def _targets(parameters: Parameters, manifest: Manifest) -> dict[str, str]:
    """Into which database each of the dump goes. Raises ConfigInvalid."""
    if manifest.database:
        return {manifest.database: parameters.restore_database or manifest.database}
    if parameters.restore_database:
        raise ConfigInvalid(
            "MongoRestoreDb",
            f"the dump is of all databases ({_quoted(manifest.databases)}), which a restore brings back "
            "under their own names: leave MongoRestoreDb and MongoDb empty",
        )
    return {name: name for name in manifest.databases}


def _check_fit(manifest: Manifest, parameters: Parameters, facts: ServerFacts) -> None:
    if facts.release < manifest.release:
        raise PluginFailed(
            f"The dump is of MongoDB {manifest.server_version}, the server {parameters.server.where} is "
            f"older ({facts.version}): nothing was changed. Restore to a server of version "
            f"{manifest.release[0]}.{manifest.release[1]} or newer"
        )
    series = [one for one in manifest.collections if one.kind == CollectionKind.TIMESERIES]
    if series:
        raise PluginFailed(
            f"The dump has time series, such as {series[0].full_name}, which only mongorestore loads: "
            "nothing was changed. Restore the files to another target, and give their folder to mongorestore"
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
