"""Several incidents in one message: when it is sent, and what it says."""

from datetime import UTC, datetime, timedelta

import pytest

from workflows_app.domain.notices.bundles import bundle, bundle_title, next_message
from workflows_app.domain.notices.notices import Notice, NoticeEvent

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WINDOW = 60 * SECOND


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, 0),
        (-3600, 0),
        (-60, 0),
        (-59, 1),
        (0, 60),
        (20, 20),
        (60, 60),
        (86_400, 60),  # the clock was set back
    ],
)
def test_what_follows_a_message_within_the_window_waits_for_its_end(last, expected):
    sent = None if last is None else NOW + last * SECOND
    assert next_message(sent, NOW, WINDOW) == NOW + expected * SECOND


@pytest.mark.parametrize(
    ("event", "places", "title"),
    [
        ("incident.opened", ["a/b", "a/b"], "2 incidents: a/b"),
        ("incident.opened", ["a/b", "a/c"], "2 incidents: a/b and a/c"),
        ("incident.reminder", ["a/b", "a/c", "d/e"], "Still so: 3 incidents: a/b, a/c and d/e"),
        ("incident.recovered", [*"abcde", "a"], "Over: 6 incidents: a, b, c and 2 more"),
    ],
)
def test_a_message_is_called_by_how_many_it_tells_of_and_where(event, places, title):
    assert bundle_title(event, places) == title


def test_each_incident_has_a_line_with_its_link():
    notices = [
        Notice(
            event=NoticeEvent.ALERT,
            key=f"failed/shop/{name}/backup#{n}",
            title=f"shop/{name}: the backup failed",
            time=NOW + n * SECOND,
            kind="failed",
            profile="shop",
            config=name,
            run=n,
            state="open",
            reason=f"no space\nleft. {'x' * n}",
            url=f"https://fossul.example.org/runs/{n}/",
        )
        for n, name in ((1, "db"), (300, "web"))
    ]
    told = bundle(notices, "bundle/1", "https://fossul.example.org/settings/notifications/")
    assert (told.key, told.kind, told.state, told.time) == ("bundle/1", "", "open", NOW + 300 * SECOND)
    assert [part.key for part in told.parts] == [one.key for one in notices]
    lines = [line for line in told.text.splitlines() if line.startswith("- ")]
    assert lines[0] == ("- shop/db: the backup failed: no space left. x https://fossul.example.org/runs/1/")
    assert lines[1].endswith("… https://fossul.example.org/runs/300/")
    assert len(lines[1]) < 300
    assert told.text.endswith("/settings/notifications/")
