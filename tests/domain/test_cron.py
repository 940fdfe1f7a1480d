"""Fossul's cron syntax: what is read, what is refused and in which words, and how it is said."""

import pytest

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.schedules.cron import ALL_DAYS, ALL_MONTHS, ALL_WEEKDAYS, Calendar, parse_cron
from workflows_app.domain.schedules.cron_words import cron_words

ALL_HOURS = tuple(range(24))


def calendar(**changes: tuple[int, ...]) -> Calendar:
    given = {
        "minutes": (0,),
        "hours": (0,),
        "days": ALL_DAYS,
        "months": ALL_MONTHS,
        "weekdays": ALL_WEEKDAYS,
    }
    return Calendar(**{**given, **changes})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * *", calendar(hours=(3,))),
        ("*/20 8-10 * * *", calendar(minutes=(0, 20, 40), hours=(8, 9, 10))),
        ("50/4 0 * * *", calendar(minutes=(50, 54, 58))),
        ("10-30/10,5 0 * * *", calendar(minutes=(5, 10, 20, 30))),
        ("0 0 ? jan,DEC ?", calendar(months=(1, 12))),
        ("0 0 * * mon-FRI", calendar(weekdays=(1, 2, 3, 4, 5))),
        ("0 0 1,15 * *", calendar(days=(1, 15))),
        ("0 0 1 * */1", calendar(days=(1,))),
        ("  0\t0  1 * 1,* ", calendar(days=(1,))),
        (",0,, 0 * * *", calendar()),
        ("@hourly", calendar(hours=ALL_HOURS)),
        ("@daily", calendar()),
        ("@midnight", calendar()),
        ("@weekly", calendar(weekdays=(0,))),
        ("@monthly", calendar(days=(1,))),
        ("@yearly", calendar(days=(1,), months=(1,))),
        ("@annually", calendar(days=(1,), months=(1,))),
    ],
)
def test_what_is_read(text, expected):
    assert parse_cron(text).calendars == (expected,)


@pytest.mark.parametrize("text", ["0 0 13 * 5", "0 0 13 * 5-5/2", "0 0 13 * FRI"])
def test_with_both_kinds_of_days_restricted_either_is_enough(text):
    assert parse_cron(text).calendars == (calendar(days=(13,)), calendar(weekdays=(5,)))


def test_a_star_with_a_step_restricts():
    by_day, by_weekday = parse_cron("0 0 */10 * 1").calendars
    assert by_day == calendar(days=(1, 11, 21, 31))
    assert by_weekday == calendar(weekdays=(1,))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("@every 1h30m", 5400), ("@every 90m", 5400), ("@every 1.5h", 5400), ("@every 60s", 60)],
)
def test_an_interval(text, seconds):
    assert (parse_cron(text).every_seconds, parse_cron(text).calendars) == (seconds, ())


@pytest.mark.parametrize("prefix", ["TZ", "CRON_TZ"])
def test_a_time_zone_before_it(prefix):
    cron = parse_cron(f"{prefix}=Europe/Berlin 0 3 * * *")
    assert (cron.text, cron.zone) == ("0 3 * * *", "Europe/Berlin")
    assert parse_cron(f"{prefix}=UTC @daily").text == "@daily"


# The words are robfig/cron's own (fossul-behaviour.md §5).
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty spec string"),
        ("   ", "empty spec string"),
        ("TZ=UTC", "empty spec string"),
        ("0 0 * * * *", "expected exactly 5 fields, found 6: [0 0 * * * *]"),
        ("0 0 * *", "expected exactly 5 fields, found 4: [0 0 * *]"),
        ("60 0 * * *", "end of range (60) above maximum (59): 60"),
        ("0 24 * * *", "end of range (24) above maximum (23): 24"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
        ("0 0 * 13 *", "end of range (13) above maximum (12): 13"),
        ("5-3 0 * * *", "beginning of range (5) beyond end of range (3): 5-3"),
        ("1-2-3 0 * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 0 * * *", "too many slashes: 1/2/3"),
        ("*/0 0 * * *", "step of range should be a positive number: */0"),
        ("x 0 * * *", "failed to parse int from x: x"),
        ("0 0 * * SUNDAY", "failed to parse int from SUNDAY: SUNDAY"),
        ("-5 0 * * *", "failed to parse int from nothing: -5"),
        ("² 0 * * *", "failed to parse int from ²: ²"),
        (", 0 * * *", "a field has no value: ,"),
        ("@reboot", "unrecognized descriptor: @reboot"),
        ("@every", "unrecognized descriptor: @every"),
        ("@every 1w", "failed to parse duration @every 1w: say it like @every 1h30m, in h, m and s"),
        ("@every 59s", "@every takes whole seconds, from one minute (1m) to 366 days (8784h)"),
        ("@every 99999h", "@every takes whole seconds, from one minute (1m) to 366 days (8784h)"),
        ("0 " * 100, "it is longer than 150 characters"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(ConfigInvalid) as caught:
        parse_cron(text)
    assert (caught.value.field, caught.value.reason) == ("cron", words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * * *", "at 03:00 every day"),
        ("*/15 * * * *", "every 15 minutes, every day"),
        ("* * * * *", "every minute, every day"),
        ("0 */6 * * *", "at 00:00, 06:00, 12:00 and 18:00 every day"),
        ("30 2 * * 1-5", "at 02:30 on Monday to Friday"),
        ("0 0 * * SAT,SUN", "at 00:00 on Saturday and Sunday"),
        ("0 0 1,15 * 5", "at 00:00 on days 1 and 15 of the month and on Friday"),
        ("@monthly", "at 00:00 on day 1 of the month"),
        ("0 9-17 * * *", "at minute 0 of the hours 09 to 17 every day"),
        ("* 3 * * *", "every minute of the hour 03, every day"),
        ("15 */2 * * *", "at minute 15 of every 2 hours every day"),
        ("0 3 * 1-3,12 *", "at 03:00 every day in January to March and December"),
        ("7,8,9,40 * * * *", "at minutes 7 to 9 and 40 of every hour every day"),
        ("@every 90m", "every 1 h 30 m, counted from midnight UTC"),
        ("@every 7h", "every 7 h, counted from the beginning of 1970 in UTC"),
    ],
)
def test_how_it_is_said(text, words):
    assert cron_words(parse_cron(text)) == words
