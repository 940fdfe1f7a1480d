"""Reaches the port of a server in a pod from the worker, where a session must be the worker's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.forwarding import forwarding
from workflows_app.plugins.kubernetes.pods import find_pod


@contextmanager
def forwarded(context: PluginContext, port: int, name: str) -> Iterator[Path]:
    """The folder of a socket, called ``name``, that leads to ``port`` of the pod that the parameters mean.

    It ends with the block. When what is done in it fails, and the cluster has said of a connection why it
    could not be made, that is told too. Raises ConfigInvalid, and PluginFailed when there is no such pod or
    no way to it.
    """
    with connected(context) as cluster:
        pod = find_pod(cluster, context.parameters, context.info, any_container=True)
        with forwarding(cluster, pod, port, name) as forward:
            try:
                yield forward.folder
            except PluginFailed as error:
                if not forward.trouble:
                    raise
                raise PluginFailed(
                    f"{error}. Of the way into the pod the cluster says: {forward.trouble}"
                ) from None
