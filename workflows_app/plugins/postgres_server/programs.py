"""Runs PostgreSQL's own programs: what they know of the server, and what they say."""

import re
from collections.abc import Callable, Sequence

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.redaction import Redactor
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.postgres_server.session import CONNECT_SECONDS, run_name
from workflows_app.plugins.process import run_process

_SPOKEN = re.compile(r"(?P<program>pg_\w+): (?:(?P<kind>error|fatal|warning|detail|hint): )?(?P<text>.*)")
_LEVELS = {"error": Level.ERROR, "fatal": Level.ERROR, "warning": Level.WARN}
# How many lines of an error are told again when the program has ended.
_TOLD = 4


class Programs:
    """The programs of one call of a plugin, which all speak to one database of one server.

    The password reaches them by their environment alone. What the worker's own environment says of
    PostgreSQL they do not know, except for certificates and the .pgpass file.
    """

    def __init__(
        self, context: PluginContext, server: Server, database: str = "", *, hears_loss: bool = False
    ) -> None:
        self._context = context
        self._redactor = Redactor([server.password])
        kept = {
            name: value
            for name, value in context.environment.items()
            if not name.startswith("PG") or name.startswith("PGSSL") or name == "PGPASSFILE"
        }
        own = {
            "PGHOST": server.host,
            "PGPORT": str(server.port),
            "PGUSER": server.user,
            "PGDATABASE": database,
            "PGPASSWORD": server.password,
            "PGSSLMODE": server.ssl_mode,
            "PGAPPNAME": run_name(context.config),
            "PGCONNECT_TIMEOUT": str(CONNECT_SECONDS),
            # Otherwise a session that waits for a lock does not notice that its client was killed.
            "PGOPTIONS": "-c client_connection_check_interval=1000" if hears_loss else "",
            "LD_LIBRARY_PATH": server.library_path,
            # The words that are looked for below are English.
            "LC_ALL": "C",
        }
        self._environment = kept | {name: value for name, value in own.items() if value}

    def major_version(self, field: str, command: str, program: str) -> int:
        """The major version of ``command``, given by the parameter ``field``, which must be ``program``.

        Raises ConfigInvalid when it cannot be run or is another program; Cancelled.
        """
        lines: list[str] = []
        argv = [command, "--version"]
        ended = run_process(argv, context=self._context, on_line=lines.append, environment=self._environment)
        said = lines[0] if lines else ""
        if not ended.ok:
            raise ConfigInvalid(
                field,
                f"{command!r} cannot be run: {ended.reason}{f' ({said})' if said else ''}. Install "
                f"PostgreSQL's client programs where the worker runs, or give the path of {program}",
            )
        found = re.match(rf"{program} \(PostgreSQL\) ([0-9]+)", said)
        if found is None:
            raise ConfigInvalid(field, f"{command!r} is not {program}: it says {said[:100]!r} of itself")
        return int(found[1])

    def run(
        self,
        argv: Sequence[str],
        on_detail: Callable[[str], None] = lambda text: None,
        on_output: Callable[[str], None] | None = None,
    ) -> None:
        """Run a program to its end.

        What it says as an error or a warning is said so at once; the rest of what it says of its work is
        given to ``on_detail`` (without the program's name), and other lines to ``on_output``.

        Raises PluginFailed, with how it ended and its first error, when it did not succeed; Cancelled.
        """
        errors: list[str] = []
        level = Level.INFO

        def hear(line: str) -> None:
            nonlocal level
            line = self._redactor.redact(line)
            spoken = _SPOKEN.fullmatch(line)
            if spoken is None and on_output is not None:
                on_output(line)
                return
            if spoken and spoken["kind"] in _LEVELS:
                level = _LEVELS[spoken["kind"]]
            elif spoken and spoken["kind"] is None:
                level = Level.INFO
                on_detail(spoken["text"])
                return
            # A detail, a hint, or another line belongs to what was said before.
            if level == Level.ERROR:
                errors.append((spoken["text"] if spoken else line).strip())
            self._context.say(level, line)

        self._context.say(Level.CMD, f"Executing command [{' '.join(argv)}]")
        ended = run_process(argv, context=self._context, on_line=hear, environment=self._environment)
        if not ended.ok:
            program = argv[0].rpartition("/")[2]
            why = f": {'; '.join(errors[:_TOLD])}" if errors else ""
            raise PluginFailed(f"{program} ended with [{ended.reason}]{why}")
