"""Lets what is written go to the disk meanwhile, so that there is little to wait for in the end."""

import os
from concurrent.futures import Future, ThreadPoolExecutor

BATCH = 32 * 1024 * 1024
"""So much is written before it is sent off, in bytes; with less, the disk would turn to its journal often."""


class WriteOut:
    """A thread that has files on the disk, one batch at a time, while others are written. To be closed.

    ``under_way`` is the last batch that was sent off.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write-out")
        self.under_way: Future[None] | None = None
        self._written = 0

    def wrote(self, descriptor: int, size: int) -> None:
        """Take note that ``size`` bytes more are in an open file.

        Raises OSError when the disk refused what was sent off before.
        """
        self._written += size
        if self._written < BATCH or not self._is_free():
            return
        self._written = 0
        self.under_way = self._thread.submit(_sync, os.dup(descriptor))

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()

    def _is_free(self) -> bool:
        if self.under_way is None:
            return True
        if not self.under_way.done():
            return False
        self.under_way.result()
        return True


def _sync(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
