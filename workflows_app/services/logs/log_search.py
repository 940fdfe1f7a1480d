"""Search in the whole log of a run: complete, with an exact count, however long the log is."""

import re
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, QuerySet

from workflows_app.domain.messages import storable
from workflows_app.domain.results import Level
from workflows_app.models import RunMessage
from workflows_app.services.logs.log_windows import ALL_LEVELS, Key, with_levels
from workflows_app.services.logs.messages import LogLine, cut_lines
from workflows_app.services.people.permissions import Actor, Right

PAGE_SIZE = 200
TEXT_CHARS = 200

# A terminal's colours may change within a word.
_COLOURS = "(\x1b\\[[0-9;:]*m)*"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is looked for: lines that contain ``text``, whatever its case, and have one of ``levels``.

    An empty text is in every line, and no levels mean all of them.
    """

    text: str = ""
    levels: frozenset[Level] = ALL_LEVELS

    @property
    def empty(self) -> bool:
        """Whether nothing is looked for."""
        return not self.text and not self.levels


@dataclass(frozen=True, slots=True)
class Found:
    """One hit: ``index`` of ``total``, counted from 1; None and 0 where there is none."""

    total: int
    index: int = 0
    line: Key | None = None


@dataclass(frozen=True, slots=True)
class HitPage:
    """A page of hits in the order of the log; ``page`` counts from 1, of ``pages``."""

    lines: tuple[LogLine, ...]
    total: int
    page: int
    pages: int


def find_line(
    actor: Actor, number: int, query: LogQuery, start: Key | None = None, *, backwards: bool = False
) -> Found:
    """Answer the next hit after line ``start`` (or before it); the first (last) of all without one.

    Behind the last hit comes the first again. Raises NotAllowed.
    """
    actor.require(Right.VIEW)
    rows = _matching(number, query)
    if start is None:
        total, ahead, hits = rows.count(), 0, rows
    else:
        beyond = _before(start) if backwards else _after(start)
        counts = rows.aggregate(total=Count("pk"), ahead=Count("pk", filter=beyond))
        total, ahead = counts["total"], counts["ahead"]
        hits = rows.filter(beyond) if ahead else rows
    keys = hits.values_list("step", "attempt", "seq")
    line = keys.last() if backwards else keys.first()
    if line is None:
        return Found(total)
    if backwards:
        return Found(total, ahead or total, line)
    return Found(total, total - ahead + 1 if ahead else 1, line)


def list_hits(actor: Actor, number: int, query: LogQuery, page: int = 1) -> HitPage:
    """Answer a page of the hits; a page beyond the last one is the last one. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = _matching(number, query)
    total = rows.count()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    lines = cut_lines(rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    return HitPage(tuple(lines), total, page, pages)


def _matching(number: int, query: LogQuery) -> QuerySet[RunMessage]:
    rows = with_levels(RunMessage.objects.filter(run=number), query.levels)
    text = storable(query.text)[:TEXT_CHARS]
    if text:
        rows = rows.filter(_contains(text))
    return rows.order_by("step", "attempt", "seq")


def _contains(text: str) -> Q:
    # SQLite's LIKE knows upper and lower case of ASCII only; its regular expressions are Python's.
    if connection.vendor == "sqlite" and not text.isascii():
        plain = Q(text__iregex=re.escape(text))
    else:
        plain = Q(text__icontains=text)
    coloured = _COLOURS.join(re.escape(character) for character in text)
    return plain | Q(text__contains="\x1b", text__iregex=coloured)


def _after(line: Key) -> Q:
    step, attempt, seq = line
    return Q(step__gt=step) | Q(step=step, attempt__gt=attempt) | Q(step=step, attempt=attempt, seq__gt=seq)


def _before(line: Key) -> Q:
    step, attempt, seq = line
    return Q(step__lt=step) | Q(step=step, attempt__lt=attempt) | Q(step=step, attempt=attempt, seq__lt=seq)
