"""Exchanges the greetings with a cluster that was dialled, and says why it does not let the worker in."""

from collections.abc import Sequence

from websockets.exceptions import InvalidStatus

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.kubernetes.client import TIMEOUT
from workflows_app.plugins.kubernetes.errors import ClusterRefused, refusal, told_by
from workflows_app.plugins.kubernetes.wire import Lost, Wire


def greet(wire: Wire, protocols: Sequence[str], resource: str, what: str) -> str:
    """Exchange the greetings, and answer which of ``protocols`` is spoken.

    ``resource`` is what a Role must name (``pods/exec``), ``what`` begins the message of a failure. Raises
    PluginFailed, ClusterRefused with the HTTP status of a cluster that says no, and Cancelled.
    """
    try:
        protocol = wire.greet(TIMEOUT[1])
    except InvalidStatus as error:
        status = error.response.status_code
        told = told_by(bytes(error.response.body or b"")) or error.response.reason_phrase
        words = refusal(status, "create", resource, told)
        if status == 403:  # seen with 1.34
            words += ", and the verb 'get', which Kubernetes before 1.35 asks for"
        raise ClusterRefused(f"{what}: {words}", status) from None
    except Lost as error:
        raise PluginFailed(
            f"{what}: the connection broke: {error}. Check the cluster and the network"
        ) from None
    if protocol is None or protocol not in protocols:
        raise PluginFailed(
            f"{what}: the cluster speaks none of the protocols {', '.join(protocols)}. Use a newer Kubernetes"
        )
    return protocol
