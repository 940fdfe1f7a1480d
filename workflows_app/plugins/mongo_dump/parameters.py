"""The parameters of the plugin: what it declares, and how their text is read."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, PATH, choice
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import FORWARDED_SPECS
from workflows_app.plugins.mongo_server.facts import SYSTEM_DATABASES
from workflows_app.plugins.mongo_server.server import REPLICA_SET_SPEC, Server, database_name
from workflows_app.plugins.mongo_server.server import SPECS as SERVER_SPECS
from workflows_app.plugins.values import absolute_path, flag, one_of, program_name


class DumpFormat(StrEnum):
    """The form of a dump's files: compressed or not."""

    GZIP = "gzip"
    PLAIN = "plain"


class DumpMethod(StrEnum):
    """Who reads the collections: the worker itself, or mongodump."""

    AUTO = "auto"
    DRIVER = "driver"
    MONGODUMP = "mongodump"


class Consistency(StrEnum):
    """Of which moment a dump is: all of one, or each collection of the time in which it was read."""

    AUTO = "auto"
    SNAPSHOT = "snapshot"
    COLLECTION = "collection"


# MongoDb, MongoDumpPath and MongoDumpCmd are Fossul's (fossul-behaviour.md §7.5).
SPECS = (
    *SERVER_SPECS,
    REPLICA_SET_SPEC,
    ParameterSpec(
        name="MongoDb",
        help="The database to dump. Empty: all but the server's own (admin, config, local).",
    ),
    ParameterSpec(
        name="MongoDumpPath",
        help="The absolute path of a folder, where the worker runs, that holds the dump while it is backed "
        "up; it needs room for one. A dump is in <profile>/<configuration>/<run> below it.",
        required=True,
        form=PATH,
    ),
    ParameterSpec(
        name="MongoDumpFormat",
        help="gzip, or plain (BSON as it is); mongorestore reads both.",
        default=DumpFormat.GZIP,
        form=choice(*DumpFormat),
    ),
    ParameterSpec(
        name="MongoConsistency",
        help="snapshot: all collections at one moment (a replica set or a cluster, MongoDB 5.0 or newer), or "
        "no dump. collection: each for itself. auto: snapshot where it can be had, and a warning elsewhere.",
        default=Consistency.AUTO,
        form=choice(*Consistency),
    ),
    ParameterSpec(
        name="MongoDumpMethod",
        help="driver: the worker reads by itself. mongodump: that program does, without a snapshot. auto: "
        "the worker where it has a snapshot; elsewhere mongodump, if it is installed.",
        default=DumpMethod.AUTO,
        form=choice(*DumpMethod),
    ),
    ParameterSpec(
        name="MongoDumpCmd", help="mongodump: its name, or its absolute path.", default="mongodump"
    ),
    ParameterSpec(
        name="MongoRestoreDb",
        help="The database that a restore loads the dump of one database into. Empty: MongoDb.",
    ),
    ParameterSpec(
        name="MongoRestoreClean",
        help="true: a restore replaces each collection and view that the dump has too. false: a restore into "
        "a database that is not empty is refused.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="MongoRestoreDropOthers",
        help="true: a restore also drops the collections and views that the dump does not have; needs "
        "MongoRestoreClean. false: they stay.",
        default="false",
        form=FLAG,
    ),
    *FORWARDED_SPECS,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call asks for, checked as far as that needs no look at the disk or the server.

    An empty ``database`` is all of them, an empty ``restore_database`` where each comes from.
    """

    server: Server
    database: str
    dump_path: Path
    format: DumpFormat
    consistency: Consistency
    method: DumpMethod
    dump_command: str
    restore_database: str
    clean: bool
    drop_others: bool

    @classmethod
    def of(cls, context: PluginContext) -> "Parameters":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""

        def given(name: str) -> str:
            return context.parameters.get(name, "")

        database = _database("MongoDb", given("MongoDb"))
        clean = flag("MongoRestoreClean", given("MongoRestoreClean"), default=False)
        drop_others = flag("MongoRestoreDropOthers", given("MongoRestoreDropOthers"), default=False)
        if drop_others and not clean:
            raise ConfigInvalid(
                "MongoRestoreClean",
                "must be 'true' where MongoRestoreDropOthers is: set it so, or that one to 'false'",
            )
        consistency = Consistency(
            one_of("MongoConsistency", given("MongoConsistency"), tuple(Consistency), Consistency.AUTO)
        )
        method = DumpMethod(
            one_of("MongoDumpMethod", given("MongoDumpMethod"), tuple(DumpMethod), DumpMethod.AUTO)
        )
        if method == DumpMethod.MONGODUMP and consistency == Consistency.SNAPSHOT:
            raise ConfigInvalid(
                "MongoDumpMethod",
                "is 'mongodump', which reads no snapshot, as MongoConsistency asks for: choose 'driver'",
            )
        server = Server.of(context)
        if server.pod and method == DumpMethod.MONGODUMP:
            raise ConfigInvalid(
                "MongoDumpMethod",
                "is 'mongodump', which does not know the way into a pod: choose 'driver', or reach the "
                "server by TCP, without PodSelector and LabelSelector",
            )
        return cls(
            server=server,
            database=database,
            dump_path=absolute_path("MongoDumpPath", given("MongoDumpPath")),
            format=DumpFormat(
                one_of("MongoDumpFormat", given("MongoDumpFormat"), tuple(DumpFormat), DumpFormat.GZIP)
            ),
            consistency=consistency,
            method=method,
            dump_command=program_name("MongoDumpCmd", given("MongoDumpCmd"), "mongodump"),
            restore_database=_database("MongoRestoreDb", given("MongoRestoreDb")) or database,
            clean=clean,
            drop_others=drop_others,
        )

    @property
    def what(self) -> str:
        """What is dumped, for people."""
        return f"database {self.database!r}" if self.database else "all databases"


def _database(field: str, text: str) -> str:
    name = text.strip()
    if not name:
        return ""
    if name in SYSTEM_DATABASES:
        raise ConfigInvalid(field, f"{name!r} is the server's own: choose another")
    return database_name(field, name)
