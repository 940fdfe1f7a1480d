"""Schedules follow their configuration: renamed, they move; deleted, they go; duplicated, they may be copied.
They follow their policy likewise.

Temporal and the database share no transaction. So what is to follow is written down together with the change
(``models.schedules.ScheduleMove``) and done after it: at once, and again by every worker's recorder until it
is done, wherever somebody was interrupted. Each step may be done twice.

A schedule moves so that never two of it act: the new one is made paused, the old one deleted, the new one
given the state that the old one had. What was due in between is made up for.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from temporalio.client import (
    Client,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows_app.domain import naming
from workflows_app.domain.errors import ConfigInvalid, TemporalUnavailable
from workflows_app.domain.schedules.schedules import ScheduleKey, Timing, parse_key
from workflows_app.models import ScheduleMove
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import GROUP_RIGHTS, Actor
from workflows_app.services.schedules.schedule_lists import list_schedules
from workflows_app.services.schedules.schedule_specs import schedule_of, scheduled_in, timing_in
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.health import temporal_trouble

logger = logging.getLogger(__name__)

BEING_MOVED = "Being moved: it acts again in a moment"
LEASE = timedelta(seconds=30)
LISTS_FOLLOW = timedelta(seconds=10)
"""Temporal's list of schedules follows what happens within a second or so."""

Place = tuple[str, str]


def note_move(
    actor: Actor,
    place: Place,
    to: Place = ("", ""),
    *,
    copies: bool = False,
    policy: str = "",
    to_policy: str = "",
) -> None:
    """Write down that the schedules of ``place`` are to move to ``to``, be copied there, or go.

    With ``policy`` these are its schedules alone, and they become those of ``to_policy``. To be called in the
    transaction of the change that they follow; ``follow`` is to be called after it.
    """
    ScheduleMove.objects.create(
        profile=place[0],
        config=place[1],
        to_profile=to[0],
        to_config=to[1],
        policy=policy,
        to_policy=to_policy,
        copies=copies,
        by=actor.name,
        time=datetime.now(UTC),
    )


def follow() -> None:
    """Let schedules follow now what was written down. For synchronous code.

    With Temporal away, or the database busy, that is left to the recorder of a worker.
    """
    if temporal_trouble():
        return
    try:
        async_to_sync(settle_moves)()
    except DatabaseError as error:
        logger.info("Schedules follow later: %s", error)


async def settle_moves() -> None:
    """Do what is written down and not done yet, the first thing first; what Temporal does not take stays."""
    for move in await _written_down():
        if not await _take(move):
            return  # somebody else is at it, and what comes after may build on it
        try:
            done = await _settle(move)
        except TemporalUnavailable as error:
            logger.info("The %s wait: %s", move, error)
            return
        finally:
            await ScheduleMove.objects.filter(pk=move.pk).aupdate(taken=None)
        if done:
            await move.adelete()


@sync_to_async
def _written_down() -> list[ScheduleMove]:
    drop_broken_connections()
    return list(ScheduleMove.objects.all())


async def _take(move: ScheduleMove) -> bool:
    """Claim a move, so that no other process does it at the same time."""
    now = datetime.now(UTC)
    free = ScheduleMove.objects.filter(Q(taken__isnull=True) | Q(taken__lt=now - LEASE), pk=move.pk)
    return await free.aupdate(taken=now) == 1


async def _settle(move: ScheduleMove) -> bool:
    """Do one move as far as it can be seen; answer whether it is done for good.

    Raises TemporalUnavailable.
    """
    found = False
    async with temporal() as client:
        for key in await _keys_of(move.profile, move.config):
            old = await _describe(client, key) if _is_of(key, move) else None
            if old is not None and await _since(old) <= move.time:
                found = await _follow_one(client, move, key, old) or found
        if move.to_config and not move.copies:
            for key in await _keys_of(move.to_profile, move.to_config):
                found = await _finish(client, move, key) or found
    return move.copies or (not found and datetime.now(UTC) - move.time > LISTS_FOLLOW)


def _is_of(key: ScheduleKey, move: ScheduleMove) -> bool:
    """Whether a schedule is one of those that are to follow."""
    return (key.profile, key.config) == (move.profile, move.config) and move.policy in ("", key.policy)


async def _follow_one(client: Client, move: ScheduleMove, key: ScheduleKey, old: ScheduleDescription) -> bool:
    """Take one schedule along; answer whether there was anything to do."""
    if not move.to_config:
        await _delete(client, key)
        await _note(move, Action.UNSCHEDULED, key, f"with its {'policy' if move.policy else 'configuration'}")
        return True
    new = replace(key, profile=move.to_profile, config=move.to_config, policy=move.to_policy or key.policy)
    if not await _make(client, move, key, new, old):
        return False
    if move.copies:
        await _note(move, Action.COPIED_SCHEDULE, key, f"to {new.profile}/{new.config}")
        return True
    await _delete(client, key)
    await _finish(client, move, new)
    return True


