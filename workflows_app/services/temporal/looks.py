"""Questions that only a worker can answer, asked for a page that waits.

They have a task queue of their own, and each worker a few seats for them: however many hang, a backup starts
at once. Who asks what is being asked already is answered by the same workflow.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.utils.crypto import salted_hmac
from pydantic import BaseModel
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import TimeoutError as TimedOut

from workflows_app.domain import naming
from workflows_app.domain.errors import FossulError, TemporalUnavailable
from workflows_app.services.temporal import workers
from workflows_app.services.temporal.budgets import budget
from workflows_app.services.temporal.client import temporal
from workflows_app.services.temporal.health import ask_temporal

LATE = timedelta(seconds=5)
# Where no worker was seen lately, one that starts just now may still come.
UNSEEN_SECONDS = 5.0

T = TypeVar("T")
Start = Callable[[Client, timedelta], Awaitable[WorkflowHandle[Any, T]]]


@dataclass(frozen=True, slots=True)
class Question:
    """How a question is named: the beginning of its workflow id, and words for Temporal's pages and ours.

    ``known`` is what the answer will be held against: of two who ask the same, the second is given the first
    one's answer only where no more is known since.
    """

    id: str
    summary: str
    words: str
    known: str = ""


async def ask(
    workflow: Callable[[Any, Any], Awaitable[T]], given: BaseModel, question: Question, seconds: float
) -> T:
    """Answer what ``workflow`` answers to ``given``. It takes no lock and changes nothing.

    Raises as ``answer_of``.
    """
    queue = naming.question_queue(settings.TEMPORAL_TASK_QUEUE)
    # Parameters are in what is given, and must not be found out by trying.
    told = json.dumps([given.model_dump_json(), question.known])
    mark = salted_hmac("fossul.question", told, algorithm="sha256").hexdigest()[:32]

    async def start(client: Client, limit: timedelta) -> WorkflowHandle[Any, T]:
        handle: WorkflowHandle[Any, T] = await client.start_workflow(
            workflow,
            given,
            id=f"{question.id}/{mark}",
            task_queue=queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=question.summary,
            execution_timeout=limit,
        )
        return handle

    return await answer_of(start, question.words, queue, seconds)


async def answer_of(start: Start[T], words: str, task_queue: str, seconds: float) -> T:
    """Answer what the workflow answers that ``start`` has begun on ``task_queue``.

    ``words`` say what it is to find out. ``start`` is given how long the workflow may take: nobody waits any
    longer, and a worker that comes later need not answer.

    Who polls the queue is asked first, within the page's budget; a worker's work has its own time. Raises
    TemporalUnavailable when no worker answers within ``seconds``, too, or within five where none was seen;
    FossulError when the workflow failed; what ``start`` raises.
    """
    if not await _polled(task_queue):
        seconds = min(seconds, UNSEEN_SECONDS)
    try:
        with budget(None):
            async with asyncio.timeout(seconds), temporal() as client:
                return await (await start(client, timedelta(seconds=seconds) + LATE)).result()
    except TimeoutError:
        raise await _silence(words, task_queue, seconds) from None
    except WorkflowFailureError as error:
        if isinstance(error.cause, TimedOut):  # One that was asked a while ago, and nobody answered.
            raise await _silence(words, task_queue, seconds) from None
        cause = getattr(error.cause, "cause", None) or error.cause
        raise FossulError(f"It cannot be found out {words}: {cause}") from error


async def _polled(task_queue: str) -> bool:
    """Whether a worker that lives polls the queue. Raises TemporalUnavailable."""
    return any(worker.fresh for worker in await workers.pollers(task_queue))


async def _silence(words: str, task_queue: str, seconds: float) -> TemporalUnavailable:
    """Why there was no answer in time."""
    trouble = await ask_temporal()
    if trouble:
        return TemporalUnavailable(trouble)
    try:
        answering, working = await asyncio.gather(_polled(task_queue), _polled(settings.TEMPORAL_TASK_QUEUE))
    except TemporalUnavailable as error:
        return error
    late = f"within {seconds:.0f} s {words}"
    if answering:
        return TemporalUnavailable(
            f"No answer came {late}: it takes long there, or the workers have as many questions as they take "
            "at once. Try again later"
        )
    if working:
        return TemporalUnavailable(
            f"No worker answered {late}: those that run are of an earlier version. Restart them with this one"
        )
    return TemporalUnavailable(f"No worker answered {late}. Start one: manage.py run_worker")
