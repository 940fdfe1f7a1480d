"""Sends a delivery in the way of its channel. Nothing that it raises holds a secret."""

import json
import logging
import re
import time
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

from workflows_app.domain.notices.channels import ChannelKind, ping_url
from workflows_app.domain.notices.notices import Notice, NoticeEvent
from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.domain.notices.webhooks import EVENT, KEY, SIGNATURE, header_key, payload, signature
from workflows_app.domain.secrets.redaction import Redactor
from workflows_app.domain.secrets.sealing import SealBroken
from workflows_app.models import Channel
from workflows_app.services.configurations.secrets import opened_text
from workflows_app.services.notices.apprise_channels import send_by_apprise
from workflows_app.services.notices.deliveries import Claimed
from workflows_app.services.notices.mails import mail_server, send_mail
from workflows_app.services.notices.outbound import post

logger = logging.getLogger(__name__)

_SEPARATORS = re.compile(r"[/?&=:@#,]")
LONGEST_PING = 10_000
"""What Healthchecks keeps of a ping by default is 10 kB."""
_PINGED = {NoticeEvent.RUN_STARTED: "start", NoticeEvent.RUN_FAILED: "fail"}


def send(claimed: Claimed) -> None:
    """Send a delivery; takes two minutes at most, whatever its receiver does. Raises NotSent."""
    try:
        target = opened_target(claimed.channel)
    except SealBroken as error:
        raise NotSent(str(error), again=False) from None
    try:
        _send(claimed, target)
    except NotSent as error:
        raise NotSent(_redacted(str(error), target), again=error.again) from None
    except Exception as error:
        # A library's own mistake must not end the notifier; what it says may hold anything.
        logger.error("Sending to channel %r broke with %s", claimed.channel.name, type(error).__name__)
        raise NotSent(f"Sending broke with {type(error).__name__}.", again=True) from None


def opened_target(channel: Channel) -> dict[str, str]:
    """Answer the secret part of a channel's target. Raises SealBroken."""
    opened: dict[str, str] = json.loads(opened_text(channel.secret)) if channel.secret else {}
    return opened


def _send(claimed: Claimed, target: dict[str, str]) -> None:
    notice = claimed.notice
    match ChannelKind(claimed.channel.kind):
        case ChannelKind.EMAIL:
            server = mail_server(claimed.channel.options)
            send_mail(server, target.get("password", ""), notice, claimed.mark)
        case ChannelKind.WEBHOOK:
            _send_webhook(target, notice)
        case ChannelKind.APPRISE:
            send_by_apprise(target["url"], notice)
        case ChannelKind.PING:
            _ping(target["url"], notice)


def _send_webhook(target: dict[str, str], notice: Notice) -> None:
    body = payload(notice)
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: signature(target["secret"], int(time.time()), body),
        KEY: header_key(notice.key),
        EVENT: notice.event.value,
    }
    post(target["url"], body, headers)


def _ping(url: str, notice: Notice) -> None:
    """Ping; a run's start and end have one ``rid``, by which Healthchecks measures how long it took."""
    address = ping_url(url, notice.profile, notice.config, _PINGED.get(notice.event, ""))
    if notice.run is not None:
        rid = uuid5(NAMESPACE_URL, f"fossul/run/{notice.run}/{notice.url}")
        address += f"{'&' if '?' in address else '?'}rid={rid}"
    post(address, notice.text.encode()[:LONGEST_PING], {"Content-Type": "text/plain; charset=utf-8"})


def _redacted(words: str, target: dict[str, str]) -> str:
    """``words`` without anything of the target that is secret; of an http address its host may be told."""
    secrets = set(target.values())
    for value in target.values():
        scheme, colon, rest = value.partition("://")
        if colon:
            hidden = rest.partition("/")[2] if scheme in ("http", "https") else rest
            parts = _SEPARATORS.split(hidden)
            secrets.update(parts, map(unquote, parts))
    return Redactor(secrets).redact(words)
