"""How protected configurations are, and when they run next: for one and for all in the same few questions.

No worker is asked: what the storages have is known from when a worker last read it (``models.catalogues``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, OuterRef

from workflows_app.domain.runs.protection import (
    Evidence,
    Promise,
    Protection,
    Scheduled,
    SeenPoint,
    protection,
)
from workflows_app.domain.runs.trends import ConfigTrend
from workflows_app.domain.schedules.schedules import Timing
from workflows_app.domain.states import CheckState
from workflows_app.models import Catalogue, Verification
from workflows_app.services.configurations.catalog import ConfigSummary
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.protection.trends import Place
from workflows_app.services.schedules.schedule_lists import KnownSchedules, ScheduleSummary

_Bad = set[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How protected a configuration is, and what comes next.

    ``next_time`` is the earliest moment at which a schedule of it acts, None where none does or that is not
    known, which ``promise`` tells; ``next_policy`` is that schedule's policy.
    """

    protection: Protection
    promise: Promise
    next_time: datetime | None = None
    next_policy: str = ""


def list_outlooks(
    actor: Actor,
    configs: Sequence[ConfigSummary],
    trends: Mapping[Place, ConfigTrend],
    known: KnownSchedules,
    now: datetime,
) -> dict[Place, Outlook]:
    """Answer the outlook of each of ``configs``, by place, in two queries. Raises NotAllowed."""
    actor.require(Right.VIEW)
    seen = _seen(configs)
    bad = _found_bad()
    return {
        place: _outlook(
            config, seen.get(place), bad, trends.get(place, ConfigTrend((), ())), known.of(*place), now
        )
        for config in configs
        for place in [(config.profile, config.name)]
    }


def _seen(configs: Sequence[ConfigSummary]) -> dict[Place, Catalogue]:
    rows = Catalogue.objects.all()
    if len(configs) == 1:
        rows = rows.filter(profile=configs[0].profile, config=configs[0].name)
    return {(row.profile, row.config): row for row in rows}


def _found_bad() -> _Bad:
    """The backups whose last verification found that they are not as they were made."""
    same = {name: OuterRef(name) for name in ("profile", "config", "backup")}
    later = Verification.objects.filter(**same, pk__gt=OuterRef("pk"), state=CheckState.GOOD.value)
    rows = Verification.objects.filter(~Exists(later), state=CheckState.FAILED.value).order_by()
    return set(rows.values_list("profile", "config", "backup"))


def _outlook(
    config: ConfigSummary,
    row: Catalogue | None,
    bad: _Bad,
    trend: ConfigTrend,
    schedules: tuple[ScheduleSummary, ...] | None,
    now: datetime,
) -> Outlook:
    scheduled = _scheduled(config, schedules)
    found = protection(_evidence(config, row, bad, trend), scheduled, _durations(trend), now)
    times = [] if config.disabled else [(s.next_time, s.key.policy) for s in schedules or () if s.next_time]
    time, policy = min(times, default=(None, ""))
    return Outlook(found, scheduled.promise, time, policy)


def _evidence(config: ConfigSummary, row: Catalogue | None, bad: _Bad, trend: ConfigTrend) -> Evidence:
    last = trend.current
    reported = last.history[-1].started if last else None
    if row is None or row.storage != config.storage_mark:
        return Evidence(reported=reported)
    points = (SeenPoint(name, policy, _moment(epoch)) for name, policy, epoch in row.points)
    good = tuple(point for point in points if (config.profile, config.name, point.name) not in bad)
    return Evidence(good, row.read, row.trouble, reported)


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _scheduled(config: ConfigSummary, schedules: Iterable[ScheduleSummary] | None) -> Scheduled:
    if config.disabled:
        return Scheduled(Promise.DISABLED, {})
    if schedules is None:
        return Scheduled(Promise.UNKNOWN, {})
    schedules = tuple(schedules)
    at_work: dict[str, list[Timing]] = {}
    for schedule in schedules:
        if not schedule.paused and schedule.timing is not None:
            at_work.setdefault(schedule.key.policy, []).append(schedule.timing)
    if at_work:
        return Scheduled(Promise.MADE, at_work)
    return Scheduled(Promise.PAUSED if schedules else Promise.NONE, {})


def _durations(trend: ConfigTrend) -> dict[str, timedelta]:
    """The longest that each policy's backups took, of those that are known."""
    return {
        each.policy: timedelta(seconds=max(backup.seconds for backup in each.history))
        for each in trend.policies
        if each.history
    }
