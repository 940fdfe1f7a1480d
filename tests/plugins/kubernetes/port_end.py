"""The pod's end of a port-forward: a connection to a port of this machine, as a kubelet makes it."""

import asyncio
import contextlib
import struct
from collections.abc import Callable

from aiohttp import WSMsgType, web

_CHUNK = 32 * 1024
DATA, TROUBLE = b"\0", b"\1"


async def serve_port(
    socket: web.WebSocketResponse, port: int, pod: str, *, break_after: int | None, drop: Callable[[], None]
) -> None:
    """Carry what the client and the port say to each other; ``drop`` after so many bytes of the port's."""
    for channel in (DATA, TROUBLE):
        await socket.send_bytes(channel + struct.pack("<H", port))
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        why = f"failed to connect to localhost:{port}: connection refused"
        await socket.send_bytes(TROUBLE + f"error forwarding port {port} to pod {pod}: {why}".encode())
        await socket.close()
        return
    speaking = asyncio.create_task(_speak(socket, reader, break_after, drop))
    try:
        async for message in socket:
            if message.type == WSMsgType.BINARY and message.data[:1] == DATA:
                writer.write(message.data[1:])
                await writer.drain()
    except OSError:
        pass
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _speak(
    socket: web.WebSocketResponse,
    reader: asyncio.StreamReader,
    break_after: int | None,
    drop: Callable[[], None],
) -> None:
    sent = 0
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            sent += len(data)
            if break_after is not None and sent > break_after:
                drop()
                return
            await socket.send_bytes(DATA + data)
    await socket.close()
