"""Webhooks: the shape that docs/notifications.md promises, and a signature to hold it against."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from workflows_app.domain.notices.notices import Notice, NoticeEvent, tidy
from workflows_app.domain.notices.webhooks import payload, signature

NOTICE = Notice(
    event=NoticeEvent.ALERT,
    key="failed/shop/db/backup#3",
    title="shop/db: the backup failed",
    time=datetime(2026, 11, 24, 8, tzinfo=UTC),
    kind="failed",
    profile="shop",
    config="db",
    run=7,
    state="open",
    reason="disk full",
    url="https://fossul.example.org/runs/7/",
)


def test_the_shape_is_as_documented():
    assert json.loads(payload(NOTICE)) == {
        "version": 1,
        "event": "incident.opened",
        "key": "failed/shop/db/backup#3",
        "incident": "failed",
        "state": "open",
        "title": "shop/db: the backup failed",
        "reason": "disk full",
        "profile": "shop",
        "config": "db",
        "policy": "",
        "run": 7,
        "url": "https://fossul.example.org/runs/7/",
        "time": "2026-11-24T08:00:00+00:00",
        "lines": [],
    }


def test_the_signature_covers_time_and_body():
    body = payload(NOTICE)
    mac = hmac.new(b"a secret of the tests", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert signature("a secret of the tests", 1_700_000_000, body) == f"t=1700000000,v1={mac}"
    assert signature("a secret of the tests", 1_700_000_001, body) != f"t=1700000000,v1={mac}"


def test_what_is_told_has_no_credentials_and_an_end():
    assert tidy("password=hunter2 for x") == "password=*** for x"
    assert len(tidy("x" * 9000)) == 500
