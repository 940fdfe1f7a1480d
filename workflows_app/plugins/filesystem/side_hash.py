"""Takes the hash of a piece in a thread of its own, while something else is done with the piece."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

# To hand less than this over would cost more than it saves, in bytes.
_LEAST = 256 * 1024


class Digest(Protocol):
    """A hash of ``hashlib``."""

    def update(self, data: memoryview, /) -> None:
        """Take the next piece."""


class SideHash:
    """A thread that hashes. To be closed."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hash")

    def hash(
        self, digest: Digest, piece: memoryview, take: Callable[[int, memoryview], None], position: int
    ) -> None:
        """Hash a piece and give it to ``take``, with its position; both are done then.

        Raises what ``take`` raises.
        """
        if len(piece) < _LEAST:
            digest.update(piece)
            take(position, piece)
            return
        hashed = self._thread.submit(digest.update, piece)
        try:
            take(position, piece)
        finally:
            hashed.result()

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()
