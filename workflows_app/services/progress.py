"""Following a run in Temporal: a fold over its history, plus what its description adds (ADR 0002)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.service import RPCError

from workflows_app.domain.errors import NotFound, TemporalUnavailable
from workflows_app.domain.progress import Progress, RunState, StepState
from workflows_app.domain.results import WorkflowStatusResult
from workflows_app.services import workers
from workflows_app.services.client import RPC_TIMEOUT, temporal
from workflows_app.services.history import HistoryReader, moment, pending_steps
from workflows_app.services.streams import Outlet, Producer, merged

DESCRIBE_SECONDS = 1.0
STALL_SECONDS = 2.0
LONG_POLL = timedelta(seconds=70)
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Stall:
    """Nobody works on the run: no worker has polled the queue since ``last_poll`` (None: never)."""

    task_queue: str
    last_poll: datetime | None

    @property
    def words(self) -> str:
        """What to tell an operator."""
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
    ``result`` is there once the run closed.
    """

    progress: Progress = field(default_factory=Progress)
    result: WorkflowStatusResult | None = None
    stall: Stall | None = None
    trouble: str = ""

    @property
    def closed(self) -> bool:
        """Whether the run will not change any more."""
        return self.progress.state.closed


class Follower:
    """Follows one run from its beginning. Adds nothing to its history, and needs no living worker."""

    def __init__(self, workflow_id: str, run_id: str, *, describe: bool = True) -> None:
        self._execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        self._describe = describe
        self._reader = HistoryReader()
        self._token = b""
        self._folded = Progress()
        self._sight = Sight()

    @asynccontextmanager
    async def sights(self) -> AsyncIterator[AsyncIterator[Sight]]:
        """A stream of what is seen, each time it changed, until the run is closed.

        Whoever reads slowly sees the latest, not every step in between. Trouble with Temporal is shown,
        waited for and healed; a run that Temporal does not know ends the stream in state UNKNOWN.
        """
        readers = [self._read_history, *([self._read_description] if self._describe else [])]
        async with merged(*(self._patient(read) for read in readers)) as changes:
            yield self._latest(changes)

    async def _latest(self, changes: AsyncIterator[bool]) -> AsyncIterator[Sight]:
        shown = Sight()
        async for _ in changes:
            if self._sight is not shown:
                shown = self._sight
                yield shown
                if shown.closed:
                    return

    def _show(self, **changes: object) -> None:
        seen = {
            "progress": self._sight.progress,
            "result": self._sight.result,
            "stall": self._sight.stall,
            "trouble": self._sight.trouble,
        }
        sight = Sight(**(seen | changes))  # type: ignore[arg-type]
        if sight != self._sight:
            self._sight = sight

    def _patient(self, read: Callable[[], Awaitable[None]]) -> Producer[bool]:
        """``read`` again and again until the run is closed, waiting longer after each trouble."""

        async def produce(outlet: Outlet[bool]) -> None:
            failures = 0
            while not self._sight.closed:
                seen = self._sight
                try:
                    await read()
                    failures = 0
                except TemporalUnavailable as error:
                    self._show(trouble=str(error))
                    failures += 1
                except RPCError:
                    self._lose()
                if self._sight is not seen:
                    outlet.put(True)
                if failures:
                    await asyncio.sleep(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS)) - 1])

        return produce

    async def _read_history(self) -> None:
        """Wait for the next events and fold them."""
        async with temporal() as client:
            page = await client.workflow_service.get_workflow_execution_history(
                GetWorkflowExecutionHistoryRequest(
                    namespace=client.namespace,
                    execution=self._execution,
                    wait_new_event=True,
                    next_page_token=self._token,
                ),
                retry=False,
                timeout=LONG_POLL,
            )
        events = self._reader.read(page.history.events)
        for event in events:
            self._folded = self._folded.apply(event)
        if events:
            self._show(progress=self._folded, result=self._reader.result, stall=None, trouble="")
        elif self._sight.trouble:
            self._show(trouble="")
        self._token = page.next_page_token or self._token

    async def _read_description(self) -> None:
        """Look at attempts, workers and heartbeats once a second."""
        await asyncio.sleep(DESCRIBE_SECONDS)
        description = await describe(self._execution)
        if not self._folded.state.closed:
            seen = self._folded.with_pending(pending_steps(description.pending_activities))
            self._show(progress=seen, stall=await _stall(description, seen), trouble="")

    def _lose(self) -> None:
        lost = self._folded.model_copy(
            update={
                "state": RunState.UNKNOWN,
                "reason": "Temporal does not know this run (any more), and nobody saw how it ended.",
            }
        )
        self._show(progress=lost, stall=None, trouble="")


async def look(workflow_id: str, run_id: str) -> Sight:
    """Answer what can be seen of a run at this moment, without waiting for anything.

    Raises TemporalUnavailable when Temporal does not answer, NotFound when it does not know the run.
    """
    reader, progress, token = HistoryReader(), Progress(), b""
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    try:
        while True:
            async with temporal() as client:
                page = await client.workflow_service.get_workflow_execution_history(
                    GetWorkflowExecutionHistoryRequest(
                        namespace=client.namespace, execution=execution, next_page_token=token
                    ),
                    retry=False,
                    timeout=RPC_TIMEOUT,
                )
            for event in reader.read(page.history.events):
                progress = progress.apply(event)
            token = page.next_page_token
            if not token:
                break
        if progress.state.closed:
            return Sight(progress=progress, result=reader.result)
        description = await describe(execution)
        progress = progress.with_pending(pending_steps(description.pending_activities))
        return Sight(progress=progress, stall=await _stall(description, progress))
    except RPCError as error:
        raise NotFound("Temporal does not know this run (any more).") from error


async def describe(execution: WorkflowExecution) -> DescribeWorkflowExecutionResponse:
    """Answer Temporal's description of a run. Raises TemporalUnavailable, or RPCError NOT_FOUND."""
    async with temporal() as client:
        return await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution),
            retry=False,
            timeout=RPC_TIMEOUT,
        )


async def _stall(description: DescribeWorkflowExecutionResponse, progress: Progress) -> Stall | None:
    """Whether something has waited for a worker for a while, and none has polled since."""
    waiting = [
        step.scheduled
        for step in progress.steps
        if step.state is StepState.WAITING and step.retry_at is None and step.scheduled
    ]
    if description.HasField("pending_workflow_task"):
        waiting.append(moment(description.pending_workflow_task.scheduled_time))
    waiting.extend(s.retry_at for s in progress.steps if s.retry_at is not None)
    now = datetime.now(UTC)
    if not any((now - since).total_seconds() > STALL_SECONDS for since in waiting):
        return None
    task_queue = description.execution_config.task_queue.name
    last_poll = await workers.last_poll(task_queue)
    if last_poll is not None and last_poll >= min(waiting):
        return None
    return Stall(task_queue, last_poll)
