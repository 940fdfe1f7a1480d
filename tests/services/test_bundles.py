"""Many incidents at once are few messages to people: each is told once, whatever dies on the way."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections

from tests.factories import make_catalog
from tests.services.notices import MINUTE, NOW, hook, look, run_of
from tests.services.receivers import (
    HttpReceiver,
    MailReceiver,
    http_receiver,
    mail_receiver,
    make_certificate,
)
from workflows_app.domain.notices.redelivery import PAUSES, NotSent
from workflows_app.models import BackupConfig, Channel, Delivery
from workflows_app.services.notices import deliveries
from workflows_app.services.notices.deliveries import (
    TAKEN_FOR,
    Claimed,
    claim_next,
    record_failure,
    record_sent,
)
from workflows_app.services.notices.senders import send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]

SECOND = timedelta(seconds=1)
MANY = 40
JSON_KEYS = [
    *("version", "event", "key", "incident", "state", "title", "reason"),
    *("profile", "config", "policy", "run", "url", "time", "lines"),
]


@pytest.fixture
def mails(tmp_path: Path, monkeypatch) -> Iterator[MailReceiver]:
    paths = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    with mail_receiver(*paths, tls=True) as receiver:
        yield receiver


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def mail_channel(port: int = 9) -> Channel:
    target = {"host": "localhost", "port": str(port), "security": "tls"}
    return hook(
        name="mail", kind="email", target={**target, "sender": "a@example.org", "to": "b@example.org"}
    )


def storage_away(many: int = MANY) -> list[BackupConfig]:
    configs = [make_catalog() for _ in range(many)]
    for config in configs:
        run_of(config, "ERROR", failure="the storage is away")
    return configs


def deliver(channel: Channel, now: datetime) -> int:
    """Send what is due, as a notifier does; answers how many messages that were."""
    count = 0
    while claimed := claim_next(channel.pk, now):
        send(claimed)
        record_sent(claimed, now)
        count += 1
    return count


def places(configs: list[BackupConfig]) -> set[str]:
    return {f"{config.profile.name}/{config.name}" for config in configs}


def told_in(mail) -> list[str]:
    """The configurations that a mail tells of."""
    whole = f"{mail['Subject']}\n{mail.get_body(['plain']).get_content()}"
    lines = re.findall(r"^- (?:Over: )?(\S+): the backup failed", whole, re.MULTILINE)
    return lines or re.findall(r"^(?:Over: )?(\S+): the backup failed", whole, re.MULTILINE)


def test_forty_failures_are_two_mails_and_their_recoveries_two_more(mails):
    channel = mail_channel(mails.port)
    configs = storage_away()
    look()
    assert deliver(channel, NOW) == 1
    assert deliver(channel, NOW + 59 * SECOND) == 0
    assert deliver(channel, NOW + 60 * SECOND) == 1
    first, rest = mails.mails
    assert "the backup failed" in first["Subject"]
    assert rest["Subject"].startswith(f"{MANY - 1} incidents: ")
    assert sorted([*told_in(first), *told_in(rest)]) == sorted(places(configs))
    numbers = {row.notice["run"] for row in Delivery.objects.all()}
    text, html = (rest.get_body([kind]).get_content() for kind in ("plain", "html"))
    linked = {int(number) for number in re.findall(r"^- .*/runs/(\d+)/\s*$", text, re.MULTILINE)}
    assert len(linked) == MANY - 1
    assert linked < numbers
    assert len(re.findall(r'<a href="[^"]+/runs/\d+/">\S+: the backup failed</a>', html)) == MANY - 1

    for config in configs:
        run_of(config, "COMPLETED")
    look(NOW + 2 * MINUTE)
    assert deliver(channel, NOW + 2 * MINUTE) == 1
    assert deliver(channel, NOW + 3 * MINUTE) == 1
    over, all_over = mails.mails[2:]
    assert all_over["Subject"].startswith(f"Over: {MANY - 1} incidents: ")
    assert sorted([*told_in(over), *told_in(all_over)]) == sorted(places(configs))
    # Mail programs put a recovery with its alert.
    assert set(over["References"].split()) < set(f"{first['References']} {rest['References']}".split())
    assert Delivery.objects.filter(sent=True, attempts=1).count() == 2 * MANY
    assert deliver(channel, NOW + timedelta(days=1)) == 0


def test_who_is_told_as_things_go_wrong_hears_at_once_and_then_once_a_minute(mails):
    channel = mail_channel(mails.port)
    at, known = [], []
    for seconds in range(0, 600, 10):
        now = NOW + seconds * SECOND
        if seconds <= 300:
            known += storage_away(1)
        look(now)
        at += [seconds] * deliver(channel, now)
    assert at == [0, 60, 120, 180, 240, 300, 360]
    assert sorted(place for mail in mails.mails for place in told_in(mail)) == sorted(places(known))
    known += storage_away(1)
    look(NOW + 600 * SECOND)
    assert deliver(channel, NOW + 600 * SECOND) == 1


def test_a_recovery_waits_for_the_message_of_its_alert(mails):
    channel = mail_channel(mails.port)
    configs = storage_away(3)
    look()
    for config in configs:
        run_of(config, "COMPLETED")
    look(NOW + 10 * SECOND)
    sent = [deliver(channel, NOW + seconds * SECOND) for seconds in (0, 10, 59, 60, 70)]
    assert sent == [1, 1, 0, 1, 1]
    subjects = [mail["Subject"] for mail in mails.mails]
    assert [subject.startswith("Over: ") for subject in subjects] == [False, True, False, True]
    assert [len(told_in(mail)) for mail in mails.mails] == [1, 1, 2, 2]


def test_what_a_dead_sender_had_taken_is_sent_as_the_same_message(mails):
    channel = mail_channel(mails.port)
    configs = storage_away(4)
    look()
    deliver(channel, NOW)
    dead = claim_next(channel.pk, NOW + MINUTE)
    assert dead is not None
    send(dead)  # and it dies, before it says so
    later = storage_away(1)
    look(NOW + MINUTE + 5 * SECOND)
    assert claim_next(channel.pk, NOW + 2 * MINUTE - SECOND) is None
    after = NOW + MINUTE + TAKEN_FOR + SECOND
    assert deliver(channel, after) == 2
    first, lost, again, new = mails.mails
    assert lost["Message-ID"] == again["Message-ID"]
    assert len({mail["Message-ID"] for mail in mails.mails}) == 3
    assert told_in(lost) == told_in(again)
    assert sorted([*told_in(first), *told_in(again)]) == sorted(places(configs))
    assert set(told_in(new)) == places(later)


def test_what_was_refused_once_is_tried_again_as_it_was_then_given_up_together():
    channel = mail_channel()
    storage_away(4)
    look()
    now, marks, sizes = NOW, [], []
    alone = claim_next(channel.pk, now)
    assert alone is not None
    record_failure(alone, NotSent("away", again=True), now)
    now = NOW + 60 * SECOND
    for _ in range(len(PAUSES) + 1):
        claimed = take_bundle(channel, now)
        marks.append(claimed.mark)
        sizes.append(len(claimed.notice.parts))
        record_failure(claimed, NotSent("away", again=True), now)
        now += 3 * timedelta(hours=1)
    assert (len(set(marks)), set(sizes)) == (1, {3})
    given_up = Delivery.objects.exclude(bundle="")
    assert set(given_up.values_list("sent", "error", "attempts")) == {(False, "away", len(PAUSES) + 1)}
    assert not given_up.filter(done__isnull=True).exists()


def take_bundle(channel: Channel, now: datetime) -> Claimed:
    """The message that tells of several; those that tell of one are left as they are."""
    while claimed := claim_next(channel.pk, now):
        if claimed.notice.parts:
            return claimed
    raise AssertionError("there is no bundle")


def test_of_two_that_form_a_message_one_has_it(monkeypatch):
    channel = mail_channel()
    storage_away(4)
    look()
    first = claim_next(channel.pk, NOW)
    assert first is not None
    record_sent(first, NOW)
    real, asked, rival = deliveries._due, [], []

    def due(now: datetime) -> object:
        asked.append(now)
        if len(asked) == 2:  # The first of the bundle was found, and is about to be taken.
            rival.append(claim_next(channel.pk, now))
        return real(now)

    monkeypatch.setattr(deliveries, "_due", due)
    assert claim_next(channel.pk, NOW + MINUTE) is None
    assert rival[0] is not None
    assert len(rival[0].notice.parts) == 3
    assert set(Delivery.objects.exclude(bundle="").values_list("attempts", "claim")) == {(1, rival[0].claim)}


def test_senders_at_once_tell_of_each_incident_once(mails):
    channel = mail_channel(mails.port)
    configs = storage_away(20)
    look()

    def sender(_: int) -> int:
        try:
            return deliver(channel, NOW + MINUTE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as senders:
        assert sum(senders.map(sender, range(6))) == len(mails.mails) == 1
    assert sorted(told_in(mails.mails[0])) == sorted(places(configs))
    assert Delivery.objects.filter(sent=True, attempts=1).count() == 20


def test_machines_are_told_of_each_incident_by_itself_at_once_in_the_form_that_they_know(receiver):
    channel = hook(receiver.port)
    configs = storage_away()
    look()
    assert deliver(channel, NOW) == MANY
    told = [json.loads(one.body) for one in receiver.received]
    assert {f"{one['profile']}/{one['config']}" for one in told} == places(configs)
    assert all(list(one) == JSON_KEYS for one in told)
    assert not Delivery.objects.exclude(bundle="").exists()


def test_without_a_window_each_incident_is_a_message_of_its_own(mails, settings):
    settings.FOSSUL_NOTIFY_WINDOW_SECONDS = 0
    channel = mail_channel(mails.port)
    storage_away(3)
    look()
    assert deliver(channel, NOW) == 3
    assert [len(told_in(mail)) for mail in mails.mails] == [1, 1, 1]


def test_a_message_has_an_end_and_another_has_the_rest(monkeypatch):
    monkeypatch.setattr(deliveries, "_MOST_BESIDE", 4)
    channel = mail_channel()
    storage_away(12)
    look(NOW)
    sizes = []
    while claimed := claim_next(channel.pk, NOW + MINUTE):
        sizes.append(len(claimed.notice.parts))
        record_sent(claimed, NOW)
    assert sizes == [5, 5, 2]


def test_a_service_of_apprise_that_takes_little_at_once_is_sent_several(receiver):
    target = {"url": f"mmost://localhost:{receiver.port}/abcdefghijkl"}
    channel = hook(name="chat", kind="apprise", target=target)
    configs = storage_away()
    look()
    assert deliver(channel, NOW) == 1
    assert deliver(channel, NOW + MINUTE) == 1
    texts = [json.loads(one.body)["text"] for one in receiver.received]
    assert len(texts) > 2
    assert all(len(text) <= 4000 for text in texts)
    assert all(place in " ".join(texts) for place in places(configs))


def test_a_channel_that_is_disabled_tells_nothing_of_what_waited():
    channel = mail_channel()
    storage_away(3)
    look()
    deliveries.give_up(channel, "The channel was disabled.", NOW)
    assert claim_next(channel.pk, NOW + MINUTE) is None
