"""Makes a dump: in mongodump's own folders, verified, and there whole or not at all."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.executable import NotExecutable, find_executable
from workflows_app.plugins.mongo_dump.driver_dump import Catalog, DriverDump
from workflows_app.plugins.mongo_dump.listing import has_functions, list_collections, list_databases
from workflows_app.plugins.mongo_dump.manifest import (
    DUMP,
    CollectionKind,
    DumpedCollection,
    Manifest,
    verify_dump,
    write_manifest,
)
from workflows_app.plugins.mongo_dump.parameters import Consistency, DumpFormat, DumpMethod, Parameters
from workflows_app.plugins.mongo_dump.program_dump import MongodumpProgram, dumped_collections, out_argument
from workflows_app.plugins.mongo_dump.progress import CollectionProgress, documents_words
from workflows_app.plugins.mongo_server.connection import Client, connected
from workflows_app.plugins.mongo_server.facts import ServerFacts, look
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import reason_of, shown


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be dumped, and how: the server, the collections, the bytes that they have, the method."""

    facts: ServerFacts
    catalog: Catalog
    size: int
    method: DumpMethod
    consistency: Consistency

    @property
    def collections(self) -> int:
        """How many collections and views there are."""
        return sum(map(len, self.catalog.values()))


def make_dump(context: PluginContext, parameters: Parameters, staging: Staging) -> None:
    """Dump the database, or all of them, into ``staging``.

    Nothing is frozen: others read and write. All collections are of one moment where the server can do that;
    where not, it is said. Raises ConfigInvalid, PluginFailed, or Cancelled; then no dump is there.
    """
    end_leftovers(context, out_argument(staging.partial / DUMP))
    with connected(parameters.server) as client:
        source = find_source(context, client, parameters)
        context.info(
            f"Dumping {parameters.what} of MongoDB {source.facts.version} on {parameters.server.where}: "
            f"{source.collections} collections, {size_words(source.size)}"
        )
        try:
            with staging.filling(context.warn) as folder:
                manifest = _dump(context, client, parameters, source, folder)
                verify_dump(folder, context.check_cancelled)
        except OSError as error:
            raise PluginFailed(
                f"No dump of {parameters.what} was made, and nothing is kept of it: cannot write below "
                f"{shown(str(staging.partial))}: {reason_of(error)}"
            ) from None
        except PluginFailed as error:
            raise PluginFailed(
                f"No dump of {parameters.what} was made, and nothing is kept of it: {error}"
            ) from None
    context.info(
        f"Dump {shown(str(staging.path / DUMP))} completed: {len(manifest.collections)} collections, "
        f"{documents_words(manifest.documents)}, {size_words(manifest.size)}, verified"
    )


def find_source(context: PluginContext, client: Client, parameters: Parameters) -> Source:
    """Look at what is to be dumped, say what the dump will not be, and refuse one that would not have all.

    Raises ConfigInvalid, PluginFailed.
    """
    server = parameters.server
    facts = look(client, server)
    consistency = _consistency(parameters, facts)
    method = _method(context, parameters, consistency)
    names = list_databases(client, server, parameters.database)
    catalog = {name: list_collections(client, server, name) for name in names}
    series = [
        f"{name}.{one.name}"
        for name, collections in catalog.items()
        for one in collections
        if one.kind == CollectionKind.TIMESERIES
    ]
    if series and method == DumpMethod.DRIVER:
        raise ConfigInvalid(
            "MongoDumpMethod",
            f"{series[0]} is a time series ({len(series)} in all), which the worker does not read by itself: "
            + (
                "reach the server by TCP, without PodSelector and LabelSelector, for mongodump"
                if server.pod
                else "install mongodump and set this to 'mongodump'"
            ),
        )
    if series:
        context.warn(f"Time series, such as {series[0]}, are in the dump; only mongorestore loads them")
    if consistency == Consistency.COLLECTION:
        context.warn(
            f"The dump is of no one moment: {server.where} is {facts.kind} (MongoDB {facts.version}), and "
            "each collection is read for itself. What is written meanwhile may be in one and not in another"
            if not facts.has_snapshots
            else "The dump is of no one moment: each collection is read for itself (MongoConsistency, "
            "MongoDumpMethod)"
        )
    if functions := has_functions(client, server, names):
        context.warn(f"Functions stored in {', '.join(functions)} (system.js) are not in the dump")
    if facts.sharded:
        context.warn("The dump does not say how collections are sharded")
    with asking(server, "say how large the databases are"):
        size = sum(int(client[name].command("dbStats").get("dataSize", 0)) for name in names)
    return Source(facts, catalog, size, method, consistency)


def _consistency(parameters: Parameters, facts: ServerFacts) -> Consistency:
    wanted = parameters.consistency
    if parameters.method == DumpMethod.MONGODUMP:
        return Consistency.COLLECTION
    if wanted == Consistency.SNAPSHOT and not facts.has_snapshots:
        raise ConfigInvalid(
            "MongoConsistency",
            f"is 'snapshot', and {parameters.server.where} has none: it is {facts.kind}, MongoDB "
            f"{facts.version}. That needs a replica set (one member will do) and MongoDB 5.0; or set this to "
            "'auto'",
        )
    if wanted == Consistency.AUTO:
        return Consistency.SNAPSHOT if facts.has_snapshots else Consistency.COLLECTION
    return wanted


def _method(context: PluginContext, parameters: Parameters, consistency: Consistency) -> DumpMethod:
    if parameters.method != DumpMethod.AUTO:
        return parameters.method
    if consistency == Consistency.SNAPSHOT or parameters.server.pod:
        return DumpMethod.DRIVER
    try:
        find_executable(parameters.dump_command, context.environment.get("PATH", ""))
    except NotExecutable:
        return DumpMethod.DRIVER
    return DumpMethod.MONGODUMP


def _dump(
    context: PluginContext, client: Client, parameters: Parameters, source: Source, folder: Path
) -> Manifest:
    root = folder / DUMP
    root.mkdir(mode=0o700)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    progress = CollectionProgress(context, "dumping", "Dumped", source.collections, source.size)
    zipped = parameters.format == DumpFormat.GZIP
    collections: tuple[DumpedCollection, ...] = ()
    if source.method == DumpMethod.DRIVER:
        tool = "fossul dashboard"
        dump = DriverDump(client, parameters.server, root, gzip=zipped)
        collections = dump.write(source.catalog, source.consistency, progress)
    else:
        program = MongodumpProgram(context, parameters)
        tool = f"mongodump {program.version()}"
        for database in source.catalog:
            program.dump(database, root, progress)
            collections += dumped_collections(context, root, database, parameters)
        _check_all_there(source.catalog, collections)
    manifest = Manifest(
        server_version=source.facts.version,
        database=parameters.database,
        consistency=source.consistency,
        moment=moment,
        tool=tool,
        gzip=zipped,
        collections=collections,
    )
    write_manifest(folder, manifest)
    return manifest


def _check_all_there(catalog: Catalog, dumped: tuple[DumpedCollection, ...]) -> None:
    found = {(one.database, one.name) for one in dumped}
    missing = [
        f"{database}.{one.name}"
        for database, collections in catalog.items()
        for one in collections
        if (database, one.name) not in found
    ]
    if missing:
        raise PluginFailed(
            f"mongodump ended well, and {len(missing)} collections are not in its dump, such as {missing[0]}"
        )
