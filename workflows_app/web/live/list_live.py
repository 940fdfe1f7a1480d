"""Live lists: the runs are watched once in this process, and rendered once, however many look at them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.recording import recorder
from workflows_app.services.runs.run_changes import RunChanges, RunNews, get_news
from workflows_app.services.runs.run_search import RunQuery, count_newer
from workflows_app.web.live import list_fragments
from workflows_app.web.live.page_parts import Section, Shown, frames

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# What no row tells: runs that closed unseen, workers that come and go.
REFRESH_SECONDS = 5.0
# So many turns back a change is remembered: no page takes that long to be told.
KEPT_TURNS = 600


class ListWatch:
    """The watch of all runs, as long as somebody looks at a list. ``turn`` counts what was seen to change."""

    def __init__(self) -> None:
        self.turn = 0
        self._viewers = 0
        self._task: asyncio.Task[None] | None = None
        self._told = asyncio.Condition()
        self._changes = RunChanges()
        self._rows: dict[int, tuple[int, RunNews]] = {}
        self._rendered: dict[int, str] = {}
        self._overviews: dict[frozenset[Right], tuple[Section, ...]] = {}
        self._status = ""
        self._rendering = asyncio.Lock()

    @contextlib.contextmanager
    def viewer(self) -> Iterator["ListWatch"]:
        """Look on; the last one who leaves ends the watch."""
        self._viewers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._task.cancel()
                _watches.pop(asyncio.get_running_loop(), None)

    async def wait(self, turn: int) -> None:
        """Wait until something has changed since ``turn``."""
        async with self._told:
            await self._told.wait_for(lambda: self.turn > turn)

    def rows_since(self, turn: int, numbers: set[int]) -> list[str]:
        """Answer the rows of those of ``numbers`` that have changed since ``turn``."""
        found = []
        for number in numbers & self._rows.keys():
            changed, news = self._rows[number]
            if changed > turn:
                if number not in self._rendered:
                    self._rendered[number] = list_fragments.run_row(news, timezone.now())
                found.append(self._rendered[number])
        return found

    def newest_since(self, turn: int) -> int:
        """Answer the highest number of a run that has changed since ``turn``, 0 for none."""
        return max((number for number, (changed, _) in self._rows.items() if changed > turn), default=0)

    async def overview(self, actor: Actor) -> tuple[Section, ...]:
        """Answer the sections of the overview as they are for ``actor``."""
        async with self._rendering:
            if actor.rights not in self._overviews:
                turn = self.turn
                made = await sync_to_async(list_fragments.overview)(actor)
                if turn == self.turn:
                    self._overviews[actor.rights] = made
                return made
            return self._overviews[actor.rights]

    async def status(self, actor: Actor) -> str:
        """Answer what the page's title and icon are made of."""
        async with self._rendering:
            if not self._status:
                self._status = await sync_to_async(list_fragments.status)(actor)
            return self._status

    async def _watch(self) -> None:
        refresh_at = 0.0
        while True:
            try:
                changed = await sync_to_async(self._changes.look)()
                due = time.monotonic() >= refresh_at
                if due:
                    await sync_to_async(recorder.refresh)()
                    refresh_at = time.monotonic() + REFRESH_SECONDS
                if changed or due:
                    await self._tell(changed)
            except DatabaseError as error:
                logger.warning("The lists of runs wait: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, changed: list[RunNews]) -> None:
        self.turn += 1
        for news in changed:
            self._rows[news.run.number] = (self.turn, news)
            self._rendered.pop(news.run.number, None)
        for number in [n for n, (turn, _) in self._rows.items() if turn < self.turn - KEPT_TURNS]:
            del self._rows[number]
            self._rendered.pop(number, None)
        self._overviews.clear()
        self._status = ""
        async with self._told:
            self._told.notify_all()


class LivePage:
    """A page that shows runs, as its socket knows it."""

    def __init__(self) -> None:
        self._status = ""

    async def first(self, watch: ListWatch, actor: Actor) -> list[str]:
        """What brings the page up to date."""
        raise NotImplementedError

    async def next(self, watch: ListWatch, actor: Actor, turn: int) -> list[str]:
        """What has changed since ``turn``."""
        raise NotImplementedError

    async def _new_status(self, watch: ListWatch, actor: Actor) -> list[str]:
        status = await watch.status(actor)
        if status == self._status:
            return []
        self._status = status
        return [status]


class OverviewPage(LivePage):
    """The overview: its sections, and the rows in them."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown = {}

    async def first(self, watch: ListWatch, actor: Actor) -> list[str]:
        """Everything: what the page has was rendered some time ago."""
        return await self.next(watch, actor, 0)

    async def next(self, watch: ListWatch, actor: Actor, turn: int) -> list[str]:
        """What differs from what was sent last."""
        found = await self._new_status(watch, actor)
        for part in await watch.overview(actor):
            found += frames(part, self._shown)
        return found


class RunListPage(LivePage):
    """A page of the list of runs: the rows that it has, and how many newer runs would fit its filter.

    ``open_rows`` are those that it shows as open, ``newest`` is the last run that there was at its time.
    """

    def __init__(self, query: RunQuery, rows: set[int], open_rows: set[int], newest: int) -> None:
        super().__init__()
        self._query = query
        self._rows = rows
        self._open_rows = open_rows & rows
        self._newest = newest
        self._newer = 0

    async def first(self, watch: ListWatch, actor: Actor) -> list[str]:
        """The rows that the page has as open, as they are now."""
        news = await sync_to_async(get_news)(actor, self._open_rows)
        rows = [list_fragments.run_row(item, timezone.now()) for item in news.values()]
        return [*rows, *await self._new_status(watch, actor), *await self._count(actor)]

    async def next(self, watch: ListWatch, actor: Actor, turn: int) -> list[str]:
        """The page's rows that changed, and the new count if there is one."""
        found = watch.rows_since(turn, self._rows)
        if watch.newest_since(turn) > self._newest:
            found += await self._count(actor)
        return [*found, *await self._new_status(watch, actor)]

    async def _count(self, actor: Actor) -> list[str]:
        newer = await sync_to_async(count_newer)(actor, self._query, self._newest)
        if newer == self._newer:
            return []
        self._newer = newer
        return [list_fragments.newer_runs(newer, self._query)]


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, ListWatch]" = WeakKeyDictionary()


def list_watch() -> ListWatch:
    """Answer the one watch of this process."""
    return _watches.setdefault(asyncio.get_running_loop(), ListWatch())
