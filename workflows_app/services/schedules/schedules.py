"""Schedules: Temporal keeps them and acts on them; here they are found, made, changed and used."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Q
from temporalio.client import (
    Client,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from workflows_app.domain import naming
from workflows_app.domain.errors import ConfigInvalid, NotFound, NotNow
from workflows_app.domain.schedules.schedules import ScheduleKey, Timing, check_key, unknown
from workflows_app.models import ScheduleWatch
from workflows_app.services.configurations import catalog
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.schedules.schedule_specs import schedule_of, scheduled_in, timing_in
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal

LONGEST_NOTE = 500
MOST_BACKFILLED = 50
APART = timedelta(seconds=1.5)
LONGEST_TURN = 5.0


async def create_schedule(actor: Actor, key: ScheduleKey, timing: Timing) -> None:
    """Make a schedule of a policy.

    Raises NotAllowed; NotFound for an unknown configuration or policy; NotNow for a disabled one;
    ConfigInvalid for a name that is none or taken; TemporalUnavailable.
    """
    actor.require(Right.CONFIGURE)
    check_key(key)
    await sync_to_async(_check_policy)(actor, key)
    try:
        async with temporal() as client:
            await client.create_schedule(
                key.id,
                schedule_of(key, timing),
                memo={naming.MEMO_TASK_QUEUE: settings.TEMPORAL_TASK_QUEUE},
                rpc_timeout=RPC_TIMEOUT,
            )
    except ScheduleAlreadyRunningError:
        raise ConfigInvalid(
            "name", f"policy {key.policy!r} has a schedule {key.name!r} already: use another name"
        ) from None
    await _note(actor, Action.SCHEDULED, key, _timing_words(timing))


async def change_schedule(actor: Actor, key: ScheduleKey, timing: Timing) -> None:
    """Change when a schedule is due, and how that is taken; whether it is paused stays.

    Raises NotAllowed, NotFound, TemporalUnavailable.
    """
    actor.require(Right.CONFIGURE)

    def changed(given: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule_of(key, timing, given.description.schedule.state))

    async with _ours(key) as handle:
        await handle.update(changed, rpc_timeout=RPC_TIMEOUT)
    await _note(actor, Action.RESCHEDULED, key, _timing_words(timing))


async def delete_schedule(actor: Actor, key: ScheduleKey, typed: str) -> None:
    """Delete a schedule; what it has started goes on. ``typed`` must be its name.

    Raises NotAllowed, NotFound, ConfigInvalid, TemporalUnavailable.
    """
    actor.require(Right.CONFIGURE)
    if typed.strip() != key.name:
        raise ConfigInvalid("typed", f"type the schedule's name, {key.name}, to delete it")
    async with _ours(key) as handle:
        await handle.delete(rpc_timeout=RPC_TIMEOUT)
    await _note(actor, Action.UNSCHEDULED, key)


async def pause_schedule(actor: Actor, key: ScheduleKey, note: str) -> None:
    """Let a schedule do nothing until it is resumed; ``note`` says why, for who wonders.

    Raises NotAllowed; NotFound; ConfigInvalid without a note; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    note = note.strip()
    if not note or len(note) > LONGEST_NOTE:
        raise ConfigInvalid("note", f"say in 1 to {LONGEST_NOTE} characters why it is paused")
    async with _ours(key) as handle:
        await handle.pause(note=f"{note} ({actor.name})", rpc_timeout=RPC_TIMEOUT)
    await _note(actor, Action.PAUSED, key, note)


async def resume_schedule(actor: Actor, key: ScheduleKey) -> None:
    """Let a paused schedule act again; what was due meanwhile stays undone.

    Raises NotAllowed, NotFound, TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    async with _ours(key) as handle:
        await handle.unpause(note=f"Resumed by {actor.name}", rpc_timeout=RPC_TIMEOUT)
    await _note(actor, Action.RESUMED, key)


async def run_now(actor: Actor, key: ScheduleKey) -> None:
    """Let a schedule act now, as it would when it is due, paused or not.

    Temporal names what it starts by the second: a second one would be lost, so it waits for its own. Raises
    NotAllowed; NotFound; NotNow when too many wait; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    async with _ours(key) as handle:
        await _take_turn(key)
        await handle.trigger(rpc_timeout=RPC_TIMEOUT)
    await _note(actor, Action.TRIGGERED, key)


