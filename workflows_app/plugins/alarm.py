"""A bell that other threads ring and a ``select`` hears."""

import os
import threading
from types import TracebackType
from typing import Self


class Alarm:
    """A bell with a file descriptor that becomes readable when it is rung.

    Ringing it is harmless at any time, from any thread, also after it was closed.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._lock = threading.Lock()
        self._closed = False
        self.rung = False

    def ring(self) -> None:
        """Ring the bell, for good."""
        with self._lock:
            if not self.rung and not self._closed:
                os.write(self._writer, b"!")
            self.rung = True

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._reader

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            os.close(self._reader)
            os.close(self._writer)
