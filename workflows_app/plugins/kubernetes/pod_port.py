"""Connections to a port of a pod, through the cluster, as ``kubectl port-forward`` makes them.

Each is a WebSocket of the protocol v4.channel.k8s.io: channel 0 is the data, channel 1 what went wrong, and
the first message of each begins with the port's number
(https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/server/portforward/websocket.go).
"""

import contextlib
import selectors
import socket
from collections.abc import Callable

from kubernetes.client import Configuration

from workflows_app.domain.errors import Cancelled
from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.kubernetes.dialing import dial
from workflows_app.plugins.kubernetes.greeting import greet
from workflows_app.plugins.kubernetes.pods import Pod
from workflows_app.plugins.kubernetes.wire import Lost, Wire

_PROTOCOLS = ("v4.channel.k8s.io",)
_DATA, _TROUBLE = 0, 1
_PORT_BYTES = 2
_CHUNK = 64 * 1024
# How long the last bytes may take to be taken, in seconds.
_LINGER = 10.0


class PodPort:
    """A port on a pod's own localhost."""

    def __init__(self, configuration: Configuration, pod: Pod, port: int) -> None:
        self._configuration = configuration
        self._path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/portforward"
        self._port = port
        self.name = f"port {port} of pod {pod.name!r} in namespace {pod.namespace!r}"

    def connect(self, alarm: Alarm) -> Wire:
        """A connection; ``alarm`` ends every wait of it. Whether the port answers is not known yet.

        Needs the right to ``create`` (before Kubernetes 1.35: ``get``) ``pods/portforward``. Raises
        PluginFailed, and Cancelled.
        """
        what = f"Cannot reach {self.name}"
        query = [("ports", str(self._port))]
        connection, protocol = dial(self._configuration, self._path, query, _PROTOCOLS, what)
        wire = Wire(connection, protocol, alarm)
        try:
            greet(wire, _PROTOCOLS, "pods/portforward", what)
        except BaseException:
            wire.close()
            raise
        return wire


def carry(wire: Wire, near: socket.socket, on_trouble: Callable[[str], None]) -> None:
    """Carry what ``near`` and the pod's port say to each other, until one of them ends it.

    What is on its way is held in constant memory. ``on_trouble`` is told what the cluster says of a port
    that it could not reach.
    """
    hearing = _Hearing(on_trouble)
    near.setblocking(False)
    with contextlib.suppress(Lost, Cancelled, OSError):
        while hearing.unsaid or not wire.over:
            wanted = selectors.EVENT_WRITE if hearing.unsaid else 0
            wanted |= selectors.EVENT_READ if wire.has_room else 0
            ready = wire.attend(near, wanted, listening=not hearing.unsaid)
            if ready & selectors.EVENT_WRITE:
                del hearing.unsaid[: near.send(hearing.unsaid)]
            if ready & selectors.EVENT_READ:
                going = near.recv(_CHUNK)
                if not going:
                    wire.flush(_LINGER)
                    return
                wire.send(bytes((_DATA,)) + going)
            hearing.take(wire)
    with contextlib.suppress(OSError):
        hearing.take(wire)
        near.settimeout(_LINGER)
        near.sendall(hearing.unsaid)


class _Hearing:
    """What came from the pod; ``unsaid`` is what is still to be told to the near side."""

    def __init__(self, on_trouble: Callable[[str], None]) -> None:
        self.unsaid = bytearray()
        self._on_trouble = on_trouble
        self._begun: set[int] = set()

    def take(self, wire: Wire) -> None:
        """Take what ``wire`` has received."""
        while (message := wire.received()) is not None:
            if not message:
                continue
            channel, said = message[0], message[1:]
            if channel not in self._begun:
                self._begun.add(channel)
                said = said[_PORT_BYTES:]
            if channel == _DATA:
                self.unsaid += said
            elif channel == _TROUBLE and said:
                self._on_trouble(" ".join(said.decode(errors="replace").split()))
