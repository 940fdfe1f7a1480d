"""Questions that only a worker can answer, asked for a page that waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import TimeoutError as TimedOut

from workflows_app.domain.errors import FossulError, TemporalUnavailable
from workflows_app.services.temporal.budgets import budget
from workflows_app.services.temporal.client import temporal
from workflows_app.services.temporal.health import ask_temporal

LATE = timedelta(seconds=5)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """How a question is named: the beginning of its workflow id, and words for Temporal's pages and ours."""

    id: str
    summary: str
    words: str


async def ask(
    workflow: Callable[[Any, Any], Awaitable[T]], given: object, question: Question, seconds: float
) -> T:
    """Answer what ``workflow`` answers to ``given``. It takes no lock and changes nothing.

    Raises as ``answer_of``.
    """

    async def start(client: Client) -> WorkflowHandle[Any, T]:
        handle: WorkflowHandle[Any, T] = await client.start_workflow(
            workflow,
            given,
            id=f"{question.id}/{uuid4()}",
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            static_summary=question.summary,
            # Nobody waits any longer: a worker that comes later need not answer.
            execution_timeout=timedelta(seconds=seconds) + LATE,
        )
        return handle

    return await answer_of(start, question.words, seconds)


async def answer_of(
    start: Callable[[Client], Awaitable[WorkflowHandle[Any, T]]], words: str, seconds: float
) -> T:
    """Answer what the workflow answers that ``start`` has begun; ``words`` say what it is to find out.

    That Temporal answers is seen first, within the page's budget; a worker's work has its own time. Raises
    TemporalUnavailable when no worker answers within ``seconds``, too; FossulError when the workflow
    failed; what ``start`` raises.
    """
    trouble = await ask_temporal()
    if trouble:
        raise TemporalUnavailable(trouble)
    try:
        with budget(None):
            async with asyncio.timeout(seconds), temporal() as client:
                return await (await start(client)).result()
    except TimeoutError:
        raise await _nobody(words, seconds) from None
    except WorkflowFailureError as error:
        if isinstance(error.cause, TimedOut):  # One that was asked a while ago, and nobody answered.
            raise await _nobody(words, seconds) from None
        cause = getattr(error.cause, "cause", None) or error.cause
        raise FossulError(f"It cannot be found out {words}: {cause}") from error


async def _nobody(words: str, seconds: float) -> TemporalUnavailable:
    """Why there was no answer in time."""
    trouble = await ask_temporal()
    late = f"No worker answered within {seconds:.0f} s {words}. Start one: manage.py run_worker"
    return TemporalUnavailable(trouble or late)