async def _make(
    client: Client, move: ScheduleMove, key: ScheduleKey, new: ScheduleKey, old: ScheduleDescription
) -> bool:
    """Make the new one unless an earlier try did; answer False when there is another one of its name."""
    timing = _timing(old)
    if timing is None:
        return False
    state = old.schedule.state
    waits = ScheduleState(paused=True, note=BEING_MOVED)
    memo: dict[str, object] = {
        naming.MEMO_TASK_QUEUE: settings.TEMPORAL_TASK_QUEUE,
        naming.MEMO_SINCE: move.time.isoformat(),
        naming.MEMO_MOVED_FROM: key.id,
        naming.MEMO_WAS_PAUSED: state.paused,
        naming.MEMO_NOTE: state.note or "",
    }
    made = schedule_of(new, timing, state if move.copies else waits)
    try:
        await client.create_schedule(new.id, made, memo=memo, rpc_timeout=RPC_TIMEOUT)
    except ScheduleAlreadyRunningError:
        there = await _describe(client, new)
        if there is None or await there.memo_value(naming.MEMO_MOVED_FROM, None) != key.id:
            logger.warning("The schedule %s cannot become %s, which there is already", key, new)
            return False
    return True


async def _finish(client: Client, move: ScheduleMove, key: ScheduleKey) -> bool:
    """Give a schedule that was made by a move the state that the old one had; answer whether it waited."""
    made = await _describe(client, key)
    if made is None or made.schedule.state.note != BEING_MOVED:
        return False
    old = parse_key(str(await made.memo_value(naming.MEMO_MOVED_FROM, "")))
    if old is None or not _is_of(old, move):
        return False
    if await _describe(client, old) is not None:
        return True  # it is deleted at the next try, and only then this one acts
    paused = bool(await made.memo_value(naming.MEMO_WAS_PAUSED, False))
    note = str(await made.memo_value(naming.MEMO_NOTE, ""))

    def as_before(given: ScheduleUpdateInput) -> ScheduleUpdate | None:
        schedule = given.description.schedule
        if schedule.state.note != BEING_MOVED:
            return None
        return ScheduleUpdate(replace(schedule, state=ScheduleState(paused=paused, note=note)))

    handle = client.get_schedule_handle(key.id)
    await handle.update(as_before, rpc_timeout=RPC_TIMEOUT)
    timing = _timing(made)
    if timing is not None and not paused:
        await _make_up(client, key, timing, move.time)
    before = f"policy {old.policy}" if move.policy else f"{old.profile}/{old.config}"
    await _note(move, Action.MOVED_SCHEDULE, key, f"it was of {before} before")
    return True


async def _make_up(client: Client, key: ScheduleKey, timing: Timing, since: datetime) -> None:
    """Let a schedule act for what was due while it moved, unless that is too late for it."""
    now = datetime.now(UTC)
    begin = max(since, now - timedelta(seconds=timing.catch_up_seconds))
    due = next(timing.due_after(begin), None)
    if due is None or due > now:
        return
    span = ScheduleBackfill(start_at=begin, end_at=now, overlap=ScheduleOverlapPolicy.BUFFER_ALL)
    await client.get_schedule_handle(key.id).backfill(span, rpc_timeout=RPC_TIMEOUT)


async def _keys_of(profile: str, config: str) -> list[ScheduleKey]:
    everybody = Actor("schedules", GROUP_RIGHTS["viewer"])
    return [one.key for one in await list_schedules(everybody, profile, config)]


async def _describe(client: Client, key: ScheduleKey) -> ScheduleDescription | None:
    """A schedule of ours; None when it is not there (any more), which is more than not to be answered."""
    try:
        found = await client.get_schedule_handle(key.id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return found if scheduled_in(found.schedule.action) is not None else None


def _timing(found: ScheduleDescription) -> Timing | None:
    """When a schedule acts; None for one that was written by something else."""
    scheduled = scheduled_in(found.schedule.action)
    try:
        return timing_in(found.schedule, scheduled) if scheduled else None
    except ConfigInvalid as error:
        logger.warning("The schedule %s was written by something else: %s", found.id, error)
        return None


async def _delete(client: Client, key: ScheduleKey) -> None:
    try:
        await client.get_schedule_handle(key.id).delete(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it may still be there, and act
            raise


async def _since(found: ScheduleDescription) -> datetime:
    """Since when a schedule is of its configuration: one that has moved, since that was written down."""
    since = await found.memo_value(naming.MEMO_SINCE, None)
    return datetime.fromisoformat(since) if isinstance(since, str) else found.info.created_at


async def _note(move: ScheduleMove, action: Action, key: ScheduleKey, details: str) -> None:
    actor = Actor(move.by, GROUP_RIGHTS["admin"])
    words = f"{key.policy}/{key.name}: {details}"
    await sync_to_async(audit.note)(actor, action, key.profile, key.config, details=words)
