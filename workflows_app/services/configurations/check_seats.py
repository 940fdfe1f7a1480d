"""Where tests of configurations take place: in one of a few seats, each the id of a workflow.

That Temporal runs no two workflows of one id makes the limit hold for all web processes together, and frees
the seat of a test whose asker has died. Tests are steps for the workers, like those of runs: without a limit
impatient clicks would leave no room for backups.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from workflows_app.contracts.checks import CheckInput
from workflows_app.domain import naming
from workflows_app.domain.durations import in_words
from workflows_app.domain.errors import NotNow
from workflows_app.domain.findings import CheckedParts
from workflows_app.services.temporal.client import RPC_TIMEOUT
from workflows_app.workflows.check import CheckWorkflow

Seated = WorkflowHandle[CheckWorkflow, CheckedParts]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, of which configuration, and the ``mark`` of exactly what."""

    by: str
    profile: str
    config: str
    mark: str

    @property
    def place(self) -> str:
        """The configuration."""
        return f"{self.profile}/{self.config}"


@dataclass(frozen=True, slots=True)
class _Taken:
    """A seat in which a test runs."""

    handle: Seated
    asking: Asking
    since: datetime

    def joined(self, asking: Asking) -> Seated | None:
        """The test that runs here, if it is of the same, by the same person; None if it is another's.

        Raises NotNow when it is of the same configuration as that was typed before.
        """
        if (self.asking.by, self.asking.place) != (asking.by, asking.place):
            return None
        if self.asking.mark == asking.mark:
            return self.handle
        ago = in_words(max(1.0, (datetime.now(UTC) - self.since).total_seconds()))
        raise NotNow(
            f"Your test of {asking.place} that began {ago} ago still runs, and was asked of something else: "
            "wait for its end, then test again."
        )


async def take_seat(client: Client, asked: CheckInput, asking: Asking, limit: timedelta) -> Seated:
    """Begin a test, or join the one of exactly the same that the same person has begun.

    It is given up after ``limit``. Raises NotNow when that person tests something else of the configuration,
    and when all seats are taken; RPCError.
    """
    queue = settings.TEMPORAL_TASK_QUEUE
    seats = [naming.check_workflow_id(queue, n) for n in range(1, settings.FOSSUL_TESTS_AT_ONCE + 1)]
    for taken in await asyncio.gather(*(_look(client, seat) for seat in seats)):
        if taken and (joined := taken.joined(asking)):
            return joined
    for seat in seats:
        try:
            return await client.start_workflow(
                CheckWorkflow.run,
                asked,
                id=seat,
                task_queue=queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=f"Test {asking.place}",
                memo={
                    naming.MEMO_REQUESTED_BY: asking.by,
                    naming.MEMO_PROFILE: asking.profile,
                    naming.MEMO_CONFIG: asking.config,
                    naming.MEMO_MARK: asking.mark,
                },
                execution_timeout=limit,
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            taken = await _look(client, seat)
            if taken and (joined := taken.joined(asking)):
                return joined
    raise NotNow(
        f"As many tests of configurations run now as may at once ({len(seats)}), so that backups keep their "
        "room. Try again in some seconds."
    )


async def _look(client: Client, seat: str) -> _Taken | None:
    """Who sits there; None for nobody."""
    try:
        found = await client.get_workflow_handle(seat).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError:
        return None
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return None
    memo = await found.memo()
    asking = Asking(
        *(
            str(memo.get(name, ""))
            for name in (naming.MEMO_REQUESTED_BY, naming.MEMO_PROFILE, naming.MEMO_CONFIG, naming.MEMO_MARK)
        )
    )
    handle = client.get_workflow_handle_for(CheckWorkflow.run, seat, run_id=found.run_id)
    return _Taken(handle, asking, found.start_time)
