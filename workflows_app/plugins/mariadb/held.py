"""The sessions in which this worker holds servers locked, from quiesce to unquiesce.

A server ends a session that says nothing for SILENCE_SECONDS, so that no lock outlives a worker that is gone
without a word: without power, or network. Those that live speak every BEAT_SECONDS.
"""

import threading

from workflows_app.plugins.databases.held_locks import HeldLocks
from workflows_app.plugins.mariadb_server.session import Session, SessionOver

SILENCE_SECONDS = 60
BEAT_SECONDS = 10.0
# For an answer that needs no lock.
ANSWER_SECONDS = 30.0


class HeldSession:
    """A session that holds a lock, and shows the server that it is there."""

    def __init__(self, session: Session, beat: float) -> None:
        self._session = session
        self._stop = threading.Event()
        self._beat = beat
        self._thread = threading.Thread(target=self._speak, name="holds a lock of MariaDB", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Give the lock back and end the session. Raises SessionOver when it was not there any more."""
        self._stop.set()
        try:
            self._session.ask("UNLOCK TABLES", ANSWER_SECONDS)
        finally:
            self.end()

    def end(self) -> None:
        """End the session, and with it the lock."""
        self._stop.set()
        self._session.end()
        self._thread.join()

    def _speak(self) -> None:
        while not self._stop.wait(self._beat):
            try:
                self._session.ask("DO 0", ANSWER_SECONDS)
            except SessionOver:
                return  # ``release`` says so


class HeldSessions(HeldLocks[HeldSession]):
    """Those of this worker; each speaks every ``beat`` seconds."""

    def __init__(self, beat: float = BEAT_SECONDS) -> None:
        super().__init__()
        self._beat = beat

    def hold(self, run: str, session: Session) -> None:
        """Keep the session with which ``run`` has locked its server."""
        self.keep(run, HeldSession(session, self._beat))


held_sessions = HeldSessions()
"""Those of this worker."""
