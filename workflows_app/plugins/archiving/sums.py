"""What a file holds, in two numbers, and who can say so of the files of a backup."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sums:
    """What a file holds: its size in bytes and its SHA-256, hexadecimal."""

    size: int
    sha256: str


class ExpectedSums(Protocol):
    """What the files of a backup should hold."""

    def get(self, path: str, /) -> Sums | None:
        """The sums of the file at ``path``, relative to the backup's folder; None when nothing is known."""
