"""Locks a server against writes, and unlocks it.

The lock is the server's, not the connection's: when the worker is lost, the server stays locked until it is
unlocked by somebody, or restarted (https://www.mongodb.com/docs/manual/reference/command/fsync/).
"""

from contextlib import suppress

from pymongo import timeout
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout, OperationFailure, PyMongoError

from workflows_app.domain.errors import FossulError, PluginFailed
from workflows_app.plugins.mongo.held import HeldConnections
from workflows_app.plugins.mongo.notes import LockNotes
from workflows_app.plugins.mongo_server.connection import Client, Document, connect, dial
from workflows_app.plugins.mongo_server.refusals import ILLEGAL_OPERATION, asking, words_of
from workflows_app.plugins.mongo_server.server import Server

BY_HAND = "db.fsyncUnlock() in mongosh unlocks it"
_LOCKING = "lock itself against writes (fsync)"
_UNLOCKING = "unlock itself (fsyncUnlock)"


class StillLocked(Exception):
    """The server could not be reached to be unlocked: to be tried again, as a crash of a step is.

    It is no FossulError, after which a step is over.
    """


class WriteLock:
    """The lock of one run on one server, ``run`` being a name that no other run has."""

    def __init__(self, server: Server, run: str, held: HeldConnections) -> None:
        self._server = server
        self._run = run
        self._held = held

    def lock(self, seconds: int) -> str:
        """Flush the server's writes to the disk and let nobody write; answers what the server said.

        Waits up to ``seconds`` for writes that are under way. Raises PluginFailed; then this run may have a
        lock all the same: ``unlock`` finds that out.
        """
        # A secondary takes notes, but keeps no track of retryable writes.
        client = connect(self._server, retry_writes=False)
        kept = False
        try:
            self._refuse_locked(client)
            notes = LockNotes(client)
            self._claim(notes)
            reply = self._fsync(client, notes, seconds)
            self._confirm(client, notes)
            self._held.hold(self._run, self._server.where, client)
            kept = True
            if others := int(reply.get("lockCount", 1)) - 1:
                # This run's own stays, too, so that whoever unquiesces finds as many as the note says.
                raise PluginFailed(
                    f"{self._server.where} was locked by somebody else at the same moment ({others} locks): "
                    "try again when that is over"
                )
            return str(reply.get("info", "locked"))
        finally:
            if not kept:
                client.close()

    def unlock(self, *, relies: bool) -> int | None:
        """Take back this run's lock; answers how many of others the server still has, None where it had none.

        Through the connection that locked, or a new one where another worker did. Raises StillLocked when the
        server cannot be reached, PluginFailed when it refuses, or was not locked any more and the run
        ``relies`` on that.
        """
        where = self._server.where
        held = self._held.take(self._run)
        try:
            if held is None:
                return self._unlock_anew(relies)
            try:
                return self._unlock(held.client, relies)
            except ConnectionFailure:
                # The connection is gone; its server may still be there.
                return self._unlock_anew(relies)
        except ConnectionFailure as error:
            raise StillLocked(
                f"{where} may still be locked: {words_of(error, self._server, _UNLOCKING)}. This is tried "
                f"again; {BY_HAND}"
            ) from None
        except (PyMongoError, OSError) as error:
            words = words_of(error, self._server, _UNLOCKING) if isinstance(error, PyMongoError) else error
            raise PluginFailed(f"{where} may still be locked: {words}. {BY_HAND}") from None
        finally:
            if held is not None:
                held.client.close()

    def _unlock_anew(self, relies: bool) -> int | None:
        try:
            client = dial(self._server, retry_writes=False)
        except FossulError as error:
            # There is no way into its pod now, and the lock is not gone for that.
            raise StillLocked(
                f"{self._server.where} may still be locked: {error}. This is tried again; {BY_HAND}"
            ) from None
        try:
            return self._unlock(client, relies)
        finally:
            client.close()

    def _refuse_locked(self, client: Client) -> None:
        with asking(self._server, "say whether it is locked (currentOp)"):
            locked = is_locked(client)
        if not locked:
            return
        with asking(self._server, "say who locked it"):
            who = LockNotes(client).holder()
        raise PluginFailed(
            f"{self._server.where} is locked against writes already{f' ({who})' if who else ''}: wait until "
            f"that is over. If nobody backs it up, {BY_HAND}"
        )

    def _claim(self, notes: LockNotes) -> None:
        with asking(self._server, "take a note of the lock (local.fossul_locks)"):
            who = notes.claim(self._run)
        if who:
            raise PluginFailed(
                f"{self._server.where} is about to be locked by another run ({who}): try again when that is "
                "over"
            )

    def _confirm(self, client: Client, notes: LockNotes) -> None:
        """Take the lock back at once where it is not this run's any more: its worker had stood still."""
        with asking(self._server, "say whose lock it is"):
            claim = notes.of(self._run)
        if claim and claim.stands:
            return
        with asking(self._server, _UNLOCKING):
            self._unlock_own(client)
        raise PluginFailed(
            f"{self._server.where} was locked too late: another run began to lock it meanwhile, or it was "
            "restarted. Try again when that is over"
        )

    def _fsync(self, client: Client, notes: LockNotes, seconds: int) -> Document:
        try:
            with timeout(seconds):
                return client.admin.command({"fsync": 1, "lock": True, "comment": self._run})
        except (ExecutionTimeout, NetworkTimeout):
            # The lock may come yet, so the note stays for ``unlock``, which mongod lets wait for it
            # (src/mongo/db/commands/fsync.cpp: one fsync or fsyncUnlock at a time).
            raise PluginFailed(
                f"{self._server.where} could not be locked in {seconds} s (MongoLockWaitSeconds): writes "
                "that were under way did not end"
            ) from None
        except OperationFailure as error:
            with asking(self._server, "forget the note of the lock"):
                notes.remove(self._run)
            raise PluginFailed(words_of(error, self._server, _LOCKING)) from None
        except PyMongoError as error:
            raise PluginFailed(words_of(error, self._server, _LOCKING)) from None

    def _unlock(self, client: Client, relies: bool) -> int | None:
        notes = LockNotes(client)
        claim = notes.of(self._run)
        # Another worker may have done it (a watchdog), and somebody else may have locked since. A note may
        # stay after that until the locks of others are gone.
        if claim is None or self._held.has_released(claim.name):
            return None
        reply = self._unlock_own(client) if claim.stands else None
        if reply is None:
            if relies:
                # The note stays: another attempt must not find that there was no lock, and be content.
                raise PluginFailed(
                    f"{self._server.where} was not locked by this run any more when its lock was to be taken "
                    "back: somebody unlocked it, it was restarted, or it never was. What was copied "
                    "meanwhile may be of no one moment: do not rely on this backup"
                )
            notes.forget(self._run)
            return None
        others = int(reply.get("lockCount", 0))
        if others:
            self._held.note_release(claim.name)
        else:
            # The lock is gone; a note that stays is of a run that is over.
            with suppress(PyMongoError):
                notes.remove(self._run)
        return others

    def _unlock_own(self, client: Client) -> Document | None:
        """What the server said; None when it was not locked. Raises the driver's errors."""
        try:
            return client.admin.command("fsyncUnlock")
        except OperationFailure as error:
            if error.code != ILLEGAL_OPERATION and "not locked" not in str(error):
                raise
            return None


def is_locked(client: Client) -> bool:
    """Whether nobody may write. Raises the driver's errors."""
    # One's own operations may be seen without any right; that the server is locked is told beside them.
    return bool(client.admin.command({"currentOp": 1, "$ownOps": True}).get("fsyncLock", False))
