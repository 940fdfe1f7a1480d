"""Live runs: each is watched once in this process, and rendered once, however many look at it."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async

from workflows_app.domain.results import Level
from workflows_app.services.logs import log_windows, messages
from workflows_app.services.logs.attempts import Spoken, attempt_times
from workflows_app.services.logs.log_windows import LogSection
from workflows_app.services.logs.messages import LogLine, Place, Tail
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.recording.watch import watch
from workflows_app.services.runs import runs
from workflows_app.services.runs.runs import RunDetail
from workflows_app.services.temporal.progress import Sight
from workflows_app.web.live import run_fragments
from workflows_app.web.runs.run_views import RunView, run_view

logger = logging.getLogger(__name__)

VIEWER_QUEUE = 1000
WATCHER = Actor(name="the live view", rights=frozenset({Right.VIEW}))


@dataclass(frozen=True, slots=True)
class State:
    """The run as it is now; rendered once for each set of rights among its viewers."""

    run: RunDetail
    sight: Sight
    spoken: dict[Place, Spoken]
    rendered: dict[frozenset[Right], str] = field(default_factory=dict)

    def view(self, actor: Actor) -> RunView:
        """What the partials show to ``actor``."""
        return run_view(self.run.summary, self.sight, actor, datetime.now(UTC), spoken=self.spoken)

    def html(self, actor: Actor) -> str:
        """The frame for ``actor``."""
        if actor.rights not in self.rendered:
            self.rendered[actor.rights] = run_fragments.live(self.view(actor))
        return self.rendered[actor.rights]


class Lines:
    """Lines of one place, in order; rendered when the first viewer needs them."""

    def __init__(self, number: int, place: Place, lines: list[LogLine]) -> None:
        self.number = number
        self.place = place
        self.lines = lines
        self.first = lines[0].seq
        self.last = lines[-1].seq
        self._more: str | None = None

    def more(self) -> str:
        """The frame for a page that has the lines before these."""
        if self._more is None:
            self._more = run_fragments.more_lines(self.number, self.place, self.lines)
        return self._more


class Counts:
    """How many lines there are of each level by now; rendered when the first viewer needs it."""

    def __init__(self, levels: Mapping[Level, int]) -> None:
        self._levels = dict(levels)
        self._html: str | None = None

    def html(self) -> str:
        """The frame."""
        if self._html is None:
            self._html = run_fragments.level_counts(self._levels)
        return self._html


Item = State | Lines | Counts


class Viewer:
    """One page that looks on: what it has, and the frames that it needs next."""

    def __init__(self, live: "LiveRun", actor: Actor, read: dict[Place, int]) -> None:
        self._live = live
        self._actor = actor
        self._read = read
        self._queue: asyncio.Queue[Item | BaseException | None] = asyncio.Queue(VIEWER_QUEUE)
        self._lagging = False

    def offer(self, item: Item | BaseException | None) -> None:
        """Take what is new. A page that cannot keep up is brought up to date from the stored log."""
        if isinstance(item, Item) and self._queue.full():
            self._lagging = True
            return
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(item)

    async def frames(self) -> AsyncIterator[str]:
        """Yield the frames that bring the page up to date and keep it there, until the run is closed.

        Raises what broke the watch, if something did.
        """
        await self._live.begun.wait()
        if self._live.state is not None:
            yield self._live.state.html(self._actor)
        async for frame in self._catch_up():
            yield frame
        while not self._live.finished or not self._queue.empty():
            item = await self._queue.get()
            if isinstance(item, BaseException):
                raise item
            if self._lagging and self._queue.empty():
                self._lagging = False
                async for frame in self._catch_up():
                    yield frame
            if isinstance(item, State):
                yield item.html(self._actor)
            elif isinstance(item, Counts):
                yield item.html()
            elif isinstance(item, Lines):
                async for frame in self._show(item):
                    yield frame
            else:
                async for frame in self._catch_up():
                    yield frame
                return

    async def _show(self, batch: Lines) -> AsyncIterator[str]:
        have = self._read.get(batch.place, 0)
        if batch.last <= have:
            return
        if have and batch.first == have + 1:
            self._read[batch.place] = batch.last
            yield batch.more()
            return
        async for frame in self._bring(batch.place, batch.last):
            yield frame

    async def _catch_up(self) -> AsyncIterator[str]:
        for place, last in sorted(self._live.tail.read.items()):
            async for frame in self._bring(place, last):
                yield frame
        yield run_fragments.level_counts(self._live.levels)

    async def _bring(self, place: Place, last: int) -> AsyncIterator[str]:
        """Bring one place up to line ``last`` from the stored log, whatever the page has of it."""
        have = self._read.get(place, 0)
        if last <= have or self._live.state is None:
            return
        self._read[place] = last
        missing = {place: max(have, last - messages.WINDOW)}
        lines = await sync_to_async(messages.lines_after)(self._live.number, missing, {place: last})
        view = self._live.state.view(self._actor)
        section = LogSection(*place, tuple(lines), last)
        if not have:
            yield run_fragments.new_section(view, section)
        elif last - have > messages.WINDOW:
            yield run_fragments.whole_section(view, section)
        else:
            yield run_fragments.more_lines(self._live.number, place, lines)


class LiveRun:
    """One run, watched as long as somebody looks at it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tail = Tail(number)
        self.levels: Counter[Level] = Counter()
        self.spoken: dict[Place, Spoken] = {}
        self.state: State | None = None
        self.begun = asyncio.Event()
        self.finished = False
        self._viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def viewer(self, actor: Actor, read: dict[Place, int]) -> Iterator[Viewer]:
        """Look on; the last one who leaves ends the watch."""
        viewer = Viewer(self, actor, read)
        self._viewers.add(viewer)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._task.cancel()
                _live_runs().pop(self.number, None)

    def _tell(self, item: Item | BaseException | None) -> None:
        for viewer in self._viewers:
            viewer.offer(item)

    async def _watch(self) -> None:
        try:
            run = await sync_to_async(runs.get_run)(WATCHER, self.number)
            await self._remember()
            async with watch(self.tail) as stream:
                async for seen in stream:
                    if isinstance(seen, Sight):
                        if seen.closed:
                            run = await sync_to_async(runs.get_run)(WATCHER, self.number)
                        elif not seen.progress.steps:
                            # Temporal was away before anything could be read: show what was recorded.
                            seen = replace(seen, progress=run.progress)
                        self.state = State(run, seen, dict(self.spoken))
                        self.begun.set()
                        self._tell(self.state)
                    else:
                        for place, group in groupby(seen, key=lambda line: line.place):
                            lines = list(group)
                            first = self.spoken[place].first if place in self.spoken else lines[0].time
                            self.spoken[place] = Spoken(first, lines[-1].time)
                            self._tell(Lines(self.number, place, lines))
                        self.levels.update(Level(line.level) for line in seen)
                        self._tell(Counts(self.levels))
            self.finished = True
            self._tell(None)
        except Exception as error:
            logger.exception("The watch of run %d broke", self.number)
            self._tell(error)
            self.begun.set()

    async def _remember(self) -> None:
        """Begin where the stored log ends: what came before is brought to each page that lacks it."""
        stored = await sync_to_async(log_windows.census)(WATCHER, self.number)
        self.tail.read.update(stored.places)
        self.levels = stored.levels
        self.spoken = await sync_to_async(attempt_times)(WATCHER, self.number)


_runs: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, LiveRun]]" = WeakKeyDictionary()


def _live_runs() -> dict[int, LiveRun]:
    return _runs.setdefault(asyncio.get_running_loop(), {})


def live_run(number: int) -> LiveRun:
    """Answer the one watch of a run in this process."""
    return _live_runs().setdefault(number, LiveRun(number))
