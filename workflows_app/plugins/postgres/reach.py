"""The way to the server that is copied: straight, or into the pod that the parameters mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.forwarded import explained, forwarded
from workflows_app.plugins.databases.pod_parameters import without_pod
from workflows_app.plugins.postgres.parameters import Parameters
from workflows_app.plugins.postgres_server.session import Session, session


@contextmanager
def reached(context: PluginContext, parameters: Parameters) -> Iterator[tuple[PluginContext, Parameters]]:
    """The call and its parameters, for programs beside the worker; a server in a pod is behind a socket.

    The way ends with the block. Raises as ``forwarded``.
    """
    server = parameters.server
    if not server.pod:
        yield context, parameters
        return
    with forwarded(context, server.port, f".s.PGSQL.{server.port}") as way, explained(way):
        near = replace(server, host=str(way.folder), pod="", label=server.where)
        yield without_pod(context), replace(parameters, server=near)


@contextmanager
def asking(context: PluginContext, parameters: Parameters) -> Iterator[Session]:
    """A session on the server, closed in the end, the way there too. Raises as ``reached``."""
    with reached(context, parameters) as (_, there), session(there.server, there.database) as asked:
        yield asked
