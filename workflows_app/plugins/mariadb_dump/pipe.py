"""A named pipe between a program, which takes it for a file, and a thread of this process.

So a dump is compressed as it comes, and unpacked as it is loaded, without room for it as it is.
"""

import contextvars
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

_PATIENCE = 0.05


class Pipe:
    """A pipe at ``path``, with ``work`` at the other end: in a thread, on the opened pipe.

    It is there while it is entered. A ``work`` that fails closes its end, at which the program fails, too;
    ``error`` then has the reason. Leaving waits for ``work``, which is given what the program wrote to the
    end; what it is still writing is refused, as the program has ended.
    """

    def __init__(self, path: Path, mode: Literal["rb", "wb"], work: Callable[[BinaryIO], None]) -> None:
        self.path = path
        self.error: BaseException | None = None
        self._mode: Literal["rb", "wb"] = mode
        self._work = work
        # Reports reach the step through the context of its thread.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=lambda: context.run(self._run), name=f"pipe {path.name}")

    def _run(self) -> None:
        try:
            # Waits here until the program opens the pipe.
            with self.path.open(self._mode, buffering=0) as stream:
                self._work(stream)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Self:
        os.mkfifo(self.path, 0o600)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        other = os.O_WRONLY if self._mode == "rb" else os.O_RDONLY
        while self._thread.is_alive():
            # A program that never opened the pipe: do so in its place, and close it at once.
            # ENXIO: the thread has not come so far as to open it, or has closed it.
            with suppress(OSError):
                os.close(os.open(self.path, other | os.O_NONBLOCK))
            self._thread.join(_PATIENCE)
        self.path.unlink()
