"""How the backups of configurations go: their last 30 days, and what is usual for their policies.

Two queries, for one configuration and for all alike; old runs make neither dearer.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from workflows_app.domain.runs.trends import (
    COMPARED,
    HISTORY,
    Completed,
    ConfigTrend,
    Day,
    PolicyTrend,
    last_days,
)
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Policy, Run
from workflows_app.services.people.permissions import Actor, Right

Place = tuple[str, str]
"""A configuration: (profile, configuration)."""

_Counts = defaultdict[Place, defaultdict[date, dict[RunState, int]]]
_COLUMNS = ("id", "started", "finished", "backup_bytes")
_ROWS_AS_JSON = {
    "sqlite": "(SELECT json_group_array(json_array(id, started, finished, backup_bytes))"
    " FROM (%(subquery)s) made)",
    "postgresql": "(SELECT json_agg(json_build_array(id, started, finished, backup_bytes))::text"
    " FROM (%(subquery)s) made)",
}


def list_trends(actor: Actor, now: datetime) -> dict[Place, ConfigTrend]:
    """Answer the trend of every configuration; each policy's history is enough for its newest backup.

    Days are those of the server's time zone. Raises NotAllowed.
    """
    actor.require(Right.VIEW)
    places = BackupConfig.objects.values_list("profile__name", "name")
    return _trends(places, Run.objects.all(), Policy.objects.all(), now, COMPARED + 1)


def get_trend(actor: Actor, profile: str, config: str, now: datetime) -> ConfigTrend:
    """Answer the trend of one configuration; that of one that does not exist is empty. Raises NotAllowed."""
    actor.require(Right.VIEW)
    place = (profile, config)
    policies = Policy.objects.filter(config__profile__name=profile, config__name=config)
    return _trends([place], Run.objects.of(profile, config), policies, now, HISTORY)[place]


def _trends(
    places: Iterable[Place], runs: QuerySet[Run], policies: QuerySet[Policy], now: datetime, history: int
) -> dict[Place, ConfigTrend]:
    strip = last_days(timezone.localdate(now, timezone.get_default_timezone()))
    counts = _counts(runs, strip)
    trends = _policies(policies, history)
    return {
        place: ConfigTrend(tuple(Day(day, counts[place][day]) for day in strip), tuple(trends[place]))
        for place in places
    }


def _counts(runs: QuerySet[Run], strip: Sequence[date]) -> _Counts:
    """How many backups in which state began on each day of ``strip``, by place."""
    starts = [datetime.combine(day, time.min, timezone.get_default_timezone()) for day in strip]
    found = (
        runs.filter(type="backup", started__gte=starts[0])
        .annotate(day=_index(starts))
        .order_by()
        .values_list("profile", "config", "day", "status")
        .annotate(count=Count("pk"))
    )
    counts: _Counts = defaultdict(lambda: defaultdict(dict))
    for profile, config, index, status, count in found:
        counts[profile, config][strip[index]][RunState(status)] = count
    return counts


def _index(starts: Sequence[datetime], first: int = 0) -> Combinable:
    """Which of ``starts`` is the last that a run's start has reached: by halves, few comparisons a row."""
    if len(starts) == 1:
        return Value(first)
    half = len(starts) // 2
    later = When(started__gte=starts[half], then=_index(starts[half:], first + half))
    return Case(later, default=_index(starts[:half], first))


def _policies(policies: QuerySet[Policy], history: int) -> dict[Place, list[PolicyTrend]]:
    """The last ``history`` completed backups of each of ``policies``, by place."""
    completed = Run.objects.filter(
        profile=OuterRef("config__profile__name"),
        config=OuterRef("config__name"),
        policy=OuterRef("name"),
        type="backup",
        status=RunState.COMPLETED.value,
        finished__isnull=False,
    ).order_by("-pk")
    found = policies.order_by("position", "name").values_list(
        "config__profile__name", "config__name", "name", _Rows(completed.values(*_COLUMNS)[:history])
    )
    trends: dict[Place, list[PolicyTrend]] = defaultdict(list)
    for profile, config, policy, rows in found:
        backups = sorted(map(_completed, json.loads(rows or "[]")), key=lambda backup: backup.number)
        trends[profile, config].append(PolicyTrend(policy, tuple(backups)))
    return trends


def _completed(row: Sequence[Any]) -> Completed:
    number, started, finished, size = row
    begun = _moment(started)
    return Completed(number, begun, (_moment(finished) - begun).total_seconds(), size)


def _moment(text: str) -> datetime:
    """A time as the database writes it in JSON; SQLite keeps it in UTC and does not say so."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Rows(Subquery):
    """The rows of a subquery of ``_COLUMNS`` as one JSON text: some of each group, in one query.

    A window function would number every row that there is, to keep a few of them.
    """

    output_field = TextField()

    def as_sql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        template: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, Any]:
        """Answer the SQL; in which order the rows come is not promised."""
        template = template or _ROWS_AS_JSON[connection.vendor]
        return super().as_sql(compiler, connection, template, **extra_context)
