"""Runs MariaDB's own programs: what they know of the server, and what they say."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.domain.secrets.redaction import Redactor
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.conversation import Conversation
from workflows_app.plugins.databases.place import Ending, place_of
from workflows_app.plugins.databases.pod import InPod
from workflows_app.plugins.databases.surroundings import Surroundings
from workflows_app.plugins.databases.worker import OnWorker
from workflows_app.plugins.mariadb_server.server import Server

CONNECT_SECONDS = 15
Release = tuple[int, int]

# Each program has the name that MySQL gave it, too.
_NAMES = {
    "mariadb": "mariadb|mysql",
    "mariadb-dump": "mariadb-dump|mysqldump",
    "mariadb-backup": "mariadb-backup|mariabackup",
}
# mariadb-backup prints all grants, hashes of passwords among them.
_HASH = re.compile(r"\bIDENTIFIED (?:BY|VIA)\b.*", re.IGNORECASE)
_ERROR = re.compile(r"ERROR (?P<code>[0-9]+) \([0-9A-Z]+\).*")
# No connection, or none with this user: errmsg.h of the client, mysqld_error.h of the server.
_NO_CONNECTION = frozenset({"1045", "1130", "1698", "2002", "2003", "2005", "2013", "2026"})
_NO_SERVER = frozenset({"2002", "2003", "2005"})
# How many lines of an error are told again when the program has ended.
_TOLD = 4
_TRUST = " The server's certificate must be for the name in MysqlHost, from an authority in MysqlSslCa."
# Of a container's own variables, those that the programs read.
_UNSET = ("MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MARIADB_HOME", "MYSQL_HOME")


class Unreachable(PluginFailed):
    """No server answers there at all."""


class Programs:
    """The programs of one call of a plugin, which all speak to one server.

    The password reaches them by their environment alone. They read no option file, and what the worker's
    own environment says of MariaDB they do not know. ``pod`` is the pod in which they run, None when they
    run beside the worker: that is so for a server without one, or when ``on_worker`` asks for it.
    """

    def __init__(self, context: PluginContext, server: Server, *, on_worker: bool = False) -> None:
        self.context = context
        self.server = server
        self._redactor = Redactor([server.password])
        surroundings = Surroundings(
            variable="MYSQL_PWD",
            password=server.password,
            # The words that are looked for are English.
            settings={"LC_ALL": "C"},
            foreign=lambda name: name.startswith(("MYSQL", "MARIADB")),
            unset=_UNSET,
        )
        self._place = OnWorker(context, surroundings) if on_worker else place_of(context, surroundings)
        self.pod = self._place if isinstance(self._place, InPod) else None

    def beside_worker(self) -> "Programs":
        """The programs that the worker has itself: these ones, unless they run in a pod."""
        return self if self.pod is None else Programs(self.context, self.server, on_worker=True)

    def release(self, field: str, command: str, program: str) -> Release:
        """The release of MariaDB, such as (10, 11), of ``command``, which must be ``program``.

        Raises ConfigInvalid, for the parameter ``field``, when it cannot be run or is another program;
        Cancelled.
        """
        lines: list[str] = []
        ended = self._place.run([command, "--no-defaults", "--version"], lines.append)
        said = lines[0] if lines else ""
        if not ended.ok:
            raise ConfigInvalid(
                field,
                f"{command!r} cannot be run: {ended.reason}{f' ({said})' if said else ''}. Install MariaDB's "
                f"programs {self._place.install_where}, or give the path of {program}",
            )
        found = re.match(rf"(?:\S*/)?(?:{_NAMES[program]})\s.*?([0-9]+)\.([0-9]+)\.[0-9]+-MariaDB", said)
        if found is None:
            raise ConfigInvalid(
                field, f"{command!r} is not {program} of MariaDB: it says {said[:100]!r} of itself"
            )
        return int(found[1]), int(found[2])

    def ask(self, client: str, question: str) -> list[str]:
        """The lines that the server answers to SQL, columns separated by tabs.

        Raises PluginFailed, with the server's words; ConfigInvalid when ``client`` cannot be run; Cancelled.
        """
        lines: list[str] = []
        ended = self._place.run([*self._client(client), f"--execute={question}"], lines.append)
        if ended.ok:
            return lines
        raise self.refusal(lines, f"{client} ended with [{ended.reason}]")

    def converse(self, client: str) -> Conversation:
        """A client with a session that outlives the call; it reads statements and has its own errors end it.

        Raises ConversationOver or PluginFailed when it cannot be started; Cancelled.
        """
        argv = [*self._client(client), "--unbuffered", "--skip-reconnect"]
        self.context.say(Level.CMD, f"Executing command [{' '.join(argv)}]{self._place.suffix}")
        return self._place.converse(argv)

    def refusal(self, lines: Sequence[str], otherwise: str) -> PluginFailed:
        """What the ``lines`` of a client that failed tell, or ``otherwise``; Unreachable where that is so."""
        error = next((line for line in lines if _ERROR.fullmatch(line)), lines[-1] if lines else "")
        what = f"{self.server.where} as {self.server.user!r}"
        code = _ERROR.fullmatch(error)
        words = self._without_secrets(error) or otherwise
        if code and code["code"] in _NO_CONNECTION:
            trust = _TRUST if "certificate" in words else ""
            kind = Unreachable if code["code"] in _NO_SERVER else PluginFailed
            return kind(
                f"Cannot connect to {what}: {words.rstrip('.')}.{trust} Check MysqlHost, "
                "MysqlPort, MysqlUser, MysqlPassword and MysqlSslMode, and that the server lets this worker "
                "in"
            )
        return PluginFailed(f"Cannot ask {what}: {words}")

    def _client(self, client: str) -> list[str]:
        return [
            client,
            "--no-defaults",
            *self.server.arguments,
            f"--connect-timeout={CONNECT_SECONDS}",
            "--default-character-set=utf8mb4",
            "--batch",
            "--skip-column-names",
        ]

    def run(
        self,
        argv: Sequence[str],
        judge: Callable[[str], tuple[Level, str] | None],
        on_detail: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Run a program to its end.

        Each line is given to ``on_detail``, and said as ``judge`` answers: at a level and in words, or not.

        Raises PluginFailed, with how it ended and its first errors, when it did not succeed; Cancelled.
        """
        self._hear_out(argv, judge, on_detail, lambda hear: self._place.run(argv, hear))

    def take(
        self,
        pod: InPod,
        argv: Sequence[str],
        judge: Callable[[str], tuple[Level, str] | None],
        on_detail: Callable[[str], None],
        takes: Callable[[bytes], None],
    ) -> None:
        """As ``run``, in ``pod``; what the program writes is given to ``takes`` (see ``InPod.take``)."""
        self._hear_out(argv, judge, on_detail, lambda hear: pod.take(argv, hear, takes))

    def give(
        self,
        pod: InPod,
        argv: Sequence[str],
        judge: Callable[[str], tuple[Level, str] | None],
        pieces: Iterable[bytes],
    ) -> None:
        """As ``run``, in ``pod``; the program reads ``pieces``."""
        self._hear_out(
            argv, judge, lambda text: None, lambda hear: pod.give(argv, hear, pieces, to_the_end=True)
        )

    def _hear_out(
        self,
        argv: Sequence[str],
        judge: Callable[[str], tuple[Level, str] | None],
        on_detail: Callable[[str], None],
        run: Callable[[Callable[[str], None]], Ending],
    ) -> None:
        errors: list[str] = []
        last: deque[str] = deque(maxlen=_TOLD)

        def hear(line: str) -> None:
            line = self._without_secrets(line)
            on_detail(line)
            said = judge(line)
            if said is not None:
                (errors if said[0] == Level.ERROR else last).append(said[1])
                self.context.say(*said)

        self.context.say(Level.CMD, f"Executing command [{' '.join(argv)}]{self._place.suffix}")
        ended = run(hear)
        if not ended.ok:
            program = argv[0].rpartition("/")[2]
            told = errors[:_TOLD] or list(last)
            raise PluginFailed(
                f"{program} ended with [{ended.reason}]{': ' if told else ''}{'; '.join(told)}"
            )

    def _without_secrets(self, line: str) -> str:
        return self._redactor.redact(_HASH.sub("IDENTIFIED ***", line))
