"""What can be seen of a run in Temporal: a fold over its history, and what describing it adds (ADR 0002)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.service import RPCError

from workflows_app.contracts.runs import RunInput
from workflows_app.domain import naming
from workflows_app.domain.errors import NotFound
from workflows_app.domain.results import WorkflowStatusResult
from workflows_app.domain.runs.events import Event
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import StepState
from workflows_app.models import Run
from workflows_app.services.temporal import workers
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.history import HistoryReader, WatchdogReader, pending_steps
from workflows_app.services.temporal.payloads import decode, moment

STALL_SECONDS = 2.0
LONG_POLL = timedelta(seconds=70)


@dataclass(frozen=True, slots=True)
class RunAddress:
    """Where a run is in Temporal, and its watchdog, should it have one."""

    workflow_id: str
    run_id: str
    watchdog_id: str

    @property
    def run(self) -> WorkflowExecution:
        """The run itself."""
        return WorkflowExecution(workflow_id=self.workflow_id, run_id=self.run_id)

    @property
    def watchdog(self) -> WorkflowExecution:
        """Its latest watchdog."""
        return WorkflowExecution(workflow_id=self.watchdog_id)


@dataclass(frozen=True, slots=True)
class Stall:
    """Nobody works on the run: no worker has polled the queue since ``last_poll`` (None: never).

    ``busy`` when workers do poll, but none has taken the step that waits: they are at work on others.
    """

    task_queue: str
    last_poll: datetime | None
    busy: bool = False

    @property
    def words(self) -> str:
        """What to tell an operator."""
        if self.busy:
            return "The workers are busy with other steps: this one begins when one is free."
        seen = (
            f"the last one polled at {self.last_poll:%H:%M:%S} UTC"
            if self.last_poll
            else "none was seen lately"
        )
        return f"No worker polls the task queue {self.task_queue!r}: {seen}. Start one: manage.py run_worker"


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of a run now.

    ``trouble`` has words while Temporal does not answer (the progress is then the last one seen);
    ``result`` is there once the run closed. ``guarded`` says that a watchdog may still thaw what the run
    froze, although the run itself is closed.
    """

    progress: Progress = field(default_factory=Progress)
    result: WorkflowStatusResult | None = None
    stall: Stall | None = None
    trouble: str = ""
    guarded: bool = False

    @property
    def closed(self) -> bool:
        """Whether nothing of the run will change any more."""
        return self.progress.state.closed and not self.guarded


def address_of(run: Run) -> RunAddress:
    """Answer where a recorded run is."""
    watchdog = naming.watchdog_workflow_id(run.profile, run.config, run.pk)
    return RunAddress(run.workflow_id, run.run_id, watchdog)


async def look(address: RunAddress) -> Sight:
    """Answer what can be seen of a run at this moment, without waiting for anything.

    Raises TemporalUnavailable when Temporal does not answer, NotFound when it does not know the run.
    """
    reader = HistoryReader()
    try:
        progress = reduce(Progress.apply, reader.read(await _events(address.run)), Progress())
        if progress.state.closed and not progress.guarded:
            return Sight(progress=progress, result=reader.result)
        events, guards = await _watchdog_events(address) if progress.guarded else ([], False)
        progress = reduce(Progress.apply, events, progress)
        if progress.state.closed:
            return Sight(progress=progress, result=reader.result, guarded=guards and progress.guarded)
        description = await describe(address.run)
    except RPCError as error:
        raise NotFound("Temporal does not know this run (any more).") from error
    progress = progress.with_pending(pending_steps(description.pending_activities))
    return Sight(progress=progress, stall=await find_stall(description, progress))


async def find_input(address: RunAddress) -> RunInput:
    """Answer what a run was started with. Raises TemporalUnavailable, NotFound."""
    try:
        page, _ = await history_page(address.run, b"", wait=False)
    except RPCError as error:
        raise NotFound("Temporal does not know this run (any more).") from error
    given = decode(page[0].workflow_execution_started_event_attributes.input, RunInput) if page else None
    if given is None:
        raise NotFound("What this run was started with cannot be read.")
    return given


async def _events(execution: WorkflowExecution) -> list[HistoryEvent]:
    events: list[HistoryEvent] = []
    token = b""
    while True:
        page, token = await history_page(execution, token, wait=False)
        events.extend(page)
        if not token:
            return events


async def _watchdog_events(address: RunAddress) -> tuple[list[Event], bool]:
    """What a run's watchdog did until now, and whether it still guards."""
    reader = WatchdogReader()
    try:
        return reader.read(await _events(address.watchdog)), not reader.ended
    except RPCError:
        return [], False


async def history_page(
    execution: WorkflowExecution, token: bytes, *, wait: bool
) -> tuple[Sequence[HistoryEvent], bytes]:
    """Answer the next events of a history and where to go on; ``wait`` for one when there is none yet.

    Raises TemporalUnavailable, or RPCError NOT_FOUND.
    """
    async with temporal() as client:
        page = await client.workflow_service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=client.namespace, execution=execution, wait_new_event=wait, next_page_token=token
            ),
            retry=False,
            timeout=LONG_POLL if wait else RPC_TIMEOUT,
        )
    return page.history.events, page.next_page_token


async def describe(execution: WorkflowExecution) -> DescribeWorkflowExecutionResponse:
    """Answer Temporal's description of a run. Raises TemporalUnavailable, or RPCError NOT_FOUND."""
    async with temporal() as client:
        return await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution),
            retry=False,
            timeout=RPC_TIMEOUT,
        )


async def find_stall(description: DescribeWorkflowExecutionResponse, progress: Progress) -> Stall | None:
    """Whether something has waited for a worker for a while: none has polled since, or all are busy."""
    steps = [
        step.scheduled
        for step in progress.steps
        if step.state is StepState.WAITING and step.retry_at is None and step.scheduled
    ]
    waiting = list(steps)
    if description.HasField("pending_workflow_task"):
        waiting.append(moment(description.pending_workflow_task.scheduled_time))
    waiting.extend(s.retry_at for s in progress.steps if s.retry_at is not None)
    now = datetime.now(UTC)
    if not any((now - since).total_seconds() > STALL_SECONDS for since in waiting):
        return None
    task_queue = description.execution_config.task_queue.name
    last_poll = await workers.last_poll(task_queue)
    if last_poll is not None and last_poll >= min(waiting):
        busy = any((now - since).total_seconds() > STALL_SECONDS for since in steps)
        return Stall(task_queue, None, busy=True) if busy else None
    return Stall(task_queue, last_poll)
