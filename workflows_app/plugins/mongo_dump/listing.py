"""Which databases and collections a server has, and how the collections are made."""

from collections.abc import Iterable, Mapping
from typing import Any

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mongo_dump.metadata import Metadata, uuid_of
from workflows_app.plugins.mongo_server.connection import CODEC, Client, Document
from workflows_app.plugins.mongo_server.facts import SYSTEM_DATABASES
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.mongo_server.server import Server

RESTORING = "fossul-restore."
"""How the names begin under which a restore loads collections before they take their place."""

_VIEW = "view"
_FUNCTIONS = "system.js"


def list_databases(client: Client, server: Server, database: str) -> tuple[str, ...]:
    """``database``, or all but the server's own where it is empty, sorted.

    Raises PluginFailed when it does not exist, or there are none.
    """
    if database:
        # Who may read one database may not always list them all.
        if not names_in(client, server, database):
            who = f"the user {server.user!r}" if server.user else "the worker"
            raise PluginFailed(
                f"There is no database {database!r} on {server.where} of which {who} is shown anything: "
                "correct MongoDb"
            )
        return (database,)
    with asking(server, "list the databases"):
        found = sorted(client.list_database_names())
    names = tuple(name for name in found if name not in SYSTEM_DATABASES)
    if not names:
        raise PluginFailed(f"There are no databases to dump on {server.where}")
    return names


def list_collections(client: Client, server: Server, database: str) -> tuple[Metadata, ...]:
    """The collections and views of a database with their options and indexes, by name.

    Without the server's own and those that a restore has under way. Raises PluginFailed.
    """
    with asking(server, f"list the collections of {database!r}"):
        opened = client.get_database(database, codec_options=CODEC)
        infos = [info for info in opened.list_collections() if not _hidden(str(info["name"]))]
        return tuple(
            Metadata(
                name=info["name"],
                kind=_kind(info),
                options=dict(info.get("options") or {}),
                indexes=_indexes(client, database, dict(info)),
                uuid=uuid_of(info.get("info")),
            )
            for info in sorted(infos, key=lambda info: str(info["name"]))
        )


def names_in(client: Client, server: Server, database: str) -> tuple[str, ...]:
    """The names of a database's collections and views but the server's own, sorted. Raises PluginFailed."""
    with asking(server, f"list the collections of {database!r}"):
        names = client[database].list_collection_names()
    return tuple(sorted(name for name in names if not name.startswith("system.")))


def has_functions(client: Client, server: Server, databases: Iterable[str]) -> tuple[str, ...]:
    """The databases with functions stored on the server, which no dump has. Raises PluginFailed."""
    with asking(server, "list the collections"):
        return tuple(
            name for name in databases if client[name].list_collection_names(filter={"name": _FUNCTIONS})
        )


def _kind(info: Mapping[str, Any]) -> str:
    # A server may not call it so, and yet say how it is made.
    series = "timeseries" in (info.get("options") or {})
    return "timeseries" if series else str(info.get("type", "collection"))


def _indexes(client: Client, database: str, info: Document) -> tuple[Document, ...]:
    if info.get("type") == _VIEW:
        return ()
    collection = client.get_database(database, codec_options=CODEC)[info["name"]]
    return tuple(dict(index) for index in collection.list_indexes())


def _hidden(name: str) -> bool:
    return name.startswith(("system.", RESTORING))
