"""Runs, found by what they are and by what they said; any order, page by page, quick at 100,000 runs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from django.db.models import F, OrderBy, QuerySet

from workflows_app.domain.states import RunState
from workflows_app.models import Run
from workflows_app.services.logs.message_words import Phrase, messages_with, parse_words
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.runs import PER_PAGE, RunSummary, summarize

COUNTED = 10_000
SEARCHED_LINES = 20_000


class RunOrder(StrEnum):
    """What a list is sorted by. Runs without a duration or size come last, whichever way it goes."""

    STARTED = "started"
    DURATION = "duration"
    SIZE = "size"


_COLUMNS = {RunOrder.STARTED: "started", RunOrder.DURATION: "seconds", RunOrder.SIZE: "backup_bytes"}


@dataclass(frozen=True, slots=True)
class RunQuery:
    """What is looked for; an empty value is no condition.

    ``first`` and ``last`` are the days (UTC) on which a run may have started. ``text`` are words that a
    message of the run has (``message_words.parse_words``).
    """

    profile: str = ""
    config: str = ""
    policy: str = ""
    type: str = ""
    state: RunState | None = None
    first: date | None = None
    last: date | None = None
    text: str = ""
    order: RunOrder = RunOrder.STARTED
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """A page of what was found; ``page`` counts from 1, of ``pages``.

    ``total`` is at most COUNTED: ``more`` says that there are others, which no page has. ``searched`` is
    how many lines were looked through where there were more that fit, the newest, None where it was all.
    """

    runs: tuple[RunSummary, ...]
    total: int
    more: bool
    page: int
    pages: int
    searched: int | None = None


def find_runs(actor: Actor, query: RunQuery, page: int = 1, per_page: int = PER_PAGE) -> FoundRuns:
    """Answer a page of the runs that fit; a page beyond the last one is the last one. Raises NotAllowed."""
    actor.require(Right.VIEW)
    runs, searched = _with_text(_matching(query), query.text)
    total = runs.order_by()[: COUNTED + 1].count()
    more, total = total > COUNTED, min(total, COUNTED)
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    # The numbers come from an index alone; only the rows of the page itself are read.
    ordered = runs.order_by(*_order(query)).values_list("pk", flat=True)
    numbers = list(ordered[(page - 1) * per_page : min(page * per_page, COUNTED)])
    rows = Run.objects.defer("result").in_bulk(numbers)
    found = tuple(summarize(rows[number]) for number in numbers if number in rows)
    return FoundRuns(found, total, more, page, pages, searched)


def count_newer(actor: Actor, query: RunQuery, than: int) -> int:
    """Answer how many runs that fit have a number above ``than``. Raises NotAllowed."""
    actor.require(Right.VIEW)
    runs, _ = _with_text(_matching(query).filter(pk__gt=than), query.text)
    return runs.order_by().count()


def _matching(query: RunQuery) -> QuerySet[Run]:
    runs = Run.objects.all()
    for name in ("profile", "config", "policy", "type"):
        if value := getattr(query, name):
            runs = runs.filter(**{name: value})
    if query.state is not None:
        runs = runs.filter(status=query.state.value)
    if query.first is not None:
        runs = runs.filter(started__gte=_midnight(query.first))
    if query.last is not None and query.last < date.max:
        runs = runs.filter(started__lt=_midnight(query.last + timedelta(days=1)))
    return runs


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _with_text(runs: QuerySet[Run], text: str) -> tuple[QuerySet[Run], int | None]:
    """Those of ``runs`` with a message that has the words of ``text``, and how many lines were enough."""
    phrases: tuple[Phrase, ...] = parse_words(text)
    if not text.strip():
        return runs, None
    if not phrases:
        return runs.none(), None
    messages = messages_with(phrases).filter(run__in=runs.order_by())
    hits = list(messages.order_by("-pk").values_list("run_id", flat=True)[: SEARCHED_LINES + 1])
    searched = SEARCHED_LINES if len(hits) > SEARCHED_LINES else None
    return Run.objects.filter(pk__in=set(hits[:SEARCHED_LINES])), searched


def _order(query: RunQuery) -> tuple[OrderBy, OrderBy]:
    column, number = F(_COLUMNS[query.order]), F("pk")
    if query.ascending:
        return column.asc(nulls_last=True), number.asc()
    return column.desc(nulls_last=True), number.desc()
