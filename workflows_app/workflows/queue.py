"""A backup that waits until its configuration's lock is free."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import QueueInput
    from workflows_app.domain import naming

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 15.0


@workflow.defn(name=naming.QUEUE_WORKFLOW)
class QueueWorkflow:
    """Tries to start one backup until the lock, which is the backup's workflow id, lets it."""

    @workflow.run
    async def run(self, queued: QueueInput) -> str:
        """Answer Temporal's run id of the backup once it has started; cancelling ends the wait."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                started = await workflow.start_child_workflow(
                    naming.BACKUP_WORKFLOW,
                    queued.backup,
                    id=queued.workflow_id,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
                    memo=queued.memo,
                    static_summary=queued.summary,
                )
            except WorkflowAlreadyStartedError:
                await workflow.sleep(timedelta(seconds=wait), summary="Waiting for the lock")
                wait = min(1.5 * wait, LONGEST_WAIT_SECONDS)
            else:
                return started.first_execution_run_id or ""
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(queued)
