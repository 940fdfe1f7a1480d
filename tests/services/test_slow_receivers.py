"""Who is told byte by byte, or without end, is listened to for so long and so much, and no longer."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.receivers import (
    DrippingServer,
    dripping_server,
    mail_receiver,
    make_certificate,
)
from tests.services.test_senders import SIGNING, channel, deliver, refusal
from workflows_app.models import Channel
from workflows_app.services.notices import apprise_channels, mails, outbound, watched_mail
from workflows_app.services.notices.apprise_process import MOST_MEMORY
from workflows_app.services.notices.deliveries import TAKEN_FOR
from workflows_app.services.notices.time_limits import TimeLimit

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]

# The beginning of a TLS record that goes on for 16 kB.
TLS_RECORD = b"\x16\x03\x03\x40\x00"


@pytest.fixture(autouse=True)
def short(monkeypatch) -> None:
    """Much less than a server may be silent: what ends in time has not been silent."""
    monkeypatch.setattr(outbound, "WHOLE_SECONDS", 0.6)
    monkeypatch.setattr(mails, "WHOLE_SECONDS", 0.6)
    monkeypatch.setattr(apprise_channels, "WHOLE_SECONDS", 1)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """No attempt takes as long as its server would have it, nor leaves a thread behind."""
    before, began = set(threading.enumerate()), time.monotonic()
    yield
    assert time.monotonic() - began < 10
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def webhook(port: int, scheme: str = "http") -> Channel:
    return channel("webhook", {"url": f"{scheme}://localhost:{port}/hook", "secret": SIGNING})


def mail(port: int, security: str = "none") -> Channel:
    target = {"host": "localhost", "port": str(port), "security": security}
    return channel("email", {**target, "sender": "a@example.org", "to": "b@example.org"})


@pytest.mark.parametrize(
    ("scheme", "first"),
    [
        ("http", b""),
        ("http", b"HTTP/1.1 200 OK\r\nX-Drip: "),
        ("http", b"HTTP/1.1 100 Continue\r\nX-Drip: "),
        ("https", TLS_RECORD),
    ],
)
def test_a_webhook_s_receiver_that_drips_is_left_when_the_time_is_over(scheme, first):
    with dripping_server(DrippingServer(first)) as server:
        error = refusal(webhook(server.port, scheme))
        assert server.gone.wait(5)
        assert server.said > 1, "it was not silent"
    assert error.again
    assert str(error) == "localhost could not be reached: its answer took longer than 1 s"


def test_an_answer_that_drips_still_says_what_its_status_says():
    first = b"HTTP/1.1 404 Not Found\r\nContent-Length: 300\r\n\r\n"
    with dripping_server(DrippingServer(first)) as server:
        error = refusal(webhook(server.port))
    assert (error.again, "localhost answered 404" in str(error)) == (False, True)


@pytest.mark.parametrize("headers", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_of_an_answer_without_end_only_the_beginning_is_read(headers):
    first = b"HTTP/1.1 404 Not Found\r\n" + headers + b"\r\n"
    drop = b"10000\r\n" + b"x" * 0x10000 + b"\r\n" if headers else b"x" * 0x10000
    with dripping_server(DrippingServer(first, drop, pause=0)) as server:
        error = refusal(webhook(server.port))
        assert server.gone.wait(5)
    assert not error.again
    assert len(str(error)) < 400
    assert server.said < 64 * 2**20, "what the kernels' buffers hold, and not what comes in half a second"


@pytest.mark.parametrize(
    ("security", "first"),
    [("none", b"220-wel"), ("none", b"220-welcome\r\n220-"), ("starttls", b"220-"), ("tls", TLS_RECORD)],
)
def test_a_mail_server_that_drips_is_left_when_the_time_is_over(security, first):
    with dripping_server(DrippingServer(first)) as server:
        error = refusal(mail(server.port, security))
        assert server.gone.wait(5)
        assert server.said > 1
    assert (error.again, str(error)) == (True, f"localhost:{server.port} took longer than 1 s.")


def test_a_mail_server_that_says_more_than_it_may_is_left(monkeypatch):
    monkeypatch.setattr(mails, "WHOLE_SECONDS", 9.0)
    with dripping_server(DrippingServer(b"220-hi\r\n", b"220-and so on\r\n" * 1000, pause=0)) as server:
        error = refusal(mail(server.port))
        assert server.gone.wait(5)
    assert error.again
    assert f"it said more than {watched_mail.MOST_SAID // 1024} KiB" in str(error)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch) -> tuple[Path, Path]:
    paths = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    return paths


def test_a_mail_by_tls_is_verified_by_name(certificate, monkeypatch):
    monkeypatch.setattr(mails, "WHOLE_SECONDS", 9.0)
    with mail_receiver(*certificate, tls=True) as receiver:
        to = mail(receiver.port, "tls")
        deliver(to)
        assert len(receiver.mails) == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        assert "certificate" in str(refusal(to))
        assert len(receiver.mails) == 1


def test_a_mail_that_was_taken_is_sent_whatever_is_answered_to_the_good_bye(certificate, monkeypatch):
    with mail_receiver(*certificate, tls=True) as receiver:
        receiver.silent_at_quit = True
        deliver(mail(receiver.port, "tls"))
        assert len(receiver.mails) == 1


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_service_of_apprise_that_drips_is_left_when_the_time_is_over(first):
    with dripping_server(DrippingServer(first)) as server:
        error = refusal(channel("apprise", {"url": f"json://localhost:{server.port}/"}))
        assert server.gone.wait(5)
        assert server.said > 1
    assert (error.again, str(error)) == (True, "JSON took longer than 1 s.")


def test_an_answer_without_end_to_apprise_ends_its_process_alone(monkeypatch):
    monkeypatch.setattr(apprise_channels, "WHOLE_SECONDS", 9)
    first = b"HTTP/1.1 200 OK\r\n\r\n"
    with dripping_server(DrippingServer(first, b"x" * 2**20, pause=0)) as server:
        error = refusal(channel("apprise", {"url": f"json://localhost:{server.port}/"}))
        assert server.gone.wait(5)
    assert (error.again, str(error)) == (True, "Sending to JSON broke, with exit code 1.")
    assert server.said < MOST_MEMORY


@pytest.mark.parametrize("kind", ["webhook", "email", "apprise"])
def test_a_look_up_that_hangs_is_left_when_the_time_is_over(monkeypatch, kind):
    to = {
        "webhook": webhook(9),
        "email": mail(9),
        "apprise": channel("apprise", {"url": "json://localhost:9/"}),
    }
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: release.wait(20))
    try:
        error = refusal(to[kind])
    finally:
        release.set()
    assert error.again
    assert "cannot be looked up: it did not answer in time" in str(error)


def test_what_is_watched_when_the_time_is_over_already_ends_at_once():
    first, second = socket.socketpair(), socket.socketpair()
    with ExitStack() as stack:
        for each in (*first, *second):
            stack.enter_context(each)
        limit = stack.enter_context(TimeLimit(0.05))
        limit.watch(first[0])
        assert first[0].recv(1) == b""
        assert limit.passed
        limit.watch(second[0])
        assert second[0].recv(1) == b""


def test_every_attempt_is_over_before_another_sender_may_take_it(monkeypatch):
    monkeypatch.undo()
    longest = max(outbound.WHOLE_SECONDS, mails.WHOLE_SECONDS, 2.0 * apprise_channels.WHOLE_SECONDS)
    assert longest + 20 < TAKEN_FOR.total_seconds()
