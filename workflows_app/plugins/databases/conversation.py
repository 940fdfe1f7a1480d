"""A program that outlives the step that started it: it is told lines, and answers lines, one talk at a time.

It lives no longer than this process: what it reads ends then, and the program ends with that.
"""

import os
import selectors
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.output import OutputLines
from workflows_app.plugins.process import NotStarted, start_process

_CHUNK = 64 * 1024
# From the end of what it reads to SIGKILL, in seconds.
_GRACE = 2.0


class ConversationOver(Exception):
    """The program has ended, or was interrupted, or does not answer; the text says which."""


class Conversation(ABC):
    """One program. ``interrupt`` is for any thread, also after the end; all else for one at a time."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()

    @abstractmethod
    def say(self, text: str) -> None:
        """Let the program read ``text``. That it has ended shows in ``hear``, with what it said last."""

    def hear(self, seconds: float) -> str:
        """The next line that it prints, on either stream.

        Raises ConversationOver when there is none within ``seconds``; the program is to be ended then.
        """
        end = time.monotonic() + seconds
        while not self._lines:
            self._lines.extend(self._more(max(0.0, end - time.monotonic())))
        return self._lines.popleft()

    @abstractmethod
    def _more(self, seconds: float) -> list[str]:
        """Wait up to ``seconds`` for output; the lines that are complete. Raises ConversationOver."""

    @abstractmethod
    def interrupt(self) -> None:
        """Let what waits in ``hear``, now or later, raise at once."""

    @abstractmethod
    def end(self) -> None:
        """Let nothing of the program be left, as far as that can be reached. To be called once."""


class ConversationOnWorker(Conversation):
    """A program beside the worker."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it. Raises ConversationOver when it cannot be started."""
        super().__init__()
        try:
            self._child = start_process(argv, None, environment, subprocess.PIPE)
        except NotStarted as error:
            raise ConversationOver(str(error)) from None
        self._output = OutputLines()
        self._alarm = Alarm()

    def say(self, text: str) -> None:
        """Let the program read ``text``."""
        assert self._child.stdin is not None  # noqa: S101 - it was started with a pipe
        rest = memoryview(text.encode())
        try:
            while rest:
                rest = rest[os.write(self._child.stdin.fileno(), rest) :]
        except (OSError, ValueError):
            # Why it ended is the last that it said.
            return

    def _more(self, seconds: float) -> list[str]:
        assert self._child.stdout is not None  # noqa: S101 - it was started with a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            selector.register(self._alarm.fileno(), selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(seconds)}
        if self._alarm.rung:
            raise ConversationOver("it was interrupted")
        if not ready:
            raise ConversationOver("it does not answer")
        chunk = os.read(self._child.stdout.fileno(), _CHUNK)
        if chunk:
            return list(self._output.feed(chunk))
        if lines := list(self._output.finish()):
            return lines
        raise ConversationOver("it has ended")

    def interrupt(self) -> None:
        """Let what waits in ``hear`` raise at once."""
        self._alarm.ring()

    def end(self) -> None:
        """End what it reads, and kill what then is left of it."""
        self._alarm.ring()
        assert self._child.stdin is not None  # noqa: S101 - it was started with a pipe
        self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_GRACE)
        if self._child.returncode is None:
            # It is not reaped, so nobody else can have its id yet.
            with suppress(PermissionError, ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        with self._child, self._alarm:
            pass  # closes the pipes and reaps
