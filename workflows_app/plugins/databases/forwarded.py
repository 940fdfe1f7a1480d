"""Reaches the port of a server in a pod from the worker, where a session must be the worker's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.forwarding import Forward, forwarding
from workflows_app.plugins.kubernetes.pods import find_pod


@contextmanager
def forwarded(context: PluginContext, port: int, name: str) -> Iterator[Forward]:
    """A socket, called ``name``, that leads to ``port`` of the pod that the parameters mean.

    It ends with the block. Raises ConfigInvalid, and PluginFailed when there is no such pod or no way to it.
    """
    with connected(context) as cluster:
        pod = find_pod(cluster, context.parameters, context.info, any_container=True)
        with forwarding(cluster, pod, port, name) as forward:
            yield forward


@contextmanager
def explained(forward: Forward) -> Iterator[None]:
    """Around what goes that way: a PluginFailed also tells why the cluster could not make a connection."""
    try:
        yield
    except PluginFailed as error:
        if not forward.trouble:
            raise
        raise PluginFailed(f"{error}. Of the way into the pod the cluster says: {forward.trouble}") from None
