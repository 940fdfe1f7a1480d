"""Files that are one file under several names."""

import os

_Identity = tuple[int, int, int, int]


class HardLinks:
    """Remembers files that have more names than one, until all of those names have been met.

    A file that changed between two of its names counts as two: better a second copy than a wrong one.
    """

    def __init__(self) -> None:
        self._met: dict[_Identity, tuple[str, int]] = {}

    def first(self, status: os.stat_result) -> str | None:
        """The path under which this file was met first, None when it was not met yet."""
        if status.st_nlink < 2:
            return None
        identity = _identity(status)
        known = self._met.get(identity)
        if known is None:
            return None
        path, awaited = known
        if awaited > 1:
            self._met[identity] = (path, awaited - 1)
        else:
            del self._met[identity]
        return path

    def meet(self, path: str, status: os.stat_result) -> None:
        """Take note that this file was met under ``path`` for the first time."""
        if status.st_nlink > 1:
            self._met[_identity(status)] = (path, status.st_nlink - 1)


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
