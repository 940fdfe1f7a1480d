"""Requests to addresses that an administrator typed: verified, bounded, never redirected, never to the
cloud's own.

The name is looked up once, and what it names is both judged and connected to: a name that means something
else a moment later leads nowhere else.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.services.notices.time_limits import TimeLimit
from workflows_app.services.notices.watched_pools import watched_pool

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""How long a server may be silent."""
WHOLE_SECONDS = 60.0
"""How long all of it may take, from the look-up of the name to the last byte of the answer."""
LONGEST_ANSWER = 300
"""So many bytes are read of an answer that is an error, and none of another. (Python's own limits bound what
comes before it, the headers.)"""
_AGAIN = (408, 425, 429)
# What clouds serve credentials from, beside the link-local 169.254.169.254.
_METADATA = (
    ip_network("100.100.100.200/32"),
    ip_network("fd00:ec2::254/128"),
    ip_network("168.63.129.16/32"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads: what is connected to, and what is asked for there."""

    scheme: str
    host: str
    address: str
    port: int
    path: str


def reach(host: str, port: int, limit: TimeLimit) -> str:
    """Answer an IP address of ``host`` that may be connected to. Raises NotSent, also when time is over."""
    try:
        found = limit.wait_for(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        raise NotSent(f"The name {host} cannot be looked up: {_words(error)}", again=True) from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for text in addresses:
        if _is_refused(text):
            raise NotSent(
                f"{host} leads to {text}, which is reserved for the machine's own network or its cloud. Name "
                "it in FOSSUL_NOTIFY_ALLOW if it is meant.",
                again=False,
            )
    return addresses[0]


def _is_refused(text: str) -> bool:
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in ip_network(allowed, strict=False) for allowed in settings.FOSSUL_NOTIFY_ALLOW):
        return False
    special = address.is_link_local or address.is_multicast or address.is_unspecified
    return special or any(address in network for network in _METADATA)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post ``body``; return when the answer is a 2xx. It takes ``WHOLE_SECONDS`` at most.

    Raises NotSent for everything else, a redirect included; its words hold nothing of the path, which may be
    secret.
    """
    with TimeLimit(WHOLE_SECONDS) as limit:
        target = _target(url, limit)
        try:
            status, said = _exchange(target, body, headers, limit)
        except (HTTPError, OSError) as error:
            why = _late(limit) if limit.passed else _words(error)
            raise NotSent(f"{target.host} could not be reached: {why}", again=True) from None
    _judge(target.host, status, said)


def _exchange(target: Target, body: bytes, headers: Mapping[str, str], limit: TimeLimit) -> tuple[int, bytes]:
    """Post, and answer the status and the beginning of what an error says. Raises HTTPError, OSError."""
    port = "" if target.port == {"http": 80, "https": 443}[target.scheme] else f":{target.port}"
    host = f"[{target.host}]" if ":" in target.host else target.host
    timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, limit.left), read=ANSWER_SECONDS)
    tls = target.scheme == "https"
    with closing(watched_pool(target.address, target.port, target.host, timeout, limit, tls=tls)) as pool:
        answer = pool.urlopen(
            "POST",
            target.path,
            body=body,
            headers={"Host": f"{host}{port}", "User-Agent": "Fossul-Dashboard", **headers},
            redirect=False,
            retries=False,
            assert_same_host=False,
            preload_content=False,
        )
        with closing(answer):
            if limit.passed:  # What was read is cut off, which headers do not show.
                raise TimeoutError(_late(limit))
            said = answer.read(LONGEST_ANSWER, decode_content=False) if answer.status >= 300 else b""
            return answer.status, said


def _late(limit: TimeLimit) -> str:
    return f"its answer took longer than {limit.seconds:.0f} s"


def _target(url: str, limit: TimeLimit) -> Target:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, reach(host, port, limit), port, path)


def _judge(host: str, status: int, said: bytes) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        words = f"{host} answered {status}, a redirect, which is not followed: give the address itself."
        raise NotSent(words, again=False)
    text = said.decode(errors="replace").strip()
    raise NotSent(f"{host} answered {status}. {text}".strip(), again=status >= 500 or status in _AGAIN)


def _words(error: Exception) -> str:
    """What an error of the network says, without the address, whose path may be secret."""
    causes = (error, error.__cause__, *error.args)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "it did not answer in time"
    return type(error).__name__
