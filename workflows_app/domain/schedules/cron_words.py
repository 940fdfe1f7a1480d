"""A cron expression as people say it: "at 03:00 from Monday to Friday"."""

from collections.abc import Callable, Sequence

from workflows_app.domain.durations import DAY, in_words
from workflows_app.domain.schedules.cron import ALL_DAYS, ALL_MONTHS, ALL_WEEKDAYS, Calendar, Cron

SEVERAL_TIMES = 6
"""So many times of a day are named one by one; more are told by their hours and minutes."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def cron_words(cron: Cron) -> str:
    """Answer when ``cron`` is due, in words that fit after "due"."""
    if cron.every_seconds:
        begin = "midnight UTC" if DAY % cron.every_seconds == 0 else "the beginning of 1970 in UTC"
        return f"every {in_words(cron.every_seconds)}, counted from {begin}"
    first = cron.calendars[0]
    days = " and ".join(_days(calendar) for calendar in cron.calendars)
    times = _times(first)
    return f"{times}{' ' if times.startswith('at') else ', '}{days}{_in_months(first)}"


def _times(calendar: Calendar) -> str:
    minutes, hours = calendar.minutes, calendar.hours
    if len(minutes) * len(hours) <= SEVERAL_TIMES:
        return "at " + _listed([f"{hour:02}:{minute:02}" for hour in hours for minute in minutes])
    step = _step(minutes, 60)
    if step == 1:
        of_hour = "every minute"
    elif step:
        of_hour = f"every {step} minutes"
    else:
        past = _runs(minutes, lambda minute: f"{minute}")
        of_hour = f"at minute {past}" if len(minutes) == 1 else f"at minutes {past}"
    if len(hours) == 24:
        return f"{of_hour} of every hour" if not step else of_hour
    each = _step(hours, 24)
    if each:
        return f"{of_hour} of every {each} hours"
    many = "hours" if len(hours) > 1 else "hour"
    return f"{of_hour} of the {many} {_runs(hours, lambda hour: f'{hour:02}')}"


def _days(calendar: Calendar) -> str:
    by_date, by_weekday = calendar.days != ALL_DAYS, calendar.weekdays != ALL_WEEKDAYS
    if not by_date and not by_weekday:
        return "every day"
    words = []
    if by_weekday:
        # A week is told from Monday on.
        week = sorted(calendar.weekdays, key=lambda day: (day - 1) % 7)
        names = [(day - 1) % 7 for day in week]
        words.append(f"on {_runs(names, lambda day: _WEEKDAYS[(day + 1) % 7])}")
    if by_date:
        many = "days" if len(calendar.days) > 1 else "day"
        words.append(f"on {many} {_runs(calendar.days, str)} of the month")
    return " ".join(words)


def _in_months(calendar: Calendar) -> str:
    if calendar.months == ALL_MONTHS:
        return ""
    return f" in {_runs(calendar.months, lambda month: _MONTHS[month - 1])}"


def _step(values: Sequence[int], whole: int) -> int:
    """The distance of values that go evenly round a clock from 0; 0 when they do not."""
    if len(values) < 2 or values[0] != 0:
        return 0
    step = values[1]
    return step if whole % step == 0 and list(values) == list(range(0, whole, step)) else 0


def _runs(values: Sequence[int], name: Callable[[int], str]) -> str:
    """Values in words, three or more neighbours as "a to b"."""
    groups: list[list[int]] = []
    for value in values:
        if groups and value == groups[-1][-1] + 1:
            groups[-1].append(value)
        else:
            groups.append([value])
    parts: list[str] = []
    for group in groups:
        if len(group) > 2:
            parts.append(f"{name(group[0])} to {name(group[-1])}")
        else:
            parts.extend(name(value) for value in group)
    return _listed(parts)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
