"""A limit for a whole conversation with a server, where each read and write has only one of its own."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class TimeLimit:
    """Ends a conversation ``seconds`` after it was entered, whatever it waits for then.

    A server that sends a byte now and then is never late for a read, and would be listened to for ever. So
    the sockets that are ``watch``-ed are shut down when the time is over: who reads or writes one fails, or
    reads its end, at once. ``passed`` tells whether it is over.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self.passed = False

    @property
    def left(self) -> float:
        """How many seconds are left; never quite none, for what takes 0 for no limit."""
        return max(0.001, self._end - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Shut ``connection`` down when the time is over, at once if it is."""
        # A descriptor of our own: TLS takes over the other, and a closed one's number may be somebody else's.
        own = connection.dup()
        with self._lock:
            self._watched.append(own)
            if self.passed:
                _shut(own)

    def wait_for(self, ask: Callable[[], T]) -> T:
        """Answer what ``ask`` answers, or raise what it raises. Raises TimeoutError when the time is over.

        For what cannot be interrupted but ends by itself, as the look-up of a name does: it goes on, in a
        thread of its own, while nobody waits for it any more.
        """
        answers: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()

        def work() -> None:
            try:
                answers.put((ask(), None))
            except Exception as error:
                answers.put((None, error))

        threading.Thread(target=work, name="look-up", daemon=True).start()
        try:
            answer, error = answers.get(timeout=self.left)
        except Empty:
            raise TimeoutError(f"it took longer than {self.seconds:.0f} s") from None
        if error is not None:
            raise error
        return answer  # type: ignore[return-value] # there is one where there is no error

    def _pass(self) -> None:
        with self._lock:
            self.passed = True
            for connection in self._watched:
                _shut(connection)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched.clear()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side has gone already
        connection.shutdown(socket.SHUT_RDWR)
