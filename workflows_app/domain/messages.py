"""Keeps messages such that they can travel and be stored: Temporal refuses payloads over 2 MB."""

from collections import deque

from workflows_app.domain.results import Level, Message

HEAD = 200
TAIL = 800
LINE_BYTES = 4096
TOTAL_BYTES = 256 * 1024

_ELLIPSIS = "…"


class MessageBound:
    """Keeps the first and the last of the messages that it is given, in bounded memory.

    All are kept as long as they fit: ``head + tail`` messages whose texts take ``total_bytes`` (UTF-8).
    From then on, the beginning is what fits into ``head`` messages and a quarter of ``total_bytes``, and the
    rest of the room belongs to the newest, since the end says how it ended. One text is cut to
    ``line_bytes``, and then ends in ``…``.

    Raises ValueError for sizes in which no message, or not even one cut line, would fit.
    """

    def __init__(
        self,
        head: int = HEAD,
        tail: int = TAIL,
        line_bytes: int = LINE_BYTES,
        total_bytes: int = TOTAL_BYTES,
    ) -> None:
        if head < 0 or tail < 1 or line_bytes < 4 or total_bytes < 2 * line_bytes:
            raise ValueError(
                f"No room for messages: head={head} (at least 0), tail={tail} (at least 1), line_bytes="
                f"{line_bytes} (at least 4), total_bytes={total_bytes} (at least twice line_bytes)"
            )
        self._head_count = head
        self._count = head + tail
        self._line_bytes = line_bytes
        self._head_bytes = total_bytes // 4
        self._room = total_bytes
        self._head: list[Message] = []
        self._head_open = True
        self._tail: deque[tuple[Message, int]] = deque()
        self._left_out = 0
        self._left_out_at = 0

    def add(self, message: Message) -> None:
        """Take the next message."""
        message, size = self._cut(message)
        self._room -= size
        if self._head_open and len(self._head) < self._head_count and size <= self._head_bytes:
            self._head.append(message)
            self._head_bytes -= size
            return
        # The head closes at the first message that does not fit, so that it is the beginning without a gap.
        self._head_open = False
        self._tail.append((message, size))
        while self._room < 0 or len(self._head) + len(self._tail) > self._count:
            dropped, size = self._tail.popleft()
            self._room += size
            self._left_out += 1
            self._left_out_at = dropped.time

    def messages(self) -> tuple[Message, ...]:
        """The messages kept; where some are not, one WARN message says how many are left out."""
        tail = tuple(message for message, _ in self._tail)
        if not self._left_out:
            return (*self._head, *tail)
        lines, has = (
            ("1 line is", "it") if self._left_out == 1 else (f"{self._left_out} lines are", "them all")
        )
        notice = Message(
            time=self._left_out_at,
            level=Level.WARN,
            message=f"… {lines} left out here; the run's log has {has}",
        )
        return (*self._head, notice, *tail)

    def _cut(self, message: Message) -> tuple[Message, int]:
        """The message with its text cut to size, and the bytes that the text takes."""
        # A lone surrogate, which JSON cannot carry, becomes "?".
        text = message.message.encode(errors="replace")
        if len(text) > self._line_bytes:
            room = self._line_bytes - len(_ELLIPSIS.encode())
            text = (text[:room].decode(errors="ignore") + _ELLIPSIS).encode()
        kept = text.decode()
        if kept != message.message:
            message = message.model_copy(update={"message": kept})
        return message, len(text)


def storable(text: str) -> str:
    """Answer ``text`` as JSON and every database can carry it: a lone surrogate becomes ?, NUL U+FFFD."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")