async def _take_turn(key: ScheduleKey) -> None:
    """Wait until nobody has let the schedule act for ``APART``, in whichever process. Raises NotNow."""
    await ScheduleWatch.objects.aget_or_create(schedule=key.id)
    end = time.monotonic() + LONGEST_TURN
    while time.monotonic() < end:
        now = datetime.now(UTC)
        last = Q(triggered__isnull=True) | Q(triggered__lt=now - APART) | Q(triggered__gt=now)
        if await ScheduleWatch.objects.filter(last, schedule=key.id).aupdate(triggered=now):
            return
        await asyncio.sleep(0.1)
    raise NotNow(f"Schedule {key.name!r} was asked to run several times just now: look at those runs first.")


async def backfill_schedule(actor: Actor, key: ScheduleKey, begin: datetime, end: datetime) -> int:
    """Let a schedule act for each moment from ``begin`` to ``end`` at which it was due; answer how often.

    One after the other: each backs up what is there when its turn comes. Raises NotAllowed; NotFound;
    ConfigInvalid for a span that is not past, or in which it was due never or too often;
    TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    if end <= begin:
        raise ConfigInvalid("end", "it must be later than the beginning")
    if end > datetime.now(UTC):
        raise ConfigInvalid("end", "it must be past: what is due later comes by itself")
    async with _ours(key) as handle:
        timing = await _timing(handle, key)
        due = timing.due_after(begin - timedelta(seconds=1))
        count = sum(moment <= end for moment in islice(due, MOST_BACKFILLED + 1))
        if not count:
            raise ConfigInvalid("begin", "the schedule was never due from then to the end")
        if count > MOST_BACKFILLED:
            raise ConfigInvalid("begin", f"it was due more than {MOST_BACKFILLED} times: take a shorter span")
        span = ScheduleBackfill(start_at=begin, end_at=end, overlap=ScheduleOverlapPolicy.BUFFER_ALL)
        await handle.backfill(span, rpc_timeout=RPC_TIMEOUT)
    words = (
        f"{count} times, {begin.astimezone(UTC):%Y-%m-%d %H:%M} to {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )
    await _note(actor, Action.BACKFILLED, key, words)
    return count


@asynccontextmanager
async def _ours(key: ScheduleKey) -> AsyncIterator[ScheduleHandle]:
    """A schedule that is known to be ours. Raises NotFound for one that is not, or not there."""
    try:
        async with temporal() as client:
            yield await _own_handle(client, key)
    except RPCError:
        raise unknown(key) from None


async def _own_handle(client: Client, key: ScheduleKey) -> ScheduleHandle:
    handle = client.get_schedule_handle(key.id)
    await _timing(handle, key)
    return handle


async def _timing(handle: ScheduleHandle, key: ScheduleKey) -> Timing:
    found = await handle.describe(rpc_timeout=RPC_TIMEOUT)
    scheduled = scheduled_in(found.schedule.action)
    if scheduled is None:
        raise unknown(key)
    return timing_in(found.schedule, scheduled)


def _check_policy(actor: Actor, key: ScheduleKey) -> None:
    config = catalog.get_config(actor, key.profile, key.config).summary
    if config.disabled:
        raise NotNow(f"{key.profile}/{key.config} is disabled: enable it before you schedule its backups.")
    if key.policy not in [policy.name for policy in config.policies]:
        raise NotFound(f"{key.profile}/{key.config} has no policy {key.policy!r}.")


def _timing_words(timing: Timing) -> str:
    return f"{timing.cron.text}, {timing.zone.key}"


async def _note(actor: Actor, action: Action, key: ScheduleKey, details: str = "") -> None:
    words = f"{key.policy}/{key.name}" + (f": {details}" if details else "")
    await sync_to_async(audit.note)(actor, action, key.profile, key.config, details=words)
