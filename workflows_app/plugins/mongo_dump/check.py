"""Tries beforehand what a dump will need."""

from collections.abc import Generator, Iterator

from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, good, refusal
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked, tried
from workflows_app.plugins.databases.pod_check import check_way, is_missing
from workflows_app.plugins.mongo_dump.dumping import Source, find_source
from workflows_app.plugins.mongo_dump.manifest import CollectionKind
from workflows_app.plugins.mongo_dump.parameters import Consistency, DumpMethod, Parameters
from workflows_app.plugins.mongo_dump.program_dump import MongodumpProgram
from workflows_app.plugins.mongo_server.connection import Client, connected
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.staging.check import check_staging

CONSISTENCY = "MongoConsistency"
DATABASE = "MongoDb"
FOLDER = "MongoDumpPath"
PROGRAM = "MongoDumpCmd"
SERVER = "MongoHost"
USER = "MongoUser"

# How many collections are read a document of.
_READ = 200


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the server opens, of which moment a dump is, and how rights, program and folder are."""
    return looked(context, Parameters.of, _look)


def _look(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    way = check_way(context)
    yield from way
    needs = 0 if is_missing(way) else (yield from _server(context, parameters))
    yield from check_staging(context, FOLDER, parameters.dump_path, needs, "the database")


def _server(context: PluginContext, parameters: Parameters) -> Generator[Finding, None, int]:
    """Look at all but the folder, and answer how many bytes a dump needs there."""
    found: list[Source] = []
    try:
        with connected(parameters.server) as client:

            def look(call: PluginContext) -> str:
                found.append(find_source(call, client, parameters))
                return _opened(parameters, found[0])

            yield from tried(context, DATABASE, look)
            for source in found:
                yield from _source(context, client, parameters, source)
    except FossulError as error:
        yield refusal(error, SERVER)
    return sum(source.size for source in found)


def _opened(parameters: Parameters, source: Source) -> str:
    what = f"Database {parameters.database!r}" if parameters.database else f"{len(source.catalog)} databases"
    return (
        f"{what} of MongoDB {source.facts.version} on {parameters.server.where} opens: "
        f"{source.collections} collections, {size_words(source.size)}"
    )


def _source(
    context: PluginContext, client: Client, parameters: Parameters, source: Source
) -> Iterator[Finding]:
    if source.consistency == Consistency.SNAPSHOT:
        yield good("The server reads all collections at one moment", CONSISTENCY)
    yield from tried(context, USER, lambda call: _readable(client, parameters, source))
    if source.method == DumpMethod.MONGODUMP:
        yield from tried(
            context,
            PROGRAM,
            lambda call: f"mongodump {MongodumpProgram(call, parameters).version()} is there",
        )


def _readable(client: Client, parameters: Parameters, source: Source) -> str:
    """Read a document of each of the first collections. Raises PluginFailed."""
    names = [
        (database, one.name)
        for database, collections in source.catalog.items()
        for one in collections
        if one.kind == CollectionKind.COLLECTION
    ]
    for database, name in names[:_READ]:
        with asking(parameters.server, f"read '{database}.{name}'"):
            client[database][name].find_one({}, projection={"_id": True})
    some = "all" if len(names) <= _READ else f"the first {_READ} of {len(names)}"
    who = f"The user {parameters.server.user!r}" if parameters.server.user else "The worker"
    return f"{who} may read {some} collections"
