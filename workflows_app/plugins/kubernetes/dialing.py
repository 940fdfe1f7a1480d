"""Opens a WebSocket to the cluster: address, credentials and proxy are those of the official client."""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode, urlsplit

from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.uri import parse_uri

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.kubernetes.client import TIMEOUT
from workflows_app.plugins.kubernetes.errors import NOT_TRUSTED

# A message of the cluster is some 32 KiB; a much longer one is not read into memory.
_LONGEST_MESSAGE = 8 * 1024 * 1024
# Seconds without an answer to what was sent, after which the other side counts as gone.
_SILENCE = 60
_PORTS = {"https": 443, "http": 80}


def dial(
    configuration: Configuration,
    path: str,
    query: Sequence[tuple[str, str]],
    protocols: Sequence[str],
    what: str,
) -> tuple[socket.socket, ClientProtocol]:
    """A connected socket and the protocol that is to greet the cluster on it.

    ``path`` is below the address of the cluster; ``protocols`` are what is offered, the best first; ``what``
    begins the message of a failure. The greeting (the answer to it, too) is still to be exchanged. Raises
    PluginFailed.
    """
    url = f"{configuration.host}{path}?{urlencode(query)}"
    with _dialing(what):
        connection = _connect(configuration, url)
    protocol = ClientProtocol(
        parse_uri(url.replace("http", "ws", 1)),
        subprotocols=list(protocols),  # type: ignore[arg-type] # a NewType of str
        max_size=_LONGEST_MESSAGE,
    )
    request = protocol.connect()
    _authorize(request.headers, configuration)
    protocol.send_request(request)
    return connection, protocol


@contextlib.contextmanager
def _dialing(what: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError:
        raise PluginFailed(f"{what}: {NOT_TRUSTED}") from None
    except (OSError, http.client.HTTPException) as error:
        raise PluginFailed(
            f"{what}: the cluster cannot be reached ({error or 'no answer'}). Check its address in the "
            "kubeconfig, the proxy, and the network"
        ) from None


def _connect(configuration: Configuration, url: str) -> socket.socket:
    """A socket to the server of a URL, through the proxy that is set. Raises OSError, HTTPException."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    proxy = configuration.proxy
    if proxy and not should_bypass_proxies(url, configuration.no_proxy or ""):
        through = urlsplit(proxy)
        if through.scheme != "http":
            raise OSError(f"proxies of the kind {through.scheme!r} are not supported")
        line = http.client.HTTPConnection(through.hostname or "", through.port or 80, timeout=TIMEOUT[0])
        line.set_tunnel(host, port, headers=dict(configuration.proxy_headers or {}))
    else:
        line = http.client.HTTPConnection(host, port, timeout=TIMEOUT[0])
    line.connect()
    connection: socket.socket = line.sock
    try:
        _notice_loss(connection)
        if parts.scheme == "https":
            name = configuration.tls_server_name or host
            connection = _tls(configuration).wrap_socket(connection, server_hostname=name)
    except BaseException:
        connection.close()
        raise
    return connection


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=configuration.ssl_ca_cert or None, cadata=configuration.ca_cert_data or None
    )
    if configuration.assert_hostname is False or not configuration.verify_ssl:
        context.check_hostname = False
    if not configuration.verify_ssl:
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file or None)
    return context


def _authorize(headers: Headers, configuration: Configuration) -> None:
    token = configuration.auth_settings().get("BearerToken")
    if token and token["value"]:
        headers["Authorization"] = token["value"]


def _notice_loss(connection: socket.socket) -> None:
    """Let the kernel notice a peer that is gone, also while nothing is said."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _SILENCE // 2),
        ("TCP_KEEPINTVL", _SILENCE // 6),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", _SILENCE * 1000),
    ):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
