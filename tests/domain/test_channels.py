"""Channels as they are written: what is refused, what is shown, when digests are due."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.notices.channels import (
    ChannelKind,
    Rhythm,
    check_events,
    check_url,
    next_digest,
    parse_mail_server,
    ping_url,
    shown_url,
)

MAIL = {
    "host": "smtp.example.org",
    "port": "587",
    "security": "starttls",
    "user": "fossul",
    "sender": "Fossul <fossul@example.org>",
    "to": "ops@example.org, ada@example.org",
}


def test_a_mail_server_is_taken_as_it_is_written():
    server = parse_mail_server(MAIL)
    assert server.to == ("ops@example.org", "ada@example.org")
    assert server.login == ("smtp.example.org", 587, "fossul", "starttls")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", ""),
        ("host", "smtp://x"),
        ("port", "0"),
        ("port", "70000"),
        ("port", "²"),
        ("security", "none"),
        ("security", "ssl"),
        ("sender", "nobody"),
        ("to", " , "),
        ("to", "a@b, c"),
        ("to", ",".join(f"a{n}@b" for n in range(51))),
        ("sender", "a@b\r\nBcc: c@d"),
    ],
)
def test_what_is_wrong_with_a_mail_server_is_named(field, value):
    with pytest.raises(ConfigInvalid) as refused:
        parse_mail_server({**MAIL, field: value})
    assert refused.value.field == field


@pytest.mark.parametrize(
    "url",
    ["", "ftp://x/y", "https://", "https://u:geheim@x/", "https://x:99999/", "https://x/ geheim", "//x"],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url):
    with pytest.raises(ConfigInvalid) as refused:
        check_url("url", url)
    assert refused.value.field == "url"
    assert "geheim" not in str(refused.value)


def test_of_an_address_only_where_it_leads_is_shown():
    assert shown_url("https://hooks.example.org:8443/T0/geheim?k=v") == "https://hooks.example.org:8443/…"
    assert shown_url("http://[::1]/x") == "http://[::1]/…"


@pytest.mark.parametrize(
    ("url", "what", "pinged"),
    [
        ("https://hc.example.org/ping/u-u-i-d", "", "https://hc.example.org/ping/u-u-i-d"),
        ("https://hc.example.org/ping/u-u-i-d/", "start", "https://hc.example.org/ping/u-u-i-d/start"),
        (
            "https://hc.example.org/ping/key/{profile}-{config}?create=1",
            "fail",
            "https://hc.example.org/ping/key/shop-db/fail?create=1",
        ),
    ],
)
def test_a_ping_goes_where_healthchecks_wants_it(url, what, pinged):
    assert ping_url(url, "Shop", "db", what) == pinged


def test_a_ping_is_for_runs_or_for_the_heartbeat():
    assert check_events(ChannelKind.PING, ["runs"]) == ["runs"]
    for events in ([], ["runs", "heartbeat"], ["failed"]):
        with pytest.raises(ConfigInvalid):
            check_events(ChannelKind.PING, events)
    assert check_events(ChannelKind.EMAIL, {"missed", "failed"}) == ["failed", "missed"]


def test_a_digest_is_due_by_the_clocks_of_its_zone():
    berlin = ZoneInfo("Europe/Berlin")
    summer = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first = next_digest(Rhythm.DAILY, time(8, 30), 0, berlin, summer)
    assert first == datetime(2026, 10, 25, 7, 30, tzinfo=UTC)
    weekly = next_digest(Rhythm.WEEKLY, time(8, 30), 6, berlin, summer)
    assert weekly == datetime(2026, 10, 25, 7, 30, tzinfo=UTC)
    assert next_digest(Rhythm.WEEKLY, time(8, 30), 0, berlin, summer) == datetime(
        2026, 10, 26, 7, 30, tzinfo=UTC
    )
    assert next_digest(Rhythm.NEVER, time(8, 30), 0, berlin, summer) is None
