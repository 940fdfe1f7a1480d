"""A call of a plugin that ends by itself after some time, where there is nobody to cancel it."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Deadline:
    """Cancels a call after ``seconds``: ``cancelled`` and ``on_cancel`` are what PluginContext takes.

    It runs while it is entered; ``passed`` tells afterwards whether it was the reason for the end.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []
        self.passed = False

    def cancelled(self) -> bool:
        """Whether the call should end."""
        return self.passed

    def on_cancel(self, stop: Callable[[], None]) -> Callable[[], None]:
        """Call ``stop`` when the time is over, at once if it is; answers what takes that back."""
        with self._lock:
            self._stops.append(stop)
            passed = self.passed
        if passed:
            stop()
        return lambda: self._stops.remove(stop)

    def _pass(self) -> None:
        with self._lock:
            self.passed = True
            stops = list(self._stops)
        for stop in stops:
            stop()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
