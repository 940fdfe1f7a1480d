"""Reads a stream in a thread of its own, a few pieces ahead of whoever uses them."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

# How many pieces wait at most.
_DEPTH = 4


class ReadAhead:
    """A stream of ``pieces``, which are asked for in another thread, one after the other.

    What ``pieces`` raises is raised by ``read``.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._produce = lambda: next(pieces, b"")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._pieces = deque(self._thread.submit(self._produce) for _ in range(_DEPTH))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pieces(self) -> Iterator[bytes]:
        """All pieces, to the end."""
        return iter(self.read, b"")

    def read(self) -> bytes:
        """The next piece, whatever its size; empty at the end."""
        piece = self._pieces.popleft().result()
        self._pieces.append(self._thread.submit(self._produce))
        return piece

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(cancel_futures=True)
