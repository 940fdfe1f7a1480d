"""Makes a port of a pod a socket on this machine, for clients that know nothing of clusters."""

import selectors
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.pod_port import PodPort, carry
from workflows_app.plugins.kubernetes.pods import Pod
from workflows_app.plugins.kubernetes.wire import Wire

_BACKLOG = 16


class Forward:
    """A socket in ``folder`` behind which a port of a pod is.

    ``trouble`` is what the cluster last said of a connection that it could not make, else empty.
    """

    def __init__(self, folder: Path, port: PodPort, alarm: Alarm) -> None:
        self.folder = folder
        self.trouble = ""
        self._port = port
        self._alarm = alarm

    def serve(self, listener: socket.socket, first: Wire) -> None:
        """Carry each client's connection in a thread of its own, until the alarm rings.

        ``first`` is a connection to the pod for the first of them.
        """
        unused: Wire | None = first
        clients: list[threading.Thread] = []
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(self._alarm.fileno(), selectors.EVENT_READ)
            while selector.select() and not self._alarm.rung:
                try:
                    near, _ = listener.accept()
                except OSError:  # who came is gone again
                    continue
                client = threading.Thread(target=self._attend, args=(near, unused), daemon=True)
                unused = None
                client.start()
                clients = [one for one in clients if one.is_alive()] + [client]
        if unused is not None:
            unused.close()
        for client in clients:
            client.join()

    def _attend(self, near: socket.socket, wire: Wire | None) -> None:
        with near:
            try:
                wire = wire or self._port.connect(self._alarm)
            except PluginFailed as error:
                self._note(str(error))
                return
            except Cancelled:
                return
            try:
                carry(wire, near, self._note)
            finally:
                wire.close()

    def _note(self, trouble: str) -> None:
        self.trouble = trouble


@contextmanager
def forwarding(cluster: Cluster, pod: Pod, port: int, name: str) -> Iterator[Forward]:
    """A socket called ``name`` that leads to ``port`` of ``pod``; it and its connections end with the block.

    Only the worker's user can open it. ``cluster`` may be closed before. Raises PluginFailed when the cluster
    lets nobody through; whether the port answers is seen by who speaks to it, and in ``Forward.trouble``.
    """
    to = PodPort(cluster.api.configuration, pod, port)
    with ExitStack() as stack:
        alarm = stack.enter_context(Alarm())
        first = to.connect(alarm)
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fossul-way-")))
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(folder / name))
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            first.close()
            raise PluginFailed(
                f"Cannot reach {to.name}: no socket can be made in {tempfile.gettempdir()}: {error}. Check "
                "its room, and TMPDIR"
            ) from None
        forward = Forward(folder, to, alarm)
        serving = threading.Thread(target=forward.serve, args=(listener, first), daemon=True)
        serving.start()
        stack.callback(serving.join)
        stack.callback(alarm.ring)
        yield forward
