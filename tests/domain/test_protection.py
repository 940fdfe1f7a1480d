"""Until when something is protected: what the newest restore point that was seen is worth, and to whom."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workflows_app.domain.runs.protection import (
    Evidence,
    Promise,
    ProtectionState,
    Scheduled,
    SeenPoint,
    due_for,
    protection,
)
from workflows_app.domain.schedules.cron import parse_cron
from workflows_app.domain.schedules.schedules import Timing

NIGHT = datetime(2026, 11, 20, 3, tzinfo=UTC)  # a Friday
SEEN = NIGHT + timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def timing(cron: str, zone: str = "UTC", jitter: int = 0) -> Timing:
    return Timing(parse_cron(cron), ZoneInfo(zone), jitter_seconds=jitter)


def points(*made: datetime, policy: str = "daily") -> tuple[SeenPoint, ...]:
    return tuple(SeenPoint(f"app-{policy}-{moment:%d%H}", policy, moment) for moment in made)


DAILY = Scheduled(Promise.MADE, {"daily": [timing("0 3 * * *")]})


def state_at(moment: datetime, evidence: Evidence, scheduled: Scheduled = DAILY) -> ProtectionState:
    return protection(evidence, scheduled, {}, moment).state


def test_it_is_protected_until_a_newer_one_was_due_and_a_backup_would_have_been_made():
    evidence = Evidence(points(NIGHT - DAY, NIGHT), SEEN)
    found = protection(evidence, DAILY, {"daily": timedelta(minutes=20)}, NIGHT + HOUR)
    assert (found.state, found.until) == (ProtectionState.PROTECTED, NIGHT + DAY + timedelta(minutes=20))
    assert found.newest == evidence.points[1]
    late = protection(evidence, DAILY, {"daily": timedelta(minutes=20)}, found.until)
    assert (late.state, late.until) == (ProtectionState.LAPSED, found.until)


def test_jitter_is_allowed_for_and_a_minute_where_nobody_knows_how_long_it_takes():
    scheduled = Scheduled(Promise.MADE, {"daily": [timing("0 3 * * *", jitter=600)]})
    found = protection(Evidence(points(NIGHT), SEEN), scheduled, {}, NIGHT)
    assert found.until == NIGHT + DAY + timedelta(minutes=11)


def test_a_weekend_without_a_backup_lapses_nothing():
    scheduled = Scheduled(Promise.MADE, {"daily": [timing("0 3 * * MON-FRI")]})
    found = protection(Evidence(points(NIGHT), SEEN), scheduled, {}, NIGHT + 2 * DAY)
    assert (found.state, found.until) == (ProtectionState.PROTECTED, NIGHT + 3 * DAY + timedelta(minutes=1))


def test_due_times_are_those_of_the_schedules_own_zone():
    scheduled = Scheduled(Promise.MADE, {"daily": [timing("0 3 * * *", "America/New_York")]})
    found = protection(Evidence(points(NIGHT), SEEN), scheduled, {}, NIGHT)
    assert found.until == NIGHT.replace(hour=8, minute=1)


@pytest.mark.parametrize(("early", "cron", "expected"), [
    (timedelta(seconds=40), "0 3 * * *", NIGHT + DAY),
    (timedelta(minutes=2), "0 3 * * *", NIGHT),
    (timedelta(seconds=40), "* * * * *", NIGHT),
    (timedelta(seconds=5), "* * * * *", NIGHT + timedelta(minutes=1)),
])  # fmt: skip
def test_a_worker_whose_clock_is_slow_did_not_back_up_in_vain(early, cron, expected):
    assert due_for(NIGHT - early, timing(cron)) == expected


def test_the_schedule_that_is_due_first_counts_whichever_policy_made_the_newest_one():
    scheduled = Scheduled(Promise.MADE, {"weekly": [timing("0 4 * * SUN")], "daily": [timing("0 3 * * *")]})
    evidence = Evidence(points(NIGHT - 5 * DAY + 2 * HOUR, policy="weekly") + points(NIGHT), SEEN)
    found = protection(evidence, scheduled, {}, NIGHT)
    assert (found.until, found.lapsed_policies) == (NIGHT + DAY + timedelta(minutes=1), ())


def test_a_policy_whose_own_newest_one_is_too_old_is_named_although_there_is_a_newer_one():
    scheduled = Scheduled(Promise.MADE, {"weekly": [timing("0 4 * * SUN")], "daily": [timing("0 3 * * *")]})
    evidence = Evidence(points(NIGHT - 9 * DAY, policy="weekly") + points(NIGHT), SEEN)
    found = protection(evidence, scheduled, {}, NIGHT)
    assert (found.state, found.lapsed_policies) == (ProtectionState.PROTECTED, ("weekly",))


@pytest.mark.parametrize("promise", [Promise.NONE, Promise.PAUSED, Promise.DISABLED])
def test_without_a_schedule_at_work_nothing_is_promised_and_the_newest_one_is_told(promise):
    found = protection(Evidence(points(NIGHT), SEEN), Scheduled(promise, {}), {}, NIGHT + 90 * DAY)
    assert (found.state, found.until, found.promise) == (ProtectionState.UNPROMISED, None, promise)
    assert found.newest and found.newest.made == NIGHT


def test_a_schedule_that_is_never_due_again_promises_nothing():
    scheduled = Scheduled(Promise.MADE, {"daily": [timing("0 3 30 2 *")]})
    assert state_at(NIGHT, Evidence(points(NIGHT), SEEN), scheduled) is ProtectionState.UNPROMISED


@pytest.mark.parametrize(("evidence", "expected"), [
    (Evidence(), ProtectionState.NEVER),
    (Evidence(seen=SEEN), ProtectionState.NEVER),
    (Evidence(reported=NIGHT), ProtectionState.UNKNOWN),
    (Evidence(seen=SEEN, reported=NIGHT), ProtectionState.EMPTY),
    (Evidence(trouble="it is locked"), ProtectionState.UNKNOWN),
    (Evidence(points(NIGHT), SEEN, trouble="it is locked"), ProtectionState.UNKNOWN),
])  # fmt: skip
def test_what_was_not_seen_is_no_evidence(evidence, expected):
    assert state_at(SEEN, evidence) is expected


def test_while_nobody_tells_of_the_schedules_it_is_unknown_and_what_was_seen_is_told():
    found = protection(Evidence(points(NIGHT), SEEN), Scheduled(Promise.UNKNOWN, {}), {}, SEEN)
    assert (found.state, found.until, found.seen) == (ProtectionState.UNKNOWN, None, SEEN)
    assert found.newest and found.newest.made == NIGHT
