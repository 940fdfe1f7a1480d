"""What the embedded Temporal server says, passed on for as long as it means something."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import BinaryIO

KEPT_LINES = 1_000


class EmbeddedLog:
    """Passes on the server's log while it serves.

    Until it serves, its parts complain of each other's absence (``Frontend is not healthy yet``), which is
    of no use unless it never comes to serve; and once it was told to end, it complains of every poll cut
    short. So the first lines (the last KEPT_LINES of them) wait for what becomes of it, and the last are
    dropped.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._held: deque[bytes] | None = deque(maxlen=KEPT_LINES)
        self._ending = False
        self._lock = threading.Lock()

    def relay(self, lines: Iterable[bytes]) -> None:
        """Pass ``lines`` on as they come; answer when there are no more, with what still waited said."""
        for line in lines:
            with self._lock:
                if self._held is not None:
                    self._held.append(line)
                elif not self._ending:
                    self._say([line])
        self.speak()

    def forget_the_start(self) -> None:
        """The server serves: what it said until now does not matter."""
        with self._lock:
            self._held = None

    def speak(self) -> None:
        """The server does not come to serve: say what it said until now, and from now on."""
        with self._lock:
            held, self._held = self._held or (), None
            if not self._ending:
                self._say(held)

    def be_silent(self) -> None:
        """The server was told to end. Takes no lock: a signal's handler calls it."""
        self._ending = True

    def _say(self, lines: Iterable[bytes]) -> None:
        self._out.writelines(lines)
        self._out.flush()
