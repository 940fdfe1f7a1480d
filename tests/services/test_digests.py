"""Digests: one when it is due, or late, and with what is known."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_catalog
from tests.services.notices import MINUTE, NOW, hook, look, nothing_around, run_of
from workflows_app.models import (
    Channel,
    Delivery,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]


def digest_hook(due: datetime, **changes: object) -> Channel:
    channel = hook(digest="daily", digest_time="08:00", zone="Europe/Berlin", **changes)
    Channel.objects.filter(pk=channel.pk).update(digest_due=due)
    return channel


def test_a_digest_comes_once_when_it_is_due_and_says_that_it_is_late():
    due = datetime(2026, 11, 22, 7, tzinfo=UTC)
    channel = digest_hook(due)
    config = make_catalog()
    run_of(config, "COMPLETED", started=NOW - timedelta(hours=8), backup_bytes=5 * 2**20)
    look(around=nothing_around())
    look(NOW + MINUTE, nothing_around())
    (told,) = Delivery.objects.filter(event="digest")
    assert told.notice["key"] == "digest/2026-11-24T07:00Z"
    assert "5 h late" in told.notice["reason"]
    assert "1 backups completed" in told.notice["reason"]
    assert "5.0 MiB" in told.notice["lines"][0]
    channel.refresh_from_db()
    assert channel.digest_due == datetime(2026, 11, 25, 7, tzinfo=UTC)


def test_a_digest_without_temporal_says_what_is_not_known():
    digest_hook(NOW)
    make_catalog()
    look()
    told = Delivery.objects.get(event="digest").notice
    assert "not known: Temporal did not answer" in told["lines"][0]
    assert "to look at" in told["title"]
