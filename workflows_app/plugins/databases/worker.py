"""Runs a database's client programs beside the worker."""

from collections.abc import Callable, Sequence

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.conversation import ConversationOnWorker
from workflows_app.plugins.databases.surroundings import Surroundings
from workflows_app.plugins.process import Exit, run_process


class OnWorker:
    """The machine of the worker; the password reaches the programs by their environment alone."""

    suffix = ""
    """What follows a command in a log line."""
    install_where = "where the worker runs"
    """Where a program that is missing is to be installed."""

    def __init__(self, context: PluginContext, surroundings: Surroundings) -> None:
        self._context = context
        kept = {name: value for name, value in context.environment.items() if not surroundings.foreign(name)}
        secret = {surroundings.variable: surroundings.password} if surroundings.password else {}
        self._environment = kept | dict(surroundings.settings) | secret

    def run(self, argv: Sequence[str], on_line: Callable[[str], None]) -> Exit:
        """Run a program to its end; ``on_line`` is given each line of both its streams. Raises Cancelled."""
        return run_process(argv, context=self._context, on_line=on_line, environment=self._environment)

    def converse(self, argv: Sequence[str]) -> ConversationOnWorker:
        """Start a program that outlives the call, and not this process. Raises ConversationOver."""
        return ConversationOnWorker(argv, self._environment)
