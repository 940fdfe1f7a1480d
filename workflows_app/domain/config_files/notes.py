"""What the reader of a configuration file says about it."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of something in a file: read otherwise than it is written, or not read."""

    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Note:
    """Something in a file that was not simply taken. ``why`` never holds a value: it may be a secret.

    ``line`` counts from 1; it is 0 where the line is not known.
    """

    outcome: Outcome
    what: str
    why: str
    line: int = 0
