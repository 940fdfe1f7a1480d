"""The full log of what steps say: buffered in the worker, written to ``RunMessage`` by one thread."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from django.db import DatabaseError, connection, transaction

from workflows_app.domain.results import Level
from workflows_app.models import Run, RunMessage
from workflows_app.models.connections import drop_broken_connections

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
BATCH = 500
CAPACITY_LINES = 100_000
CAPACITY_BYTES = 64 * 1024 * 1024
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line and its address."""

    run: int
    step: int
    attempt: int
    seq: int
    time: datetime
    level: str
    text: str


class Transcript:
    """The lines of one attempt of one step, numbered from 1 without holes."""

    def __init__(self, log: "MessageLog", run: int, step: int, attempt: int) -> None:
        self._log = log
        self._address = (run, step, attempt)
        self._lost = 0
        self.lines = 0

    def write(self, level: str, text: str) -> None:
        """Add a line. Never fails and never waits: a line that finds no room is counted as lost."""
        self.admit_loss(force=False)
        if self._lost or not self._put(level, text, force=False):
            self._lost += 1

    def admit_loss(self, *, force: bool = True) -> None:
        """Say how many lines were lost, if any were: a gap is recorded as one; by ``force`` without room."""
        if not self._lost:
            return
        lines = "1 line is" if self._lost == 1 else f"{self._lost} lines are"
        if self._put(Level.WARN, f"{lines} missing here: the database could not take them", force=force):
            self._lost = 0

    def _put(self, level: str, text: str, *, force: bool) -> bool:
        run, step, attempt = self._address
        line = Line(run, step, attempt, self.lines + 1, datetime.now(UTC), level, text)
        if not self._log.put(line, force=force):
            return False
        self.lines += 1
        return True


class MessageLog:
    """A bounded buffer of lines and the thread that writes them.

    A database that is away never fails a step: lines wait here and are written when it is back.
    """

    def __init__(
        self,
        *,
        write: Callable[[Sequence[Line]], None] | None = None,
        capacity_lines: int = CAPACITY_LINES,
        capacity_bytes: int = CAPACITY_BYTES,
    ) -> None:
        self._write = write or store
        self._capacity_lines = capacity_lines
        self._capacity_bytes = capacity_bytes
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._closing = False
        self._given_up = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="message-log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def transcript(self, run: int, step: int, attempt: int) -> Transcript:
        """A new transcript for one attempt of a step."""
        return Transcript(self, run, step, attempt)

    def put(self, line: Line, *, force: bool = False) -> bool:
        """Take a line; answer False when there is no room for it (``force`` takes it all the same)."""
        with self._changed:
            full = len(self._lines) >= self._capacity_lines or self._bytes >= self._capacity_bytes
            if full and not force:
                return False
            self._lines.append(line)
            self._bytes += len(line.text)
            if len(self._lines) == BATCH or len(self._lines) == 1:
                self._changed.notify()
            return True

    def close(self, timeout: float = 10.0) -> bool:
        """Write what is left, for at most ``timeout`` seconds, and stop. Answers whether all was written."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        with self._changed:
            self._given_up = True
            self._changed.notify()
            return not self._lines

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._write(batch)
            except Exception as error:
                logger.warning("%d log lines wait: %s: %s", len(self._lines), type(error).__name__, error)
                self._pause()
                continue
            with self._changed:
                for line in batch:
                    self._lines.popleft()
                    self._bytes -= len(line.text)
        connection.close()

    def _pause(self) -> None:
        """Wait before the next try; being closed ends the wait, for one try at once."""
        with self._changed:
            closing = self._closing
            self._changed.wait_for(lambda: self._given_up or self._closing > closing, RETRY_SECONDS)

    def _next_batch(self) -> list[Line]:
        """Wait for lines, then a moment for more of them; answer none when it is time to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closing)
            if not self._closing:
                self._changed.wait_for(lambda: len(self._lines) >= BATCH or self._closing, FLUSH_SECONDS)
            return [] if self._given_up else list(islice(self._lines, BATCH))


def store(lines: Sequence[Line]) -> None:
    """Write lines to the database; writing one twice is harmless.

    Lines of a run that has no row (deleted meanwhile) are dropped. Raises DatabaseError when the
    database cannot take them now.
    """
    try:
        drop_broken_connections()
        with transaction.atomic():
            known = set(Run.objects.filter(pk__in={line.run for line in lines}).values_list("pk", flat=True))
            RunMessage.objects.bulk_create(
                [
                    RunMessage(
                        run_id=line.run,
                        step=line.step,
                        attempt=line.attempt,
                        seq=line.seq,
                        time=line.time,
                        level=line.level,
                        text=line.text,
                    )
                    for line in lines
                    if line.run in known
                ],
                ignore_conflicts=True,
            )
    except DatabaseError:
        connection.close()
        raise
