"""Runs a database's client programs in its pod: what they read and write is streamed, in constant memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_conversation import ConversationInPod
from workflows_app.plugins.databases.surroundings import Surroundings
from workflows_app.plugins.kubernetes.channels import Channel, Ended
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.exec import Execution, executing
from workflows_app.plugins.kubernetes.pods import Pod, find_pod
from workflows_app.plugins.output import OutputLines

# Constants, so that nothing of a parameter is ever read by a shell. The password is the first line of the
# input: sh reads no further than that, and the program has the rest.
_VARIABLES = ("PGPASSWORD", "MYSQL_PWD")
_SCRIPTS = {name: f'IFS= read -r {name} && export {name} && exec "$@"' for name in _VARIABLES}
# A container runtime leaves a program alone whose listener is gone, but ends its input. So a reader of that
# waits beside the program for as long as it runs, and kills it when there is no more to read.
_ATTENDED = {
    name: f"""IFS= read -r {name} && export {name} || exit 1
exec 3<&0
"$@" 3<&- </dev/null & program=$!
( while read -r line; do :; done; kill -9 "$program" ) <&3 3<&- >/dev/null 2>&1 & reader=$!
exec 3<&-
wait "$program"; status=$?
kill "$reader"
exit "$status"
"""
    for name in _VARIABLES
}

_NO_END = (
    "The cluster has no way to end what a command reads (v5.channel.k8s.io), so nothing was sent into the "
    "pod. Use Kubernetes 1.30 or newer, or reach the server by TCP"
)


class Severed(PluginFailed):
    """The connection to a program in a pod broke, and nobody knows how it ended."""


class InPod:
    """The pod that the parameters of a call mean; it is looked for once, when it is first needed."""

    def __init__(self, context: PluginContext, surroundings: Surroundings) -> None:
        self._context = context
        self._surroundings = surroundings

    @cached_property
    def pod(self) -> Pod:
        """The pod. Raises ConfigInvalid, PluginFailed."""
        with connected(self._context) as cluster:
            return find_pod(cluster, self._context.parameters, self._context.info)

    @property
    def suffix(self) -> str:
        """What follows a command in a log line."""
        return f" {self.pod.where}"

    @property
    def install_where(self) -> str:
        """Where a program that is missing is to be installed."""
        return f"in the image of the container {self.pod.container!r} of pod {self.pod.name!r}"

    def run(self, argv: Sequence[str], on_line: Callable[[str], None]) -> Ended:
        """Run a program to its end; ``on_line`` is given each line of both its streams.

        Raises Severed when the connection breaks, PluginFailed when the pod cannot be reached, and Cancelled.
        """
        return self._run(argv, on_line, None, ())

    def take(
        self, argv: Sequence[str], on_line: Callable[[str], None], takes: Callable[[bytes], None]
    ) -> Ended:
        """As ``run``; but ``takes`` is given what the program writes, and ``on_line`` only what it says.

        The program reads nothing, and is killed as soon as the pod is told that nobody listens any longer: it
        may hold locks, and wait for a long time without a word.
        """
        return self._run(argv, on_line, takes, ())

    def give(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        pieces: Iterable[bytes],
        *,
        to_the_end: bool,
    ) -> Ended:
        """As ``run``; the program reads ``pieces``, the rest of which nobody fetches once it has ended.

        Raises PluginFailed also when it reads ``to_the_end``, and the cluster cannot tell it of that.
        """
        return self._run(argv, on_line, None, pieces, to_the_end=to_the_end)

    def converse(self, argv: Sequence[str]) -> ConversationInPod:
        """Start a program that outlives the call, and not the connection of this process.

        It must end when what it reads does. Raises PluginFailed when the pod cannot be reached; Cancelled.
        """
        return ConversationInPod(
            self._context, self.pod, self._command(argv, _SCRIPTS), self._surroundings.password
        )

    def _run(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        takes: Callable[[bytes], None] | None,
        pieces: Iterable[bytes],
        *,
        to_the_end: bool = False,
    ) -> Ended:
        lines = {Channel.STDOUT: OutputLines(), Channel.STDERR: OutputLines()}
        scripts = _SCRIPTS if takes is None else _ATTENDED

        def hear(channel: Channel, data: bytes) -> None:
            if channel == Channel.STDOUT and takes is not None:
                takes(data)
                return
            for line in lines[channel].feed(data):
                on_line(line)

        with (
            connected(self._context) as cluster,
            executing(self._context, cluster, self.pod, self._command(argv, scripts), stdin=True) as process,
        ):
            if to_the_end and not process.can_end_input:
                raise PluginFailed(_NO_END)
            try:
                process.send(f"{self._surroundings.password}\n".encode())
                if takes is None:
                    _feed(process, hear, pieces)
                for channel, data in process.output():
                    hear(channel, data)
            except PluginFailed as error:
                raise Severed(str(error)) from None
        for stream in lines.values():
            for line in stream.finish():
                on_line(line)
        return process.ended or Ended(None, "nobody knows how it ended")

    def _command(self, argv: Sequence[str], scripts: Mapping[str, str]) -> list[str]:
        known = self._surroundings
        unset = [part for name in known.unset for part in ("-u", name)]
        settings = [f"{name}={value}" for name, value in known.settings.items()]
        return ["sh", "-c", scripts[known.variable], "sh", "env", *unset, *settings, *argv]


def _feed(process: Execution, hear: Callable[[Channel, bytes], None], pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        if not process.send(piece):
            return
        for channel, data in process.heard():
            hear(channel, data)
    if process.can_end_input:
        process.end_input()
