"""Unpacks a stream of mariadb-backup as it comes, in constant memory, by mbstream beside the worker.

mbstream succeeds, too, when it has left out a file: one whose name leads out of the folder, or that is there
already. It says so; and it says nothing when all is well [seen with 10.11].
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.process import Exit, run_process

# How many of its lines are told.
_TOLD = 4


def check_unpacker(context: PluginContext, command: str) -> None:
    """Raise ConfigInvalid when ``command`` is not mbstream; Cancelled."""
    lines: list[str] = []
    ended = run_process([command, "--help"], context=context, on_line=lines.append)
    if not ended.ok or not lines or not lines[0].rpartition("/")[2].startswith("mbstream "):
        said = ended.reason or f"it says {lines[0][:100] if lines else ''!r} of itself"
        raise ConfigInvalid(
            "MysqlStreamCmd",
            f"{command!r} is not mbstream, or cannot be run: {said}. Where the worker runs, install "
            "mariadb-backup, which brings it, or give the path of mbstream",
        )


@contextmanager
def unpacking(context: PluginContext, command: str, folder: Path) -> Iterator[Callable[[bytes], None]]:
    """Unpack into the empty ``folder`` what is given to the function that the block gets.

    All of it is unpacked when the block has ended well. Raises PluginFailed, with mbstream's words, as soon
    as it fails; Cancelled.
    """
    context.say(Level.CMD, f"Executing command [{command} -x -C {folder}]")
    unpacker = _Unpacker(context, command, folder)
    try:
        yield unpacker.write
    except _TakesNoMore:
        pass  # the reason is found below
    except BaseException:
        unpacker.end()
        raise
    unpacker.end()
    unpacker.judge()


class _TakesNoMore(Exception):
    """mbstream has ended, or has failed to unpack something."""


class _Unpacker:
    """One mbstream, which is heard out by a thread of its own."""

    def __init__(self, context: PluginContext, command: str, folder: Path) -> None:
        self._context = context
        self._argv = [command, "-x", "-C", str(folder)]
        self._said: list[str] = []
        self._ended: Exit | BaseException | None = None
        source, self._into = os.pipe()
        self._thread = threading.Thread(target=self._run, args=(source,), name=f"unpacks {folder}")
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Give a piece of the stream to mbstream, as fast as it takes it. Raises _TakesNoMore."""
        rest = memoryview(data)
        try:
            while rest and not self._said:
                rest = rest[os.write(self._into, rest) :]
        except BrokenPipeError:
            raise _TakesNoMore from None
        if self._said:
            raise _TakesNoMore

    def end(self) -> None:
        """Tell mbstream that this was all, and wait for its end."""
        os.close(self._into)
        self._thread.join()

    def judge(self) -> None:
        """Raise PluginFailed when mbstream has not unpacked everything; Cancelled."""
        ended = self._ended
        if isinstance(ended, Cancelled):
            raise Cancelled
        if not isinstance(ended, Exit):
            raise PluginFailed(f"mbstream could not be heard out: {ended}")
        if not ended.ok or self._said:
            how = f"ended with [{ended.reason}]" if not ended.ok else "could not unpack everything"
            told = "; ".join(self._said[:_TOLD])
            raise PluginFailed(f"mbstream, which unpacks the copy, {how}{': ' if told else ''}{told}")

    def _run(self, source: int) -> None:
        try:
            with os.fdopen(source, "rb", buffering=0) as stream:
                self._ended = run_process(
                    self._argv, context=self._context, on_line=self._hear, source=stream
                )
        except BaseException as error:
            self._ended = error

    def _hear(self, line: str) -> None:
        if len(self._said) < _TOLD:
            self._said.append("".join(filter(str.isprintable, line)))
