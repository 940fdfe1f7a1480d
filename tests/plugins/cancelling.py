"""Cancels a plugin's call from its test, as a run is cancelled: from another thread, at any moment."""

import threading
from collections.abc import Callable


class CancelSwitch:
    """Off at first. ``cancelled`` and ``on_cancel`` are what a PluginContext takes.

    ``stops`` are the functions that wait to be called.
    """

    def __init__(self) -> None:
        self.stops: list[Callable[[], None]] = []
        self._on = threading.Event()

    def cancel(self) -> None:
        self._on.set()
        for stop in list(self.stops):
            stop()

    def take_back(self) -> None:
        """Let the next call go on."""
        self._on.clear()

    def cancelled(self) -> bool:
        return self._on.is_set()

    def on_cancel(self, stop: Callable[[], None]) -> Callable[[], None]:
        self.stops.append(stop)
        if self.cancelled():
            stop()

        def forget() -> None:
            # Twice is harmless, as in a worker.
            if stop in self.stops:
                self.stops.remove(stop)

        return forget
