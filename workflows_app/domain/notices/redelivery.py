"""When something that could not be sent is tried again, and when that is given up."""

from datetime import timedelta

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 300, 900, 1800, 3600, 7200))
"""How long to wait after each attempt that failed; after the last one nothing is tried again."""
LONGEST_ERROR = 500


class NotSent(Exception):
    """A notice could not be sent; the text says why, without secrets. ``again``: a later attempt may do."""

    def __init__(self, words: str, *, again: bool) -> None:
        super().__init__(words if len(words) <= LONGEST_ERROR else f"{words[: LONGEST_ERROR - 1]}…")
        self.again = again


def next_pause(attempts: int) -> timedelta | None:
    """Answer how long to wait after ``attempts`` that failed; None when it is given up."""
    return PAUSES[attempts - 1] if 0 < attempts <= len(PAUSES) else None
