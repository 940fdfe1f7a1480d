"""The socket of the run page: who may look, what the page has, then frames until the run is closed."""

import asyncio
import json
import logging
import time

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from workflows_app.domain.errors import FossulError
from workflows_app.services import runs
from workflows_app.services.messages import Place
from workflows_app.services.permissions import Actor, Right
from workflows_app.services.sessions import actor_of_session
from workflows_app.web.live import live_run

logger = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
FINISHED, NOT_ALLOWED, TROUBLE = 1000, 4403, 1011


class RunConsumer(AsyncWebsocketConsumer):
    """Sends a run's changes to one page. The page first says which lines it has (``{"read": {…}}``)."""

    _sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept whoever may view the run."""
        self._number = int(self.scope["url_route"]["kwargs"]["number"])
        actor = await self._actor()
        try:
            await sync_to_async(runs.get_run)(actor, self._number)
        except FossulError:
            await self.close(NOT_ALLOWED)
            return
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take the page's hello and begin to send; anything else that it says is ignored."""
        if self._sending is None and text_data is not None:
            self._sending = asyncio.create_task(self._send(_read(text_data)))

    async def disconnect(self, code: int) -> None:
        """Stop sending."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self, read: dict[Place, int]) -> None:
        actor = await self._actor()
        checked = time.monotonic()
        try:
            with live_run(self._number).viewer(actor, read) as viewer:
                async for frame in viewer.frames():
                    if time.monotonic() - checked > CHECK_SECONDS:
                        checked = time.monotonic()
                        if not (await self._actor()).may(Right.VIEW):
                            await self.close(NOT_ALLOWED)
                            return
                    if not await self._deliver(frame):
                        return
            await self.close(FINISHED)
        except Exception:
            logger.exception("The socket of run %d broke", self._number)
            await self.close(TROUBLE)

    async def _deliver(self, frame: str) -> bool:
        """Send a frame; answer False when the page has left, of which the server tells only now."""
        try:
            await self.send(frame)
        except OSError:
            return False
        return True

    async def _actor(self) -> Actor:
        return await sync_to_async(actor_of_session)(self.scope["session"].session_key)


def _read(text: str) -> dict[Place, int]:
    """What the page says it has; nothing for a hello that makes no sense."""
    try:
        said = json.loads(text)["read"]
        return {
            (int(step), int(attempt)): int(seq)
            for place, seq in said.items()
            for step, _, attempt in [place.partition("-")]
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
