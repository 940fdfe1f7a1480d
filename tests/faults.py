"""A TCP proxy that can go away, or hang, and come back."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator


class FaultProxy:
    """Stands before a server on this machine.

    Away it refuses everybody, and drops those who are there; while it hangs it takes connections and what is
    sent on them, and nobody gets an answer.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._away = False
        self._passes = asyncio.Event()
        self._passes.set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.Task[None]] = set()
        self.port = 0

    def go_away(self) -> None:
        """Drop every connection and take no new one."""
        self._away = True
        for writer in self._connections:
            writer.transport.abort()

    def hang(self) -> None:
        """Keep every connection, take new ones, and let nothing through."""
        self._passes.clear()

    def come_back(self) -> None:
        """Take connections again, and let through what was held."""
        self._away = False
        self._passes.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FaultProxy"]:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            # Not asyncio's own server: before 3.12 one that is closed forgets whom it lets in just then.
            loop.add_reader(listener, self._meet, listener)
            try:
                yield self
            finally:
                loop.remove_reader(listener)
                self.go_away()
                self._passes.set()
                await asyncio.gather(*self._clients)

    def _meet(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            near, _ = listener.accept()
            client = asyncio.get_running_loop().create_task(self._serve(near))
            self._clients.add(client)
            client.add_done_callback(self._clients.discard)

    async def _serve(self, near: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=near)
        async with self._connection(writer):
            with contextlib.suppress(OSError):
                there, back = await asyncio.open_connection("127.0.0.1", self._target)
                async with self._connection(back):
                    await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    @contextlib.asynccontextmanager
    async def _connection(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        """One that ``go_away`` drops, also when it comes up after that; it is closed at the end."""
        self._connections.add(writer)
        if self._away:
            writer.transport.abort()
        try:
            yield
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._connections.remove(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
