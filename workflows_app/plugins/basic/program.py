"""One executable: how it is called, and what its end means (fossul-behaviour.md §7.2)."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from workflows_app.domain.config import Config
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.basic.answers import Answer
from workflows_app.plugins.basic.description import INFO, Description, Extension
from workflows_app.plugins.basic.document import call_document
from workflows_app.plugins.basic.extensions import Listener
from workflows_app.plugins.basic.variables import NONE, plugin_environment
from workflows_app.plugins.deadline import Deadline
from workflows_app.plugins.environment import child_environment
from workflows_app.plugins.process import run_process

# Nobody can cancel this question, so it may not take long.
INFO_SECONDS = 10.0

T = TypeVar("T")


class Program:
    """An executable of one family, called with one flag per action. Safe to use from any thread."""

    def __init__(self, path: Path, family: str) -> None:
        self.path = path
        self.family = family
        self._known: tuple[tuple[int, ...], Description] | None = None

    def describe(self) -> Description:
        """Ask ``--info``, again only when the file has changed. Raises PluginFailed with the cause."""
        signature = self._signature()
        known = self._known
        if known is None or known[0] != signature:
            known = signature, self._ask_info()
            self._known = known
        return known[1]

    def extras(self, context: PluginContext) -> Description:
        """What the executable opts in to. One that cannot tell is called as Fossul calls it."""
        try:
            return self.describe()
        except PluginFailed as error:
            context.warn(f"{str(error).rstrip('.')}. It is called as a plugin without extensions.")
            return Description()

    def act(
        self, action: str, context: PluginContext, description: Description, more: Mapping[str, str] = NONE
    ) -> Result:
        """Run an action that answers by its exit status: code 0 or, for anything but success, 1.

        ``more`` are variables of this action alone.
        Its lines are said as they are printed; Fossul sends them after the end. Raises Cancelled and
        ConfigInvalid.
        """
        command = f"{self.path} --{action}"
        environment = plugin_environment(context, description, more)
        context.say(Level.CMD, f"Executing plugin [{command}]")
        listener = Listener(context, description)
        ended = run_process(
            [str(self.path), f"--{action}"],
            context=context,
            on_line=listener.hear,
            environment=environment,
            stdin=self._stdin(action, context, description),
        )
        if not ended.ok:
            context.say(Level.ERROR, f"Plugin command [{command}] failed")
            context.say(Level.ERROR, f"Plugin command failed with [{ended.reason}]")
            return Result(code=1)
        context.info(f"Plugin command [{command}] completed successfully")
        return Result(backup=listener.backup)

    def ask(
        self,
        action: str,
        context: PluginContext,
        description: Description,
        type_: type[T],
        failed: str,
        *,
        status_counts: bool = True,
        more: Mapping[str, str] = NONE,
    ) -> T:
        """Run an action that answers by JSON of ``type_``; ``more`` as in ``act``.

        Raises PluginFailed, with Fossul's words ``failed`` first, when there is no such answer or, where
        ``status_counts``, when the exit status is not 0. Raises Cancelled and ConfigInvalid.
        """
        environment = plugin_environment(context, description, more)
        answer = Answer(context.say)
        try:
            ended = run_process(
                [str(self.path), f"--{action}"],
                context=context,
                on_line=answer.add,
                environment=environment,
                stdin=self._stdin(action, context, description),
            )
            if not ended.started or (status_counts and not ended.ok):
                words = answer.last_words()
                raise PluginFailed(f"{ended.reason}; it printed last: {words}" if words else ended.reason)
            try:
                return answer.read(type_)
            except PluginFailed as error:
                raise PluginFailed(str(error) if ended.ok else f"{ended.reason}, and {error}") from None
        except PluginFailed as error:
            raise PluginFailed(f"{failed} [{self.path} --{action}]: {error}") from None

    def _stdin(self, action: str, context: PluginContext, description: Description) -> bytes:
        wanted = description.wants(Extension.STDIN)
        return call_document(context, self.family, action) if wanted else b""

    def _ask_info(self) -> Description:
        with Deadline(INFO_SECONDS) as deadline:
            context = PluginContext(
                config=Config(),
                parameters={},
                say=_unheard,
                cancelled=deadline.cancelled,
                on_cancel=deadline.on_cancel,
                environment=child_environment(os.environ),
            )
            try:
                return self.ask(INFO, context, Description(), Description, "Plugin Info failed!")
            except Cancelled:
                raise PluginFailed(
                    f"Plugin Info failed! [{self.path} --{INFO}]: it had not ended after {INFO_SECONDS:g} s"
                ) from None

    def _signature(self) -> tuple[int, ...]:
        """What changes with the file. Raises PluginFailed when it is not there any more."""
        try:
            seen = self.path.stat()
        except OSError as error:
            raise PluginFailed(f"{self.path}: {error.strerror}") from None
        return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


_unheard: Callable[[Level, str], None] = lambda level, text: None  # noqa: E731
