"""Schedules as pages show them: when they are due, what became of what they expected, what is overdue."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.conf import settings
from temporalio.client import Client, ScheduleListDescription, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from workflows_app.domain import naming
from workflows_app.domain.errors import ConfigInvalid, TemporalUnavailable
from workflows_app.domain.schedules.cron_words import cron_words
from workflows_app.domain.schedules.schedules import Obstacle, ScheduleKey, Timing, parse_key, unknown
from workflows_app.models import Run
from workflows_app.models.schedule_obstacles import find_obstacles
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.runs import RunSummary, summarize
from workflows_app.services.schedules.schedule_specs import (
    listed_timing,
    next_time,
    scheduled_in,
    timing_in,
    words_in,
)
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.health import temporal_trouble
from workflows_app.services.temporal.throttle import Throttled

logger = logging.getLogger(__name__)

LAST_EXPECTED = 20
MOST_OVERDUE = 50
OVERDUE_AFTER = timedelta(seconds=30)
"""A worker that is there takes what is due within a second or so."""

_DUE = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@dataclass(frozen=True, slots=True)
class ScheduleSummary:
    """A schedule as a list shows it; ``next_time`` is None while it is paused, ``note`` says why it is.

    ``obstacle`` is why nothing starts when it is due. While that is a disabled configuration ``next_time`` is
    None, too: what is due is skipped. ``timing`` is when it is due as far as Temporal's list tells (not how
    late it may be), None for one that was written by something else.
    """

    key: ScheduleKey
    text: str
    words: str
    zone: str
    next_time: datetime | None
    paused: bool
    note: str
    timing: Timing | None = None
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class KnownSchedules:
    """The schedules of all configurations, by (profile, configuration), or why they are not known."""

    schedules: dict[tuple[str, str], tuple[ScheduleSummary, ...]] = field(default_factory=dict)
    trouble: str = ""

    def of(self, profile: str, config: str) -> tuple[ScheduleSummary, ...] | None:
        """Those of one configuration; None where that is not known."""
        return None if self.trouble else self.schedules.get((profile, config), ())


@dataclass(frozen=True, slots=True)
class Expected:
    """A run that a schedule expected. ``due`` is when, ``asked`` when Temporal began to ask a worker for it.

    ``run`` is what became of it, None as long as no worker has taken it; ``open`` says that one still may.
    """

    due: datetime
    asked: datetime
    run: RunSummary | None
    open: bool


@dataclass(frozen=True, slots=True)
class ScheduleDetail:
    """A schedule with all that is known of it.

    ``next_times`` are Temporal's own, jitter included; none while it is paused or its configuration disabled.
    ``obstacle`` is why nothing starts when it is due. ``missed`` counts what was due while Temporal itself
    was away for longer than the schedule may be late: Temporal started nothing for those, and they have rows
    of their own (``services.recording.missed_runs``).
    """

    key: ScheduleKey
    timing: Timing
    words: str
    paused: bool
    note: str
    next_times: tuple[datetime, ...]
    missed: int
    created: datetime
    last: tuple[Expected, ...]
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A run that was due and that no worker has taken yet."""

    key: ScheduleKey
    due: datetime


async def list_schedules(
    actor: Actor, profile: str | None = None, config: str | None = None
) -> tuple[ScheduleSummary, ...]:
    """Answer the schedules of a configuration, or of all, the one that is due next first.

    Temporal's lists follow what happens within a second or so. Raises NotAllowed, TemporalUnavailable.
    """
    actor.require(Right.VIEW)
    found = await _listed(profile, config)
    far = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda one: (one.next_time or far, str(one.key))))


async def _listed(profile: str | None = None, config: str | None = None) -> list[ScheduleSummary]:
    found = []
    async with temporal() as client:
        async for entry in await client.list_schedules(rpc_timeout=RPC_TIMEOUT):
            key = parse_key(entry.id)
            if key is None or (profile and key.profile != profile) or (config and key.config != config):
                continue
            if await entry.memo_value(naming.MEMO_TASK_QUEUE, None) == settings.TEMPORAL_TASK_QUEUE:
                found.append(_summary(key, entry))
    return await sync_to_async(_with_obstacles)(found)


def _with_obstacles(found: list[ScheduleSummary]) -> list[ScheduleSummary]:
    obstacles = find_obstacles([one.key for one in found])
    return [
        replace(one, obstacle=obstacle, next_time=None if obstacle is Obstacle.DISABLED else one.next_time)
        for one in found
        for obstacle in [obstacles.get(one.key)]
    ]


async def _all_known() -> KnownSchedules:
    found: dict[tuple[str, str], tuple[ScheduleSummary, ...]] = {}
    try:
        for one in await _listed():
            place = (one.key.profile, one.key.config)
            found[place] = (*found.get(place, ()), one)
    except TemporalUnavailable as error:
        return KnownSchedules(trouble=str(error))
    return KnownSchedules(found)


_known: Throttled[KnownSchedules] = Throttled(
    _all_known,
    first=KnownSchedules(trouble="Temporal has not been asked yet."),
    late=KnownSchedules(trouble="Temporal takes too long to list the schedules."),
    every=2.0,
    patience=3.0,
)


