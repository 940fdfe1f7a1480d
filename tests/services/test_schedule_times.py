"""The preview holds what it promises: its times are those of a real Temporal, clock changes included."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleState

from workflows_app.domain.schedules.schedules import Timing, parse_timing
from workflows_app.services.schedules.schedule_specs import spec_of

# Where clocks change, by an hour or half of one, at night or at midnight.
CHANGES = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "Africa/Cairo": ["2026-04-24", "2026-10-30"],
    "UTC": ["2026-02-28"],
}
CRONS = [
    "*/30 * * * *",
    "30 2 * * *",
    "0 1 * * *",
    "15 1-3 * * *",
    "0 0 * * 0-3",
    "0 3 13 * 5",
    "@every 90m",
]


def timing(cron: str, zone: str) -> Timing:
    return parse_timing(cron, zone, "", "1h", "", now=datetime(2026, 1, 1, tzinfo=UTC))


def schedule(timing: Timing, *, paused: bool = True) -> Schedule:
    action = ScheduleActionStartWorkflow("none", id="none", task_queue="nobody")
    return Schedule(action=action, spec=spec_of(timing), state=ScheduleState(paused=paused))


def stamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


async def temporals(client: Client, schedule_id: str, begin: datetime, end: datetime) -> list[datetime]:
    answer = await client.workflow_service.list_schedule_matching_times(
        ListScheduleMatchingTimesRequest(
            namespace=client.namespace, schedule_id=schedule_id, start_time=stamp(begin), end_time=stamp(end)
        )
    )
    return [moment.ToDatetime(UTC) for moment in answer.start_time]


@pytest.mark.parametrize("zone", CHANGES)
async def test_across_a_clock_change_the_times_are_temporals_own(temporal_server: Client, zone: str):
    for cron in CRONS:
        written = timing(cron, zone)
        schedule_id = f"times/{uuid4()}"
        handle = await temporal_server.create_schedule(schedule_id, schedule(written))
        for day in CHANGES[zone]:
            middle = datetime.fromisoformat(day).replace(tzinfo=UTC)
            # From before the change, and from within the hours that it doubles, in UTC on either side.
            for minutes in (-24 * 60 + 7, 35, 65, 5 * 60 + 45, 6 * 60 + 10, 15 * 60 + 5):
                begin = middle + timedelta(minutes=minutes)
                end = middle + timedelta(days=3)
                ours = list(takewhile(end.__ge__, written.due_after(begin)))
                assert ours == await temporals(temporal_server, schedule_id, begin, end), (cron, zone, begin)
        await handle.delete()


@pytest.mark.parametrize(
    "cron", ["0 3 * * *", "*/20 8-10 1,15 * MON-FRI", "@monthly", "0 0 29 2 *", "@every 7h"]
)
async def test_the_next_ten_are_those_that_temporal_says(temporal_server: Client, cron: str):
    written = timing(cron, "America/New_York")
    handle = await temporal_server.create_schedule(f"next/{uuid4()}", schedule(written, paused=False))
    found = await handle.describe()
    await handle.delete()
    said = list(found.info.next_action_times)
    assert len(said) == 10
    assert list(islice(written.due_after(said[0] - timedelta(seconds=1)), 10)) == said
    assert said[0] in written.next_times(found.info.created_at, 2)
