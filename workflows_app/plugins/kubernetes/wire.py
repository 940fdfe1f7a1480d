"""A WebSocket in one thread, in which neither direction ever waits for the other."""

import selectors
import socket
import ssl
from collections import deque
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import CONNECTING, Event

from workflows_app.domain.errors import Cancelled
from workflows_app.plugins.alarm import Alarm

_CHUNK = 256 * 1024
# How much waits to be sent before ``send`` waits, in bytes.
_OUTGOING = 256 * 1024
# How much may be received while something waits to be sent, in bytes: the other side could go on for ever.
_MOST_HELD = 16 * 1024 * 1024
# After so many seconds of silence, something is said, for the sake of what is on the way between.
_SILENCE = 20.0
_DATA = (Opcode.BINARY, Opcode.TEXT, Opcode.CONT)
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Lost(Exception):
    """The connection is gone; the text says why, as far as that is known."""


class Wire:
    """One WebSocket over ``connection``; ``alarm`` ends every wait with Cancelled.

    Messages are read only when they are asked for, or while something is sent: what nobody takes is not
    fetched, and memory stays small.
    """

    def __init__(self, connection: socket.socket, protocol: ClientProtocol, alarm: Alarm) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._protocol = protocol
        self._alarm = alarm
        self._outgoing = bytearray()
        self._received: deque[bytes] = deque()
        self._partial = bytearray()
        self._lost = ""
        self._selector = selectors.DefaultSelector()
        self._selector.register(alarm.fileno(), selectors.EVENT_READ)
        self._selector.register(connection, selectors.EVENT_READ)

    def greet(self, seconds: float) -> str | None:
        """Exchange the greetings; answers the subprotocol that both speak.

        Raises Lost, InvalidStatus with the answer of a server that says no, and Cancelled.
        """
        # An answer may come together with all that follows it, to the end of the conversation.
        while self._protocol.handshake_exc is None and self._protocol.state is CONNECTING:
            self._check()
            if not self._exchange(seconds):
                raise Lost(f"it did not answer within {seconds:.0f} s")
        error = self._protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            raise error
        if error is not None:
            raise Lost(str(error) or type(error).__name__)
        return self._protocol.subprotocol

    def send(self, message: bytes) -> None:
        """Send a message, as soon as the other side takes it. Raises Lost and Cancelled."""
        self._check()
        try:
            self._protocol.send_binary(message)
        except WebSocketException:
            raise Lost("the other side has ended the conversation") from None
        self._take_outgoing()
        while len(self._outgoing) > _OUTGOING:
            self._exchange(_SILENCE)
            self._check()
            if sum(map(len, self._received)) > _MOST_HELD:
                raise Lost("it goes on talking and does not listen")

    def received(self) -> bytes | None:
        """A message that came while something was sent; None when none did."""
        return self._received.popleft() if self._received else None

    def receive(self, patience: float | None = None) -> bytes | None:
        """The next message; None when the other side has said that there is no more.

        With ``patience``, None as well after so many seconds of silence. Raises Lost and Cancelled.
        """
        while not self._received:
            if self._protocol.close_rcvd is not None:
                return None
            self._check()
            if not self._exchange(_SILENCE if patience is None else patience):
                if patience is not None:
                    return None
                self._protocol.send_ping(b"")
                self._take_outgoing()
        return self._received.popleft()

    @property
    def has_room(self) -> bool:
        """Whether a message of up to 64 KiB could be sent without waiting."""
        return len(self._outgoing) <= _OUTGOING // 2

    @property
    def over(self) -> bool:
        """Whether the other side has said that there is no more."""
        return self._protocol.close_rcvd is not None

    def attend(self, other: socket.socket, events: int, *, listening: bool) -> int:
        """Wait until ``other`` is ready for one of ``events``, or something was sent or received here.

        ``events`` are those of ``selectors``, and so is the answer: what ``other`` is ready for. Unless
        ``listening``, nothing is received meanwhile. Raises Lost and Cancelled.
        """
        self._check()
        self._watch(other, events)
        ready = self._exchange(_SILENCE, listening=listening)
        if not ready:
            self._protocol.send_ping(b"")
            self._take_outgoing()
        return ready.get(other, 0)

    def flush(self, seconds: float) -> None:
        """Send what waits to be sent, unless the other side takes nothing for ``seconds``.

        Raises Lost and Cancelled.
        """
        while self._outgoing and self._exchange(seconds, listening=False):
            self._check()

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        self._connection.close()

    def _exchange(self, seconds: float, *, listening: bool = True) -> dict[Any, int]:
        """Wait until something can be read or sent, and do so; answers what was ready within ``seconds``."""
        self._take_outgoing()
        events = selectors.EVENT_READ if listening else 0
        self._watch(self._connection, events | (selectors.EVENT_WRITE if self._outgoing else 0))
        ready = {key.fileobj: mask for key, mask in self._selector.select(seconds)}
        if self._alarm.rung:
            raise Cancelled
        try:
            if ready.get(self._connection, 0) & selectors.EVENT_WRITE:
                self._write()
            if ready.get(self._connection, 0) & selectors.EVENT_READ:
                self._read()
        except OSError as error:
            self._lose(error.strerror or str(error) or type(error).__name__)
        return ready

    def _watch(self, side: socket.socket, events: int) -> None:
        watched = side in self._selector.get_map()
        if watched and not events:
            self._selector.unregister(side)
        elif watched:
            self._selector.modify(side, events)
        elif events:
            self._selector.register(side, events)

    def _check(self) -> None:
        if self._lost:
            raise Lost(self._lost)

    def _lose(self, why: str) -> None:
        """The connection is gone; what has been received can still be taken."""
        self._lost = self._lost or why

    def _take_outgoing(self) -> None:
        for data in self._protocol.data_to_send():
            self._outgoing += data

    def _write(self) -> None:
        try:
            sent = self._connection.send(memoryview(self._outgoing)[:_CHUNK])
        except _NOT_NOW:
            return
        del self._outgoing[:sent]

    def _read(self) -> None:
        size = 0
        ended = False
        # One read of a TLS socket gives one record at most.
        while size < _CHUNK and not ended:
            try:
                data = self._connection.recv(_CHUNK)
            except _NOT_NOW:
                break
            if data:
                self._protocol.receive_data(data)
                size += len(data)
            else:
                self._protocol.receive_eof()
                ended = True
        for event in self._protocol.events_received():
            self._note(event)
        if ended:
            self._lose("the other side hung up")

    def _note(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            return
        if event.fin and not self._partial and event.opcode is not Opcode.CONT:
            self._received.append(bytes(event.data))
            return
        self._partial += event.data
        if event.fin:
            self._received.append(bytes(self._partial))
            self._partial.clear()
