"""Ends what a lost worker left running on a server."""

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.postgres_server.session import run_name, session


def end_leftovers(context: PluginContext, server: Server, database: str) -> None:
    """End the sessions of this run's programs, if there are any, so that they hold no lock.

    That it cannot be done is only a warning: PostgreSQL ends a session itself when its client is gone.
    """
    try:
        with session(server, database) as asked:
            ended = asked.end_sessions(run_name(context.config))
    except PluginFailed as error:
        context.warn(f"Cannot look for sessions that this run may have left: {error}")
        return
    if ended:
        context.warn(f"Ended {ended} sessions that were left of this run on {server.where}")
