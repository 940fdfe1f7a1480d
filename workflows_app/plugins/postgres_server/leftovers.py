"""Ends what a lost worker left running on a server."""

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.postgres_server.psql import opened
from workflows_app.plugins.postgres_server.server import Server
from workflows_app.plugins.postgres_server.session import run_name


def end_leftovers(
    context: PluginContext, server: Server, database: str, field: str = "", program: str = ""
) -> None:
    """End the sessions of this run's programs, if there are any, so that they hold no lock.

    ``field`` and ``program`` as ``opened``'s. That it cannot be done is only a warning: PostgreSQL ends a
    session itself when its client is gone.
    """
    try:
        with opened(context, server, database, field, program) as asked:
            ended = asked.end_sessions(run_name(context.config))
    except (ConfigInvalid, PluginFailed) as error:
        context.warn(f"Cannot look for sessions that this run may have left: {error}")
        return
    if ended:
        context.warn(f"Ended {ended} sessions that were left of this run on {server.where}")
