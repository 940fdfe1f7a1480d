"""Ends what a lost worker left running on a server."""

from contextlib import AbstractContextManager

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.run_names import run_name
from workflows_app.plugins.postgres_server.session import Session


def end_leftovers(context: PluginContext, where: str, asking: AbstractContextManager[Session]) -> None:
    """End the sessions of this run's programs, if there are any, so that they hold no lock.

    ``asking`` opens a session on the server, which is called ``where``. That it cannot be done is only a
    warning: PostgreSQL ends a session itself when its client is gone.
    """
    try:
        with asking as asked:
            ended = asked.end_sessions(run_name(context.config))
    except (ConfigInvalid, PluginFailed) as error:
        context.warn(f"Cannot look for sessions that this run may have left: {error}")
        return
    if ended:
        context.warn(f"Ended {ended} sessions that were left of this run on {where}")
