"""What changes in the runs, for all lists of a process: two small queries at each look, however many runs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Left

from workflows_app.models import Run, RunMessage
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.runs import RunSummary, summarize

SAID_CHARS = 300


@dataclass(frozen=True, slots=True)
class RunNews:
    """A run as it is now, and the last line that it said; of a closed one ``said`` is empty."""

    run: RunSummary
    said: str = ""


class RunChanges:
    """Tells which runs have changed since it was last asked. One thread at a time may ask."""

    def __init__(self) -> None:
        self._known: dict[int, RunNews] = {}
        self._newest: int | None = None

    def look(self) -> list[RunNews]:
        """Answer the runs that are new or changed, by number; at first, all that may still change.

        Only runs that are open, or whose watchdog is, can change: the others are not looked at. Raises
        DatabaseError.
        """
        drop_broken_connections()
        if self._newest is None:
            self._newest = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        # Each part has an index of its own; one condition of all three would be a scan.
        newer = Run.objects.filter(pk__gt=self._newest)
        parts = (rows.order_by().values("pk") for rows in (Run.objects.open(), Run.objects.guarded(), newer))
        wanted = {row["pk"] for row in next(parts).union(*parts)} | self._known.keys()
        rows = _with_last_line(Run.objects.filter(pk__in=wanted)).order_by("pk")
        changed: list[RunNews] = []
        seen: dict[int, RunNews] = {}
        for run in rows if wanted else ():
            news = _news(run)
            same = self._known.get(run.pk) == news
            if not same:
                changed.append(news)
            # A settled one is compared once more at the next look, and then forgotten.
            if not same or run.finished is None or run.guarded:
                seen[run.pk] = news
        self._known = seen
        self._newest = max(self._newest, *seen, 0)
        return changed


def get_news(actor: Actor, numbers: Collection[int]) -> dict[int, RunNews]:
    """Answer these runs as they are now, by number; one that is gone is left out. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = _with_last_line(Run.objects.filter(pk__in=numbers))
    return {run.pk: _news(run) for run in rows}


def add_last_lines(runs: Iterable[RunSummary]) -> list[RunNews]:
    """Answer ``runs`` with the last lines of those that are open."""
    runs = list(runs)
    open_runs = Run.objects.filter(pk__in=[run.number for run in runs if not run.state.closed])
    said = dict(open_runs.order_by().values_list("pk", _LAST_LINE))
    return [RunNews(run, said.get(run.number) or "") for run in runs]


# By the address: its index answers that without a look at other lines, also for a run that has none.
_LAST_LINE = Subquery(
    RunMessage.objects.filter(run=OuterRef("pk"))
    .order_by("-step", "-attempt", "-seq")
    .values(line=Left("text", SAID_CHARS))[:1]
)


def _with_last_line(rows: QuerySet[Run]) -> QuerySet[Run]:
    return rows.defer("result").annotate(said=_LAST_LINE)


def _news(run: Run) -> RunNews:
    said: str | None = getattr(run, "said", None)
    return RunNews(summarize(run), "" if run.finished is not None else said or "")
