"""Controlling a run: cancel, terminate, decide about a failed step, thaw."""

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Max
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from workflows_app.contracts.runs import Decision
from workflows_app.contracts.thaws import ThawOrder, WatchdogInput
from workflows_app.domain import naming
from workflows_app.domain.errors import ConfigInvalid, NotFound, NotNow, TemporalUnavailable
from workflows_app.domain.plans.plans import StepSpec
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import RunState
from workflows_app.models import Run, RunMessage
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs import queue, runs
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.progress import address_of, find_input, look
from workflows_app.workflows.watchdog import WatchdogWorkflow

DECISION_TIMEOUT = timedelta(seconds=10)
LONGEST_REASON = 500

_DECISIONS = {
    naming.RETRY_UPDATE: Action.RETRIED,
    naming.SKIP_UPDATE: Action.SKIPPED,
    naming.ABORT_UPDATE: Action.ABORTED,
}


async def cancel_run(actor: Actor, number: int) -> None:
    """Ask a run to cancel: it undoes what must be undone and ends as cancelled. A queued one just ends.

    A run that is already closed is left as it is. Raises NotAllowed, NotFound, TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    run = await _run(number)
    if run.finished is not None:
        return
    try:
        if run.status == RunState.QUEUED.value:
            await queue.cancel_queued(run)
        else:
            async with temporal() as client:
                handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id or None)
                await handle.cancel(rpc_timeout=RPC_TIMEOUT)
    except RPCError:
        return  # it has closed meanwhile
    await _note(actor, Action.CANCELLED, run)


async def terminate_run(actor: Actor, number: int, reason: str) -> None:
    """End a run at once, without undoing anything: ``thaw_run`` undoes it then.

    Raises NotAllowed; NotFound; ConfigInvalid without a reason; NotNow for a run that is closed;
    TemporalUnavailable.
    """
    actor.require(Right.TERMINATE)
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise ConfigInvalid("reason", f"say in 1 to {LONGEST_REASON} characters why the run is terminated")
    run = await _run(number)
    if run.status == RunState.QUEUED.value:
        raise NotNow(f"Run {number} has not begun: cancel it.")
    try:
        async with temporal() as client:
            handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id or None)
            await handle.terminate(reason=f"{reason} ({actor.name})", rpc_timeout=RPC_TIMEOUT)
    except RPCError:
        raise NotNow(f"Run {number} has already ended.") from None
    await _note(actor, Action.TERMINATED, run, reason)


async def retry_step(actor: Actor, number: int, step: int) -> None:
    """Let a run that waits for a person take its failed step once more. Raises as ``abort_run`` does."""
    await _decide(actor, number, step, naming.RETRY_UPDATE)


async def skip_step(actor: Actor, number: int, step: int) -> None:
    """Let a run that waits for a person go on without its failed step. Raises as ``abort_run`` does."""
    await _decide(actor, number, step, naming.SKIP_UPDATE)


async def abort_run(actor: Actor, number: int, step: int) -> None:
    """Let a run that waits for a person undo what must be undone and end as failed.

    ``step`` is the number of the step that failed. Raises NotAllowed; NotFound; NotNow, with the run's own
    words, when it does not wait or may not do that; TemporalUnavailable when no worker takes it up in time.
    """
    await _decide(actor, number, step, naming.ABORT_UPDATE)


async def _decide(actor: Actor, number: int, step: int, update: str) -> None:
    actor.require(Right.OPERATE)
    run = await _run(number)
    try:
        async with temporal() as client:
            handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id or None)
            decision = Decision(step=step, by=actor.name)
            await handle.execute_update(update, decision, rpc_timeout=DECISION_TIMEOUT)
    except WorkflowUpdateFailedError as error:
        raise NotNow(str(getattr(error.cause, "message", error.cause))) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise TemporalUnavailable(
            f"No worker took the decision within {DECISION_TIMEOUT.seconds} s. "
            "Look at the run before you try again: it may be taken when a worker is back."
        ) from None
    except RPCError:
        raise NotNow(f"Run {number} has already ended.") from None
    await _note(actor, _DECISIONS[update], run, f"step {step}")


async def thaw_run(actor: Actor, number: int) -> None:
    """Thaw now what a run froze, by the watchdog, even if the run is wedged.

    Of a run that has ended, everything that it left to be undone is undone, and its error notice sent.
    Raises NotAllowed; NotFound; NotNow when there is nothing to undo; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    run = await _run(number)
    address = address_of(run)
    progress = await _progress(actor, run)
    closed = progress.state.closed
    owed = _specs(progress, progress.still_owed if closed else progress.still_frozen)
    if not owed:
        raise NotNow(f"Run {number} has left nothing to be undone.")
    also = (*owed, *progress.plan.on_error) if closed else ()
    given = await find_input(address)
    watchdog = WatchdogInput(
        run=number,
        config=given.config,
        owed=owed,
        budget_seconds=progress.plan.freeze_budget_seconds,
        first_step=await _next_step(number),
        workflow_id=run.workflow_id,
        run_id=run.run_id,
    )
    async with temporal() as client:
        await client.start_workflow(
            WatchdogWorkflow.run,
            watchdog,
            id=address.watchdog_id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=naming.THAW_SIGNAL,
            start_signal_args=[ThawOrder(by=actor.name, also=also)],
            static_summary=f"Watchdog of run {number}",
            rpc_timeout=RPC_TIMEOUT,
        )
    # The recorder and the pages follow the watchdog of a closed run only as long as the row says so.
    await Run.objects.filter(pk=number, finished__isnull=False).aupdate(guarded=True)
    await _note(actor, Action.COMPENSATED if closed else Action.THAWED, run)


async def _progress(actor: Actor, run: Run) -> Progress:
    try:
        return (await look(address_of(run))).progress
    except NotFound:
        return (await sync_to_async(runs.get_run)(actor, run.pk)).progress


def _specs(progress: Progress, keys: tuple[str, ...]) -> tuple[StepSpec, ...]:
    return tuple(step for step in progress.plan.steps if step.key in keys)


async def _next_step(number: int) -> int:
    """A number that no step of the run has: earlier watchdogs' lines keep their addresses."""
    last = (await RunMessage.objects.filter(run=number).aaggregate(last=Max("step")))["last"]
    return max(naming.FIRST_WATCHDOG_STEP, (last or 0) + 1)


async def _run(number: int) -> Run:
    run = await Run.objects.filter(pk=number).afirst()
    if run is None:
        raise NotFound(f"There is no run {number}.")
    return run


async def _note(actor: Actor, action: Action, run: Run, details: str = "") -> None:
    await sync_to_async(audit.note)(actor, action, run.profile, run.config, run=run.pk, details=details)
