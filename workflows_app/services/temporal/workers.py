"""Who polls the task queue: what Temporal knows of the workers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.payloads import moment

# A poll waits up to a minute for work, so a worker that lives has polled within that (Temporal docs).
POLL_FRESH = timedelta(seconds=70)


@dataclass(frozen=True, slots=True)
class Poller:
    """A worker that polls the queue: Temporal's identity for it, and its last poll's beginning."""

    identity: str
    last_poll: datetime

    @property
    def fresh(self) -> bool:
        """Whether it polled so lately that it must be alive."""
        return self.last_poll >= datetime.now(UTC) - POLL_FRESH


@dataclass(frozen=True, slots=True)
class WorkersSeen:
    """The workers of the task queue; ``trouble`` says why nobody could tell, ``""`` when somebody could."""

    task_queue: str
    workers: tuple[Poller, ...]
    trouble: str


async def seen(actor: Actor) -> WorkersSeen:
    """Answer which workers have polled in the last minutes. Raises NotAllowed."""
    actor.require(Right.VIEW)
    queue = settings.TEMPORAL_TASK_QUEUE
    try:
        return WorkersSeen(queue, tuple(await pollers(queue)), "")
    except TemporalUnavailable as error:
        return WorkersSeen(queue, (), str(error))


async def pollers(task_queue: str) -> list[Poller]:
    """Answer who has polled ``task_queue`` for workflow tasks in the last minutes, latest first.

    Temporal remembers a poller for about five minutes. Raises TemporalUnavailable.
    """
    async with temporal() as client:
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            ),
            retry=False,
            timeout=RPC_TIMEOUT,
        )
    found = [Poller(p.identity, moment(p.last_access_time)) for p in answer.pollers]
    return sorted(found, key=lambda poller: poller.last_poll, reverse=True)


async def last_poll(task_queue: str) -> datetime | None:
    """When a worker last polled ``task_queue``; None when none did in the last minutes."""
    return next((poller.last_poll for poller in await pollers(task_queue)), None)
