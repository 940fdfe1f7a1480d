"""Locks a server for as long as one session lives, and finds that session from anywhere.

FLUSH TABLES WITH READ LOCK and not BACKUP STAGE: both let commits, changes of structure and writes to tables
without transactions wait; but under BACKUP STAGE a write or an ALTER TABLE that waits has its table locked
already, and reads of that table then wait, too. Under the other all reads go on, and it waits neither for
queries that read nor for open transactions [seen with 10.11].
"""

import time

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.mariadb.held import ANSWER_SECONDS, SILENCE_SECONDS, HeldSessions
from workflows_app.plugins.mariadb.parameters import HoldParameters
from workflows_app.plugins.mariadb_server.facts import ask_rows, literal
from workflows_app.plugins.mariadb_server.programs import CONNECT_SECONDS, Programs
from workflows_app.plugins.mariadb_server.session import Session, SessionOver

# How long a session that was ended may stay in the server.
_ENDING_SECONDS = 20.0
_PAUSE = 0.1
_TIMED_OUT, _UNKNOWN_SESSION = "ERROR 1205 ", "ERROR 1094 "


class Hold:
    """The lock of one run on one server, ``run`` being a name that no other run has."""

    def __init__(
        self, context: PluginContext, parameters: HoldParameters, run: str, held: HeldSessions
    ) -> None:
        self._context = context
        self._programs = Programs(context, parameters.server)
        self._parameters = parameters
        self._where = parameters.server.where
        self._run = run
        self._held = held

    def lock(self) -> None:
        """Lock the server, in a session that stays open.

        Raises PluginFailed, also when it cannot be locked in the time that it may take; Cancelled. Then no
        session of the run is there.
        """
        self._end_earlier()
        session = Session(self._programs, self._parameters.client)
        take_back = self._context.on_cancel(session.interrupt)
        try:
            self._open(session)
            self._take(session)
            self._context.check_cancelled()
        except BaseException as error:
            session.end()
            self._leave_none()
            self._context.check_cancelled()
            if isinstance(error, SessionOver):
                raise self._explained(error) from None
            raise
        finally:
            take_back()
        self._held.hold(self._run, session)

    def end_session(self) -> str:
        """End the run's session, of any worker; answers its number, empty where there was none.

        Raises PluginFailed when the server cannot be asked, or the session stays; Cancelled.
        """
        ended = number = self._find()
        end = time.monotonic() + _ENDING_SECONDS
        while number:
            self._kill(number)
            self._context.pause(_PAUSE)
            number = self._find()
            if number and time.monotonic() > end:
                raise PluginFailed(
                    f"The session {number} on {self._where}, which holds the lock, was ended (KILL) and is "
                    "still there"
                )
        return ended

    def _end_earlier(self) -> None:
        """End what an earlier attempt of the same step has left."""
        self._held.begin(self._run)
        if earlier := self._held.take(self._run):
            earlier.end()
        self.end_session()

    def _open(self, session: Session) -> None:
        rows = session.ask(
            f"SET SESSION wait_timeout = {SILENCE_SECONDS}, max_statement_time = 0; "
            f"SELECT GET_LOCK({literal(self._run)}, 0)",
            2 * CONNECT_SECONDS,
        )
        if rows[-1:] != [["1"]]:
            raise PluginFailed(
                f"{self._where} has another session of this run: another attempt of this step goes on"
            )

    def _take(self, session: Session) -> None:
        wait = self._parameters.lock_wait
        self._context.report(Report(note="waiting for the lock"))
        session.ask(
            f"SET SESSION lock_wait_timeout = {wait}; FLUSH TABLES WITH READ LOCK", wait + ANSWER_SECONDS
        )
        # What is committed is on the disk then, whatever innodb_flush_log_at_trx_commit is.
        session.ask("FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS", wait + ANSWER_SECONDS)

    def _leave_none(self) -> None:
        """End in the server what its client left waiting there, also for a call that was cancelled."""
        try:
            Hold(self._context.to_the_end(), self._parameters, self._run, self._held).end_session()
        except PluginFailed as error:
            self._context.warn(
                f"Whether a session of this run is left on {self._where} is not known: {error}. Such a one "
                "ends by itself when its wait is over"
            )

    def _explained(self, error: SessionOver) -> PluginFailed:
        if _TIMED_OUT not in str(error):
            return PluginFailed(f"{self._where} could not be locked, and nothing stays locked: {error}")
        return PluginFailed(
            f"{self._where} could not be locked in {self._parameters.lock_wait} s (MysqlLockWaitSeconds), "
            "and nothing stays locked: statements that write or change the structure did not end, or "
            "somebody else holds a lock"
        )

    def _find(self) -> str:
        """The number of the run's session; empty where there is none."""
        mark = literal(self._run)
        ((number,),) = ask_rows(self._programs, self._parameters.client, f"IFNULL(IS_USED_LOCK({mark}), '')")
        return number

    def _kill(self, number: str) -> None:
        try:
            self._programs.ask(self._parameters.client, f"KILL {int(number)}")
        except PluginFailed as error:
            if _UNKNOWN_SESSION not in str(error):
                raise
