"""Runs a child process: its output line by line while it runs, and no part of it left behind."""

import fcntl
import os
import selectors
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from workflows_app.domain.errors import Cancelled
from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.ending import ending_of
from workflows_app.plugins.executable import NotExecutable, find_executable
from workflows_app.plugins.exit import Exit, words_of
from workflows_app.plugins.feed import Feed
from workflows_app.plugins.output import OutputLines

__all__ = ["GRACE_SECONDS", "Exit", "NotStarted", "kill_children", "run_process", "start_process"]

# From SIGTERM to SIGKILL, when the step is cancelled.
GRACE_SECONDS = 5.0
# How long an ended process is outwaited by what still holds its output open.
LINGER_SECONDS = 1.0

_CHUNK = 64 * 1024

# What run_process has started and not yet reaped.
_children: "set[subprocess.Popen[bytes]]" = set()
_changing = threading.Lock()


def run_process(
    argv: Sequence[str],
    *,
    context: PluginContext,
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    source: IO[bytes] | None = None,
    grace: float = GRACE_SECONDS,
    stop: signal.Signals = signal.SIGTERM,
) -> Exit:
    """Run ``argv`` (no shell) and answer how it ended; that it could not be started is an Exit, too.

    ``on_line`` is given each line of stdout and stderr, merged, as soon as it is complete (see OutputLines).
    The child reads ``stdin`` and nothing after it, or what comes out of ``source``, which is closed on this
    side as soon as the child has it. It knows ``environment`` only (``context.environment`` when
    that is None), and leads a process group of its own. However this function is left, the whole group is
    killed: what is to outlive its command must leave the group (``setsid``). Only a process of another user
    cannot be killed; it is waited for. What escaped the group may hold the output open; it is not waited for
    longer than LINGER_SECONDS after the child's end.

    Raises Cancelled when the context is cancelled: the group gets the signal ``stop`` and, when the child has
    not ended ``grace`` seconds later, SIGKILL. May be called from any thread.
    """
    context.check_cancelled()
    with ExitStack() as stack:
        alarm = stack.enter_context(Alarm())
        stack.callback(context.on_cancel(alarm.ring))
        try:
            child = stack.enter_context(
                _child(
                    argv,
                    cwd,
                    context.environment if environment is None else environment,
                    source or (subprocess.PIPE if stdin else subprocess.DEVNULL),
                )
            )
        except NotStarted as error:
            return Exit.never_started(str(error))
        feed = Feed(child.stdin, stdin) if child.stdin else None
        ended = _Watch(child, alarm, grace, stop, feed).until_end(on_line)
    if alarm.rung or context.cancelled():
        raise Cancelled
    return ended


class NotStarted(Exception):
    """The process could not be started; the text is Go's."""


@contextmanager
def _child(
    argv: Sequence[str], cwd: Path | None, environment: Mapping[str, str], reads: IO[bytes] | int
) -> Iterator["subprocess.Popen[bytes]"]:
    """A running process; in the end, what is left of its group is killed, and itself reaped."""
    try:
        child = start_process(argv, cwd, environment, reads)
    finally:
        if not isinstance(reads, int):
            reads.close()
    with child:  # closes the pipes and reaps
        with _changing:
            _children.add(child)
        try:
            yield child
        finally:
            with _changing:
                _children.discard(child)
            _signal(child, signal.SIGKILL)


def kill_children() -> None:
    """Kill all that ``run_process`` runs, in whichever thread: for a process that ends without waiting."""
    with _changing:
        for child in _children:
            _signal(child, signal.SIGKILL)


