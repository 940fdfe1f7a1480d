"""Tells how far a phase of the work is, often enough to watch and seldom enough to cost nothing."""

import time
from collections.abc import Callable
from typing import Protocol

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import Report

# The least time between two reports, in seconds.
_INTERVAL = 0.1


class Advance(Protocol):
    """Counts bytes and files as done; what it raises ends the work."""

    def __call__(self, size: int, files: int = 0) -> None:
        """Count ``size`` bytes and ``files`` files more."""


class Progress:
    """How far one phase is: ``note`` names it, totals are 0 while they are not known.

    ``milestone`` is given a line at each tenth of the way, so at most ten; ``done`` is its first word.
    """

    def __init__(
        self,
        report: Callable[[Report], None],
        note: str,
        total_bytes: int = 0,
        total_files: int = 0,
        milestone: Callable[[str], None] | None = None,
        done: str = "Copied",
    ) -> None:
        self._report = report
        self._note = note
        self._total_bytes = total_bytes
        self._total_files = total_files
        self._milestone = milestone
        self._done = done
        self._tenths = 0
        self._next = 0.0
        self.bytes = 0
        self.files = 0
        self.tell()

    def advance(self, size: int = 0, files: int = 0) -> None:
        """Count ``size`` bytes and ``files`` files more as done."""
        self.bytes += size
        self.files += files
        if self._milestone is not None:
            self._mark(self._milestone)
        if time.monotonic() >= self._next:
            self.tell()

    def cancellable(self, check_cancelled: Callable[[], None]) -> Advance:
        """``advance`` for work that ends, with what ``check_cancelled`` raises, as soon as it raises."""

        def advance(size: int, files: int = 0) -> None:
            check_cancelled()
            self.advance(size, files)

        return advance

    def tell(self) -> None:
        """Report at once, as at the end of the phase."""
        self._next = time.monotonic() + _INTERVAL
        self._report(Report(self.bytes, self._total_bytes, self.files, self._total_files, self._note))

    def _mark(self, milestone: Callable[[str], None]) -> None:
        done, total = (
            (self.bytes, self._total_bytes) if self._total_bytes else (self.files, self._total_files)
        )
        # What grew meanwhile must not be more than all of it.
        tenths = min(10 * done // total, 10) if total else 0
        if tenths > self._tenths:
            self._tenths = tenths
            milestone(
                f"{self._done} {tenths * 10} % ({size_words(self.bytes)} of {size_words(self._total_bytes)}, "
                f"{self.files} of {self._total_files} files)"
            )
