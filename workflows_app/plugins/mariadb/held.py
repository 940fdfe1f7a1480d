"""The sessions in which this worker holds servers locked, from quiesce to unquiesce.

A server ends a session that says nothing for SILENCE_SECONDS, so that no lock outlives a worker that is gone
without a word: without power, or network. Those that live speak every BEAT_SECONDS.
"""

import threading
from collections import deque

from workflows_app.plugins.mariadb_server.session import Session, SessionOver

SILENCE_SECONDS = 60
BEAT_SECONDS = 10.0
# For an answer that needs no lock.
ANSWER_SECONDS = 30.0
# How many runs that have given their lock back are remembered.
_REMEMBERED = 200


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


class HeldSessions:
    """Those of this worker, by the name of the run. Safe to use from any thread."""

    def __init__(self, beat: float = BEAT_SECONDS) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, HeldSession] = {}
        self._released: deque[str] = deque(maxlen=_REMEMBERED)
        self._beat = beat

    def keep(self, run: str, session: Session) -> None:
        """Keep the session with which ``run`` has locked its server."""
        held = HeldSession(session, self._beat)
        with self._lock:
            self._held[run] = held

    def take(self, run: str) -> HeldSession | None:
        """The session of ``run``, no longer kept; None where there is none."""
        with self._lock:
            return self._held.pop(run, None)

    def begin(self, run: str) -> None:
        """Forget what is remembered of ``run``, which is about to lock, perhaps anew."""
        with self._lock:
            while run in self._released:
                self._released.remove(run)

    def note_release(self, run: str) -> None:
        """Remember that ``run`` gave its lock back in good order."""
        with self._lock:
            self._released.append(run)

    def has_released(self, run: str) -> bool:
        """Whether ``run`` gave its lock back in good order, not long ago, on this worker."""
        with self._lock:
            return run in self._released


held_sessions = HeldSessions()
"""Those of this worker."""
