"""Notices reach real servers, and what goes wrong is told without a secret."""

import hashlib
import hmac
import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import ADMIN
from tests.services.receivers import (
    HttpReceiver,
    MailReceiver,
    http_receiver,
    mail_receiver,
    make_certificate,
)
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.notices.notices import Notice, NoticeEvent
from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.models import Channel
from workflows_app.services.notices import channels, outbound
from workflows_app.services.notices.channels import ChannelDraft
from workflows_app.services.notices.deliveries import Claimed
from workflows_app.services.notices.senders import send
from workflows_app.services.notices.time_limits import TimeLimit

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Apprise reads its services when one is first used, and one of them an old module.
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]

SIGNING = "a signing secret of the tests"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch) -> tuple[Path, Path]:
    """What the servers show; the client trusts it."""
    paths = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    return paths


@pytest.fixture
def mails(certificate) -> Iterator[MailReceiver]:
    with mail_receiver(*certificate) as receiver:
        yield receiver


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def notice(event: NoticeEvent = NoticeEvent.ALERT, **changes: object) -> Notice:
    given = {
        "event": event,
        "key": "failed/shop/db/backup#3",
        "title": "shop/db: the backup failed",
        "time": "2026-11-24T08:00:00+00:00",
        "kind": "failed",
        "profile": "shop",
        "config": "db",
        "run": 7,
        "state": "open",
        "reason": "the disk is <full>",
        "url": "https://fossul.example.org/runs/7/",
        "lines": ("INFO begun", "ERROR no space"),
        **changes,
    }
    return Notice.model_validate(given)


def channel(kind: str, target: dict[str, str], *, events: tuple[str, ...] = ("failed",)) -> Channel:
    number = channels.add_channel(
        ADMIN, ChannelDraft(name=f"to-{kind}", kind=kind, target=target, events=events)
    )
    return Channel.objects.get(pk=number)


def mail_target(mails: MailReceiver, **changes: str) -> dict[str, str]:
    return {
        "host": "localhost",
        "port": str(mails.port),
        "security": "starttls",
        "user": mails.user,
        "password": mails.password,
        "sender": "fossul@example.org",
        "to": "ops@example.org, ada@example.org",
        **changes,
    }


def deliver(to: Channel, told: Notice | None = None, number: int = 1) -> None:
    send(Claimed(f"delivery {number}", "claim", 1, told or notice(), to))


def refusal(to: Channel, told: Notice | None = None) -> NotSent:
    with pytest.raises(NotSent) as refused:
        deliver(to, told)
    return refused.value


def test_a_mail_is_sent_with_starttls_and_login_as_text_and_html(mails):
    to = channel("email", mail_target(mails))
    deliver(to)
    deliver(to)
    first, second = mails.mails
    assert first["To"] == "ops@example.org, ada@example.org"
    assert first["Subject"] == "shop/db: the backup failed"
    assert first["X-Fossul-Key"] == "failed/shop/db/backup#3"
    # The same delivery, sent again, is the same mail.
    assert first["Message-ID"] == second["Message-ID"]
    text, html = (first.get_body([kind]).get_content() for kind in ("plain", "html"))
    assert "the disk is <full>" in text
    assert "https://fossul.example.org/runs/7/" in text
    assert "the disk is &lt;full&gt;" in html


def test_a_mail_server_that_is_not_trusted_gets_no_password(mails, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    error = refusal(channel("email", mail_target(mails)))
    assert error.again
    assert "certificate" in str(error)
    assert mails.mails == []


def test_a_wrong_password_is_not_tried_again_and_not_told(mails):
    error = refusal(channel("email", mail_target(mails, password="quite another word")))
    assert not error.again
    assert str(error) == "localhost refused the user 'fossul' or the password."


def test_a_mail_server_with_a_full_disk_is_tried_again(mails):
    mails.refuses = True
    error = refusal(channel("email", mail_target(mails)))
    assert (error.again, str(error)) == (True, "localhost answered 451 the disk of the mail server is full")


def webhook(receiver: HttpReceiver, path: str = "/hook/geheimnis", scheme: str = "http") -> Channel:
    return channel("webhook", {"url": f"{scheme}://localhost:{receiver.port}{path}", "secret": SIGNING})


def test_a_webhook_is_signed_so_that_its_receiver_can_tell(receiver):
    deliver(webhook(receiver))
    (got,) = receiver.received
    assert got.path == "/hook/geheimnis"
    assert got.headers["X-Fossul-Event"] == "incident.opened"
    assert got.headers["X-Fossul-Key"] == "failed/shop/db/backup#3"
    told = json.loads(got.body)
    assert (told["incident"], told["run"], told["state"]) == ("failed", 7, "open")
    parts = dict(part.split("=") for part in got.headers["X-Fossul-Signature"].split(","))
    assert abs(time.time() - int(parts["t"])) < 60
    signed = hmac.new(SIGNING.encode(), parts["t"].encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(signed, parts["v1"])


def test_a_webhook_by_https_is_verified(certificate, monkeypatch):
    with http_receiver(*certificate) as receiver:
        to = webhook(receiver, scheme="https")
        deliver(to)
        assert len(receiver.received) == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        error = refusal(to)
        assert error.again
        assert "its certificate is not to be trusted" in str(error)
        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (503, True), (429, True), (408, True), (400, False), (404, False)]
)
def test_what_a_webhook_answers_says_whether_it_is_tried_again(receiver, status, again):
    receiver.status, receiver.says = status, b"token geheimnis is wrong"
    error = refusal(webhook(receiver))
    assert error.again is again
    assert str(error) == f"localhost answered {status}. token *** is wrong"


