"""The output of a process, from bytes as they arrive to lines of text."""

from collections.abc import Iterator

LINE_LIMIT = 1024 * 1024


class OutputLines:
    """Cuts a stream of bytes into lines, and holds never more than ``limit`` bytes beside the last chunk.

    A line ends at ``\\n``; one ``\\r`` before it is dropped, others stay. A longer line than ``limit`` is
    cut, between two characters, and goes on as the next line. Bytes that are not UTF-8, and NUL, which
    PostgreSQL refuses, become U+FFFD.
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._partial = bytearray()

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Take bytes and answer the lines that they complete."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._partial += end
            if len(self._partial) > self._limit:
                yield from self._pieces()
            yield self._line()
        self._partial += rest
        if len(self._partial) > self._limit:
            yield from self._pieces()

    def finish(self) -> Iterator[str]:
        """The stream has ended: answer its last line, if that one had no ``\\n``."""
        if self._partial:
            yield self._line()

    def _line(self) -> str:
        line = self._partial.removesuffix(b"\r")
        self._partial.clear()
        return _text(line)

    def _pieces(self) -> Iterator[str]:
        """Take off the front of the partial line until it is within the limit."""
        while len(self._partial) > self._limit:
            cut = self._limit
            # A byte 10xxxxxx continues a character; a character has at most three of them.
            while cut > max(self._limit - 3, 1) and self._partial[cut] & 0xC0 == 0x80:
                cut -= 1
            piece = self._partial[:cut]
            del self._partial[:cut]
            yield _text(piece)


def _text(line: bytes | bytearray) -> str:
    return line.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
