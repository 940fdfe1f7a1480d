"""What the sockets of all pages share: the page says hello once, and then listens until it leaves."""

import asyncio

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from workflows_app.services.people.permissions import Actor
from workflows_app.services.people.sessions import actor_of_session

CHECK_SECONDS = 10.0
FINISHED, NOT_ALLOWED, TROUBLE = 1000, 4403, 1011


class PageConsumer(AsyncWebsocketConsumer):
    """A socket that answers a page's hello with frames, for as long as the page is there."""

    _sending: asyncio.Task[None] | None = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take the page's hello and begin to send; anything else that it says is ignored."""
        if self._sending is None and text_data is not None:
            self._sending = asyncio.create_task(self._send(text_data))

    async def disconnect(self, code: int) -> None:
        """Stop sending."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self, hello: str) -> None:
        """Send frames to the page that said ``hello``, and close the socket when there are no more."""
        raise NotImplementedError

    async def _deliver(self, *frames: str) -> bool:
        """Send frames; answer False when the page has left, of which the server tells only now."""
        try:
            for frame in frames:
                await self.send(frame)
        except OSError:
            return False
        return True

    async def _actor(self) -> Actor:
        return await sync_to_async(actor_of_session)(self.scope["session"].session_key)
