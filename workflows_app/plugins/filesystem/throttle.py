"""Keeps the reading of a source below a rate."""

import time
from collections.abc import Callable

# How long a pause lasts at most before the next look whether the work is cancelled, in seconds.
_NAP = 0.05


class Throttle:
    """Makes its caller wait so that no more than ``rate`` bytes per second are taken; None for no limit.

    Time that went unused is not made up for later. ``clock`` answers seconds, ``sleep`` waits them.
    """

    def __init__(
        self,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()

    def piece(self, most: int) -> int:
        """How many bytes to read at once, at most ``most``: a quarter of a second's worth."""
        return most if self._rate is None else max(1, min(most, self._rate // 4))

    def took(self, size: int, check_cancelled: Callable[[], None]) -> None:
        """Wait until ``size`` bytes more may have been read. Raises what ``check_cancelled`` raises."""
        if self._rate is None:
            return
        self._free_at = max(self._free_at, self._clock()) + size / self._rate
        while (wait := self._free_at - self._clock()) > 0:
            check_cancelled()
            self._sleep(min(wait, _NAP))
