"""One stream out of several producers, which live exactly as long as somebody reads it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Outlet(Generic[T]):
    """Where producers put their items, and the stream of them."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue()

    def put(self, item: T) -> None:
        """Put an item into the stream."""
        self._items.put_nowait((item,))

    def fail(self, error: Exception) -> None:
        """Let the stream raise ``error``."""
        self._items.put_nowait(error)

    def end(self) -> None:
        """End the stream, for all producers."""
        self._items.put_nowait(None)

    async def stream(self) -> AsyncIterator[T]:
        """Yield the items in the order in which they were put."""
        while (item := await self._items.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item[0]


Producer = Callable[[Outlet[T]], Awaitable[None]]
"""Something that puts items as they come."""


@asynccontextmanager
async def merged(*producers: Producer[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Run the producers at the same time and answer a stream of what they put.

    The stream ends when a producer ends it, and raises what a producer raised. On leaving the context
    all producers have ended.
    """
    outlet: Outlet[T] = Outlet()

    async def produce(producer: Producer[T]) -> None:
        try:
            await producer(outlet)
        except Exception as error:
            outlet.fail(error)

    tasks = [asyncio.create_task(produce(producer)) for producer in producers]
    try:
        yield outlet.stream()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
