"""What a child process is given to read, written as it reads: neither side ever waits for the other."""

import os
from typing import IO


class Feed:
    """Bytes on their way into a child's standard input, which is closed after the last of them.

    ``write`` is to be called whenever ``fileno`` is writable, until ``done``. A child that does not read,
    or ends before it has read everything, is no error.
    """

    def __init__(self, pipe: IO[bytes], data: bytes) -> None:
        self._pipe = pipe
        self._rest = memoryview(data)
        os.set_blocking(pipe.fileno(), False)

    @property
    def done(self) -> bool:
        """Whether nothing more is to be written."""
        return self._pipe.closed

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._pipe.fileno()

    def write(self) -> None:
        """Write what the pipe takes now."""
        try:
            self._rest = self._rest[os.write(self._pipe.fileno(), self._rest) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._rest = self._rest[:0]
        if not self._rest:
            self._pipe.close()
