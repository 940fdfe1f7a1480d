"""Asks a server that only a pod reaches: by the psql in it, one call for each question."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg.sql import Literal

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.postgres_server.session import LOOK_OPTIONS, Session, asked, no_connection, session

# What psql says first when it could not connect; of a question that fails it says ERROR.
_NO_CONNECTION = "psql: error: "


class PsqlSession(Session):
    """A session by the program ``psql``, which is in ``programs``' pod."""

    def __init__(self, programs: Programs, psql: str, what: str) -> None:
        self._programs = programs
        self._psql = psql
        self._what = what

    def row(self, query: str, parameters: Sequence[str] | None = None) -> tuple[object, ...]:
        """The first row that ``query`` answers."""
        ok, lines = self._ask(query, parameters or ())
        words = "; ".join(line.strip() for line in lines)
        if not ok and words.startswith(_NO_CONNECTION):
            raise no_connection(self._what, words.removeprefix(_NO_CONNECTION))
        if not ok:
            raise PluginFailed(f"Cannot ask {self._what} by {self._psql!r}: {words}")
        try:
            found = json.loads(lines[-1], object_pairs_hook=lambda pairs: tuple(value for _, value in pairs))
        except ValueError:
            raise PluginFailed(f"Cannot ask {self._what}: it answered {lines[-1][:100]!r}") from None
        return tuple(found)

    def accepts(self, setting: str, value: str) -> bool:
        """Whether the server lets a session have that setting."""
        return self._ask("SELECT set_config(%s, %s, false)", (setting, value))[0]

    def _ask(self, query: str, parameters: Sequence[str]) -> tuple[bool, list[str]]:
        values = tuple(Literal(value).as_string() for value in parameters)
        statement = f"SELECT row_to_json(asked) FROM ({query % values if values else query}) asked"  # noqa: S608
        argv = [self._psql, "--no-psqlrc", "--no-password", "--tuples-only", "--no-align"]
        return self._programs.ask([*argv, f"--command={statement}"])


@contextmanager
def opened(
    context: PluginContext, server: Server, database: str, field: str, program: str
) -> Iterator[Session]:
    """A session in ``database``: from the worker, or in the pod that the parameters mean.

    ``program`` is one of PostgreSQL's as the parameter ``field`` calls it; psql is taken from beside it.
    Raises PluginFailed when there can be no session, ConfigInvalid when there is no psql, and Cancelled.
    """
    if not server.pod:
        with session(server, database) as found:
            yield found
        return
    psql = program[: program.rfind("/") + 1] + "psql"
    more = {"PGOPTIONS": LOOK_OPTIONS, "PGCLIENTENCODING": "UTF8"}
    programs = Programs(context, server, database, more=more)
    programs.major_version(field, psql, "psql")
    yield PsqlSession(programs, psql, asked(server, database))
