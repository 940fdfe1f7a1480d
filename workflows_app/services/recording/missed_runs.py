"""What was due while Temporal itself was away gets a row, too: MISSED.

What is not too late when Temporal is back it starts by itself. The rest it drops, and counts per schedule: so
how many there are is Temporal's word, and which ones are those that were due since the last look and that it
has not started. A row's run id is made of its schedule and its moment, so that any number of workers that
look at the same time make the same rows.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from uuid import NAMESPACE_URL, uuid5

from asgiref.sync import sync_to_async
from temporalio.client import Client, ScheduleDescription
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from workflows_app.domain import naming
from workflows_app.domain.durations import in_words
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.schedules.schedules import ScheduleKey, Timing
from workflows_app.domain.states import RunState
from workflows_app.models import AuditEntry, Run, ScheduleWatch
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import GROUP_RIGHTS, Actor
from workflows_app.services.schedules.schedule_lists import list_schedules
from workflows_app.services.schedules.schedule_specs import scheduled_in, timing_in
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal

logger = logging.getLogger(__name__)

AT_ONCE = 10
MOST = 1000
"""So many rows of one schedule at one look: the newest; of a schedule that is due every minute, 16 hours."""
LISTS_FOLLOW = timedelta(seconds=5)
OVERLAP = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(days=7)

_DUE = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_EVERYBODY = Actor("missed runs", GROUP_RIGHTS["viewer"])

Pause = tuple[datetime, datetime | None]
"""From when to when; None for one that lasts."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class _Look:
    """A schedule as Temporal describes it now, and how many runs it has ever dropped."""

    key: ScheduleKey
    timing: Timing
    dropped: int
    created: datetime


async def record_missed() -> bool:
    """Make rows for what Temporal has dropped since the last look; answer whether some must wait.

    That is so for a few seconds after Temporal is back, as long as its lists may lack what it has started
    late. Raises TemporalUnavailable, DatabaseError.
    """
    begun = datetime.now(UTC)
    keys = [one.key for one in await list_schedules(_EVERYBODY)]
    async with temporal() as client:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def look(key: ScheduleKey) -> _Look | None:
            async with at_once:
                return await _look(client, key)

        looks = [found for found in await asyncio.gather(*map(look, keys)) if found is not None]
        watches = await _watches()
        settled, waits = [], False
        for found in looks:
            watch = watches.get(found.key.id)
            if _owed(found, watch) and not await _record(client, found, watch, begun):
                waits = True
            else:
                settled.append(found)
    await _write(settled, watches, begun)
    return waits


async def _look(client: Client, key: ScheduleKey) -> _Look | None:
    try:
        found: ScheduleDescription = await client.get_schedule_handle(key.id).describe(
            rpc_timeout=RPC_TIMEOUT
        )
    except RPCError:
        return None  # deleted meanwhile
    scheduled = scheduled_in(found.schedule.action)
    if scheduled is None:
        return None
    try:
        timing = timing_in(found.schedule, scheduled)
    except ConfigInvalid as error:
        logger.warning("The schedule %s was written by something else: %s", key, error)
        return None
    return _Look(key, timing, found.info.num_actions_missed_catchup_window, found.info.created_at)


@sync_to_async
def _watches() -> dict[str, ScheduleWatch]:
    drop_broken_connections()
    return {watch.schedule: watch for watch in ScheduleWatch.objects.all()}


def _is_same(found: _Look, watch: ScheduleWatch) -> bool:
    """Whether what was watched is this schedule, and not one of the same name that was deleted."""
    return watch.checked is not None and found.created <= watch.checked and watch.missed <= found.dropped


def _owed(found: _Look, watch: ScheduleWatch | None) -> int:
    """How many of the runs that were dropped have no row yet."""
    return found.dropped - (watch.missed if watch and _is_same(found, watch) else 0)


def _since(found: _Look, watch: ScheduleWatch | None) -> datetime:
    """From when on a run may have been dropped that has no row."""
    if watch is None or watch.checked is None or not _is_same(found, watch):
        return found.created
    return max(found.created, watch.checked - OVERLAP)


