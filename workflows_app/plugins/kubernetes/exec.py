"""Runs a process in a container of a pod: its streams at the speed of the network, in constant memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.channels import (
    END_OF_INPUT,
    HALF_CLOSING,
    PROTOCOLS,
    Channel,
    Ended,
    ended_by,
)
from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.dialing import dial
from workflows_app.plugins.kubernetes.greeting import greet
from workflows_app.plugins.kubernetes.pods import Pod
from workflows_app.plugins.kubernetes.wire import Lost, Wire
from workflows_app.plugins.output import OutputLines

_PIECE = 32 * 1024
# How long a cluster that has told the end may take to say more, or to hang up, in seconds.
_LINGER = 30.0


class Execution:
    """A process in a pod. ``ended`` tells how it ended, None until that is known."""

    def __init__(self, wire: Wire, pod: Pod, protocol: str) -> None:
        self._wire = wire
        self._pod = pod
        self._output: deque[tuple[Channel, bytes]] = deque()
        self.can_end_input = protocol == HALF_CLOSING
        self.ended: Ended | None = None

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        """Yield what the process prints, as it arrives, until it has ended.

        Raises PluginFailed when the connection breaks before that is known, and Cancelled.
        """
        yield from self.heard()
        while (message := self._next()) is not None:
            self._note(message)
            yield from self.heard()

    def heard(self) -> Iterator[tuple[Channel, bytes]]:
        """Yield what the process has printed while something was sent, without waiting for more."""
        self._collect()
        while self._output:
            yield self._output.popleft()

    def send(self, data: bytes | memoryview) -> bool:
        """Send standard input, as fast as the process reads; False when it has ended and takes no more.

        Raises as ``output``.
        """
        for start in range(0, len(data), _PIECE):
            if not self._put(bytes((Channel.STDIN,)) + data[start : start + _PIECE]):
                return False
        return True

    def end_input(self) -> None:
        """Tell the process that this was all input; only where ``can_end_input``. Raises as ``output``."""
        self._put(END_OF_INPUT)

    def _next(self) -> bytes | None:
        """The next message; None after the last.

        How the process ended may be told before all of its output, which goes another way through the
        cluster: the last message is that after which the cluster hangs up.
        """
        try:
            message = self._wire.receive(None if self.ended is None else _LINGER)
        except Lost as error:
            if self.ended is None:
                raise self._broken(str(error)) from None
            return None
        if message is None and self.ended is None:
            raise self._broken("the cluster ended it")
        return message

    def _put(self, message: bytes) -> bool:
        try:
            self._wire.send(message)
        except Lost as error:
            self._collect()
            if self.ended is None:
                raise self._broken(str(error)) from None
        self._collect()
        return self.ended is None

    def _collect(self) -> None:
        while (message := self._wire.received()) is not None:
            self._note(message)

    def _note(self, message: bytes) -> None:
        if not message:
            return
        if message[0] == Channel.STATUS:
            self.ended = ended_by(message[1:])
        elif message[0] in (Channel.STDOUT, Channel.STDERR) and len(message) > 1:
            self._output.append((Channel(message[0]), message[1:]))

    def _broken(self, why: str) -> PluginFailed:
        return PluginFailed(
            f"The connection to the command {self._pod.where} broke before the command had ended: {why}. "
            "It may still run there; check the network and the node"
        )


@contextmanager
def executing(
    context: PluginContext, cluster: Cluster, pod: Pod, argv: Sequence[str], *, stdin: bool = False
) -> Iterator[Execution]:
    """Start ``argv`` (no shell) in a pod's container, and hang up in the end, whether it has ended or not.

    Needs the right to ``create`` (before Kubernetes 1.35: ``get``) ``pods/exec``. Raises PluginFailed when it
    cannot be started, and Cancelled. The cluster leaves a process alone that nobody listens to: it ends when
    it reads its input or writes output, and may go on otherwise, which is said when the call is cancelled.
    """
    context.check_cancelled()
    what = f"Cannot run {argv[0]!r} {pod.where}"
    query = [("container", pod.container), ("stdout", "true"), ("stderr", "true"), ("tty", "false")]
    query += [("stdin", "true")] if stdin else []
    query += [("command", argument) for argument in argv]
    with ExitStack() as stack:
        alarm = stack.enter_context(Alarm())
        stack.callback(context.on_cancel(alarm.ring))
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/exec"
        connection, protocol = dial(cluster.api.configuration, path, query, PROTOCOLS, what)
        wire = Wire(connection, protocol, alarm)
        stack.callback(wire.close)
        execution = Execution(wire, pod, greet(wire, PROTOCOLS, "pods/exec", what))
        try:
            yield execution
        except Cancelled:
            if execution.ended is None:
                context.warn(f"The command {pod.where} was left: it may still run there")
            raise


def run_in_pod(
    context: PluginContext,
    cluster: Cluster,
    pod: Pod,
    argv: Sequence[str],
    on_line: Callable[[Channel, str], None],
) -> Ended:
    """Run ``argv`` without input and answer how it ended; ``on_line`` is given each line as it is complete.

    Raises as ``executing`` and ``Execution.output``.
    """
    lines = {Channel.STDOUT: OutputLines(), Channel.STDERR: OutputLines()}
    with executing(context, cluster, pod, argv) as process:
        for channel, piece in process.output():
            for line in lines[channel].feed(piece):
                on_line(channel, line)
        for channel, stream in lines.items():
            for line in stream.finish():
                on_line(channel, line)
    return process.ended or Ended(None, "nobody knows how it ended")
