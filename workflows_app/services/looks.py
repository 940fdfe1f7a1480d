"""Questions that only a worker can answer, asked for a page that waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from temporalio.client import WorkflowFailureError

from workflows_app.domain.errors import FossulError, TemporalUnavailable
from workflows_app.services.client import temporal
from workflows_app.services.health import ask_temporal

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

    Raises TemporalUnavailable when no worker answers within ``seconds``, too; FossulError when the workflow
    failed.
    """
    try:
        async with asyncio.timeout(seconds), temporal() as client:
            answer: T = await client.execute_workflow(
                workflow,
                given,
                id=f"{question.id}/{uuid4()}",
                task_queue=settings.TEMPORAL_TASK_QUEUE,
                static_summary=question.summary,
                # Nobody waits any longer: a worker that comes later need not answer.
                execution_timeout=timedelta(seconds=seconds) + LATE,
            )
            return answer
    except TimeoutError:
        trouble = await ask_temporal()
        raise TemporalUnavailable(
            trouble
            or f"No worker answered within {seconds:.0f} s {question.words}. Start one: manage.py run_worker"
        ) from None
    except WorkflowFailureError as error:
        cause = getattr(error.cause, "cause", None) or error.cause
        raise FossulError(f"It cannot be found out {question.words}: {cause}") from error
