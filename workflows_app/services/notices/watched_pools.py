"""HTTP connections that a time limit watches from their first byte on, that of TLS included."""

import socket
import ssl
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from workflows_app.services.notices.time_limits import TimeLimit


class _Watched(HTTPConnection):
    def __init__(self, *arguments: Any, limit: TimeLimit, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limit = limit

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self._limit.watch(connection)
        return connection


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


def watched_pool(
    address: str, port: int, name: str, timeout: urllib3.Timeout, limit: TimeLimit, *, tls: bool
) -> urllib3.HTTPConnectionPool:
    """Answer connections to ``address`` that end with ``limit``; with ``tls`` the server must be ``name``."""
    if not tls:
        return _Pool(address, port, timeout=timeout, limit=limit)
    return _TlsPool(
        address,
        port,
        timeout=timeout,
        ssl_context=ssl.create_default_context(),
        assert_hostname=name,
        server_hostname=name,
        limit=limit,
    )
