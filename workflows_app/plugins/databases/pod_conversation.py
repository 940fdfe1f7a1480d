"""A program in a pod that outlives the step that started it.

Its connection is this process's: when that ends, what the program reads ends, and the program with it.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.conversation import Conversation, ConversationOver
from workflows_app.plugins.deadline import Deadline
from workflows_app.plugins.kubernetes.channels import Channel
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.exec import executing
from workflows_app.plugins.kubernetes.pods import Pod
from workflows_app.plugins.output import OutputLines


class ConversationInPod(Conversation):
    """A program in ``pod``, whose first line of input is ``password``."""

    def __init__(self, context: PluginContext, pod: Pod, argv: Sequence[str], password: str) -> None:
        """Start it. Raises PluginFailed when the pod cannot be reached; Cancelled."""
        super().__init__()
        self._stops: list[Callable[[], None]] = []
        self._interrupted = False
        self._output = {Channel.STDOUT: OutputLines(), Channel.STDERR: OutputLines()}
        self._stack = ExitStack()
        # What the call ends with must not end the program, and after it nobody takes its words.
        own = replace(
            context,
            say=lambda level, text: None,
            cancelled=lambda: self._interrupted,
            on_cancel=self._on_interrupt,
        )
        take_back = context.on_cancel(self.interrupt)
        try:
            with ExitStack() as stack:
                cluster = stack.enter_context(connected(own))
                self._process = stack.enter_context(executing(own, cluster, pod, argv, stdin=True))
                self._process.send(f"{password}\n".encode())
                self._stack = stack.pop_all()
        finally:
            take_back()

    def say(self, text: str) -> None:
        """Let the program read ``text``."""
        try:
            self._process.send(text.encode())
        except (PluginFailed, Cancelled):
            # Why the connection broke, ``hear`` finds as well.
            return

    def _more(self, seconds: float) -> list[str]:
        deadline = Deadline(seconds)
        try:
            with deadline:
                deadline.on_cancel(self.interrupt)
                for channel, data in self._process.output():
                    if lines := list(self._output[channel].feed(data)):
                        return lines
        except Cancelled:
            raise ConversationOver(
                "it does not answer" if deadline.passed else "it was interrupted"
            ) from None
        except PluginFailed as error:
            raise ConversationOver(str(error)) from None
        if lines := [line for output in self._output.values() for line in output.finish()]:
            return lines
        ended = self._process.ended
        raise ConversationOver(f"it has ended: {ended.reason}" if ended and not ended.ok else "it has ended")

    def interrupt(self) -> None:
        """Let what waits in ``hear`` raise at once."""
        self._interrupted = True
        for stop in list(self._stops):
            stop()

    def end(self) -> None:
        """Hang up: the program reads no more, and ends."""
        self._stack.close()

    def _on_interrupt(self, stop: Callable[[], None]) -> Callable[[], None]:
        self._stops.append(stop)
        if self._interrupted:
            stop()
        return lambda: self._stops.remove(stop)
