"""A page at the other end of a run's socket: it keeps what a browser would have in its DOM.

``asgiref``'s communicator is what channels' own is made of; that one would need daphne.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client

from fossul_dashboard.asgi import application

LINE = re.compile(r'<li id="step-(\d+)-attempt-(\d+)-L(\d+)"')
ORIGIN = "http://localhost"

Address = tuple[int, int, int]


@sync_to_async
def log_in(name: str, group: str | None = None) -> str:
    """Make a user of that group (of none) and answer the cookie of a session of theirs."""
    user = User.objects.create_user(name)
    if group:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Socket(ApplicationCommunicator):
    """A socket to the real application."""

    def __init__(self, number: int, cookie: str = "", origin: str = ORIGIN, path: str = "") -> None:
        headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
        if cookie:
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
        scope = {
            "type": "websocket",
            "path": path or f"/ws/runs/{number}/",
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
        }
        super().__init__(application, scope)

    async def connect(self) -> int:
        """Answer 0 when the socket was accepted, else the code that refused it."""
        await self.send_input({"type": "websocket.connect"})
        event = await self.receive_output(10)
        if event["type"] == "websocket.accept":
            return 0
        await self.disconnect()
        return event.get("code", 1000)

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wait(10)


class Page:
    """What a page has seen: lines by address (in order of arrival) and the frames themselves."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.lines: list[Address] = []
        self.frames: list[str] = []
        self.closed: int | None = None

    def read(self) -> dict[str, int]:
        """The last line of every place, as the page's script tells it."""
        return {f"{step}-{attempt}": seq for step, attempt, seq in sorted(self.lines)}

    async def hello(self, read: dict[str, int] | None = None) -> None:
        await self._socket.send_input({"type": "websocket.receive", "text": json.dumps({"read": read or {}})})

    async def next(self, timeout: float = 10) -> str:
        """Take the next frame, or the close; answers the frame, ``""`` for the close."""
        event = await self._socket.receive_output(timeout)
        if event["type"] == "websocket.close":
            self.closed = event["code"]
            return ""
        frame = event["text"]
        self.frames.append(frame)
        self.lines += [(int(s), int(a), int(n)) for s, a, n in LINE.findall(frame)]
        return frame

    async def until(self, text: str) -> str:
        """Take frames until one contains ``text``."""
        async with asyncio.timeout(15):
            while text not in (frame := await self.next()):
                assert self.closed is None, f"closed with {self.closed} before {text!r} came"
        return frame

    async def to_the_end(self) -> None:
        """Take frames until the socket closes."""
        async with asyncio.timeout(30):
            while self.closed is None:
                await self.next()


@asynccontextmanager
async def opened(number: int, cookie: str) -> AsyncIterator[Page]:
    """A page whose socket was accepted; it has not said hello yet."""
    socket = Socket(number, cookie)
    refused = await socket.connect()
    assert not refused, f"refused with {refused}"
    try:
        yield Page(socket)
    finally:
        await socket.disconnect()
