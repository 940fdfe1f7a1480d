"""Backups that wait for their configuration's lock: one at most, by a workflow of its own."""

import time
from datetime import UTC, datetime

from django.conf import settings
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from workflows_app.contracts.runs import BackupInput, QueueInput
from workflows_app.domain import naming
from workflows_app.domain.errors import RunAlreadyActive, TemporalUnavailable
from workflows_app.domain.states import RunState
from workflows_app.models import Run
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.workflows.queue import QueueWorkflow

START_ANSWER_SECONDS = 30.0

Execution = tuple[str, datetime, WorkflowExecutionStatus | None]
"""Temporal's run id of an execution, when it started, and its status."""


async def enqueue(run: Run, backup: BackupInput, memo: dict[str, str | int], summary: str) -> None:
    """Let a new run wait for the lock; its row says that it is queued.

    Raises RunAlreadyActive when another one waits already, TemporalUnavailable; the row is then gone.
    """
    await Run.objects.filter(pk=run.pk).aupdate(status=RunState.QUEUED.value)
    queued = QueueInput(workflow_id=run.workflow_id, backup=backup, memo=memo, summary=summary)
    try:
        async with temporal() as client:
            await client.start_workflow(
                QueueWorkflow.run,
                queued,
                id=naming.queue_workflow_id(run.profile, run.config),
                task_queue=settings.TEMPORAL_TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={naming.MEMO_RUN: run.pk},
                static_summary=f"Waits to start: {summary}",
                rpc_timeout=RPC_TIMEOUT,
            )
    except WorkflowAlreadyStartedError:
        waiting = Run.objects.filter(workflow_id=run.workflow_id, status=RunState.QUEUED.value)
        other = await waiting.exclude(pk=run.pk).afirst()
        await run.adelete()
        number = other.pk if other else None
        raise RunAlreadyActive(run.profile, run.config, number, "queued: one waits already") from None
    except TemporalUnavailable as error:
        await run.adelete()
        raise TemporalUnavailable(f"{error} The backup was not queued.") from error


async def cancel_queued(run: Run) -> None:
    """Take a queued run out of the queue. Raises TemporalUnavailable, RPCError NOT_FOUND."""
    async with temporal() as client:
        handle = client.get_workflow_handle(naming.queue_workflow_id(run.profile, run.config))
        await handle.cancel(rpc_timeout=RPC_TIMEOUT)


async def follow_queue(run: Run) -> None:
    """Record what became of a queued run: started, cancelled, or lost. Raises TemporalUnavailable."""
    started = await _execution(run.workflow_id, run.pk)
    if started is not None:
        run_id, moment, _ = started
        queued = Run.objects.filter(pk=run.pk, status=RunState.QUEUED.value)
        await queued.aupdate(run_id=run_id, status=RunState.RUNNING.value, started=moment)
        return
    waiting = await _execution(naming.queue_workflow_id(run.profile, run.config), run.pk)
    status = waiting[2] if waiting else None
    if status is WorkflowExecutionStatus.RUNNING:
        return
    if status is WorkflowExecutionStatus.CANCELED:
        await _close(run, RunState.CANCELLED, "The run was cancelled while it was queued")
    elif status is not WorkflowExecutionStatus.COMPLETED and _is_old(run) and not await _has_schedule(run):
        # One that completed has started its run, which is in the history but may have ended meanwhile.
        await _close(run, RunState.UNKNOWN, "The run was queued, but Temporal has lost what waited for it.")


def _is_old(run: Run) -> bool:
    return time.time() - run.started.timestamp() > START_ANSWER_SECONDS


async def _has_schedule(run: Run) -> bool:
    """Whether what a schedule started for this run will start it, or has: not when it was terminated."""
    if not run.run_id:
        return False
    alive = f"RunId = '{run.run_id}' AND ExecutionStatus IN ('Running', 'Completed', 'Failed')"
    async with temporal() as client:
        return (await client.count_workflows(alive, rpc_timeout=RPC_TIMEOUT)).count > 0


async def _close(run: Run, state: RunState, words: str) -> None:
    queued = Run.objects.filter(pk=run.pk, status=RunState.QUEUED.value)
    await queued.aupdate(status=state.value, finished=datetime.now(UTC), failure=words)


async def _execution(workflow_id: str, number: int) -> Execution | None:
    """The newest execution of a workflow, if it is the one for run ``number``."""
    try:
        async with temporal() as client:
            found = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
            if await found.memo_value(naming.MEMO_RUN, None) != number:
                return None
    except RPCError:
        return None
    return found.run_id, found.start_time, found.status
