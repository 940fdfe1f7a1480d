"""When a schedule is due, held against a walk over every minute, and at the edges of calendars and clocks."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.domain.schedules.cron import Cron, parse_cron
from workflows_app.domain.schedules.due_times import due_times, last_due_times

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


def field(least: int, most: int) -> st.SearchStrategy[str]:
    values = st.integers(least, most)
    spans = st.tuples(values, values).map(lambda pair: f"{min(pair)}-{max(pair)}")
    stepped = st.tuples(st.just("*") | spans, st.integers(1, most)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    part = st.just("*") | values.map(str) | spans | stepped
    return st.lists(part, min_size=1, max_size=2).map(",".join)


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).map(" ".join)
SECONDS = st.integers(0, 6 * 365 * 86_400)
MOMENTS = SECONDS.map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def near_a_change(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock change is so near that Temporal's rules for it may matter."""
    around = [(moment + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-4, 5)]
    return len(set(around)) > 1


def matches(text: str, local: datetime) -> bool:
    """Whether the five fields match a wall clock: written without the parser, by what cron(5) says."""

    def holds(field: str, value: int, least: int, most: int) -> bool:
        for part in field.split(","):
            reach, _, step = part.partition("/")
            low, _, high = reach.partition("-")
            first, final = (least, most) if reach == "*" else (int(low), int(high or low))
            if first <= value <= final and (value - first) % int(step or 1) == 0:
                return True
        return False

    def free(field: str) -> bool:
        return any(part in ("*", "*/1") for part in field.split(","))

    minute, hour, day, month, weekday = text.split()
    by_day = holds(day, local.day, 1, 31)
    by_weekday = holds(weekday, local.isoweekday() % 7, 0, 6)
    fits = by_day and by_weekday if free(day) or free(weekday) else by_day or by_weekday
    return (
        fits
        and holds(minute, local.minute, 0, 59)
        and holds(hour, local.hour, 0, 23)
        and holds(month, local.month, 1, 12)
    )


@settings(deadline=None, max_examples=60)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS)
def test_it_is_due_at_exactly_the_minutes_at_which_all_fields_match(text, zone_name, after):
    zone = ZoneInfo(zone_name)
    end = after + 2 * DAY
    first = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    walked = [first + timedelta(minutes=n) for n in range(2 * 24 * 60)]
    expected = [m for m in walked if m <= end and matches(text, m.astimezone(zone))]
    found = list(takewhile(lambda m: m <= end, due_times(parse_cron(text), zone, after)))
    assert [m for m in found if not near_a_change(m, zone)] == [
        m for m in expected if not near_a_change(m, zone)
    ]


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS)
def test_times_go_on_and_on(text, zone_name, after):
    found = list(islice(due_times(parse_cron(text), ZoneInfo(zone_name), after), 20))
    assert found == sorted(set(found))
    assert all(moment > after for moment in found)
    assert all(moment.tzinfo is UTC and moment.second == 0 for moment in found)


@given(st.integers(60, 10**6), MOMENTS)
def test_an_interval_is_counted_from_the_beginning_of_1970(seconds, after):
    first, second = islice(due_times(Cron("", "", every_seconds=seconds), ZoneInfo("UTC"), after), 2)
    assert first > after
    assert first - after <= timedelta(seconds=seconds)
    assert int(first.timestamp()) % seconds == 0
    assert second - first == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 0 29 2 *", "2026-01-01", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 31 * *", "2026-01-31", ["2026-03-31 00:00", "2026-05-31 00:00"]),
        ("59 23 31 12 *", "2026-06-01", ["2026-12-31 23:59", "2027-12-31 23:59"]),
        ("0 0 13 * 5", "2026-11-06", ["2026-11-13 00:00", "2026-11-20 00:00"]),
        ("0 0 1 1 *", "2026-01-01", ["2027-01-01 00:00", "2028-01-01 00:00"]),
    ],
)
def test_rare_days(text, after, expected):
    begin = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = islice(due_times(parse_cron(text), ZoneInfo("UTC"), begin), 2)
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in found] == expected


def test_a_day_that_never_comes_ends_the_search():
    assert list(due_times(parse_cron("0 0 30 2 *"), ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC))) == []


def test_over_a_day_that_a_zone_skips_time_goes_on():
    found = islice(
        due_times(parse_cron("0 12 * * *"), ZoneInfo("Pacific/Apia"), datetime(2011, 12, 28, tzinfo=UTC)), 4
    )
    moments = list(found)
    assert moments == sorted(set(moments))


def test_a_time_that_the_clock_skips_is_not_made_up_for():
    berlin = ZoneInfo("Europe/Berlin")
    found = islice(due_times(parse_cron("30 2 * * *"), berlin, datetime(2026, 3, 27, 12, tzinfo=UTC)), 3)
    assert [f"{m:%d %H:%M}" for m in found] == ["28 01:30", "30 00:30", "31 00:30"]


def test_a_time_that_the_clock_shows_twice_counts_once():
    berlin = ZoneInfo("Europe/Berlin")
    found = islice(due_times(parse_cron("30 2 * * *"), berlin, datetime(2026, 10, 23, 12, tzinfo=UTC)), 3)
    assert [f"{m:%d %H:%M}" for m in found] == ["24 00:30", "25 01:30", "26 01:30"]


@settings(deadline=None, max_examples=60)
@given(EXPRESSIONS, st.sampled_from(ZONES), MOMENTS, st.integers(0, 60 * 86_400))
def test_from_the_last_to_the_first_they_are_the_same(text, zone_name, since, seconds):
    cron, zone, until = parse_cron(text), ZoneInfo(zone_name), since + timedelta(seconds=seconds)
    forward = list(takewhile(lambda m: m <= until, due_times(cron, zone, since)))
    assert list(last_due_times(cron, zone, since, until)) == forward[::-1]


@pytest.mark.parametrize("text", ["* * * * *", "30 1-3 * * *", "*/20 * * * *", "0 2 * * *"])
@pytest.mark.parametrize(
    ("zone_name", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_wherever_the_look_back_begins_a_clock_change_counts_the_same(text, zone_name, change):
    cron, zone, since = parse_cron(text), ZoneInfo(zone_name), change - 3 * DAY
    forward = list(takewhile(lambda m: m <= change + 2 * DAY, due_times(cron, zone, since)))
    for hours in range(-2, 48, 5):
        # A day before this, or some hours more, is where it begins to look.
        until = change + timedelta(hours=hours, minutes=7)
        expected = [moment for moment in forward if moment <= until]
        assert list(last_due_times(cron, zone, since, until)) == expected[::-1]


def test_of_many_years_the_last_ones_are_found_without_a_walk_over_all():
    never_ends = last_due_times(
        parse_cron("* * * * *"), ZoneInfo("UTC"), datetime.min.replace(tzinfo=UTC), NOW
    )
    assert list(islice(never_ends, 1500))[-1] == NOW - timedelta(minutes=1499)
