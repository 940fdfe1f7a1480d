"""Keeps the run rows true to Temporal: follows every open run and writes down what it sees (ADR 0002)."""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.color import no_style
from django.db import DatabaseError, connection
from django.db.models import Q
from temporalio.client import WorkflowExecution
from temporalio.service import RPCError

from workflows_app.domain import naming
from workflows_app.domain.errors import NotFound, TemporalUnavailable
from workflows_app.domain.results import (
    Level,
    Message,
    Result,
    Step,
    StepStatus,
    Workflow,
    WorkflowStatus,
    WorkflowStatusResult,
)
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import RunState, StepState
from workflows_app.models import Run
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.recording.missed_runs import record_missed
from workflows_app.services.runs.queue import START_ANSWER_SECONDS, follow_queue
from workflows_app.services.schedules.schedule_moves import settle_moves
from workflows_app.services.temporal.client import temporal
from workflows_app.services.temporal.follower import Follower
from workflows_app.services.temporal.progress import Sight, address_of, describe, look
from workflows_app.services.temporal.throttle import Throttled

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
ADOPT_SECONDS = 60.0
ADOPT_LIMIT = 1000
SAVE_SECONDS = 0.5
MISSED_SECONDS = 300.0
# After Temporal was away its schedules act late, or drop what is too late, within a minute.
UNSURE_SECONDS = 120.0
UNSURE_LOOK_SECONDS = 5.0
# A look at very many schedules takes long, and must not be most of what is asked of Temporal.
LOOKED_SHARE = 0.1


class Recorder:
    """Records runs until it is cancelled. Any number of them may run: they write the same facts."""

    def __init__(self) -> None:
        self._following: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow every open run; now and then look in Temporal for runs that have no row, or never began."""
        adopt_at = missed_at = 0.0
        unsure_until = time.monotonic() + UNSURE_SECONDS
        try:
            while True:
                try:
                    if time.monotonic() >= adopt_at:
                        await adopt_runs()
                        adopt_at = time.monotonic() + ADOPT_SECONDS
                    await self._follow_open_runs()
                    await settle_moves()
                    begun = time.monotonic()
                    if begun >= missed_at:
                        soon = await record_missed() or begun < unsure_until
                        pause = UNSURE_LOOK_SECONDS if soon else MISSED_SECONDS
                        missed_at = begun + max(pause, (time.monotonic() - begun) / LOOKED_SHARE)
                except (TemporalUnavailable, DatabaseError) as error:
                    missed_at, unsure_until = 0.0, time.monotonic() + UNSURE_SECONDS
                    logger.info("The record of runs waits: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._following.values():
                task.cancel()

    async def _follow_open_runs(self) -> None:
        self._following = {n: task for n, task in self._following.items() if not task.done()}
        for run in await unsettled_runs():
            if run.pk in self._following:
                continue
            if run.status == RunState.QUEUED.value:
                await follow_queue(run)
            elif not run.run_id:
                await settle_start(run)
            else:
                self._following[run.pk] = asyncio.create_task(self._follow(run))

    async def _follow(self, run: Run) -> None:
        async with Follower(address_of(run), describe=False).sights() as sights:
            async for sight in sights:
                if sight.trouble:
                    continue
                try:
                    await sync_to_async(record)(run.pk, sight)
                except DatabaseError as error:
                    # The run stays open in the record, so it is followed again.
                    logger.info("Run %d could not be recorded now: %s", run.pk, error)
                # A burst of events is one write: what comes meanwhile is in the next sight.
                await asyncio.sleep(SAVE_SECONDS)


@sync_to_async
def unsettled_runs() -> list[Run]:
    """The runs that were not seen to have closed, or whose watchdog was not."""
    drop_broken_connections()
    # One query each: an OR would look at every row.
    return [*Run.objects.open(), *Run.objects.filter(guarded=True)]


def record(number: int, sight: Sight) -> None:
    """Write down what is seen of a run. One that was recorded as closed, and unguarded, stays as it was."""
    drop_broken_connections()
    progress = sight.progress
    changes: dict[str, object] = {
        "status": progress.state.value,
        "failure": progress.reason,
        "backup_bytes": progress.backup_bytes,
        "progress": progress.model_dump(mode="json"),
    }
    if progress.state.closed:
        changes["finished"] = progress.finished or _last_moment(progress)
        changes["result"] = (sight.result or _result(number, progress)).wire()
    changes["guarded"] = progress.state.closed and not sight.closed
    Run.objects.unsettled().filter(pk=number).update(**changes)


def _last_moment(progress: Progress) -> datetime:
    """When a run whose end nobody saw was last seen to do something."""
    moments = [m for s in progress.steps for m in (s.scheduled, s.started, s.finished) if m]
    return max(moments, default=progress.started or datetime.now(UTC))


def _result(number: int, progress: Progress) -> WorkflowStatusResult:
    """Fossul's result for a run that closed without one of its own (cancelled, terminated, timed out)."""
    run = Run.objects.get(pk=number)
    taken = sorted((s for s in progress.steps if s.step is not None), key=lambda s: s.step or 0)
    return WorkflowStatusResult(
        workflow=Workflow(
            id=number,
            status=WorkflowStatus.ERROR,
            type=run.type,
            policy=run.policy_as_run,
            timestamp=run.started.isoformat(timespec="seconds"),
            steps=tuple(
                Step(
                    id=s.step or 0,
                    status=StepStatus.COMPLETE if s.state is StepState.COMPLETE else StepStatus.ERROR,
                    label=f"Step {s.step}",
                    key=s.key,
                    name=s.name,
                    phase=s.phase,
                )
                for s in taken
            ),
            last_message=progress.reason,
        ),
        result=Result(code=1, messages=(Message.now(Level.ERROR, progress.reason),)),
    )


