"""Asking something for a page now and then, never more often, and never for long."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from asgiref.sync import async_to_sync

T = TypeVar("T")


class Throttled(Generic[T]):
    """The latest answer to ``ask``, shared by all requests of this process.

    It is asked anew when the last answer is older than ``every`` seconds, by one request at a time;
    the others take the last answer. One that does not come within ``patience`` seconds is ``late``.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], *, first: T, late: T, every: float, patience: float):
        self._ask = ask
        self._answer = first
        self._late = late
        self._every = every
        self._patience = patience
        self._lock = threading.Lock()
        self._asked = float("-inf")

    def get(self) -> T:
        """The answer. For synchronous code."""
        if time.monotonic() - self._asked > self._every and self._lock.acquire(blocking=False):
            try:
                self._answer = async_to_sync(self._in_time)()
                self._asked = time.monotonic()
            finally:
                self._lock.release()
        return self._answer

    async def _in_time(self) -> T:
        try:
            async with asyncio.timeout(self._patience):
                return await self._ask()
        except TimeoutError:
            return self._late
