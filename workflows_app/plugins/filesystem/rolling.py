"""Which of the linked files a run reads back: a share that goes on where the run before it ended."""

import os
import zlib
from dataclasses import dataclass

_ALL = 100


@dataclass(frozen=True, slots=True)
class RollingShare:
    """A share of all paths: ``percent`` of a hundred parts, of which ``first`` is the first one.

    Runs that each take over ``next_first`` meet every path after ``100 / percent`` of them.
    """

    first: int
    percent: int

    @property
    def next_first(self) -> int:
        """Where the share of the next run begins."""
        return (self.first + self.percent) % _ALL

    def has(self, path: str) -> bool:
        """Whether the path is in the share."""
        part = zlib.crc32(os.fsencode(path)) % _ALL
        return (part - self.first) % _ALL < self.percent
