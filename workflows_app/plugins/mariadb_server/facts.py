"""Looks at a server and at what is in its databases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mariadb_server.programs import Programs, Release

SYSTEM_DATABASES = ("information_schema", "mysql", "performance_schema", "sys")
# Before an answer's own columns, since a client may print warnings between the lines.
_MARK = "fossul"
# How many tables are named in a message.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a look at some databases found.

    ``version`` is the server's, ``release`` its first two parts; ``databases`` are those that exist, by name.
    ``tables`` counts those with rows of their own, ``objects`` also views, sequences, routines and events.
    ``size`` is in bytes, as the server estimates it. ``unsafe`` names tables of engines without
    transactions, ``versioned`` counts those that keep their history.
    """

    version: str
    release: Release
    databases: tuple[str, ...]
    tables: int
    objects: int
    size: int
    unsafe: tuple[str, ...]
    versioned: int


def ask_rows(programs: Programs, client: str, *selects: str) -> list[list[str]]:
    """The rows of several SELECTs, given as what follows that word. Raises as ``Programs.ask`` does."""
    question = "; ".join(f"SELECT '{_MARK}', {select}" for select in selects)
    rows = [line.split("\t") for line in programs.ask(client, question)]
    return [row[1:] for row in rows if row[0] == _MARK]


def look(programs: Programs, client: str, databases: Sequence[str] | None) -> DatabaseFacts:
    """Look at ``databases``, or at all that are not the server's own (None).

    Raises PluginFailed when the server cannot be asked or is none of MariaDB; ConfigInvalid when the client
    cannot be run; Cancelled.
    """
    rows = ask_rows(
        programs,
        client,
        "'version', VERSION()",
        f"'database', schema_name FROM information_schema.SCHEMATA WHERE {_among('schema_name', databases)}",
        "'table', table_type, IFNULL(engine, ''), IFNULL(data_length + index_length, 0), "
        "CONCAT(table_schema, '.', table_name), IFNULL(transactions, '') FROM information_schema.TABLES "
        f"LEFT JOIN information_schema.ENGINES USING (engine) WHERE {_among('table_schema', databases)}",
        f"'other', 'routine' FROM information_schema.ROUTINES WHERE {_among('routine_schema', databases)}",
        f"'other', 'event' FROM information_schema.EVENTS WHERE {_among('event_schema', databases)}",
    )
    version = next(row[1] for row in rows if row[0] == "version")
    tables = [row[1:] for row in rows if row[0] == "table"]
    stored = [table for table in tables if table[0] in ("BASE TABLE", "SYSTEM VERSIONED")]
    return DatabaseFacts(
        version=version,
        release=release_of(version, programs.server.where),
        databases=tuple(sorted(row[1] for row in rows if row[0] == "database")),
        tables=len(stored),
        objects=len(tables) + sum(row[0] == "other" for row in rows),
        size=sum(int(table[2]) for table in tables),
        unsafe=tuple(f"{name} ({engine})" for _, engine, _, name, safe in stored if safe != "YES"),
        versioned=sum(table[0] == "SYSTEM VERSIONED" for table in stored),
    )


def release_of(version: str, where: str) -> Release:
    """The first two numbers of a server's version. Raises PluginFailed for any server but MariaDB."""
    found = re.match(r"(?:5\.5\.5-)?([0-9]+)\.([0-9]+)\.", version)
    if found is None or "MariaDB" not in version:
        raise PluginFailed(f"The server {where} is not MariaDB: it says version {version!r} of itself")
    return int(found[1]), int(found[2])


def literal(text: str) -> str:
    """A text for a statement: in hexadecimal, so that nothing of it can be taken for SQL."""
    return f"CONVERT(x'{text.encode().hex()}' USING utf8mb4)"


def named(tables: Sequence[str]) -> str:
    """The first of ``tables``, and how many more there are."""
    more = len(tables) - _NAMED
    return ", ".join(tables[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _among(column: str, databases: Sequence[str] | None) -> str:
    if databases is None:
        own = ", ".join(f"'{name}'" for name in SYSTEM_DATABASES)
        return f"{column} NOT IN ({own})"
    names = ", ".join(map(literal, databases))
    return f"{column} IN ({names or 'NULL'})"
