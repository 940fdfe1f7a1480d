"""Words for what a server, or the way to it, answers instead of doing what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mongo_server.server import Server

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18
ILLEGAL_OPERATION = 20
SNAPSHOT_TOO_OLD = 239
SNAPSHOT_UNAVAILABLE = 246
_NOT_PRIMARY = frozenset({10107, 13435, 189})
_OUT_OF_DISK = 14031
_MOST_WORDS = 300
# What the driver tells of itself behind the words.
_STATE = (", Timeout: ", ", full error:", " (configured timeouts")


@contextmanager
def asking(server: Server, what: str) -> Iterator[None]:
    """Turn what the driver raises while ``server`` is asked to do ``what`` into PluginFailed.

    ``what`` completes "The server may not, or could not …": ``read 'shop.ledger'``.
    """
    try:
        yield
    except PyMongoError as error:
        raise PluginFailed(words_of(error, server, what)) from None


def words_of(error: PyMongoError, server: Server, what: str) -> str:
    """What went wrong with ``what`` at ``server``, and what to do about it."""
    code = _code(error)
    said = _said(error)
    where = server.where
    if code == AUTHENTICATION_FAILED:
        return (
            f"The server {where} does not let the user {server.user!r} in: {said}. Check MongoUser, "
            f"MongoPassword, and that MongoAuthDb ({server.auth_database!r}) is where the user was created"
        )
    if code == UNAUTHORIZED:
        who = f"The user {server.user!r}" if server.user else "Without a user (MongoUser) the worker"
        return f"{who} may not {what} on {where}: {said}. Grant the role that the plugin's page names"
    if isinstance(error, ServerSelectionTimeoutError):
        return (
            f"Cannot connect to {where}: {said}. Check MongoHost, MongoPort, MongoReplicaSet and "
            "MongoSslMode, and that the server lets this worker in"
        )
    if code in _NOT_PRIMARY or isinstance(error, NotPrimaryError):
        return (
            f"{where} could not {what}, since it is not the primary of its replica set: give the primary's "
            "MongoHost, or MongoReplicaSet"
        )
    if isinstance(error, AutoReconnect):
        return f"The connection to {where} was lost while it was asked to {what}: {said}"
    if isinstance(error, ConfigurationError):
        return f"Cannot connect to {where}: {said}. Check MongoSslMode, MongoSslCa and MongoSslCert"
    if code == SNAPSHOT_TOO_OLD:
        return (
            f"{where} no longer keeps the moment that is read ({said}): the dump takes longer than it keeps "
            "history. Raise its parameter minSnapshotHistoryWindowInSeconds (300 at first) above the time "
            "that a dump takes"
        )
    if code == _OUT_OF_DISK:
        return f"{where} could not {what}: its disk is full ({said})"
    return f"{where} could not {what}: {said}"


def _code(error: PyMongoError) -> int | None:
    if isinstance(error, BulkWriteError):
        first = _first_write_error(error)
        return int(first["code"]) if "code" in first else error.code
    return error.code if isinstance(error, OperationFailure) else None


def _said(error: PyMongoError) -> str:
    """What was said, on one line, without the driver's own state and the reply around it."""
    if isinstance(error, BulkWriteError):
        # The document itself is in the error, and must not get into a log.
        text = str(_first_write_error(error).get("errmsg", "a document was refused"))
        text = text.partition(" dup key:")[0]
    elif isinstance(error, OperationFailure) and error.details:
        text = str(error.details.get("errmsg") or error)
    else:
        text = str(error)
    text = (
        text.partition(", Timeout: ")[0].partition(", full error:")[0].partition(" (configured timeouts")[0]
    )
    words = " ".join(text.split())[:_MOST_WORDS].rstrip(".?:") or type(error).__name__
    # What ``connection.dial`` knows of the way.
    return "; ".join([words, *getattr(error, "__notes__", ())])


def _first_write_error(error: BulkWriteError) -> dict[str, Any]:
    details = error.details or {}
    errors = details.get("writeErrors") or details.get("writeConcernErrors") or [{}]
    return dict(errors[0])
