"""What a page shows of a log: sections, windows of lines, single lines, how many there are of each level."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Min, Q, QuerySet

from workflows_app.domain.errors import NotFound
from workflows_app.domain.results import Level
from workflows_app.models import RunMessage
from workflows_app.services.logs.messages import WINDOW, LogLine, Place, cut_lines
from workflows_app.services.people.permissions import Actor, Right

# What a line costs on a page beside its text, in characters.
LINE_COST = 230

ALL_LEVELS: frozenset[Level] = frozenset()
"""No filter."""

Key = tuple[int, int, int]
"""The address of a line within its run: (step, attempt, seq)."""


@dataclass(frozen=True, slots=True)
class LogSection:
    """The last lines of one attempt of a step, of which ``total`` are stored.

    With a filter, ``found`` of them fit and ``first`` is the number of the first that does.
    """

    step: int
    attempt: int
    lines: tuple[LogLine, ...]
    total: int
    found: int | None = None
    first: int = 1

    @property
    def earlier(self) -> int:
        """How many lines that fit come before those here."""
        if self.found is not None:
            return self.found - len(self.lines)
        return self.lines[0].seq - 1 if self.lines else 0


@dataclass(frozen=True, slots=True)
class LogWindow:
    """Lines of one attempt that follow each other, and how many there are before and after them."""

    lines: tuple[LogLine, ...]
    earlier: int
    later: int


@dataclass(frozen=True, slots=True)
class Census:
    """How many lines a run has: at each place, and of each level."""

    places: dict[Place, int] = field(default_factory=dict)
    levels: Counter[Level] = field(default_factory=Counter)


def with_levels(rows: QuerySet[RunMessage], levels: Collection[Level]) -> QuerySet[RunMessage]:
    """Narrow ``rows`` to ``levels``; none of them means all. What Fossul does not know is UNKNOWN."""
    if not levels:
        return rows
    wanted = Q(level__in=[level.value for level in levels])
    if Level.UNKNOWN in levels:
        wanted |= ~Q(level__in=[level.value for level in Level])
    return rows.filter(wanted)


def census(actor: Actor, number: int) -> Census:
    """Count the lines of a run, in one query. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = (
        RunMessage.objects.filter(run=number)
        .values_list("step", "attempt", "level")
        .annotate(count=Count("pk"))
        .order_by("step", "attempt")
    )
    answer = Census()
    for step, attempt, level, count in rows:
        answer.places[(step, attempt)] = answer.places.get((step, attempt), 0) + count
        answer.levels[Level(level)] += count
    return answer


def log_sections(
    actor: Actor,
    number: int,
    levels: Collection[Level] = ALL_LEVELS,
    *,
    window: int = WINDOW,
    room: int | None = None,
) -> tuple[LogSection, ...]:
    """Answer the last lines of every attempt of every step, in order.

    At most ``window`` lines of each; ``room`` bounds what all of them take on a page, in characters. The
    last sections are filled first, and each has its last line at least. Raises NotAllowed.
    """
    totals = census(actor, number).places
    rows = with_levels(RunMessage.objects.filter(run=number), levels)
    found = {
        (step, attempt): (count, first)
        for step, attempt, count, first in rows.values_list("step", "attempt").annotate(
            count=Count("pk"), first=Min("seq")
        )
    }
    sections = []
    for place in sorted(totals, reverse=True):
        lines = _last(rows.filter(step=place[0], attempt=place[1]), window)
        if room is not None:
            lines = tuple(_within(lines, room))[::-1]
            room -= sum(_cost(line) for line in lines)
        count, first = found.get(place, (0, 1))
        fits = count if levels else None
        sections.append(LogSection(*place, lines, totals[place], fits, first if levels else 1))
    return tuple(reversed(sections))


def _within(lines: tuple[LogLine, ...], room: int) -> Iterator[LogLine]:
    """The last of the lines for which there is room, from the end on; one in any case."""
    for index, line in enumerate(reversed(lines)):
        room -= _cost(line)
        if room < 0 and index:
            return
        yield line


def _cost(line: LogLine) -> int:
    return LINE_COST + len(line.text)


def log_window(
    actor: Actor,
    number: int,
    place: Place,
    levels: Collection[Level] = ALL_LEVELS,
    *,
    after: int = 0,
    before: int | None = None,
    around: int | None = None,
    size: int = WINDOW,
) -> LogWindow:
    """Answer at most ``size`` lines between the lines ``after`` and ``before`` of one attempt.

    They are those around line ``around`` if given, which is then among them whatever its level; else the
    last of them where only ``before`` is given, else the first. Raises NotAllowed.
    """
    actor.require(Right.VIEW)
    everything = RunMessage.objects.filter(run=number, step=place[0], attempt=place[1])
    rows = with_levels(everything, levels)
    between = rows.filter(seq__gt=after)
    if before is not None:
        between = between.filter(seq__lt=before)
    if around is not None:
        half = size // 2
        lines = (
            *_last(between.filter(seq__lt=around), half),
            *cut_lines(everything.filter(seq=around)),
            *_first(between.filter(seq__gt=around), half),
        )
    elif before is not None and not after:
        lines = _last(between, size)
    else:
        lines = _first(between, size)
    if not lines:
        return LogWindow((), rows.filter(seq__lte=after).count(), 0)
    earlier = rows.filter(seq__lt=lines[0].seq).count()
    return LogWindow(lines, earlier, rows.filter(seq__gt=lines[-1].seq).count())


def whole_line(actor: Actor, number: int, key: Key) -> LogLine:
    """Answer one line with all of its text. Raises NotAllowed and NotFound."""
    actor.require(Right.VIEW)
    step, attempt, seq = key
    row = RunMessage.objects.filter(run=number, step=step, attempt=attempt, seq=seq).first()
    if row is None:
        raise NotFound(f"Run {number} has no line {seq} of step {step}, attempt {attempt}.")
    return LogLine(step, attempt, seq, row.time, row.level, row.text)


def _first(rows: QuerySet[RunMessage], count: int) -> tuple[LogLine, ...]:
    return tuple(cut_lines(rows.order_by("seq")[:count]))


def _last(rows: QuerySet[RunMessage], count: int) -> tuple[LogLine, ...]:
    return tuple(reversed(cut_lines(rows.order_by("-seq")[:count])))
