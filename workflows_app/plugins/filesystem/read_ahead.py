"""Reads a stream in a thread of its own, a few pieces ahead of whoever uses them."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

# How many pieces wait at most.
_DEPTH = 4


class ReadAhead:
    """A stream of the pieces that ``produce`` answers, called in another thread, one call after the other.

    An empty piece is the end. What ``produce`` raises is raised by ``read``.
    """

    def __init__(self, produce: Callable[[], bytes]) -> None:
        self._produce = produce
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._pieces = deque(self._thread.submit(produce) for _ in range(_DEPTH))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def read(self, size: int = -1) -> bytes:
        """The next piece, whatever its size; empty at the end."""
        piece = self._pieces.popleft().result()
        self._pieces.append(self._thread.submit(self._produce))
        return piece
