"""Schedules as Temporal keeps them: the only place where they are kept (no second store)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)

from workflows_app.contracts.schedules import ScheduledInput
from workflows_app.domain import naming
from workflows_app.domain.schedules.cron import Calendar, parse_cron
from workflows_app.domain.schedules.cron_words import cron_words
from workflows_app.domain.schedules.schedules import ScheduleKey, Timing, find_zone
from workflows_app.services.temporal.payloads import decode_one
from workflows_app.workflows.scheduled import ScheduledWorkflow


def schedule_of(key: ScheduleKey, timing: Timing, state: ScheduleState | None = None) -> Schedule:
    """Answer what Temporal is to keep.

    Overlap is allowed, so that every expected run begins and then takes the lock, waits for it or is
    skipped, with a row that says so: what Temporal itself would skip nobody would see.
    """
    scheduled = ScheduledInput(
        profile=key.profile,
        config=key.config,
        policy=key.policy,
        name=key.name,
        cron=timing.cron.text,
        when_busy=timing.when_busy,
        catch_up_seconds=timing.catch_up_seconds,
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ScheduledWorkflow.run,
            scheduled,
            id=key.id,
            task_queue=settings.TEMPORAL_TASK_QUEUE,
            memo={naming.MEMO_SCHEDULE: key.id},
            static_summary=f"Scheduled backup of {key.profile}/{key.config}, policy {key.policy}",
        ),
        spec=spec_of(timing),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.ALLOW_ALL,
            catchup_window=timedelta(seconds=timing.catch_up_seconds),
        ),
        state=state or ScheduleState(),
    )


def spec_of(timing: Timing) -> ScheduleSpec:
    """Answer when Temporal is to act; the calendars' comment is the expression as it was written."""
    cron = timing.cron
    every = [ScheduleIntervalSpec(every=timedelta(seconds=cron.every_seconds))] if cron.every_seconds else []
    return ScheduleSpec(
        calendars=[_calendar(calendar, cron.text) for calendar in cron.calendars],
        intervals=every,
        jitter=timedelta(seconds=timing.jitter_seconds) or None,
        time_zone_name=timing.zone.key,
    )


def scheduled_in(action: object) -> ScheduledInput | None:
    """What a schedule's action was given; None when it is not one of ours, on our task queue."""
    if not isinstance(action, ScheduleActionStartWorkflow) or not action.args:
        return None
    if action.workflow != naming.SCHEDULED_WORKFLOW or action.task_queue != settings.TEMPORAL_TASK_QUEUE:
        return None
    given = action.args[0]
    if isinstance(given, Payload):
        return decode_one(given, ScheduledInput)
    return given if isinstance(given, ScheduledInput) else None


def timing_in(schedule: Schedule, scheduled: ScheduledInput) -> Timing:
    """Answer when a schedule of ours acts, as it was written. Raises ConfigInvalid."""
    return Timing(
        cron=parse_cron(scheduled.cron),
        zone=find_zone(schedule.spec.time_zone_name or "UTC"),
        jitter_seconds=int((schedule.spec.jitter or timedelta(0)).total_seconds()),
        catch_up_seconds=int(scheduled.catch_up_seconds),
        when_busy=scheduled.when_busy,
    )


def listed_timing(spec: ScheduleSpec) -> Timing | None:
    """Answer when a schedule of ours acts, from a list of schedules, which leaves out how late it may be.

    None where the expression is not there. Raises ConfigInvalid.
    """
    text = _text_in(spec)
    if not text:
        return None
    return Timing(
        cron=parse_cron(text),
        zone=find_zone(spec.time_zone_name or "UTC"),
        jitter_seconds=int((spec.jitter or timedelta(0)).total_seconds()),
    )


def words_in(spec: ScheduleSpec) -> tuple[str, str]:
    """Answer a schedule's expression as it was written, and in words; empty where there is none."""
    text = _text_in(spec)
    return text, cron_words(parse_cron(text)) if text else ""


def next_time(times: Sequence[datetime], *, paused: bool) -> datetime | None:
    """The next moment at which a schedule acts, jitter included; None while it is paused."""
    return times[0] if times and not paused else None


def _text_in(spec: ScheduleSpec) -> str:
    texts = [calendar.comment or "" for calendar in spec.calendars]
    texts += [f"@every {int(interval.every.total_seconds())}s" for interval in spec.intervals]
    return next(filter(None, texts), "")


def _calendar(calendar: Calendar, text: str) -> ScheduleCalendarSpec:
    return ScheduleCalendarSpec(
        minute=_ranges(calendar.minutes),
        hour=_ranges(calendar.hours),
        day_of_month=_ranges(calendar.days),
        month=_ranges(calendar.months),
        day_of_week=_ranges(calendar.weekdays),
        comment=text,
    )


def _ranges(values: Iterable[int]) -> Sequence[ScheduleRange]:
    ranges: list[ScheduleRange] = []
    for value in values:
        if ranges and ranges[-1].end == value - 1:
            ranges[-1] = ScheduleRange(ranges[-1].start, value)
        else:
            ranges.append(ScheduleRange(value, value))
    return ranges
