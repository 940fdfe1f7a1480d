"""What a webhook is sent, and how its receiver can tell that we sent it (docs/notifications.md)."""

import hashlib
import hmac
import json

from workflows_app.domain.notices.notices import Notice

SIGNATURE = "X-Fossul-Signature"
KEY = "X-Fossul-Key"
EVENT = "X-Fossul-Event"
VERSION = 1


def payload(notice: Notice) -> bytes:
    """Answer the JSON that is posted. Keys may be added, none is renamed."""
    told = {
        "version": VERSION,
        "event": notice.event.value,
        "key": notice.key,
        "incident": notice.kind,
        "state": notice.state,
        "title": notice.title,
        "reason": notice.reason,
        "profile": notice.profile,
        "config": notice.config,
        "policy": notice.policy,
        "run": notice.run,
        "url": notice.url,
        "time": notice.time.isoformat(timespec="seconds"),
        "lines": list(notice.lines),
    }
    return json.dumps(told, ensure_ascii=False).encode()


def header_key(key: str) -> str:
    """Answer a notice's key as a header may hold it: in ASCII, on one line."""
    return key.encode("unicode_escape").decode()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Answer the value of the signature's header: ``t=<seconds>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>``.

    The time is signed, too, so that a receiver can refuse what somebody recorded and sends again
    (https://docs.stripe.com/webhooks#verify-manually).
    """
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"