def known_schedules(actor: Actor) -> KnownSchedules:
    """Answer all schedules, asked at most every two seconds. For synchronous code. Raises NotAllowed."""
    actor.require(Right.VIEW)
    trouble = temporal_trouble()
    return KnownSchedules(trouble=trouble) if trouble else _known.get()


async def get_schedule(actor: Actor, key: ScheduleKey) -> ScheduleDetail:
    """Answer a schedule. Raises NotAllowed; NotFound for one that is not there, or another's;
    TemporalUnavailable.
    """
    actor.require(Right.VIEW)
    try:
        async with temporal() as client:
            found = await client.get_schedule_handle(key.id).describe(rpc_timeout=RPC_TIMEOUT)
            scheduled = scheduled_in(found.schedule.action)
            if scheduled is None:
                raise unknown(key)
            last = await _expected(client, f"TemporalScheduledById = '{key.id}'", LAST_EXPECTED)
    except RPCError:
        raise unknown(key) from None
    timing = timing_in(found.schedule, scheduled)
    state = found.schedule.state
    obstacle = (await sync_to_async(find_obstacles)([key])).get(key)
    idle = state.paused or obstacle is Obstacle.DISABLED
    return ScheduleDetail(
        key=key,
        timing=timing,
        words=cron_words(timing.cron),
        paused=state.paused,
        note=state.note or "",
        next_times=() if idle else tuple(found.info.next_action_times),
        missed=found.info.num_actions_missed_catchup_window,
        created=found.info.created_at,
        last=await sync_to_async(_with_runs)(last),
        obstacle=obstacle,
    )


async def find_overdue() -> tuple[Overdue, ...]:
    """Answer what was due more than ``OVERDUE_AFTER`` ago and no worker has taken.

    Raises TemporalUnavailable.
    """
    query = (
        f"WorkflowType = '{naming.SCHEDULED_WORKFLOW}' AND ExecutionStatus = 'Running' "
        f"AND TaskQueue = '{settings.TEMPORAL_TASK_QUEUE}'"
    )
    async with temporal() as client:
        waiting = await _expected(client, query, MOST_OVERDUE)
    late = datetime.now(UTC) - OVERDUE_AFTER
    found = [(parse_key(one.schedule), one) for one in waiting if one.run is None and one.asked < late]
    return tuple(Overdue(key, one.due) for key, one in found if key)


async def _overdue() -> tuple[Overdue, ...]:
    try:
        return await find_overdue()
    except TemporalUnavailable as error:
        logger.info("What is overdue could not be asked: %s", error)
        return ()


_look: Throttled[tuple[Overdue, ...]] = Throttled(_overdue, first=(), late=(), every=2.0, patience=1.5)


def overdue(actor: Actor) -> tuple[Overdue, ...]:
    """Answer what is overdue, asked at most every two seconds; nothing while Temporal is away.

    For synchronous code. Raises NotAllowed.
    """
    actor.require(Right.VIEW)
    return () if temporal_trouble() else _look.get()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What Temporal's list of scheduled workflows tells of an expected run; ``run`` is its number."""

    schedule: str
    due: datetime
    asked: datetime
    run: int | None
    open: bool


async def _expected(client: Client, query: str, limit: int) -> list[_Asked]:
    found = client.list_workflows(query, limit=limit, rpc_timeout=RPC_TIMEOUT)
    return [await _asked(execution) async for execution in found]


async def _asked(execution: WorkflowExecution) -> _Asked:
    memo = await execution.memo()
    number = memo.get(naming.MEMO_RUN)
    return _Asked(
        schedule=str(memo.get(naming.MEMO_SCHEDULE, "")),
        due=execution.typed_search_attributes.get(_DUE) or execution.start_time,
        asked=execution.start_time,
        run=number if isinstance(number, int) else None,
        open=execution.status is WorkflowExecutionStatus.RUNNING,
    )


def _with_runs(asked: Sequence[_Asked]) -> tuple[Expected, ...]:
    numbers = [one.run for one in asked if one.run is not None]
    rows = {run.pk: summarize(run) for run in Run.objects.filter(pk__in=numbers).defer("result")}
    return tuple(Expected(one.due, one.asked, rows.get(one.run or 0), one.open) for one in asked)


def _summary(key: ScheduleKey, entry: ScheduleListDescription) -> ScheduleSummary:
    text, words, zone, paused, note, timing = "", "", "", False, "", None
    if entry.schedule is not None:
        spec, state = entry.schedule.spec, entry.schedule.state
        try:
            text, words = words_in(spec)
            timing = listed_timing(spec)
        except ConfigInvalid:
            logger.warning("The schedule %s was written by something else", entry.id)
        zone, paused, note = spec.time_zone_name or "UTC", state.paused, state.note or ""
    times = entry.info.next_action_times if entry.info else ()
    return ScheduleSummary(key, text, words, zone, next_time(times, paused=paused), paused, note, timing)
