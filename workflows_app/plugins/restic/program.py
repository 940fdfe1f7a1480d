"""Runs restic: its JSON line by line as it comes, and its failures in our words."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.process import run_process
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.refusals import is_locked, is_missing, refusal

# restic removes its lock when it is interrupted, which may need a slow server.
_GRACE = 20.0
_PAUSE = 3.0
_INCOMPLETE = "exit status 3"
# The last lines that are not JSON tell why it failed.
_KEPT = 20

Document = Mapping[str, Any]


class Incomplete(PluginFailed):
    """restic could not read every source."""


class Locked(PluginFailed):
    """Another restic has locked the repository."""


class NoRepository(PluginFailed):
    """There is no repository."""


class Restic:
    """restic for one call of the plugin: one repository, one password.

    Every method raises PluginFailed with what restic said, and Cancelled.
    """

    def __init__(self, context: PluginContext, parameters: Parameters) -> None:
        self._context = context
        self._parameters = parameters
        self._environment = {**context.environment, **parameters.environment}

    def run(
        self,
        *arguments: str,
        hear: Callable[[Document], None] = lambda document: None,
        read: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Run a command. ``hear`` is given each JSON object that it prints, ``read`` each other line.

        While another restic has locked the repository it is waited for, as long as ``LockWait`` says. A lock
        that a dead one left is removed.
        """
        self._patiently(lambda: self._run((self._parameters.program, *self._options(arguments)), hear, read))

    def discard(self, *arguments: str) -> list[str]:
        """Run a command whose output is bytes, throw these away, and answer what it said beside them."""
        said: list[str] = []
        # The script is this constant; the command comes to it as arguments.
        command = ("sh", "-c", 'exec "$@" >/dev/null', "sh", self._parameters.program)
        self._patiently(
            lambda: self._run((*command, *self._options(arguments)), lambda document: None, said.append)
        )
        return said

    def ask(self, *arguments: str) -> Any:
        """Run a command that prints one JSON document, however long, and answer that."""
        pieces: list[str] = []

        def gather(line: str) -> None:
            if pieces or line.startswith(("[", "{", "null")):
                pieces.append(line)

        self.run("--json", *arguments, read=gather, hear=lambda document: pieces.append(json.dumps(document)))
        text = "".join(pieces)
        try:
            return json.loads(text)
        except ValueError:
            raise PluginFailed(
                f"restic answered something that cannot be read to {arguments[0]!r}: {text[:200]!r}"
            ) from None

    def lines(self, *arguments: str) -> list[str]:
        """Run a command that prints lines of text, and answer them."""
        found: list[str] = []
        self.run(*arguments, read=found.append)
        return found

    def unlock(self) -> None:
        """Remove the locks of restics that are not alive any more; those of others stay."""
        command = (self._parameters.program, *self._options(("unlock",)))
        self._run(command, lambda document: None, lambda line: None)

    @contextmanager
    def leaving_no_lock(self) -> Iterator[None]:
        """Remove the lock that a command of the block may have left when it was killed."""
        try:
            yield
        except BaseException as failure:
            try:
                Restic(self._context.to_the_end(), self._parameters).unlock()
            except PluginFailed as error:
                # A repository that could not be opened before has no lock of ours.
                if str(error) != str(failure):
                    self._context.warn(f"A lock may be left in the repository: {error}")
            raise

    def _options(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return (*self._parameters.options, *arguments)

    def _patiently(self, attempt: Callable[[], None]) -> None:
        """Make the attempt, again and again while the repository is locked."""
        give_up = time.monotonic() + self._parameters.lock_wait
        told = ""
        while True:
            try:
                attempt()
            except Locked as error:
                if told and time.monotonic() >= give_up:
                    raise
                self.unlock()
                if told:
                    self._context.pause(_PAUSE)
                else:
                    told = str(error)
                    self._context.warn(f"Waiting, for up to {self._parameters.lock_wait} s: {told}")
            else:
                return

    def _run(
        self, command: Sequence[str], hear: Callable[[Document], None], read: Callable[[str], None]
    ) -> None:
        told: list[str] = []

        def take(line: str) -> None:
            document = _document(line)
            if document is None:
                _keep(told, line)
                read(line)
                return
            if document.get("message_type") in ("error", "exit_error"):
                _keep(told, error_words(document))
            hear(document)

        ended = run_process(
            command,
            context=self._context,
            on_line=take,
            environment=self._environment,
            grace=_GRACE,
            stop=signal.SIGINT,
        )
        if ended.ok:
            return
        if not ended.started or ended.reason == "exit status 127":
            raise PluginFailed(
                f"restic cannot be run on this worker: {ended.reason}. Install the package restic, or name "
                "the program in ResticCommand"
            )
        said = "\n".join(told)
        words = refusal(said, ended.reason, self._parameters)
        if is_locked(said):
            raise Locked(words)
        if is_missing(said):
            raise NoRepository(words)
        raise (Incomplete if ended.reason == _INCOMPLETE else PluginFailed)(words)


def _document(line: str) -> Document | None:
    if not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def error_words(document: Document) -> str:
    """What a message of restic's about an error says."""
    error = document.get("error")
    words = error.get("message", error) if isinstance(error, dict) else error
    if words == {}:  # an error in Go that has no form in JSON, in restic before 0.17
        words = f"restic met an error during {document.get('during') or 'its work'}, and tells no more of it"
    elif isinstance(words, dict):  # Go's own form of an error about a path
        number = words.get("Err")
        why = os.strerror(number) if isinstance(number, int) else number
        words = f"{words.get('Op')} {words.get('Path')}: {why}"
    text = str(words or document.get("message", ""))
    item = str(document.get("item", ""))
    return f"{item}: {text}" if item and item not in text else text


def _keep(told: list[str], line: str) -> None:
    if line.strip():
        told.append(line)
        del told[:-_KEPT]
