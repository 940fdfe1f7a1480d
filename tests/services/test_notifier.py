"""The notifier: it sends once whoever sends, again if need be, and nothing holds it up."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import ADMIN, make_catalog
from tests.services.notices import MINUTE, NOW, hook, look, ping, run_of
from tests.services.receivers import HttpReceiver, http_receiver
from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.notices.incidents import IncidentKind
from workflows_app.domain.notices.redelivery import PAUSES
from workflows_app.domain.runs.protection import ProtectionState
from workflows_app.domain.schedules.schedules import ScheduleKey, parse_timing
from workflows_app.models import (
    Catalogue,
    Channel,
    Delivery,
    Incident,
    NotifierTurn,
    Removal,
)
from workflows_app.services.configurations.catalog import list_configs
from workflows_app.services.notices import deliveries, notifier
from workflows_app.services.notices.incident_facts import Surroundings, look_around
from workflows_app.services.notices.notifier import Notifier
from workflows_app.services.runs import starts
from workflows_app.services.schedules.schedules import create_schedule

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


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


def test_of_two_that_take_the_same_delivery_one_gets_it(monkeypatch):
    channel = hook()
    run_of(make_catalog(), "ERROR")
    look()
    real, asked, rival = deliveries._due, [], []

    def due(now: datetime) -> object:
        asked.append(now)
        if len(asked) == 2:  # It was found, and is about to be taken.
            rival.append(deliveries.claim_next(channel.pk, now))
        return real(now)

    monkeypatch.setattr(deliveries, "_due", due)
    assert deliveries.claim_next(channel.pk, NOW) is None
    assert rival[0] is not None
    assert Delivery.objects.get().attempts == 1


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


async def test_a_notifier_tells_a_chat_of_the_first_at_once_and_of_the_rest_together(receiver, settings):
    settings.FOSSUL_NOTIFY_WINDOW_SECONDS = 2
    target = {"url": f"json://localhost:{receiver.port}/"}
    await sync_to_async(hook)(name="chat", kind="apprise", target=target)
    for _ in range(4):
        await sync_to_async(run_of)(await sync_to_async(make_catalog)(), "ERROR")
    notifying = asyncio.create_task(Notifier().run())
    try:
        await eventually(Delivery.objects.filter(bundle="", sent=True).aexists)
        assert await Delivery.objects.filter(done=None).acount() == 3
        await eventually(lambda: len(receiver.received) == 2)
        await eventually(lambda: Delivery.objects.filter(sent=True).exclude(bundle="").aexists())
    finally:
        notifying.cancel()
        await asyncio.gather(notifying, return_exceptions=True)
    first, rest = (json.loads(one.body)["title"] for one in receiver.received)
    assert first.endswith(": the backup failed")
    assert rest.startswith("3 incidents: ")
    assert await Delivery.objects.filter(sent=True, attempts=1).acount() == 4


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


async def test_a_notifier_ends_at_once_while_something_is_being_sent(receiver):
    await sync_to_async(hook)(receiver.port)
    await sync_to_async(run_of)(await sync_to_async(make_catalog)(), "ERROR")
    begun, release = threading.Event(), threading.Event()

    def sends(claimed: deliveries.Claimed) -> None:
        begun.set()
        assert release.wait(20)

    notifying = asyncio.create_task(Notifier(sends).run())
    try:
        await eventually(begun.is_set)
        notifying.cancel()
        await asyncio.wait_for(asyncio.gather(notifying, return_exceptions=True), 5)
        # It was not said to have been sent: another notifier will.
        assert (await Delivery.objects.aget()).done is None
    finally:
        release.set()


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


async def test_what_temporal_and_the_storages_tell_is_found(temporal_settings):
    """With a real Temporal: a schedule whose promise lapsed, and a backup that its storage has lost."""
    await sync_to_async(hook)()
    config = await sync_to_async(make_catalog)()
    place = (config.profile.name, config.name)
    timing = parse_timing("*/5 * * * *", "UTC", "", "1h", "", now=NOW)
    await create_schedule(ADMIN, ScheduleKey(*place, "daily", "often"), timing)
    now = datetime.now(UTC)

    def backed_up() -> None:
        summary = next(one for one in list_configs(ADMIN) if one.name == config.name)
        run_of(config, "COMPLETED", started=now - timedelta(hours=2), progress={"backup_name": "lost"})
        old = ["old", "daily", int((now - timedelta(hours=3)).timestamp())]
        seen = {"read": now, "tried": now, "points": [old], "storage": summary.storage_mark}
        Catalogue.objects.create(profile=place[0], config=place[1], **seen)

    await sync_to_async(backed_up)()

    async def lapsed() -> Surroundings | None:
        # Temporal's list of schedules follows what happens with a small delay.
        try:
            around = await look_around(now)
        except TemporalUnavailable:
            return None  # What another test's Temporal answered is not forgotten yet.
        return around if around.outlooks[place].protection.state is ProtectionState.LAPSED else None

    around = await eventually(lapsed)
    await sync_to_async(look)(now, around)
    found = {one.kind: one.reason async for one in Incident.objects.all()}
    assert found.keys() == {"unprotected", "missing"}
    assert "older than its schedules promise" in found["unprotected"]
    assert "The backup lost was made" in found["missing"]

    await Removal.objects.acreate(profile=place[0], config=place[1], backup="lost", how="ada", time=now)
    around = await look_around(now)
    await sync_to_async(look)(now + MINUTE, around)
    assert {one.kind async for one in Incident.objects.filter(recovered__isnull=True)} == {"unprotected"}

    # A list of another place says nothing.
    await Catalogue.objects.aupdate(storage="elsewhere")
    around = await look_around(now)
    assert (IncidentKind.UNPROTECTED, *place) in around.unclear
    await sync_to_async(look)(now + 2 * MINUTE, around)
    assert {one.kind async for one in Incident.objects.filter(recovered__isnull=True)} == {"unprotected"}


async def test_the_worker_tells_of_a_real_backup_that_fails_and_of_the_next_one(worker, receiver, tmp_path):
    """With the product's own worker: a run whose command fails is alerted of, and recovers."""
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
