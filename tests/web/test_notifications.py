"""The pages of notices: who may do what, what is refused, what is shown, and that no secret is."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.factories import ADMIN, make_catalog
from tests.web.test_control import login
from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.domain.secrets.sealing import is_sealed
from workflows_app.models import AuditEntry, Channel, Delivery, Incident, NotifierTurn
from workflows_app.services.configurations.secrets import rotate_secrets
from workflows_app.services.notices import channels, deliveries
from workflows_app.services.notices.channels import ChannelDraft
from workflows_app.services.notices.senders import opened_target

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]

SECRET = "geheimnis-der-tests"
TARGETS = {
    "webhook": {"url": f"https://hooks.example.org/{SECRET}", "secret": f"{SECRET}-signing"},
    "apprise": {"url": f"json://user:{SECRET}@example.org/"},
    "ping": {"url": f"https://hc.example.org/{SECRET}"},
    "email": {
        "host": "smtp.example.org",
        "port": "587",
        "security": "starttls",
        "user": "fossul",
        "password": SECRET,
        "sender": "fossul@example.org",
        "to": "ops@example.org",
    },
}


def given(kind: str, **changes: object) -> dict[str, object]:
    base = {
        "name": f"to-{kind}",
        "events": ["runs"] if kind == "ping" else ["failed", "missed"],
        "everything": "yes",
        "enabled": "yes",
        "digest": "",
        "digest_time": "08:00",
        "digest_day": "0",
        "zone": "UTC",
    }
    return {**base, **TARGETS[kind], **changes}


def add(client: Client, kind: str, **changes: object) -> Channel:
    answer = client.post(reverse("new-channel", args=[kind]), given(kind, **changes))
    assert answer.status_code == 302, answer.content.decode()
    return Channel.objects.get(name=changes.get("name", f"to-{kind}"))


def page(number: int) -> str:
    return reverse("channel", args=[number])


def stored() -> str:
    """Everything that the database has of notices, as it is stored."""
    text = []
    for table in ("channel", "delivery", "incident", "auditentry"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM workflows_app_{table}")  # noqa: S608
            text += [str(row) for row in cursor.fetchall()]
    return "\n".join(text)


@pytest.mark.parametrize("kind", list(TARGETS))
def test_a_channel_is_made_and_its_secret_is_never_shown_again(client, kind):
    login(client, "admin")
    form = client.get(reverse("new-channel", args=[kind]))
    assert form.status_code == 200
    channel = add(client, kind)
    assert is_sealed(channel.secret)
    assert SECRET in json.dumps(opened_target(channel))
    shown = (
        client.get(page(channel.pk)).content.decode() + client.get(reverse("notifications")).content.decode()
    )
    assert channel.name in shown
    assert SECRET not in shown
    assert SECRET not in stored()
    assert SECRET not in client.get(reverse("audit")).content.decode()
    assert "added a channel for notices" in client.get(reverse("audit")).content.decode()


@pytest.mark.parametrize("kind", list(TARGETS))
def test_what_is_left_empty_of_a_secret_stays(client, kind):
    login(client, "admin")
    channel = add(client, kind)
    before = opened_target(channel)
    empty = dict.fromkeys(("url", "secret", "password"), "")
    answer = client.post(page(channel.pk), given(kind, name="renamed", do="save", **empty))
    assert answer.status_code == 302
    channel.refresh_from_db()
    assert (channel.name, opened_target(channel)) == ("renamed", before)


@pytest.mark.parametrize(
    "change", [{"host": "evil.example.org"}, {"port": "25"}, {"user": "other"}, {"security": "tls"}]
)
def test_a_stored_password_goes_to_no_other_server(client, change):
    login(client, "admin")
    channel = add(client, "email")
    answer = client.post(page(channel.pk), given("email", do="save", password="", **change))
    assert answer.status_code == 422
    assert "the stored one is for another server" in answer.content.decode()
    channel.refresh_from_db()
    assert channel.options["host"] == "smtp.example.org"


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("webhook", {"name": "a/b"}, "name"),
        ("webhook", {"url": f"gopher://{SECRET}"}, "url"),
        ("webhook", {"secret": "short"}, "secret"),
        ("webhook", {"events": ["nonsense"]}, "events"),
        ("webhook", {"everything": "no"}, "scope"),
        ("webhook", {"everything": "no", "places": ["nowhere"]}, "scope"),
        ("webhook", {"everything": "no", "places": ["nowhere/at-all"]}, "scope"),
        ("webhook", {"digest": "hourly"}, "digest"),
        ("webhook", {"digest_time": "8 o'clock"}, "digest_time"),
        ("webhook", {"digest_day": "7"}, "digest_day"),
        ("webhook", {"zone": "Mars/Olympus"}, "zone"),
        ("ping", {"events": ["runs", "heartbeat"]}, "events"),
        ("ping", {"digest": "daily"}, "digest"),
        ("apprise", {"url": f"syslog://{SECRET}"}, "url"),
        ("email", {"to": "nobody"}, "to"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field_and_saves_nothing(client, kind, changes, field):
    login(client, "admin")
    answer = client.post(reverse("new-channel", args=[kind]), given(kind, **changes))
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert f'<a href="#{field}">{field}</a>' in shown
    assert SECRET not in shown
    assert not Channel.objects.exists()
    assert not AuditEntry.objects.exists()


def test_two_channels_of_one_name_are_refused(client):
    login(client, "admin")
    add(client, "webhook")
    answer = client.post(reverse("new-channel", args=["ping"]), given("ping", name="to-webhook"))
    assert answer.status_code == 422
    assert Channel.objects.count() == 1


def test_a_channel_of_some_configurations_says_which(client):
    login(client, "admin")
    config = make_catalog("shop", "db")
    make_catalog("other", "files")
    channel = add(client, "webhook", everything="no", places=["other", "shop/db"])
    assert (channel.profiles.get().name, channel.configs.get()) == ("other", config)
    shown = client.get(reverse("notifications")).content.decode()
    assert "2 events of other, shop/db" in shown
    form = client.get(page(channel.pk)).content.decode()
    assert 'value="shop/db" checked' in form
    assert 'value="other" checked' in form
    assert 'value="other/files" checked' not in form


def test_a_test_is_asked_of_a_worker_and_its_outcome_shown(client):
    login(client, "admin")
    channel = add(client, "webhook")
    address = reverse("test-channel", args=[channel.pk])
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    row = Delivery.objects.get()
    assert (row.event, row.done) == ("test", None)
    shown = client.get(page(channel.pk)).content.decode()
    assert "on its way" in shown
    claimed = deliveries.claim_next(channel.pk, datetime.now(UTC))
    assert claimed
    deliveries.record_failure(claimed, NotSent("<b>closed</b>", again=True), datetime.now(UTC))
    fragment = client.get(page(channel.pk), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "trying again" in fragment
    assert "&lt;b&gt;closed&lt;/b&gt;" in fragment
    assert "every 1s" in fragment
    Delivery.objects.update(done=datetime.now(UTC), sent=True, error="")
    fragment = client.get(page(channel.pk), headers={"HX-Request": "true"}).content.decode()
    assert "<span>sent</span>" in fragment
    assert "every 1s" not in fragment


def test_a_disabled_channel_sends_nothing_and_is_not_tested(client):
    login(client, "admin")
    channel = add(client, "webhook")
    client.post(reverse("test-channel", args=[channel.pk]))
    changed = {name: value for name, value in given("webhook", do="save").items() if name != "enabled"}
    assert client.post(page(channel.pk), changed).status_code == 302
    row = Delivery.objects.get()
    assert (row.sent, row.error) == (False, "The channel was disabled.")
    assert client.post(reverse("test-channel", args=[channel.pk])).status_code == 409
    assert Delivery.objects.count() == 1


def test_a_channel_is_deleted_when_its_name_is_typed(client):
    login(client, "admin")
    channel = add(client, "webhook")
    answer = client.post(page(channel.pk), {"do": "delete", "confirmation": "to-web"})
    assert answer.status_code == 422
    assert client.post(page(channel.pk), {"do": "delete", "confirmation": "to-webhook"}).status_code == 302
    assert not Channel.objects.exists()
    assert AuditEntry.objects.filter(action="deleted a channel for notices").exists()


def test_who_may_do_what(client):
    login(client, "admin")
    channel = add(client, "webhook")
    for group in ("operator", "viewer"):
        login(client, group)
        listed = client.get(reverse("notifications"))
        assert listed.status_code == 200
        assert "Send a test" not in listed.content.decode()
        for address in (page(channel.pk), reverse("new-channel", args=["webhook"])):
            assert client.get(address).status_code == 403
            assert client.post(address, given("webhook", name="another")).status_code == 403
        assert client.post(reverse("test-channel", args=[channel.pk])).status_code == 403
    client.logout()
    assert client.get(reverse("notifications")).status_code == 302
    assert Channel.objects.count() == 1
    assert not Delivery.objects.exists()


def test_a_change_needs_the_csrf_token(client):
    login(client, "admin")
    channel = add(client, "webhook")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    for address in (page(channel.pk), reverse("test-channel", args=[channel.pk])):
        assert strict.post(address, given("webhook")).status_code == 403


def test_what_does_not_exist_is_not_found(client):
    login(client, "admin")
    assert client.get(page(4711)).status_code == 404
    assert client.post(reverse("test-channel", args=[4711])).status_code == 404
    assert client.get(reverse("new-channel", args=["pigeon"])).status_code == 404
    channel = add(client, "webhook")
    assert client.post(page(channel.pk), {"do": "explode"}).status_code == 404


def test_what_is_wrong_and_what_was_not_sent_is_shown(client):
    login(client, "admin")
    channel = add(client, "webhook")
    now = datetime.now(UTC)
    incident = Incident.objects.create(
        key="failed/shop/db/backup",
        kind="failed",
        profile="shop",
        config="db",
        detail="backup",
        run=7,
        reason="<i>disk full</i>",
        since=now,
        opened=now,
        told=now,
        ended=False,
    )
    notice = {"title": "shop/db: the backup failed"}
    common = {"channel": channel, "incident": incident, "notice": notice, "created": now, "due": now}
    Delivery.objects.create(
        **common, event="incident.opened", key="1", attempts=9, done=now, error="it was closed"
    )
    login(client, "viewer")
    shown = client.get(reverse("notifications")).content.decode()
    assert "shop/db: the backup failed" in shown
    assert "&lt;i&gt;disk full&lt;/i&gt;" in shown
    assert "not sent" in shown
    assert "it was closed" in shown
    assert "Given up after 9 attempts." in shown


def test_what_was_told_together_is_one_row_that_names_each(client):
    login(client, "admin")
    channel = add(client, "email")
    now = datetime.now(UTC)
    for n in range(60):
        place = {"profile": "shop", "config": f"db{n}", "title": f"shop/db{n}: the <backup> failed"}
        bundle = {"bundle": "" if n == 0 else "one", "done": now, "sent": True, "attempts": 1}
        Delivery.objects.create(
            channel=channel,
            event="incident.opened",
            key=f"incident-{n}",
            notice=place,
            created=now,
            due=now,
            planned=now,
            **bundle,
        )
    Delivery.objects.create(
        channel=channel,
        event="incident.opened",
        key="waits",
        notice={"title": "shop/late: the backup failed"},
        created=now,
        due=now + timedelta(seconds=60),
        planned=now + timedelta(seconds=60),
    )
    shown = client.get(reverse("notifications"), headers={"HX-Request": "true"}).content.decode()
    rows = shown.split("<tr")[2:]
    assert len(rows) == 3
    late, together, alone = rows
    assert "to be told with what else comes" in late
    assert "59 incidents: shop/db1, shop/db2, shop/db3 and 56 more" in together
    assert "59 told together" in together
    assert together.count("<li>") == 59
    assert "shop/db42: the &lt;backup&gt; failed" in together
    assert "told together" not in alone
    assert "shop/db0: the &lt;backup&gt; failed" in alone
    whole = client.get(reverse("notifications"))
    assert "59 told together" in whole.content.decode()


def test_while_nobody_looks_nothing_is_called_well(client):
    login(client, "viewer")
    shown = client.get(reverse("notifications")).content.decode()
    assert "No worker has ever looked for what is wrong." in shown
    turn = NotifierTurn.objects.create(until=datetime.now(UTC), looked=datetime.now(UTC))
    shown = client.get(reverse("notifications")).content.decode()
    assert "Nothing. A worker looked" in shown
    NotifierTurn.objects.filter(pk=turn.pk).update(looked=datetime.now(UTC) - timedelta(minutes=5))
    shown = client.get(reverse("notifications")).content.decode()
    assert "No worker has looked for what is wrong since" in shown
    assert "Nothing. A worker looked" not in shown


def test_a_new_key_seals_the_secrets_of_channels_anew(client, settings):
    draft = ChannelDraft("hook", "webhook", TARGETS["webhook"], ["failed"])
    number = channels.add_channel(ADMIN, draft)
    settings.FOSSUL_SECRETS_KEYS = ["a new key", *settings.FOSSUL_SECRETS_KEYS]
    rotate_secrets(ADMIN)
    settings.FOSSUL_SECRETS_KEYS = ["a new key"]
    assert opened_target(Channel.objects.get(pk=number)) == TARGETS["webhook"]
