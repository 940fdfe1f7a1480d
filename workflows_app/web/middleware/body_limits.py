"""Refuses requests that are too large before they are on a disk, where Django writes all of any request."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from workflows_app.services.files.config_archives import LARGEST_UPLOAD

LARGEST_BODY = 2 * LARGEST_UPLOAD
"""The most bytes of a request: an upload, and what a form puts around each of its files."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_WORDS = (
    f"The request is larger than {LARGEST_BODY // 2**20} MiB, and nothing was taken. Upload fewer "
    "configurations at once, or use the command import_configs.\n"
)


class BodyLimit:
    """An ASGI application that passes requests on, and answers 413 to those of more than LARGEST_BODY."""

    def __init__(self, application: Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if _announced(scope["headers"]) > LARGEST_BODY:
            await _refuse(send)
            return
        taken = 0

        async def limited() -> Mapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # To Django it is as if the sender had gone: it throws away what came, and answers nothing.
            return message if taken <= LARGEST_BODY else {"type": "http.disconnect"}

        await self._application(scope, limited, send)
        if taken > LARGEST_BODY:
            await _refuse(send)


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """How many bytes the request says that it has; 0 where it does not say."""
    length = dict(headers).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _WORDS.encode()})
