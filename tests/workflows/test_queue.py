"""A backup that waits for its configuration's lock."""

from contextlib import suppress

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError, WorkflowAlreadyStartedError

from tests.conftest import eventually
from tests.workflows.runs import StartedRun, start
from tests.workflows.steps import Held, Steps
from workflows_app.contracts.runs import BackupInput, QueueInput
from workflows_app.domain import naming
from workflows_app.workflows.queue import QueueWorkflow

LATER = 8


async def enqueue(client: Client, task_queue: str, given: BackupInput) -> WorkflowHandle:
    """Queue a backup of the configuration in ``given``, with a number of its own."""
    config = given.config
    queued = QueueInput(
        workflow_id=naming.run_workflow_id(config.profile_name, config.config_name),
        backup=given.model_copy(update={"run": LATER}),
        memo={naming.MEMO_RUN: LATER},
        summary="A backup",
    )
    return await client.start_workflow(
        QueueWorkflow.run,
        queued,
        id=naming.queue_workflow_id(config.profile_name, config.config_name),
        task_queue=task_queue,
    )


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def holder(temporal_server: Client, task_queue: str, held: Held, steps: Steps) -> StartedRun:
    """A run that holds the lock until the test lets its backup go."""
    run = await start(temporal_server, task_queue)
    await eventually(held.entered.is_set)
    return run


@pytest.fixture
async def steps(temporal_server: Client, task_queue: str, held: Held):
    async with Steps(behave_in={7: {"backup-plugin": held}}).worker(temporal_server, task_queue) as steps:
        yield steps
        held.release.set()


async def refused(queue: WorkflowHandle) -> bool:
    """Whether the queue was told that the lock is held, and waits before it tries again."""
    events = (await queue.fetch_history()).events
    return any(event.HasField("timer_started_event_attributes") for event in events)


async def test_with_a_free_lock_the_backup_starts_at_once(temporal_server, task_queue, steps, held):
    held.release.set()
    run = await start(temporal_server, task_queue)
    await run.handle.result()
    queue = await enqueue(temporal_server, task_queue, run.given)
    run_id = await queue.result()
    backup = temporal_server.get_workflow_handle(run.handle.id, run_id=run_id)
    result = await backup.result()
    assert result["workflow"]["id"] == LATER
    assert await (await backup.describe()).memo_value(naming.MEMO_RUN) == LATER
    assert steps.done_in(LATER) == steps.done_in(7)


async def test_it_waits_while_the_lock_is_held_and_then_starts(
    temporal_server, task_queue, holder, held, steps
):
    queue = await enqueue(temporal_server, task_queue, holder.given)
    await eventually(lambda: refused(queue))
    assert steps.done_in(LATER) == []
    held.release.set()
    await holder.handle.result()
    run_id = await queue.result()
    assert run_id != holder.handle.first_execution_run_id
    await temporal_server.get_workflow_handle(holder.handle.id, run_id=run_id).result()
    assert steps.done_in(LATER) == steps.done_in(7)


async def test_a_cancel_ends_the_wait_and_nothing_starts(temporal_server, task_queue, holder, held, steps):
    queue = await enqueue(temporal_server, task_queue, holder.given)
    await eventually(lambda: refused(queue))
    await queue.cancel()
    with pytest.raises(WorkflowFailureError) as caught:
        await queue.result()
    assert isinstance(caught.value.cause, CancelledError)
    held.release.set()
    await holder.handle.result()
    latest = await temporal_server.get_workflow_handle(holder.handle.id).describe()
    assert latest.run_id == holder.handle.first_execution_run_id, "no other run has come"
    assert steps.done_in(LATER) == []


async def test_only_one_may_wait(temporal_server, task_queue, holder):
    queue = await enqueue(temporal_server, task_queue, holder.given)
    with pytest.raises(WorkflowAlreadyStartedError):
        await enqueue(temporal_server, task_queue, holder.given)
    await queue.cancel()
    with suppress(WorkflowFailureError):
        await queue.result()
    assert (await queue.describe()).status is WorkflowExecutionStatus.CANCELED
