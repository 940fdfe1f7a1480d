"""When a cron expression is due in a time zone: the same moments as Temporal's own scheduler finds.

A clock change is why this cannot be left to a library: in the hours that it skips or doubles Temporal has
rules of its own, and a preview that differs from them would be a promise that is not kept. They were read off
a real server (tests/services/test_schedule_times.py holds them against it):

- a time that the change skips is not made up for;
- of a time that occurs twice one is taken: the one that ``_moment`` finds;
- where that leaves two hours between the beginnings of two neighbouring hours of the clock, the first of them
  counts as lasting for both, so that what is due in it is due once more, an hour later;
- who looks on from the second of two equal hours sees everything an hour late until the hour ends.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from workflows_app.domain.schedules.cron import Calendar, Cron

HOUR = timedelta(hours=1)
LAST_YEAR = 2100
"""The last year that Temporal looks at."""
_FEW = 1000
_CALM = 26 * HOUR
"""So far from a change of the clock, even one that skips a day, all who look on find the same."""


def due_times(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """All moments, in UTC, at which ``cron`` is due in ``zone`` later than ``after``, the first one first."""
    while True:
        after = after.astimezone(UTC)
        if cron.every_seconds:
            count = int(after.timestamp()) // cron.every_seconds + 1
            found: datetime | None = datetime.fromtimestamp(count * cron.every_seconds, UTC)
        else:
            each = (_next(calendar, zone, after) for calendar in cron.calendars)
            found = min((moment for moment in each if moment is not None), default=None)
        if found is None:
            return
        yield found
        after = found


def last_due_times(cron: Cron, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """All moments that ``due_times`` has after ``since`` up to ``until``, the last one first.

    It looks no farther back than what is taken of it: of a year of minutes the last ones are found at once.
    """
    end, span = until, timedelta(days=1)
    while end > since:
        begin = max(since, _calm_moment(zone, end - span))
        found = list(takewhile(end.__ge__, due_times(cron, zone, begin)))
        yield from reversed(found)
        end = begin
        if len(found) < _FEW:
            span *= 2


def _calm_moment(zone: ZoneInfo, moment: datetime) -> datetime:
    """``moment``, or one before it around which the clock does not change."""
    hours = _CALM // HOUR
    while len({(moment + n * HOUR).astimezone(zone).utcoffset() for n in range(-hours, hours + 1)}) > 1:
        moment -= _CALM
    return moment


def _next(calendar: Calendar, zone: ZoneInfo, after: datetime) -> datetime | None:
    local = after.astimezone(zone)
    late = HOUR if (after - HOUR).astimezone(zone).hour == local.hour else timedelta(0)
    # The clock's face is reckoned without a zone, and asked for its moment only where it is needed.
    face = local.replace(tzinfo=None, second=0, microsecond=0, fold=0)
    hour, first_minute = face.replace(minute=0), face.minute + 1
    while hour.year <= LAST_YEAR:
        if not _fits_day(calendar, zone, hour):
            hour, first_minute, late = _next_day(calendar, hour), 0, timedelta(0)
            continue
        if hour.hour not in calendar.hours:
            hour, first_minute, late = hour + HOUR, 0, timedelta(0)
            continue
        minute = next((m for m in calendar.minutes if m >= first_minute), None)
        first_minute = 0
        if minute is None:
            doubled = _moment(hour + HOUR, zone) - _moment(hour, zone) > HOUR
            if doubled and not late:
                late = HOUR
            else:
                hour, late = hour + HOUR, timedelta(0)
            continue
        found = _moment(hour.replace(minute=minute), zone)
        # A zone that changes sides of the date line skips a day: its hours must not lead back.
        if found.astimezone(zone).hour == hour.hour and found + late > after:
            return found + late
        hour += HOUR
    return None


def _fits_day(calendar: Calendar, zone: ZoneInfo, hour: datetime) -> bool:
    if hour.month not in calendar.months or hour.day not in calendar.days:
        return False
    if len(calendar.weekdays) == 7:
        return True
    return _moment(hour, zone).astimezone(zone).isoweekday() % 7 in calendar.weekdays


def _next_day(calendar: Calendar, hour: datetime) -> datetime:
    if hour.month not in calendar.months:
        return hour.replace(year=hour.year + hour.month // 12, month=hour.month % 12 + 1, day=1, hour=0)
    return hour.replace(hour=0) + timedelta(days=1)


def _moment(face: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the clock shows ``face``; of two, or none, the one that the server means.

    It takes the offset that holds when UTC shows ``face`` for a first guess, and the offset at that guess.
    """
    guess = face.replace(tzinfo=UTC)
    for _ in range(2):
        offset = guess.astimezone(zone).utcoffset() or timedelta(0)
        guess = face.replace(tzinfo=UTC) - offset
    return guess
