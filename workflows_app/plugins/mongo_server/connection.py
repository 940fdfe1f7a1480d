"""Connections to a server."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient, timeout
from pymongo.errors import PyMongoError

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.kubernetes.forwarding import Forward
from workflows_app.plugins.mongo_server.refusals import words_of
from workflows_app.plugins.mongo_server.server import SOCKET, Server

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
    """As ``connect``, but raises the driver's own errors, and OSError for a certificate's file.

    ConfigInvalid and PluginFailed are then that there is no way into the server's pod.
    """
    with ExitStack() as stack:
        way = stack.enter_context(server.way()) if server.way else None
        client = _client(server, retry_writes, way)
        try:
            # The handshake that is made for any command also shows the password.
            with timeout(CONNECT_SECONDS):
                client.admin.command("ping")
        except BaseException as error:
            client.close()
            if way is not None and way.trouble:
                error.add_note(f"of the way into the pod the cluster says: {way.trouble}")
            raise
        client.kept = stack.pop_all()
    return client


class _ClosingClient(MongoClient[Document]):
    """A client with which the way to its server is closed, too."""

    kept = ExitStack()

    def close(self) -> None:
        """Close all of it; a second time is harmless."""
        super().close()
        self.kept.close()


def _client(server: Server, retry_writes: bool, way: Forward | None) -> _ClosingClient:
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
    if way is not None and options["tls"]:
        # A socket has no name that a certificate could be for; which pod it leads to is the cluster's word.
        options["tlsAllowInvalidHostnames"] = True
    address = server.address if way is None else f"mongodb://{quote(str(way.folder / SOCKET), safe='')}"
    return _ClosingClient(address, datetime_conversion=DatetimeConversion.DATETIME_AUTO, **options)
