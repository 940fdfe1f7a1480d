"""Runs PostgreSQL's own programs: what they know of the server, and what they say."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.domain.secrets.redaction import Redactor
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.place import Ending, place_of
from workflows_app.plugins.databases.pod import InPod
from workflows_app.plugins.databases.run_names import run_name
from workflows_app.plugins.databases.surroundings import Surroundings
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.postgres_server.session import CONNECT_SECONDS

_SPOKEN = re.compile(r"(?P<program>pg_\w+): (?:(?P<kind>error|fatal|warning|detail|hint): )?(?P<text>.*)")
_LEVELS = {"error": Level.ERROR, "fatal": Level.ERROR, "warning": Level.WARN}
# How many lines of an error are told again when the program has ended.
_TOLD = 4
# Of a container's own variables, those that would lead elsewhere than the ones that are set.
_UNSET = (
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGOPTIONS",
    "PGREQUIREPEER",
    "PGTARGETSESSIONATTRS",
    "PGCLIENTENCODING",
)


class Programs:
    """The programs of one call of a plugin, which all speak to one database of one server.

    The password reaches them by their environment alone. What the worker's own environment says of
    PostgreSQL they do not know, except for certificates and the .pgpass file. ``pod`` is the pod in which
    they run, None when they run beside the worker.
    """

    def __init__(
        self,
        context: PluginContext,
        server: Server,
        database: str = "",
        *,
        hears_loss: bool = False,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``more`` are further variables, over the others. Raises ConfigInvalid."""
        self._context = context
        self._redactor = Redactor([server.password])
        settings = {
            "PGHOST": server.host,
            "PGPORT": str(server.port),
            "PGUSER": server.user,
            "PGDATABASE": database,
            "PGSSLMODE": server.ssl_mode,
            "PGSSLROOTCERT": server.ssl_ca,
            "PGAPPNAME": run_name(context.config),
            "PGCONNECT_TIMEOUT": str(CONNECT_SECONDS),
            # Otherwise a session that waits for a lock does not notice that its client was killed.
            "PGOPTIONS": "-c client_connection_check_interval=1000" if hears_loss else "",
            "LD_LIBRARY_PATH": server.library_path,
            # The words that are looked for below are English.
            "LC_ALL": "C",
        } | dict(more)
        surroundings = Surroundings(
            variable="PGPASSWORD",
            password=server.password,
            settings={name: value for name, value in settings.items() if value},
            foreign=_foreign,
            unset=tuple(name for name in _UNSET if not settings.get(name)),
        )
        self._place = place_of(context, surroundings)
        self.pod = self._place if isinstance(self._place, InPod) else None

    def major_version(self, field: str, command: str, program: str) -> int:
        """The major version of ``command``, given by the parameter ``field``, which must be ``program``.

        Raises ConfigInvalid when it cannot be run or is another program; Cancelled.
        """
        lines: list[str] = []
        ended = self._place.run([command, "--version"], lines.append)
        said = lines[0] if lines else ""
        if not ended.ok:
            raise ConfigInvalid(
                field,
                f"{command!r} cannot be run: {ended.reason}{f' ({said})' if said else ''}. Install "
                f"PostgreSQL's client programs {self._place.install_where}, or give the path of {program}",
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
        self._hear_out(argv, on_detail, on_output, lambda hear: self._place.run(argv, hear))

    def take(
        self,
        pod: InPod,
        argv: Sequence[str],
        on_detail: Callable[[str], None],
        takes: Callable[[bytes], None],
    ) -> None:
        """As ``run``, in ``pod``; what the program writes is given to ``takes``."""
        self._hear_out(argv, on_detail, None, lambda hear: pod.take(argv, hear, takes))

    def give(
        self,
        pod: InPod,
        argv: Sequence[str],
        pieces: Iterable[bytes],
        on_detail: Callable[[str], None] = lambda text: None,
        on_output: Callable[[str], None] | None = None,
    ) -> None:
        """As ``run``, in ``pod``; the program reads ``pieces``, and knows by them where they end."""
        self._hear_out(
            argv, on_detail, on_output, lambda hear: pod.give(argv, hear, pieces, to_the_end=False)
        )

    def ask(self, argv: Sequence[str]) -> tuple[bool, list[str]]:
        """Run a program without a word in the log; whether it succeeded, and the lines that it said.

        Raises PluginFailed when the place where it runs cannot be reached; Cancelled.
        """
        lines: list[str] = []
        ended = self._place.run(argv, lambda line: lines.append(self._redactor.redact(line)))
        return ended.ok, lines or [ended.reason]

    def _hear_out(
        self,
        argv: Sequence[str],
        on_detail: Callable[[str], None],
        on_output: Callable[[str], None] | None,
        run: Callable[[Callable[[str], None]], Ending],
    ) -> None:
        errors: list[str] = []
        level = Level.INFO

        def hear(line: str) -> None:
            nonlocal level
            if not line.strip():
                return
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

        self._context.say(Level.CMD, f"Executing command [{' '.join(argv)}]{self._place.suffix}")
        ended = run(hear)
        if not ended.ok:
            program = argv[0].rpartition("/")[2]
            why = f": {'; '.join(errors[:_TOLD])}" if errors else ""
            raise PluginFailed(f"{program} ended with [{ended.reason}]{why}")


def _foreign(name: str) -> bool:
    return name.startswith("PG") and not name.startswith("PGSSL") and name != "PGPASSFILE"
