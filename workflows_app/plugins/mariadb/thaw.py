"""Gives a run's lock back, on whichever worker, and tells whether it was held until then."""

from workflows_app.domain.errors import FossulError, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.mariadb.held import HeldSessions
from workflows_app.plugins.mariadb.hold import Hold
from workflows_app.plugins.mariadb.parameters import HoldParameters
from workflows_app.plugins.mariadb_server.session import SessionOver


class StillHeld(Exception):
    """Whether the session is gone is not known: to be tried again, as a crash of a step is.

    It is no FossulError, after which a step is over.
    """


def thaw(context: PluginContext, parameters: HoldParameters, run: str, held: HeldSessions) -> None:
    """End the session of ``run``, and the lock with it; harmless when there is none.

    Through that session where this worker has it, by KILL where another one has. Raises PluginFailed when
    the run relies on a lock that was gone before: what was copied may be of no one moment. Raises StillHeld
    when the server cannot be asked; Cancelled.
    """
    where = parameters.server.where
    lost = ""
    if session := held.take(run):
        try:
            session.release()
        except SessionOver as error:
            lost = str(error)
        else:
            held.note_release(run)
            context.info(f"Unlocked {where}")
            return
    try:
        number = Hold(context, parameters, run, held).end_session()
    except FossulError as error:
        if not lost:
            raise StillHeld(
                f"{where} may still be locked: {error}. This is tried again; the lock goes when the worker "
                "that holds it does, or by KILL of its session"
            ) from None
        number = ""
    if number and not lost:
        context.info(f"Unlocked {where}: ended the session {number} of this run, which another worker held")
    elif held.has_released(run):
        context.info(f"This run holds no lock on {where} any more: it was given back in good order")
    elif context.relies_on_freeze:
        why = f": {lost}" if lost else ""
        raise PluginFailed(
            f"The session that held the lock on {where} was gone before unquiesce{why}. Its worker was "
            "lost, it was ended (KILL), the network was cut or the server was restarted. Nothing stays "
            "locked; what was copied meanwhile may be of no one moment: do not rely on this backup"
        )
    elif lost:
        context.warn(f"The session that held the lock on {where} was gone already: {lost}")
    else:
        context.info(f"This run holds no lock on {where}")
