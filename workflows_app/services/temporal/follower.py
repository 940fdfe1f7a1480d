"""Following a run in Temporal, and the watchdog of what it froze, until nothing changes any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import reduce

from temporalio.service import RPCError

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.runs.events import Event
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import RunState
from workflows_app.services.temporal.history import HistoryReader, WatchdogReader, pending_steps
from workflows_app.services.temporal.progress import RunAddress, Sight, describe, find_stall, history_page
from workflows_app.services.temporal.streams import Outlet, Producer, merged

DESCRIBE_SECONDS = 1.0
SEARCH_SECONDS = 1.0
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0)


class Follower:
    """Follows one run from its beginning. Adds nothing to its history, and needs no living worker."""

    def __init__(self, address: RunAddress, *, describe: bool = True) -> None:
        self._address = address
        self._describe = describe
        self._reader = HistoryReader()
        self._token = b""
        self._run = Progress()
        self._watchdog = WatchdogReader()
        self._watchdog_token = b""
        self._ended_watchdogs: set[str] = set()
        self._guard_events: list[Event] = []
        self._guards = True
        self._sight = Sight()

    @asynccontextmanager
    async def sights(self) -> AsyncIterator[AsyncIterator[Sight]]:
        """A stream of what is seen, each time it changed, until the run is closed and nothing guards it.

        Whoever reads slowly sees the latest, not every step in between. Trouble with Temporal is shown,
        waited for and healed; a run that Temporal does not know ends the stream in state UNKNOWN.
        """
        readers = [self._read_history, self._read_watchdog]
        if self._describe:
            readers.append(self._read_description)
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
        seen: dict[str, object] = {
            "progress": self._sight.progress,
            "result": self._sight.result,
            "stall": self._sight.stall,
            "trouble": "",
        }
        seen |= changes
        progress = seen["progress"]
        guarded = isinstance(progress, Progress) and progress.guarded and self._guards
        sight = Sight(**seen, guarded=guarded)  # type: ignore[arg-type]
        if sight != self._sight:
            self._sight = sight

    def _patient(self, read: Callable[[], Awaitable[None]]) -> Producer[bool]:
        """``read`` again and again until all is closed, waiting longer after each trouble."""

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
        """Wait for the run's next events and fold them."""
        if self._run.state.closed:
            await asyncio.sleep(SEARCH_SECONDS)
            return
        page, token = await history_page(self._address.run, self._token, wait=True)
        events = self._reader.read(page)
        self._run = reduce(Progress.apply, events, self._run)
        if events:
            self._show(progress=self._folded(), result=self._reader.result, stall=None)
        elif self._sight.trouble:
            self._show()
        self._token = token or self._token

    async def _read_watchdog(self) -> None:
        """Wait for the next events of the watchdog, as long as there is something to guard."""
        closed = self._run.state.closed
        if not self._watchdog.run_id and not self._folded().guarded:
            await asyncio.sleep(SEARCH_SECONDS)
            return
        try:
            page, token = await history_page(self._address.watchdog, self._watchdog_token, wait=True)
        except RPCError:
            await self._find_no_watchdog(closed)
            return
        events = self._watchdog.read(page)
        if self._watchdog.run_id in self._ended_watchdogs:
            await self._find_no_watchdog(closed)
            return
        self._watchdog_token = token or self._watchdog_token
        if self._watchdog.ended:
            self._ended_watchdogs.add(self._watchdog.run_id)
            self._watchdog, self._watchdog_token = WatchdogReader(), b""
        if events:
            self._guard_events.extend(events)
            self._show(progress=self._folded())

    async def _find_no_watchdog(self, closed: bool) -> None:
        """A run that is open may start one; nobody guards what a closed one left frozen."""
        self._watchdog, self._watchdog_token = WatchdogReader(), b""
        if closed:
            self._guards = False
            self._show(progress=self._folded())
        else:
            await asyncio.sleep(SEARCH_SECONDS)

    async def _read_description(self) -> None:
        """Look at attempts, workers and heartbeats once a second."""
        await asyncio.sleep(DESCRIBE_SECONDS)
        if self._run.state.closed:
            return
        description = await describe(self._address.run)
        if not self._run.state.closed:
            seen = self._folded().with_pending(pending_steps(description.pending_activities))
            self._show(progress=seen, stall=await find_stall(description, seen))

    def _folded(self) -> Progress:
        return reduce(Progress.apply, self._guard_events, self._run)

    def _lose(self) -> None:
        self._guards = False
        lost = self._folded().model_copy(
            update={
                "state": RunState.UNKNOWN,
                "reason": "Temporal does not know this run (any more), and nobody saw how it ended.",
            }
        )
        self._show(progress=lost, stall=None)
