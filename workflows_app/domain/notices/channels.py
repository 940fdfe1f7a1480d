"""Where notices may go, and of what a channel is told: checked values."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from email.utils import parseaddr
from enum import StrEnum
from itertools import islice
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.notices.incidents import IncidentKind
from workflows_app.domain.schedules.cron import parse_cron
from workflows_app.domain.schedules.due_times import due_times

SHORTEST_SIGNING_SECRET = 16
MOST_RECIPIENTS = 50
SUCCEEDED = "succeeded"
"""The event of every backup that completed: off unless asked for."""
RUNS = "runs"
HEARTBEAT = "heartbeat"

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class ChannelKind(StrEnum):
    """How a channel is spoken to."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"
    PING = "ping"


FOR_PEOPLE = frozenset({ChannelKind.EMAIL, ChannelKind.APPRISE})
"""Who would rather read one message about forty incidents; machines want each by itself."""


class Rhythm(StrEnum):
    """How often a digest comes."""

    NEVER = ""
    DAILY = "daily"
    WEEKLY = "weekly"


class Security(StrEnum):
    """How the connection to a mail server is secured."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


ALERTS = (*(kind.value for kind in IncidentKind), SUCCEEDED)
"""What a channel for people, or a webhook, may be told of."""
DEFAULT_ALERTS = tuple(kind.value for kind in IncidentKind if kind is not IncidentKind.SKIPPED)
PINGS = (RUNS, HEARTBEAT)


def events_of(kind: ChannelKind) -> tuple[str, ...]:
    """Answer what a channel of that kind may be told of."""
    return PINGS if kind is ChannelKind.PING else ALERTS


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail goes, without the password."""

    host: str
    port: int
    security: Security
    user: str
    sender: str
    to: tuple[str, ...]

    @property
    def options(self) -> dict[str, object]:
        """As JSON."""
        return {
            "host": self.host,
            "port": self.port,
            "security": self.security.value,
            "user": self.user,
            "sender": self.sender,
            "to": list(self.to),
        }

    @property
    def login(self) -> tuple[str, int, str, str]:
        """What a password is good for: it is not to be sent to anywhere else, nor in clear."""
        return self.host, self.port, self.user, self.security.value


def parse_mail_server(given: Mapping[str, str]) -> MailServer:
    """Answer what a person wrote: ``host``, ``port``, ``security``, ``user``, ``sender``, ``to``.

    Raises ConfigInvalid naming the field.
    """
    host = given.get("host", "").strip()
    if not host or any(c.isspace() or c in "/@" for c in host):
        raise ConfigInvalid("host", "name the mail server, like smtp.example.org")
    port = given.get("port", "").strip()
    if not port.isascii() or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ConfigInvalid("port", f"{port!r} is no port: 587 for STARTTLS, 465 for TLS")
    if given.get("security") not in list(Security):
        raise ConfigInvalid("security", "it is one of starttls, tls and none")
    if given.get("user", "").strip() and given["security"] == Security.NONE:
        raise ConfigInvalid("security", "a password is not sent in clear: choose STARTTLS or TLS, or no user")
    recipients = tuple(part.strip() for part in re.split(r"[,;\n]", given.get("to", "")) if part.strip())
    if not recipients:
        raise ConfigInvalid("to", "name at least one address")
    if len(recipients) > MOST_RECIPIENTS:
        raise ConfigInvalid("to", f"{len(recipients)} addresses are more than {MOST_RECIPIENTS}: use a list")
    for field, address in (
        ("sender", given.get("sender", "").strip()),
        *(("to", each) for each in recipients),
    ):
        if not _ADDRESS.fullmatch(parseaddr(address)[1]) or any(ord(c) < 32 for c in address):
            raise ConfigInvalid(field, f"{address!r} is no e-mail address")
    return MailServer(
        host,
        int(port),
        Security(given["security"]),
        given.get("user", "").strip(),
        given["sender"].strip(),
        recipients,
    )


def check_url(field: str, url: str) -> str:
    """Answer an http(s) address, less the space around it. Raises ConfigInvalid naming ``field``."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        whole = parts.hostname and parts.port != 0 and parts.scheme in ("http", "https")
    except ValueError:
        whole = False
    # What a mistake would show here may be a secret: the words do not repeat it.
    if not whole or any(c.isspace() or ord(c) < 32 for c in url):
        raise ConfigInvalid(field, "give a whole address that begins with https:// (or http://)")
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ConfigInvalid(field, "leave user and password out of the address")
    return url


def shown_url(url: str) -> str:
    """What of an address may be shown: where it leads, not what opens it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{host}{port}/…"


def ping_url(url: str, profile: str, config: str, what: str) -> str:
    """Answer the address to ping for ``what``: ``start``, ``fail``, or ``""`` for success.

    ``{profile}`` and ``{config}`` in ``url`` stand for the names; ``what`` is put at the end of the path, as
    Healthchecks has it (https://healthchecks.io/docs/http_api/).
    """
    filled = url.replace("{profile}", profile.lower()).replace("{config}", config.lower())
    address, mark, query = filled.partition("?")
    return f"{address.rstrip('/')}/{what}{mark}{query}" if what else filled


def check_events(kind: ChannelKind, events: Collection[str]) -> list[str]:
    """Answer ``events`` in their order.

    Raises ConfigInvalid for ``events``: for an unknown one, and a ping that is not for exactly one.
    """
    allowed = events_of(kind)
    unknown = sorted(set(events) - set(allowed))
    if unknown:
        raise ConfigInvalid("events", f"{unknown[0]!r} is none of {', '.join(allowed)}")
    if kind is ChannelKind.PING and len(set(events)) != 1:
        raise ConfigInvalid("events", "choose either runs or the heartbeat: each is a check of its own")
    return [event for event in allowed if event in events]


def next_digest(rhythm: Rhythm, at: time, day: int, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Answer when a digest is due next after ``after``; ``day`` counts from 0 for Monday. None: never."""
    if rhythm is Rhythm.NEVER:
        return None
    # Cron counts from 0 for Sunday.
    days = str((day + 1) % 7) if rhythm is Rhythm.WEEKLY else "*"
    cron = parse_cron(f"{at.minute} {at.hour} * * {days}")
    return next(islice(due_times(cron, zone, after), 1), None)
