"""One run that a schedule expects: prepared, started under the lock, queued, skipped, or missed."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import QueueInput
    from workflows_app.contracts.schedules import (
        BegunRun,
        ExpectedRun,
        PreparedRun,
        ScheduledInput,
        SkippedRun,
    )
    from workflows_app.domain import naming

RECORD_TIMEOUT = timedelta(seconds=30)
# A database that is away is waited for: the expected run must end in a state that somebody can see.
RECORD_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
ABANDON = workflow.ParentClosePolicy.ABANDON
LET_IT_RUN = workflow.ChildWorkflowCancellationType.ABANDON


@workflow.defn(name=naming.SCHEDULED_WORKFLOW)
class ScheduledWorkflow:
    """Started by a Temporal Schedule. It ends when its run has ended, or has the lock after waiting for it.

    So runs that are to follow each other (a backfill) do. The run itself outlives it, whatever happens.
    """

    @workflow.run
    async def run(self, scheduled: ScheduledInput) -> str:
        """Answer what became of the run. Raises ApplicationError or ChildWorkflowError when it failed."""
        prepared: PreparedRun = await workflow.execute_activity(
            naming.RECORD_PREPARE,
            ExpectedRun(scheduled=scheduled, asked=workflow.info().start_time),
            result_type=PreparedRun,
            summary="Load the configuration",
            start_to_close_timeout=RECORD_TIMEOUT,
            retry_policy=RECORD_RETRIES,
        )
        # From here on the list of scheduled runs knows which run this is: it is not overdue any more.
        workflow.upsert_memo({naming.MEMO_RUN: prepared.run})
        if prepared.backup is None:
            if prepared.failed:
                raise ApplicationError(prepared.refusal, type=naming.NOT_STARTED, non_retryable=True)
            return prepared.refusal
        try:
            backup = await workflow.start_child_workflow(
                naming.BACKUP_WORKFLOW,
                prepared.backup,
                id=prepared.workflow_id,
                parent_close_policy=ABANDON,
                cancellation_type=LET_IT_RUN,
                memo=prepared.memo,
                static_summary=prepared.summary,
            )
        except WorkflowAlreadyStartedError:
            return await self._wait_or_skip(scheduled, prepared)
        await self._begin(prepared, backup.first_execution_run_id or "")
        await backup
        return f"Run {prepared.run} has completed"

    async def _wait_or_skip(self, scheduled: ScheduledInput, prepared: PreparedRun) -> str:
        if not prepared.queues or prepared.backup is None:
            return await self._skip(prepared, queue_full=False)
        queued = QueueInput(
            workflow_id=prepared.workflow_id,
            backup=prepared.backup,
            memo=prepared.memo,
            summary=prepared.summary,
        )
        try:
            waiting = await workflow.start_child_workflow(
                naming.QUEUE_WORKFLOW,
                queued,
                id=naming.queue_workflow_id(scheduled.profile, scheduled.config),
                parent_close_policy=ABANDON,
                cancellation_type=LET_IT_RUN,
                memo={naming.MEMO_RUN: prepared.run},
                static_summary=f"Waits to start: {prepared.summary}",
            )
        except WorkflowAlreadyStartedError:
            return await self._skip(prepared, queue_full=True)
        await self._begin(prepared, await waiting)
        return f"Run {prepared.run} has waited for the lock and started"

    async def _begin(self, prepared: PreparedRun, run_id: str) -> None:
        await workflow.execute_activity(
            naming.RECORD_BEGIN,
            BegunRun(run=prepared.run, run_id=run_id),
            summary="Record that it has begun",
            start_to_close_timeout=RECORD_TIMEOUT,
            retry_policy=RECORD_RETRIES,
        )

    async def _skip(self, prepared: PreparedRun, *, queue_full: bool) -> str:
        words: str = await workflow.execute_activity(
            naming.RECORD_SKIP,
            SkippedRun(run=prepared.run, queue_full=queue_full),
            result_type=str,
            summary="Record that it is skipped",
            start_to_close_timeout=RECORD_TIMEOUT,
            retry_policy=RECORD_RETRIES,
        )
        return words