def test_a_redirect_is_not_followed(receiver):
    with http_receiver() as other:
        receiver.status, receiver.location = 307, f"http://localhost:{other.port}/"
        error = refusal(webhook(receiver))
        assert (error.again, "a redirect, which is not followed" in str(error)) == (False, True)
        assert other.received == []


def test_a_server_that_is_away_is_tried_again(receiver):
    to = channel("webhook", {"url": "http://localhost:9/geheimnis", "secret": SIGNING})
    error = refusal(to)
    assert (error.again, str(error)) == (True, "localhost could not be reached: Connection refused")


def test_a_server_that_never_answers_is_left(receiver, monkeypatch):
    monkeypatch.setattr(outbound, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        to = channel("webhook", {"url": f"http://localhost:{port}/", "secret": SIGNING})
        assert "it did not answer in time" in str(refusal(to))


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "0.0.0.0",  # noqa: S104
        "100.100.100.200",
        "[fd00:ec2::254]",
    ],
)
@pytest.mark.parametrize("kind", ["webhook", "ping", "apprise", "email"])
def test_a_cloud_s_own_addresses_are_not_reached(host, kind):
    targets = {
        "webhook": {"url": f"http://{host}/latest/meta-data", "secret": SIGNING},
        "ping": {"url": f"http://{host}/latest/meta-data"},
        "apprise": {"url": f"json://{host}/latest"},
        "email": {
            "host": host.strip("[]"),
            "port": "25",
            "security": "none",
            "sender": "a@example.org",
            "to": "b@example.org",
        },
    }
    try:
        to = channel(kind, targets[kind], events=("runs",) if kind == "ping" else ("failed",))
    except ConfigInvalid:
        # Apprise does not take every address of IPv6.
        assert kind == "apprise"
        return
    error = refusal(to)
    assert not error.again
    assert "FOSSUL_NOTIFY_ALLOW" in str(error)


def test_a_name_that_leads_there_is_refused_and_can_be_allowed(monkeypatch, settings):
    found = [(2, 1, 6, "", ("169.254.10.1", 80))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: found)
    with TimeLimit(5) as limit:
        with pytest.raises(NotSent):
            outbound.reach("innocent.example.org", 80, limit)
        settings.FOSSUL_NOTIFY_ALLOW = ["169.254.10.0/24"]
        assert outbound.reach("innocent.example.org", 80, limit) == "169.254.10.1"


def test_apprise_sends_to_the_rest(receiver, caplog):
    to = channel("apprise", {"url": f"json://user:geheimnis@localhost:{receiver.port}/path"})
    assert to.shown == "JSON"
    deliver(to)
    (got,) = receiver.received
    told = json.loads(got.body)
    assert told["title"] == "shop/db: the backup failed"
    assert "the disk is <full>" in told["message"]
    assert told["type"] == "failure"
    receiver.status = 500
    error = refusal(to)
    assert error.again
    assert "did not take it" in str(error)
    assert "geheimnis" not in str(error) + caplog.text


def test_apprise_follows_no_redirect(receiver):
    with http_receiver() as other:
        receiver.status, receiver.location = 307, f"http://localhost:{other.port}/"
        refusal(channel("apprise", {"url": f"json://localhost:{receiver.port}/"}))
        assert other.received == []


@pytest.mark.parametrize(
    "url", ["syslog://", "dbus://", "gnome://", "macosx://", "windows://", "file:///etc", "x"]
)
def test_what_stays_on_the_worker_or_is_no_address_is_refused(url):
    with pytest.raises(ConfigInvalid) as refused:
        channel("apprise", {"url": url})
    assert refused.value.field == "url"
    assert not Channel.objects.exists()


def test_pings_tell_start_success_and_failure_of_one_run(receiver):
    to = channel(
        "ping", {"url": f"http://localhost:{receiver.port}/uuid/{{config}}?create=1"}, events=("runs",)
    )
    for event in (NoticeEvent.RUN_STARTED, NoticeEvent.RUN_SUCCEEDED, NoticeEvent.RUN_FAILED):
        deliver(to, notice(event, kind=""))
    paths = receiver.paths
    rids = {path.partition("rid=")[2] for path in paths}
    assert len(rids) == 1
    rid = rids.pop()
    assert paths == [f"/uuid/db{end}?create=1&rid={rid}" for end in ("/start", "", "/fail")]
    assert b"ERROR no space" in receiver.received[2].body


def test_what_a_library_breaks_with_is_told_by_its_name_alone(receiver, monkeypatch, caplog):
    def broken(*arguments: object) -> None:
        raise ValueError("geheimnis")

    to = webhook(receiver)
    monkeypatch.setattr("workflows_app.services.notices.senders.post", broken)
    with caplog.at_level(logging.DEBUG):
        error = refusal(to)
    assert str(error) == "Sending broke with ValueError."
    assert "geheimnis" not in caplog.text


def test_a_lost_key_is_told(receiver, settings):
    to = webhook(receiver)
    settings.FOSSUL_SECRETS_KEYS = ["another key"]
    error = refusal(to)
    assert not error.again
    assert "FOSSUL_SECRETS_KEY" in str(error)


def test_config_names_make_no_header(receiver):
    deliver(webhook(receiver), notice(key="x\r\nX-Evil: yes\u00e9#1"))
    assert "X-Evil" not in receiver.received[0].headers
