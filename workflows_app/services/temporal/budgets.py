"""How long the questions that one page puts to Temporal may take, all together.

A page comes with what could be asked by then; the rest of it is unknown. What is no page has no budget: a
start that a person asked for waits for Temporal as long as one call may take.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar


class BudgetSpent(Exception):
    """The time that questions had together is over."""


class _Budget:
    def __init__(self, seconds: float) -> None:
        self.left = seconds


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget(seconds: float | None) -> Iterator[None]:
    """Give all that is asked inside ``seconds`` together; with None, as long as each of it may take."""
    token = _budget.set(None if seconds is None else _Budget(seconds))
    try:
        yield
    finally:
        _budget.reset(token)


@asynccontextmanager
async def within_budget() -> AsyncIterator[None]:
    """Ask something, and have its time taken from the budget. Raises BudgetSpent when nothing is left of it.

    Of questions that are asked at the same time the longest counts.
    """
    found = _budget.get()
    if found is None:
        yield
        return
    begun, left = time.monotonic(), found.left
    if left <= 0:
        raise BudgetSpent
    scope = asyncio.timeout(left)
    try:
        async with scope:
            yield
    except TimeoutError:
        # What is asked may have times of its own.
        if scope.expired():
            raise BudgetSpent from None
        raise
    finally:
        found.left = min(found.left, left - (time.monotonic() - begun))
