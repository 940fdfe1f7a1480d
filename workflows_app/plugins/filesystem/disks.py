"""Has everything that was written on the disks that it went to, in one go for each of them."""

import ctypes
import os


class Disks:
    """The filesystems that were written to: one descriptor is kept of each."""

    def __init__(self) -> None:
        self._kept: dict[int, int] = {}

    def note(self, descriptor: int, device: int) -> None:
        """Take note that the filesystem ``device``, of an open file or folder, is written to."""
        if device not in self._kept:
            self._kept[device] = os.dup(descriptor)

    def sync(self) -> None:
        """Wait until all of it is on disk. Raises OSError."""
        # Python has no syncfs; os.sync would wait for every disk of the machine, and tells of no error.
        library = ctypes.CDLL(None, use_errno=True)
        for descriptor in self._kept.values():
            if library.syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))

    def close(self) -> None:
        """Let go of the filesystems."""
        for descriptor in self._kept.values():
            os.close(descriptor)
        self._kept.clear()