async def catch_up() -> None:
    """Record the open runs that have closed in Temporal, whoever follows them or not.

    For pages that list runs: with no worker alive nobody else may have seen them close. Leaves what it
    cannot find out, because Temporal or the database is away, as it is.
    """
    try:
        runs = [run for run in await unsettled_runs() if run.run_id and run.finished is None]
        for run, closed in zip(runs, await asyncio.gather(*map(_has_closed, runs)), strict=True):
            if closed:
                await sync_to_async(record)(run.pk, await look(address_of(run)))
    except (TemporalUnavailable, NotFound, DatabaseError) as error:
        logger.info("Open runs could not be checked: %s", error)


async def _has_closed(run: Run) -> bool:
    """Raises TemporalUnavailable; a run that Temporal does not know is left to those who follow it."""
    try:
        description = await describe(address_of(run).run)
    except RPCError:
        return False
    return description.workflow_execution_info.HasField("close_time")


_catch_up = Throttled(catch_up, first=None, late=None, every=2.0, patience=1.5)


def refresh() -> None:
    """Let ``catch_up`` run, at most every two seconds and not for longer. For synchronous code."""
    _catch_up.get()


async def settle_start(run: Run) -> None:
    """Find out what became of a start whose answer never came: link the run, or close it as never started."""
    age = time.time() - run.started.timestamp()
    if age < START_ANSWER_SECONDS:
        return
    try:
        async with temporal() as client:
            description = await client.get_workflow_handle(run.workflow_id).describe()
            if await description.memo_value(naming.MEMO_RUN, None) == run.pk:
                await Run.objects.filter(pk=run.pk).aupdate(run_id=description.run_id)
                return
    except RPCError:
        logger.info("Temporal has no run of %s", run.workflow_id)
    await (
        Run.objects.open()
        .filter(pk=run.pk)
        .aupdate(
            status=RunState.UNKNOWN.value,
            finished=run.started,
            failure="The run was asked for, but Temporal never answered that it started.",
        )
    )


async def adopt_runs() -> None:
    """Make rows for runs that Temporal has and the database does not (lost, or started elsewhere).

    Raises TemporalUnavailable when Temporal does not answer.
    """
    known = await _known_run_ids()
    adopted = 0
    async with temporal() as client:
        types = f"WorkflowType IN ('{naming.BACKUP_WORKFLOW}', '{naming.RESTORE_WORKFLOW}')"
        query = f"{types} AND TaskQueue = '{settings.TEMPORAL_TASK_QUEUE}'"
        async for execution in client.list_workflows(query, limit=ADOPT_LIMIT):
            if execution.run_id not in known and await _adopt(execution):
                adopted += 1
    if adopted:
        logger.info("Adopted %d runs that the database did not know", adopted)


@sync_to_async
def _known_run_ids() -> set[str]:
    drop_broken_connections()
    return set(
        Run.objects.exclude(run_id="").order_by("-pk").values_list("run_id", flat=True)[: 4 * ADOPT_LIMIT]
    )


async def _adopt(execution: WorkflowExecution) -> bool:
    memo = await execution.memo()
    number = memo.get(naming.MEMO_RUN)
    if not isinstance(number, int):
        return False
    row = Run(
        pk=number,
        workflow_id=execution.id,
        run_id=execution.run_id,
        type=str(memo.get(naming.MEMO_TYPE, "backup")),
        profile=str(memo.get(naming.MEMO_PROFILE, "")),
        config=str(memo.get(naming.MEMO_CONFIG, "")),
        policy=str(memo.get(naming.MEMO_POLICY, "")),
        version=_version_in(memo),
        requested_by=str(memo.get(naming.MEMO_REQUESTED_BY, "")),
        started=execution.start_time,
    )
    return await _insert(row)


def _version_in(memo: Mapping[str, Any]) -> int | None:
    version = memo.get(naming.MEMO_VERSION)
    return version if isinstance(version, int) and version > 0 else None


@sync_to_async
def _insert(row: Run) -> bool:
    drop_broken_connections()
    waiting = Run.objects.filter(Q(run_id="") | Q(status=RunState.QUEUED.value), pk=row.pk)
    linked = waiting.update(run_id=row.run_id, status=RunState.RUNNING.value)
    if linked or Run.objects.filter(pk=row.pk).exists():
        return bool(linked)
    row.save(force_insert=True)
    # A number that was given by hand must not be given again by the sequence (PostgreSQL).
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Run]):
            cursor.execute(statement)
    return True
