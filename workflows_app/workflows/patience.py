"""Doing one thing after the other, without waiting for ever for any of them."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

T = TypeVar("T")

PATIENCE = timedelta(minutes=1)


async def in_turn(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Begin each of ``works`` when the one before has ended, or after a minute; answer what they answer.

    What undoes is tried until it succeeds: while one cannot, the others must be done all the same.
    """
    tasks: list[asyncio.Task[T]] = []
    for work in works:
        tasks.append(asyncio.create_task(work))
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(tasks[-1].done, timeout=PATIENCE, timeout_summary="Before the next")
    return list(await asyncio.gather(*tasks))
