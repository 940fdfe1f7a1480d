"""The socket of the pages that list runs: who may look, then what changes, as long as the page is there."""

import asyncio
import json
import logging
import time

from django.http import QueryDict

from workflows_app.services.people.permissions import Right
from workflows_app.web.live.list_live import LivePage, OverviewPage, RunListPage, list_watch
from workflows_app.web.live.sockets import CHECK_SECONDS, NOT_ALLOWED, TROUBLE, PageConsumer
from workflows_app.web.runs.run_filters import asked_runs

logger = logging.getLogger(__name__)

MOST_ROWS = 200
LONGEST_QUERY = 4000


class ListConsumer(PageConsumer):
    """Sends what changes to one page. The page first says what it shows (``{"page": "runs", …}``)."""

    async def connect(self) -> None:
        """Accept whoever may view runs."""
        if (await self._actor()).may(Right.VIEW):
            await self.accept()
        else:
            await self.close(NOT_ALLOWED)

    async def _send(self, hello: str) -> None:
        page = _page(hello)
        try:
            with list_watch().viewer() as watch:
                actor, checked = await self._actor(), time.monotonic()
                turn = watch.turn
                found = await page.first(watch, actor)
                while await self._deliver(*found):
                    left = CHECK_SECONDS - (time.monotonic() - checked)
                    try:
                        async with asyncio.timeout(max(0.0, left)):
                            await watch.wait(turn)
                    except TimeoutError:
                        actor, checked = await self._actor(), time.monotonic()
                        if not actor.may(Right.VIEW):
                            await self.close(NOT_ALLOWED)
                            return
                    since, turn = turn, watch.turn
                    found = await page.next(watch, actor, since)
        except Exception:
            logger.exception("The socket of a list broke")
            await self.close(TROUBLE)


def _page(text: str) -> LivePage:
    """The page that says this; the overview for what makes no sense: it is right for any page."""
    try:
        said = json.loads(text)
        if said["page"] != "runs":
            return OverviewPage()
        query, _ = asked_runs(QueryDict(str(said["query"])[:LONGEST_QUERY].removeprefix("?")))
        rows, open_rows = (set(map(int, said[name][:MOST_ROWS])) for name in ("rows", "open"))
        return RunListPage(query, rows, open_rows, int(said["newest"]))
    except (ValueError, KeyError, TypeError):
        return OverviewPage()
