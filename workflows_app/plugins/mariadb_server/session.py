"""One session on a server that stays open beyond the call that opened it: a client told statements."""

import threading
import time

from workflows_app.plugins.databases.conversation import ConversationOver
from workflows_app.plugins.mariadb_server.programs import Programs

_SAID = "fossul-said"


class SessionOver(Exception):
    """The session is no more; the text has the server's words, or the client's, of why."""


class Session:
    """A session, which ends with this process at the latest. Safe to use from any thread.

    Any error ends it, and so does an answer that does not come: with it go its locks.
    """

    def __init__(self, programs: Programs, client: str) -> None:
        """Open one by the program ``client``. Raises PluginFailed, Cancelled."""
        try:
            self._conversation = programs.converse(client)
        except ConversationOver as error:
            raise programs.refusal((), str(error)) from None
        self._programs = programs
        self._lock = threading.Lock()
        self._asked = 0
        self._over = ""

    def ask(self, statements: str, seconds: float) -> list[list[str]]:
        """The rows that the server answers to ``statements``, columns apart. Raises SessionOver."""
        with self._lock:
            if self._over:
                raise SessionOver(self._over)
            self._asked += 1
            said = f"{_SAID} {self._asked}"
            lines: list[str] = []
            end = time.monotonic() + seconds
            self._conversation.say(f"{statements}; SELECT '{said}';\n")
            try:
                while (line := self._conversation.hear(max(0.0, end - time.monotonic()))) != said:
                    lines.append(line)
            except ConversationOver as error:
                self._over = str(self._programs.refusal(lines, f"of the client is known: {error}"))
                self._conversation.end()
                raise SessionOver(self._over) from None
            return [line.split("\t") for line in lines]

    def interrupt(self) -> None:
        """Let what waits for an answer, now or later, raise at once; the session is over then."""
        self._conversation.interrupt()

    def end(self) -> None:
        """End it, if it is not over yet."""
        self._conversation.interrupt()
        with self._lock:
            if not self._over:
                self._over = "The session was ended"
                self._conversation.end()
