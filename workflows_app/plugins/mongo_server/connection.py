"""Connections to a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient, timeout
from pymongo.errors import PyMongoError

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mongo_server.refusals import words_of
from workflows_app.plugins.mongo_server.server import Server

CONNECT_SECONDS = 15.0

Document = dict[str, Any]
Client = MongoClient[Document]

# Also of years that Python's datetime does not know.
CODEC: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


@contextmanager
def connected(server: Server, *, retry_writes: bool = True) -> Iterator[Client]:
    """A client that has reached ``server`` and is let in, closed in the end.

    A write whose answer is lost is made once more with ``retry_writes``, which not every server and every
    database can. Raises PluginFailed when the server cannot be reached or does not let the user in. What is
    asked of it later raises the driver's own errors.
    """
    client = connect(server, retry_writes=retry_writes)
    try:
        yield client
    finally:
        client.close()


def connect(server: Server, *, retry_writes: bool = True) -> Client:
    """As ``connected``; whoever calls closes it."""
    try:
        return dial(server, retry_writes=retry_writes)
    except PyMongoError as error:
        raise PluginFailed(words_of(error, server, "connect")) from None
    except OSError as error:
        # A file of a certificate that cannot be read.
        raise PluginFailed(
            f"Cannot connect to {server.where}: {error.strerror or error}. Check MongoSslCa and MongoSslCert"
        ) from None


def dial(server: Server, *, retry_writes: bool = True) -> Client:
    """As ``connect``, but raises the driver's own errors, and OSError for a certificate's file."""
    client = _client(server, retry_writes)
    try:
        # The handshake that is made for any command also shows the password.
        with timeout(CONNECT_SECONDS):
            client.admin.command("ping")
    except BaseException:
        client.close()
        raise
    return client


def _client(server: Server, retry_writes: bool) -> Client:
    options: dict[str, Any] = {
        "appname": "fossul",
        "retryWrites": retry_writes,
        "serverSelectionTimeoutMS": int(CONNECT_SECONDS * 1000),
        "connectTimeoutMS": int(CONNECT_SECONDS * 1000),
        "tls": server.ssl_mode == "verify",
    }
    if server.replica_set:
        options["replicaSet"] = server.replica_set
    else:
        options["directConnection"] = True
    if server.user:
        options |= {
            "username": server.user,
            "password": server.password,
            "authSource": server.auth_database,
        }
    if server.ssl_ca:
        options["tlsCAFile"] = server.ssl_ca
    if server.ssl_cert:
        options["tlsCertificateKeyFile"] = server.ssl_cert
    return MongoClient(server.where, datetime_conversion=DatetimeConversion.DATETIME_AUTO, **options)
