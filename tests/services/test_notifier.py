"""The notifier: one alert per incident, one recovery, sent once whoever sends, and again when it could not be."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import eventually
from tests.factories import ADMIN, make_catalog, make_run
from tests.services.receivers import HttpReceiver, http_receiver
from workflows_app.domain.channels import DEFAULT_ALERTS
from workflows_app.domain.incidents import QUIET_AFTER, IncidentKind
from workflows_app.domain.redelivery import PAUSES
from workflows_app.models import (
    BackupConfig,
    Channel,
    Delivery,
    Incident,
    NotifierTurn,
    Run,
    RunMessage,
    Verification,
)
from workflows_app.services import channels, deliveries, notifier, starts
from workflows_app.services.channels import ChannelDraft
from workflows_app.services.incident_facts import Surroundings
from workflows_app.services.notifier import Notifier, settle, take_turn

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SIGNING = "a signing secret of the tests"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def hook(receiver_port: int = 9, name: str = "hook", **changes: object) -> Channel:
    draft = ChannelDraft(
        **{
            "name": name,
            "kind": "webhook",
            "target": {"url": f"http://localhost:{receiver_port}/geheimnis", "secret": SIGNING},
            "events": DEFAULT_ALERTS,
            **changes,
        }
    )
    return Channel.objects.get(pk=channels.add_channel(ADMIN, draft))


def ping(receiver_port: int = 9, events: tuple[str, ...] = ("runs",), **changes: object) -> Channel:
    target = {"url": f"http://localhost:{receiver_port}/ping"}
    return hook(name=f"ping-{events[0]}", kind="ping", target=target, events=events, **changes)


def run_of(config: BackupConfig, status: str, **changes: object) -> Run:
    run = make_run(profile=config.profile.name, config=config.name, status=status, **changes)
    if status != "RUNNING":
        Run.objects.filter(pk=run.pk).update(finished=changes.get("started", NOW))
    return run


def look(now: datetime = NOW, around: Surroundings | None = None, name: str = "me") -> None:
    assert take_turn(name, now)
    settle(name, around, now)


def events() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("event", flat=True))


def nothing_around() -> Surroundings:
    return Surroundings({}, {}, {}, frozenset())


def test_a_failing_backup_is_one_alert_and_its_success_one_recovery():
    hook()
    config = make_catalog()
    run_of(config, "ERROR", failure="disk full, password=hunter2hunter2")
    look()
    run_of(config, "ERROR", failure="disk still full")
    look(NOW + MINUTE)
    look(NOW + 2 * MINUTE)
    assert events() == ["incident.opened"]
    incident = Incident.objects.get()
    told = Delivery.objects.get().notice
    assert told["key"] == f"failed/{config.profile.name}/{config.name}/backup#{incident.pk}"
    assert "disk full, password=***" in told["reason"]
    assert told["url"].endswith(f"/runs/{told['run']}/")
    run_of(config, "COMPLETED")
    look(NOW + 3 * MINUTE)
    look(NOW + 4 * MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]
    incident.refresh_from_db()
    assert (incident.recovered, incident.over) == (NOW + 3 * MINUTE, "A later run went well.")
    opened, over = Delivery.objects.order_by("pk")
    assert over.notice["key"] == opened.notice["key"]
    assert (over.stream, over.notice["state"]) == (opened.stream, "recovered")


def test_a_cancelled_run_neither_alerts_nor_recovers():
    hook()
    config = make_catalog()
    run_of(config, "ERROR")
    look()
    run_of(config, "CANCELLED")
    look(NOW + MINUTE)
    assert events() == ["incident.opened"]
    assert Incident.objects.get().recovered is None


def test_what_comes_and_goes_is_told_in_peace():
    hook()
    config = make_catalog()
    now = NOW
    for _ in range(5):
        run_of(config, "ERROR")
        look(now := now + MINUTE)
        run_of(config, "COMPLETED")
        look(now := now + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]
    assert Incident.objects.count() == 1
    run_of(config, "ERROR")
    look(now + MINUTE)
    look(NOW + QUIET_AFTER + 2 * MINUTE)
    assert events() == ["incident.opened", "incident.recovered", "incident.opened"]


def test_what_lasts_is_called_to_mind(settings):
    settings.FOSSUL_NOTIFY_REMIND_HOURS = 2
    hook()
    run_of(make_catalog(), "ERROR")
    for hours in range(5):
        look(NOW + timedelta(hours=hours))
    assert events() == ["incident.opened", "incident.reminder", "incident.reminder"]


def test_a_channel_hears_of_what_it_chose_alone():
    heard, other = make_catalog(), make_catalog()
    hook(name="by-config", everything=False, configs=[(heard.profile.name, heard.name)])
    hook(name="by-profile", everything=False, profiles=[heard.profile.name])
    hook(name="by-event", events=["missed"])
    hook(name="disabled", enabled=False)
    run_of(heard, "ERROR")
    run_of(other, "ERROR")
    look()
    told = Delivery.objects.order_by("pk").values_list("channel__name", "notice__config")
    assert sorted(told) == [("by-config", heard.name), ("by-profile", heard.name)]
    # Who was not told that it began is not told that it is over.
    run_of(heard, "COMPLETED")
    look(NOW + MINUTE)
    assert Delivery.objects.filter(event="incident.recovered").count() == 2


def test_a_channel_follows_a_renamed_configuration():
    config = make_catalog()
    hook(everything=False, configs=[(config.profile.name, config.name)])
    BackupConfig.objects.filter(pk=config.pk).update(name="renamed")
    config.refresh_from_db()
    run_of(config, "ERROR")
    look()
    assert events() == ["incident.opened"]


def test_a_configuration_that_is_gone_ends_its_incidents_and_says_so():
    hook()
    config = make_catalog()
    run_of(config, "ERROR")
    look()
    config.delete()
    look(NOW + MINUTE)
    assert Incident.objects.get().over == "There is no configuration of that name any more."


@pytest.mark.parametrize("status", ["MISSED", "SKIPPED"])
def test_a_run_that_never_began_is_told_and_made_good_by_a_later_one(status):
    hook(events=[kind.value for kind in IncidentKind])
    config = make_catalog()
    run_of(config, "COMPLETED", started=NOW - 3 * MINUTE)
    run_of(config, status, started=NOW - 2 * MINUTE, failure="nobody was there")
    look()
    assert Incident.objects.get().kind == status.lower()
    run_of(config, "COMPLETED", started=NOW - MINUTE)
    look(NOW + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]


def progress(**changes: object) -> dict[str, object]:
    return {"state": "RUNNING", "frozen_since": (NOW - timedelta(hours=5)).isoformat(), **changes}


def test_a_freeze_beyond_its_budget_and_a_failed_thaw_are_told():
    hook()
    config, failed = make_catalog(), make_catalog()
    run = run_of(config, "RUNNING", progress=progress(still_frozen=["quiesce"]))
    left = run_of(failed, "ERROR", progress=progress(still_frozen=["quiesce"], thaw_failed=True))
    look()
    found = {(one.kind, one.run) for one in Incident.objects.all()}
    assert found == {("frozen", run.pk), ("frozen", left.pk), ("failed", left.pk)}
    Run.objects.filter(pk=run.pk).update(progress=progress(still_frozen=[]))
    look(NOW + MINUTE)
    assert Incident.objects.get(run=run.pk).recovered is not None


def test_a_run_that_waits_for_a_person_is_told_until_somebody_decides():
    hook()
    run = run_of(make_catalog(), "RUNNING", progress={"pause_until": (NOW + timedelta(hours=2)).isoformat()})
    look()
    assert Incident.objects.get().kind == "waiting"
    Run.objects.filter(pk=run.pk).update(progress={})
    look(NOW + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]


def test_a_failed_verification_is_told_until_a_later_one_is_good():
    hook()
    config = make_catalog()
    place = {"profile": config.profile.name, "config": config.name, "backup": "b1", "started": NOW}
    Verification.objects.create(**place, state="FAILED", words="2 files differ")
    look()
    assert "2 files differ" in Incident.objects.get(kind="damaged").reason
    Verification.objects.create(**place, state="GOOD")
    look(NOW + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]


def test_what_temporal_was_not_asked_stays_as_it_was():
    hook()
    config = make_catalog()
    place = (config.profile.name, config.name)
    late = Surroundings({place: NOW - timedelta(hours=1)}, {}, {place: ("b1",)}, frozenset())
    look(around=late)
    assert {one.kind for one in Incident.objects.all()} == {"overdue", "missing"}
    look(NOW + MINUTE, around=None)
    assert not Incident.objects.filter(recovered__isnull=False).exists()
    unclear = Surroundings({}, {}, {}, frozenset({(IncidentKind.MISSING, *place)}))
    look(NOW + 2 * MINUTE, around=unclear)
    assert {one.kind for one in Incident.objects.filter(recovered__isnull=True)} == {"missing"}


def test_whoever_lost_the_turn_writes_nothing():
    hook()
    run_of(make_catalog(), "ERROR")
    assert take_turn("slow", NOW)
    assert not take_turn("other", NOW)
    assert take_turn("other", NOW + timedelta(minutes=5))
    settle("slow", None, NOW + timedelta(minutes=5))
    assert not Incident.objects.exists()


def test_a_look_costs_the_same_however_many_runs_there_are():
    hook()
    config = make_catalog()
    run_of(config, "ERROR")
    look()
    with CaptureQueriesContext(connection) as few:
        look(NOW + MINUTE)
    for _ in range(30):
        run_of(make_catalog(), "COMPLETED")
        run_of(config, "COMPLETED")
        run_of(config, "ERROR")
    look(NOW + 2 * MINUTE)
    with CaptureQueriesContext(connection) as many:
        look(NOW + 3 * MINUTE)
    assert len(many) == len(few)


# Runs


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


# Digests


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


# Sending


async def drain(one: Notifier, channel: Channel) -> None:
    await one.send_to(channel.pk)


async def test_two_notifiers_at_once_look_and_send_once(receiver):
    channel = await sync_to_async(hook)(receiver.port)

    def fail_many() -> None:
        for _ in range(20):
            run_of(make_catalog(), "ERROR")

    await sync_to_async(fail_many)()
    both = Notifier(), Notifier()
    await asyncio.gather(*(one.look() for one in both for _ in range(3)))
    assert await Delivery.objects.acount() == 20
    await asyncio.gather(*(drain(one, channel) for one in both for _ in range(3)))
    keys = [json.loads(one.body)["key"] for one in receiver.received]
    assert len(keys) == len(set(keys)) == 20
    assert await Delivery.objects.filter(sent=True, attempts=1).acount() == 20


async def test_a_server_that_is_away_is_tried_again_then_given_up_and_the_page_can_tell(receiver):
    channel = await sync_to_async(hook)(receiver.port)
    await sync_to_async(run_of)(await sync_to_async(make_catalog)(), "ERROR")
    one = Notifier()
    await one.look()
    receiver.status, receiver.says = 503, b"geheimnis is closed"
    row = Delivery.objects.filter(channel=channel)
    for attempt in range(1, len(PAUSES) + 2):
        await drain(one, channel)
        await drain(one, channel)
        found = await row.aget()
        assert (found.attempts, found.sent) == (attempt, False)
        assert found.error == "localhost answered 503. *** is closed"
        assert (found.done is None) == (attempt <= len(PAUSES))
        await row.aupdate(due=datetime.now(UTC))
    assert len(receiver.received) == len(PAUSES) + 1


async def test_a_server_that_comes_back_gets_what_waited_in_its_order(receiver):
    channel = await sync_to_async(hook)(receiver.port)
    config = await sync_to_async(make_catalog)()
    await sync_to_async(run_of)(config, "ERROR")
    one = Notifier()
    await one.look()
    receiver.status = 500
    await drain(one, channel)
    await sync_to_async(run_of)(config, "COMPLETED")
    await one.look()
    receiver.status = 200
    await drain(one, channel)
    # The recovery does not overtake the alert.
    assert [json.loads(each.body)["event"] for each in receiver.received] == ["incident.opened"]
    await Delivery.objects.aupdate(due=datetime.now(UTC))
    await drain(one, channel)
    told = [json.loads(each.body)["event"] for each in receiver.received]
    assert told == ["incident.opened", "incident.opened", "incident.recovered"]


async def test_what_a_dead_notifier_has_taken_another_sends(receiver):
    channel = await sync_to_async(hook)(receiver.port)
    await sync_to_async(run_of)(await sync_to_async(make_catalog)(), "ERROR")
    one = Notifier()
    await one.look()
    assert await sync_to_async(deliveries.claim_next)(channel.pk, datetime.now(UTC))
    await drain(one, channel)
    assert receiver.received == []
    await Delivery.objects.aupdate(taken_until=datetime.now(UTC) - MINUTE)
    await drain(one, channel)
    assert len(receiver.received) == 1
    assert (await Delivery.objects.aget()).attempts == 2


async def test_a_slow_channel_holds_up_no_other(receiver):
    slow = await sync_to_async(hook)(receiver.port, "slow")
    quick = await sync_to_async(hook)(receiver.port, "quick")
    await sync_to_async(run_of)(await sync_to_async(make_catalog)(), "ERROR")
    release = threading.Event()
    sent: list[str] = []

    def sends(claimed: deliveries.Claimed) -> None:
        if claimed.channel.pk == slow.pk:
            assert release.wait(20)
        sent.append(claimed.channel.name)

    notifying = asyncio.create_task(Notifier(sends).run())
    try:
        await eventually(lambda: sent == [quick.name])
        release.set()
        await eventually(lambda: sorted(sent) == ["quick", "slow"])
    finally:
        release.set()
        notifying.cancel()
        await asyncio.gather(notifying, return_exceptions=True)


async def test_a_notifier_outlives_what_goes_wrong(receiver, monkeypatch):
    await sync_to_async(hook)(receiver.port)
    await sync_to_async(run_of)(await sync_to_async(make_catalog)(), "ERROR")
    monkeypatch.setattr(notifier, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(notifier, "TICK_SECONDS", 0.02)
    good, broken = notifier.recorded_facts, 0

    def facts() -> object:
        nonlocal broken
        broken += 1
        if broken < 3:
            raise ValueError("a mistake")
        return good()

    monkeypatch.setattr(notifier, "recorded_facts", facts)
    notifying = asyncio.create_task(Notifier().run())
    try:
        await eventually(lambda: len(receiver.received) == 1)
    finally:
        notifying.cancel()
        await asyncio.gather(notifying, return_exceptions=True)


async def test_the_worker_tells_of_a_real_backup_that_fails_and_of_the_next_one(worker, receiver, tmp_path):
    """With the product's own worker: a run that fails, by a command that fails, is alerted of and recovers."""
    await sync_to_async(hook)(receiver.port)
    await sync_to_async(ping)(receiver.port)
    flag = tmp_path / "well"
    script = tmp_path / "maybe.sh"
    script.write_text(f'#!/bin/sh\ntest -e "{flag}"\n')
    script.chmod(0o755)
    config = await sync_to_async(make_catalog)(backupCreateCmd=str(script))
    await eventually(lambda: NotifierTurn.objects.filter(last_run__isnull=False).aexists(), 20)
    await starts.start_backup(ADMIN, config.profile.name, config.name, "daily")

    def paths() -> list[str]:
        return [path.partition("?")[0] for path in receiver.paths]

    await eventually(lambda: "/geheimnis" in paths() and "/ping/fail" in paths(), 30)
    flag.touch()
    await starts.start_backup(ADMIN, config.profile.name, config.name, "daily")
    await eventually(lambda: paths().count("/geheimnis") == 2 and "/ping" in paths(), 30)
    told = [json.loads(one.body) for one in receiver.received if one.path == "/geheimnis"]
    assert [one["event"] for one in told] == ["incident.opened", "incident.recovered"]
    assert told[0]["key"] == told[1]["key"]
