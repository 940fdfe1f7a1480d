"""The lines of runs, and their live tail for all watched runs at once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.db.models.functions import Left, Length, Right

from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import StepState
from workflows_app.models import RunMessage
from workflows_app.models.connections import drop_broken_connections

logger = logging.getLogger(__name__)

WINDOW = 500
TICK_SECONDS = 0.1
TICK_LINES = 2000
LINE_CHARS = 2000

Place = tuple[int, int]
"""Where lines stand in a run: (step, attempt)."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line and its address in the run; ``seq`` counts from 1 within step and attempt.

    ``length`` is how many characters are stored, None where ``text`` is all of them.
    """

    step: int
    attempt: int
    seq: int
    time: datetime
    level: str
    text: str
    length: int | None = None

    @property
    def cut(self) -> bool:
        """Whether ``text`` is only a part of what is stored."""
        return self.length is not None and self.length > len(self.text)

    @property
    def place(self) -> Place:
        """The step and attempt it belongs to."""
        return (self.step, self.attempt)


def cut_lines(rows: QuerySet[RunMessage]) -> list[LogLine]:
    """Answer ``rows`` as lines, each with at most LINE_CHARS of its text: a line may take a MiB.

    The text is cut in the database. Of a line that redraws itself (a progress bar), the end is kept.
    """
    return [line for _, line in _cut(rows)]


def _cut(rows: QuerySet[RunMessage]) -> list[tuple[int, LogLine]]:
    """The lines, each with the number of its run."""
    columns = rows.annotate(
        length=Length("text"), head=Left("text", LINE_CHARS), tail=Right("text", LINE_CHARS)
    ).values_list("run_id", "step", "attempt", "seq", "time", "level", "head", "tail", "length")
    return [
        (run, LogLine(step, attempt, seq, time, level, _part(head, tail, length), length))
        for run, step, attempt, seq, time, level, head, tail, length in columns
    ]


def _part(head: str, tail: str, length: int) -> str:
    return tail if length > LINE_CHARS and "\r" in tail.rstrip("\r") else head


@dataclass(slots=True, eq=False)
class Tail:
    """How far the lines of one run have been read: the last ``seq`` at each place."""

    number: int
    read: dict[Place, int] = field(default_factory=dict)
    open: dict[Place, int | None] = field(default_factory=dict)

    def expect(self, progress: Progress) -> None:
        """Learn from the progress where lines may come from, and how many there are in all.

        A step that ended without a count (it failed or was cancelled) may have lines on their way.
        """
        self.open = {}
        for step in progress.steps:
            if step.step is None:
                continue
            for attempt in range(1, step.attempt + 1):
                last = attempt == step.attempt
                self.open[(step.step, attempt)] = step.lines if last else None
            if not step.state.ended and step.state is not StepState.SKIPPED:
                # The next attempt may speak before Temporal's description tells of it.
                self.open[(step.step, step.attempt + 1)] = None

    @property
    def complete(self) -> bool:
        """Whether every line has been read, as far as every place was counted."""
        return not any(self.wanted())

    def take(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """Move on over ``lines`` (in order) and answer those that were new.

        A hole is a line that is on its way: it and those behind it come with a later reading.
        """
        news = []
        for line in lines:
            if line.seq == self.read.get(line.place, 0) + 1:
                self.read[line.place] = line.seq
                news.append(line)
        return news

    def wanted(self) -> Iterable[tuple[Place, int]]:
        """The places from which lines may still come, each with the last ``seq`` read there."""
        for place, count in self.open.items():
            done = self.read.get(place, 0)
            if count is None or done < count:
                yield place, done


def read_on(tails: Collection[Tail], limit: int = TICK_LINES) -> list[tuple[Tail, list[LogLine]]]:
    """Answer the lines that follow each tail, and move the tails on: one query for all of them."""
    wanted = [
        Q(run=tail.number, step=step, attempt=attempt, seq__gt=done)
        for tail in tails
        for (step, attempt), done in tail.wanted()
    ]
    if not wanted:
        return []
    rows = RunMessage.objects.filter(reduce(or_, wanted)).order_by("run", "step", "attempt", "seq")[:limit]
    lines = _cut(rows)
    return [
        (tail, news)
        for tail in tails
        if (news := tail.take(line for run, line in lines if run == tail.number))
    ]


def lines_after(number: int, read: dict[Place, int], until: dict[Place, int]) -> list[LogLine]:
    """Answer the lines that a reader who has read ``read`` lacks, up to ``until``, in order."""
    gaps = [
        Q(run=number, step=step, attempt=attempt, seq__gt=read.get((step, attempt), 0), seq__lte=last)
        for (step, attempt), last in until.items()
        if last > read.get((step, attempt), 0)
    ]
    if not gaps:
        return []
    rows = RunMessage.objects.filter(reduce(or_, gaps)).order_by("step", "attempt", "seq")
    return cut_lines(rows)


class LineTicker:
    """Reads on for all watched runs of this event loop, ten times a second, with one query."""

    def __init__(self) -> None:
        self._tails: dict[Tail, asyncio.Queue[list[LogLine]]] = {}
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lines(self, tail: Tail) -> AsyncIterator[asyncio.Queue[list[LogLine]]]:
        """A queue of the lines that follow ``tail``, as they are stored."""
        queue: asyncio.Queue[list[LogLine]] = asyncio.Queue()
        self._tails[tail] = queue
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tick())
        try:
            yield queue
        finally:
            del self._tails[tail]

    async def _tick(self) -> None:
        while self._tails:
            try:
                for tail, lines in await self._read():
                    if tail in self._tails:
                        self._tails[tail].put_nowait(lines)
            except DatabaseError as error:
                logger.warning("Log lines cannot be read now: %s", error)
            await asyncio.sleep(TICK_SECONDS)

    @sync_to_async
    def _read(self) -> list[tuple[Tail, list[LogLine]]]:
        drop_broken_connections()
        return read_on(list(self._tails))


_tickers: "WeakKeyDictionary[asyncio.AbstractEventLoop, LineTicker]" = WeakKeyDictionary()


def ticker() -> LineTicker:
    """Answer this event loop's ticker."""
    return _tickers.setdefault(asyncio.get_running_loop(), LineTicker())
