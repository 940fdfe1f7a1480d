"""Runs: each backup is pinged when it begins and ends, once; the heartbeat beats while all is there."""

import pytest

from tests.factories import make_catalog
from tests.services.notices import MINUTE, NOW, events, hook, look, nothing_around, ping, run_of
from workflows_app.models import (
    Delivery,
    Run,
    RunMessage,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]


def test_every_backup_is_pinged_when_it_begins_and_ends_and_not_twice():
    ping()
    config = make_catalog()
    old = run_of(config, "COMPLETED")
    look()
    queued = run_of(config, "QUEUED")
    Run.objects.filter(pk=queued.pk).update(finished=None)
    running = run_of(config, "RUNNING")
    run_of(config, "MISSED")
    run_of(config, "RUNNING", type="restore")
    look(NOW + MINUTE)
    RunMessage.objects.create(
        run=running, step=1, attempt=1, seq=1, time=NOW, level="INFO", text="token=hunter2hunter2"
    )
    Run.objects.filter(pk=running.pk).update(status="ERROR", finished=NOW, failure="no space")
    Run.objects.filter(pk=queued.pk).update(status="RUNNING")
    look(NOW + 2 * MINUTE)
    Run.objects.filter(pk=queued.pk).update(status="COMPLETED", finished=NOW)
    look(NOW + 3 * MINUTE)
    look(NOW + 4 * MINUTE)
    told = list(Delivery.objects.order_by("pk").values_list("event", "notice__run"))
    assert sorted(told) == sorted(
        [
            ("run.started", running.pk),
            ("run.failed", running.pk),
            ("run.started", queued.pk),
            ("run.succeeded", queued.pk),
        ]
    )
    failed = Delivery.objects.get(event="run.failed").notice
    assert failed["lines"] == ["INFO token=***"]
    assert "no space" in failed["reason"]
    assert (failed["title"].split(": ")[1], failed["state"]) == ("backup failed", "ERROR")
    assert old.pk not in {run for _, run in told}


def test_a_row_that_comes_late_with_a_smaller_number_is_seen():
    ping()
    config = make_catalog()
    look()
    base = run_of(config, "COMPLETED").pk
    look(NOW + MINUTE)
    run_of(config, "COMPLETED", id=base + 2)
    look(NOW + 2 * MINUTE)
    run_of(config, "COMPLETED", id=base + 1)
    look(NOW + 3 * MINUTE)
    assert {row.notice["run"] for row in Delivery.objects.all()} == {base, base + 1, base + 2}


def test_success_is_told_to_those_who_want_it():
    hook(name="wants", events=["succeeded"])
    hook(name="does-not")
    config = make_catalog()
    look()
    run_of(config, "COMPLETED")
    look(NOW + MINUTE)
    assert list(Delivery.objects.values_list("channel__name", "event")) == [("wants", "run.succeeded")]


def test_the_heartbeat_beats_only_while_temporal_answers():
    ping(events=("heartbeat",))
    look()
    assert events() == []
    look(NOW + MINUTE, nothing_around())
    look(NOW + 2 * MINUTE, nothing_around())
    assert events() == ["heartbeat"]
    look(NOW + 7 * MINUTE, nothing_around())
    assert events() == ["heartbeat", "heartbeat"]
