"""What pages show of schedules: forms with their errors, times in the schedule's zone, and runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from asgiref.sync import async_to_sync
from django.conf import settings

from workflows_app.domain.durations import duration_text
from workflows_app.domain.errors import ConfigInvalid, TemporalUnavailable
from workflows_app.domain.schedules.cron_words import cron_words
from workflows_app.domain.schedules.schedules import DEFAULT_CATCH_UP, Timing, parse_timing
from workflows_app.services.people.permissions import Actor
from workflows_app.services.schedules import schedule_lists
from workflows_app.services.schedules.schedule_lists import Expected, ScheduleSummary
from workflows_app.web.words.statuses import RUN_STATUS, Status

FIELDS = ("name", "policy", "cron", "zone", "jitter", "catch_up", "when_busy")
OVERDUE = Status("error", "overdue", "clock-alert")
ENDED_UNSEEN = Status("unknown", "unknown", "circle-question-mark")


@dataclass(frozen=True, slots=True)
class ScheduleForm:
    """What was typed, by field, and what is wrong with it."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)

    def refused(self, error: ConfigInvalid) -> "ScheduleForm":
        """The form with one more error."""
        return ScheduleForm(self.values, {**self.errors, error.field: error.reason})

    def timing(self) -> Timing:
        """Answer what was typed. Raises ConfigInvalid."""
        v = self.values
        return parse_timing(
            v["cron"], v["zone"], v["jitter"], v["catch_up"], v["when_busy"], now=datetime.now(UTC)
        )


def new_form(policy: str) -> ScheduleForm:
    """An empty form for a schedule of ``policy``, with what most schedules have."""
    defaults = {
        "name": "nightly",
        "policy": policy,
        "cron": "0 3 * * *",
        "zone": settings.TIME_ZONE,
        "catch_up": DEFAULT_CATCH_UP,
    }
    return ScheduleForm({name: defaults.get(name, "") for name in FIELDS})


def form_of(posted: Mapping[str, str]) -> ScheduleForm:
    """The form as it was posted."""
    return ScheduleForm({name: posted.get(name, "") for name in FIELDS})


def form_of_timing(timing: Timing) -> ScheduleForm:
    """The form of a schedule that exists."""
    values = {
        "cron": timing.cron.text,
        "zone": timing.zone.key,
        "jitter": duration_text(timing.jitter_seconds),
        "catch_up": duration_text(timing.catch_up_seconds),
        "when_busy": timing.when_busy or "",
    }
    return ScheduleForm({name: values.get(name, "") for name in FIELDS})


@dataclass(frozen=True, slots=True)
class DueTime:
    """A moment, and what the clocks in the schedule's time zone then show."""

    moment: datetime
    there: str


@dataclass(frozen=True, slots=True)
class Preview:
    """When a schedule would be due."""

    words: str
    zone: str
    times: tuple[DueTime, ...]
    jitter_seconds: int


def preview_of(timing: Timing) -> Preview:
    """Answer when ``timing`` is due from now on."""
    times = timing.next_times(datetime.now(UTC))
    return Preview(
        cron_words(timing.cron), timing.zone.key, due_views(times, timing.zone), timing.jitter_seconds
    )


def due_views(times: tuple[datetime, ...], zone: ZoneInfo) -> tuple[DueTime, ...]:
    """Moments as the clocks in ``zone`` show them."""
    return tuple(DueTime(moment, there(moment, zone)) for moment in times)


def there(moment: datetime, zone: ZoneInfo) -> str:
    """What a calendar and a clock in ``zone`` show; seconds only where there are some."""
    local = moment.astimezone(zone)
    clock = "%H:%M:%S" if local.second else "%H:%M"
    return f"{local:%a %Y-%m-%d {clock} %Z}"


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """A run that was expected: when, and what became of it."""

    expected: Expected
    there: str
    status: Status


def expected_row(expected: Expected, zone: ZoneInfo) -> ExpectedRow:
    """Answer an expected run as a row of a table."""
    if expected.run is not None:
        status = RUN_STATUS[expected.run.state]
    else:
        status = OVERDUE if expected.open else ENDED_UNSEEN
    return ExpectedRow(expected, there(expected.due, zone), status)


@dataclass(frozen=True, slots=True)
class SchedulesOf:
    """The schedules of a configuration; ``trouble`` has words when Temporal, which keeps them, is away."""

    schedules: tuple[ScheduleSummary, ...] = ()
    trouble: str = ""


def schedules_of(actor: Actor, profile: str | None = None, config: str | None = None) -> SchedulesOf:
    """Answer the schedules of a configuration, or all, for a page that shows other things, too."""
    try:
        return SchedulesOf(async_to_sync(schedule_lists.list_schedules)(actor, profile, config))
    except TemporalUnavailable as error:
        return SchedulesOf(trouble=str(error))


@cache
def zone_names() -> tuple[str, ...]:
    """The time zones that are offered: those named after places, and UTC."""
    places = (z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix/", "right/")))
    return ("UTC", *sorted(places))
