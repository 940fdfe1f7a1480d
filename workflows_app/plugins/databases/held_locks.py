"""What this worker keeps open for runs that hold a lock on a server, from quiesce to unquiesce."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

# How many runs that have given their lock back are remembered.
_REMEMBERED = 200

Held = TypeVar("Held")


class HeldLocks(Generic[Held]):
    """What holds the lock of each run, by the run's name, and which runs gave theirs back.

    Of this worker alone: what another one holds or gave back is not known here. Safe to use from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._released: deque[str] = deque(maxlen=_REMEMBERED)

    def begin(self, run: str) -> None:
        """Forget that ``run`` gave a lock back: it is about to lock, perhaps anew."""
        with self._lock:
            while run in self._released:
                self._released.remove(run)

    def keep(self, run: str, held: Held) -> None:
        """Keep what holds the lock of ``run``."""
        with self._lock:
            self._held[run] = held

    def take(self, run: str) -> Held | None:
        """What holds the lock of ``run``, no longer kept; None where there is none."""
        with self._lock:
            return self._held.pop(run, None)

    def take_all(self, wanted: Callable[[Held], bool]) -> list[Held]:
        """All that ``wanted`` answers true for, of whichever run, no longer kept."""
        with self._lock:
            runs = [run for run, held in self._held.items() if wanted(held)]
            return [self._held.pop(run) for run in runs]

    def note_release(self, run: str) -> None:
        """Remember that ``run`` gave its lock back in good order."""
        with self._lock:
            self._released.append(run)

    def has_released(self, run: str) -> bool:
        """Whether ``run`` gave its lock back in good order, not long ago, on this worker."""
        with self._lock:
            return run in self._released