async def _record(client: Client, found: _Look, watch: ScheduleWatch | None, now: datetime) -> bool:
    """Make the rows of one schedule; answer False when that must wait."""
    timing, since, owed = found.timing, _since(found, watch), _owed(found, watch)
    too_late = now - timedelta(seconds=timing.catch_up_seconds)
    surely = too_late - timedelta(seconds=timing.jitter_seconds) - LISTS_FOLLOW
    started = await _started(client, found.key, since)
    spans = _expected_spans(since, too_late, await _pauses(found.key))
    # In a thread of its own: where much was started, there is much to pass by.
    missed = await asyncio.to_thread(_last_dropped, timing, spans, started, min(owed, MOST))
    if missed and missed[-1] > surely:
        return False
    if len(missed) < owed:
        logger.warning(
            "Temporal has dropped %d runs of schedule %s, of which %d are recorded",
            owed,
            found.key,
            len(missed),
        )
    await _insert(found.key, timing, missed)
    return True


async def _started(client: Client, key: ScheduleKey, since: datetime) -> set[datetime]:
    """The moments for which Temporal has started something."""
    query = (
        f"TemporalScheduledById = '{key.id}' AND "
        f"TemporalScheduledStartTime >= '{since.isoformat(timespec='seconds')}'"
    )
    found = client.list_workflows(query, rpc_timeout=RPC_TIMEOUT)
    return {due async for one in found if (due := one.typed_search_attributes.get(_DUE)) is not None}


@sync_to_async
def _pauses(key: ScheduleKey) -> list[Pause]:
    """From when to when a schedule was paused here: what was due then was not expected."""
    entries = AuditEntry.objects.filter(
        profile=key.profile, config=key.config, action__in=(Action.PAUSED.value, Action.RESUMED.value)
    )
    pauses: list[Pause] = []
    for entry in entries.order_by("pk"):
        if entry.details.split(":")[0] != f"{key.policy}/{key.name}":
            continue
        still = bool(pauses) and pauses[-1][1] is None
        if entry.action == Action.PAUSED.value and not still:
            pauses.append((entry.time, None))
        elif entry.action == Action.RESUMED.value and still:
            pauses[-1] = (pauses[-1][0], entry.time)
    return pauses


def _expected_spans(since: datetime, until: datetime, pauses: Sequence[Pause]) -> list[Span]:
    """The spans between ``since`` and ``until`` in which it was not paused, the last one first."""
    spans = []
    for begin, end in pauses:
        if since < begin:
            spans.append((since, min(until, begin - timedelta.resolution)))
        since = max(since, end) if end else until
    return [(begin, end) for begin, end in reversed([*spans, (since, until)]) if begin < end]


def _last_dropped(
    timing: Timing, spans: Sequence[Span], started: Collection[datetime], most: int
) -> list[datetime]:
    """The last ``most`` moments in ``spans`` that were due and not started, in their order."""
    due = chain.from_iterable(timing.last_due(*span) for span in spans)
    dropped = (moment for moment in due if moment not in started)
    return list(islice(dropped, most))[::-1]


@sync_to_async
def _insert(key: ScheduleKey, timing: Timing, missed: Sequence[datetime]) -> None:
    words = (
        "Temporal itself was away when it was due, and when it was back that was more than "
        f"{in_words(timing.catch_up_seconds)} ago, which is how late it may be."
    )
    rows = [
        Run(
            workflow_id=naming.run_workflow_id(key.profile, key.config),
            run_id=str(uuid5(NAMESPACE_URL, f"{key.id}?{moment.isoformat()}")),
            profile=key.profile,
            config=key.config,
            policy=key.policy,
            status=RunState.MISSED.value,
            requested_by=f"schedule {key.name}",
            started=moment,
            finished=moment,
            failure=words,
        )
        for moment in missed
    ]
    Run.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        logger.info("%d runs of schedule %s were missed", len(rows), key)


@sync_to_async
def _write(looks: Sequence[_Look], watches: dict[str, ScheduleWatch], now: datetime) -> None:
    """Remember what was looked at."""
    same = []
    for found in looks:
        watch = watches.get(found.key.id)
        if watch is not None and watch.missed == found.dropped:
            same.append(watch.pk)
        else:
            seen = {"missed": found.dropped, "checked": now}
            ScheduleWatch.objects.update_or_create(schedule=found.key.id, defaults=seen)
    ScheduleWatch.objects.filter(pk__in=same).update(checked=now)
    ScheduleWatch.objects.filter(checked__lt=now - FORGOTTEN_AFTER).delete()
