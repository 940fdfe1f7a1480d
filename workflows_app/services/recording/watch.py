"""Watching a run: what is seen of it and the lines that it says, in one stream, until it is closed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from asgiref.sync import sync_to_async

from workflows_app.domain.errors import NotFound
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import RunState
from workflows_app.models import Run
from workflows_app.services.logs.messages import TICK_SECONDS, LogLine, Place, Tail, read_on, ticker
from workflows_app.services.recording import recorder
from workflows_app.services.temporal.follower import Follower
from workflows_app.services.temporal.progress import Sight, address_of
from workflows_app.services.temporal.streams import Outlet, merged

START_POLL_SECONDS = 0.2
SETTLE_SECONDS = 3.0

Seen = Sight | list[LogLine]


@asynccontextmanager
async def watch(tail: Tail) -> AsyncIterator[AsyncIterator[Seen]]:
    """A stream of each sight of the run ``tail.number`` and the lines that follow ``tail``, as they come.

    A run that is seen to close is recorded, the closed sight is shown, and then, for a moment, the
    lines that were still on their way. A run that is already recorded as closed is one sight, and the
    lines that still come when that was just now. Raises NotFound.
    """
    run = await _started(tail.number)
    if run.finished is not None and not run.guarded:
        yield _recorded(run, tail)
        return

    shown = dict(tail.read)

    async def read(outlet: Outlet[Seen]) -> None:
        async with ticker().lines(tail) as news:
            while True:
                lines = await news.get()
                outlet.put(lines)
                shown.update({line.place: line.seq for line in lines})

    async def follow(outlet: Outlet[Seen]) -> None:
        async with Follower(address_of(run)).sights() as sights:
            async for sight in sights:
                tail.expect(sight.progress)
                if sight.progress.state.closed:
                    await sync_to_async(recorder.record)(run.pk, sight)
                outlet.put(sight)
        await _settle(tail, shown)
        outlet.end()

    async with merged(read, follow) as seen:
        yield seen


async def _recorded(run: Run, tail: Tail) -> AsyncIterator[Seen]:
    progress = Progress.model_validate(run.progress or {"state": run.status})
    yield Sight(progress=progress)
    tail.expect(progress)
    closed = run.finished or datetime.now(UTC)
    end = time.monotonic() + SETTLE_SECONDS - (datetime.now(UTC) - closed).total_seconds()
    while not tail.complete and time.monotonic() < end:
        for _, lines in await sync_to_async(read_on)([tail]):
            yield lines
        await asyncio.sleep(TICK_SECONDS)


async def _started(number: int) -> Run:
    """Wait until Temporal's answer to the start is recorded."""
    while True:
        run = await Run.objects.filter(pk=number).afirst()
        if run is None:
            raise NotFound(f"There is no run {number}.")
        if (run.run_id and run.status != RunState.QUEUED.value) or run.finished is not None:
            return run
        await asyncio.sleep(START_POLL_SECONDS)


async def _settle(tail: Tail, shown: dict[Place, int]) -> None:
    """Give the last lines of a closed run a moment to arrive: read first, then ``shown``."""
    end = time.monotonic() + SETTLE_SECONDS
    while not (tail.complete and shown == tail.read) and time.monotonic() < end:
        await asyncio.sleep(TICK_SECONDS)
