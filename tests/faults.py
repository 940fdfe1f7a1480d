"""A TCP proxy that can go away and come back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class FaultProxy:
    """Stands before a server on this machine; ``away`` refuses everybody, and drops those who are there."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._away = False
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0

    def go_away(self) -> None:
        """Drop every connection and take no new one."""
        self._away = True
        for writer in self._connections:
            writer.transport.abort()

    def come_back(self) -> None:
        """Take connections again."""
        self._away = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FaultProxy"]:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._connections:
                writer.transport.abort()
            await server.wait_closed()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._away:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._connections |= {writer, back}
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._connections -= {writer, back}
                writer.close()
                back.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