def start_process(
    argv: Sequence[str], cwd: Path | None, environment: Mapping[str, str], reads: IO[bytes] | int
) -> "subprocess.Popen[bytes]":
    """Start a process that leads a group of its own, as ``run_process`` does; the caller sees to its end.

    It reads from ``reads``, and both its output streams are one pipe. Raises NotStarted.
    """
    try:
        program = find_executable(argv[0] if argv else "", environment.get("PATH", ""))
    except NotExecutable as error:
        raise NotStarted(str(error)) from None
    try:
        return subprocess.Popen(  # noqa: S603 - a list of arguments and no shell
            argv,
            executable=program,
            cwd=cwd,
            env=environment,
            bufsize=0,
            stdin=reads,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except ValueError:  # a NUL or a lone surrogate: nothing that an argument could be
        raise NotStarted(f"fork/exec {program}: invalid argument") from None
    except OSError as error:
        where = f"chdir {cwd}" if cwd and error.filename in (cwd, str(cwd)) else f"fork/exec {program}"
        raise NotStarted(f"{where}: {words_of(error)}") from None


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal to the child's group.

    While the child is at least a zombie, or another process is in the group, no stranger can have its id.
    """
    # All that is left belongs to another user; or nothing is, the child itself reaped (see ThreadEnding).
    with suppress(PermissionError, ProcessLookupError):
        os.killpg(child.pid, number)


class _Watch:
    """Hears a child out until it has ended, and ends it when the alarm rings."""

    def __init__(
        self,
        child: "subprocess.Popen[bytes]",
        alarm: Alarm,
        grace: float,
        stop: signal.Signals,
        feed: Feed | None,
    ) -> None:
        self._child = child
        self._feed = feed
        self._alarm = alarm
        self._grace = grace
        self._stop = stop
        self._open = True
        self._owed = 0
        self._ended: Exit | None = None
        self._leave_at: float | None = None
        self._kill_at: float | None = None

    def until_end(self, on_line: Callable[[str], None]) -> Exit:
        """Deliver every line, and answer how the child ended."""
        lines = OutputLines()
        with selectors.DefaultSelector() as selector, ending_of(self._child) as ending:
            output, exited = self._output(), ending.fileno()
            for source in (output, self._alarm.fileno(), exited):
                selector.register(source, selectors.EVENT_READ)
            if self._feed:
                selector.register(self._feed, selectors.EVENT_WRITE)
            while (ended := self._over()) is None:
                ready = {key.fd for key, _ in selector.select(self._patience())}
                self._feed_child(selector, ready)
                if output in ready:
                    chunk = os.read(output, _CHUNK)
                    self._owed -= len(chunk)
                    self._open = bool(chunk)
                    for line in lines.feed(chunk):
                        on_line(line)
                    if not chunk:
                        selector.unregister(output)
                if exited in ready:
                    selector.unregister(exited)
                    self._note_end(ending.exit())
                if self._alarm.fileno() in ready:
                    selector.unregister(self._alarm.fileno())
                    self._terminate()
                self._kill_if_due()
        for line in lines.finish():
            on_line(line)
        return ended

    def _feed_child(self, selector: selectors.BaseSelector, ready: set[int]) -> None:
        """Write on to a child that reads; once it has everything, there is nothing more to wait for."""
        if self._feed and (descriptor := self._feed.fileno()) in ready:
            self._feed.write()
            if self._feed.done:
                selector.unregister(descriptor)
                self._feed = None

    def _output(self) -> int:
        assert self._child.stdout is not None  # noqa: S101 - it was started with a pipe
        return self._child.stdout.fileno()

    def _over(self) -> Exit | None:
        """How the child ended, once that is known and nothing more is to be heard of it."""
        if self._open and (self._owed > 0 or self._leave_at is None or time.monotonic() < self._leave_at):
            return None
        return self._ended

    def _patience(self) -> float | None:
        """How long to wait for something to happen, in seconds; None for as long as it takes."""
        moments = [moment for moment in (self._leave_at, self._kill_at) if moment is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _note_end(self, ended: Exit) -> None:
        """The child has ended: what it wrote is owed to the reader, what others write is not."""
        self._ended = ended
        self._leave_at = time.monotonic() + LINGER_SECONDS
        self._kill_at = None
        if self._open:
            waiting = fcntl.ioctl(self._output(), termios.FIONREAD, bytes(4))
            self._owed = int.from_bytes(waiting, sys.byteorder)

    def _terminate(self) -> None:
        _signal(self._child, self._stop)
        if self._ended is None:
            self._kill_at = time.monotonic() + self._grace

    def _kill_if_due(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            _signal(self._child, signal.SIGKILL)
            self._kill_at = None
