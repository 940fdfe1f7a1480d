"""The socket of the pages that list runs: who may look, then what changes, as long as the page is there."""

import asyncio
import json
import logging
import time

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import QueryDict

from workflows_app.services.permissions import Actor, Right
from workflows_app.services.sessions import actor_of_session
from workflows_app.web.consumers import NOT_ALLOWED, TROUBLE
from workflows_app.web.list_live import LivePage, OverviewPage, RunListPage, list_watch
from workflows_app.web.run_filters import asked_runs

logger = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
MOST_ROWS = 200
LONGEST_QUERY = 4000


class ListConsumer(AsyncWebsocketConsumer):
    """Sends what changes to one page. The page first says what it shows (``{"page": "runs", …}``)."""

    _sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept whoever may view runs."""
        if (await self._actor()).may(Right.VIEW):
            await self.accept()
        else:
            await self.close(NOT_ALLOWED)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take the page's hello and begin to send; anything else that it says is ignored."""
        if self._sending is None and text_data is not None:
            self._sending = asyncio.create_task(self._send(_page(text_data)))

    async def disconnect(self, code: int) -> None:
        """Stop sending."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self, page: LivePage) -> None:
        try:
            with list_watch().viewer() as watch:
                actor, checked = await self._actor(), time.monotonic()
                turn = watch.turn
                found = await page.first(watch, actor)
                while await self._deliver(found):
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

    async def _deliver(self, found: list[str]) -> bool:
        """Send frames; answer False when the page has left, of which the server tells only now."""
        try:
            for frame in found:
                await self.send(frame)
        except OSError:
            return False
        return True

    async def _actor(self) -> Actor:
        return await sync_to_async(actor_of_session)(self.scope["session"].session_key)


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
