"""What is an incident, when it is over, and what is said of it: from facts alone."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.domain.notices.incidents import (
    QUIET_AFTER,
    Incident,
    IncidentKind,
    PlaceFacts,
    RunFact,
    Told,
    Turn,
    compare,
    find_incidents,
    next_turn,
)
from workflows_app.domain.states import RunState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def run(number: int, state: RunState = RunState.COMPLETED, **changes: object) -> RunFact:
    given = {"type": "backup", "started": NOW - DAY + number * timedelta(minutes=1), **changes}
    return RunFact(number=number, state=state, **given)


def place(**facts: object) -> PlaceFacts:
    return PlaceFacts("shop", "db", **facts)


def kinds(facts: PlaceFacts) -> list[IncidentKind]:
    return [incident.kind for incident in find_incidents([facts], NOW)]


def test_a_failed_run_is_one_until_a_later_one_goes_well():
    bad = run(7, RunState.ERROR, reason="disk full", finished=NOW - HOUR)
    (incident,) = find_incidents([place(bad=(bad,), good=(run(6),))], NOW)
    assert (incident.kind, incident.run, incident.since) == (IncidentKind.FAILED, 7, NOW - HOUR)
    assert incident.key == "failed/shop/db/backup"
    assert "disk full" in incident.reason
    assert kinds(place(bad=(bad,), good=(run(8),))) == []


def test_a_good_backup_does_not_make_good_a_failed_restore():
    bad = run(7, RunState.ERROR, type="restore")
    assert kinds(place(bad=(bad,), good=(run(8),))) == [IncidentKind.FAILED]
    assert kinds(place(bad=(bad,), good=(run(8), run(9, type="restore")))) == []


def test_the_next_failure_is_the_same_incident():
    first, second = (
        find_incidents([place(bad=(run(number, RunState.ERROR, reason=f"r{number}"),))], NOW)[0]
        for number in (7, 9)
    )
    assert first.key == second.key


@pytest.mark.parametrize("state", [RunState.TIMED_OUT, RunState.TERMINATED, RunState.UNKNOWN])
def test_however_a_run_ended_badly_it_has_words(state):
    (incident,) = find_incidents([place(bad=(run(7, state),))], NOW)
    assert incident.reason.startswith("The backup ")


@pytest.mark.parametrize(
    ("state", "kind"),
    [(RunState.MISSED, IncidentKind.MISSED), (RunState.SKIPPED, IncidentKind.SKIPPED)],
)
def test_a_run_that_never_began_is_one_until_a_later_one_goes_well(state, kind):
    never = run(5, state, started=NOW - HOUR)
    assert kinds(place(never_began=(never,), good=(run(6, started=NOW - 2 * HOUR),))) == [kind]
    # It was written down later, but was due before the good one began.
    assert (
        kinds(place(never_began=(run(9, state, started=NOW - 2 * HOUR),), good=(run(6, started=NOW),))) == []
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"frozen_since": NOW - HOUR}, False),
        ({"frozen_since": NOW - 5 * HOUR}, True),
        ({"frozen_since": NOW - HOUR, "thaw_failed": True}, True),
        ({"frozen_since": NOW - HOUR, "finished": NOW}, False),
        ({"frozen_since": NOW - HOUR, "finished": NOW - 2 * timedelta(minutes=1)}, True),
        ({}, False),
    ],
)
def test_a_freeze_is_one_when_it_lasts_too_long_or_cannot_be_ended(changes, told):
    frozen = run(7, RunState.RUNNING, freeze_budget=4 * HOUR, **changes)
    assert kinds(place(unsettled=(frozen,))) == ([IncidentKind.FROZEN] if told else [])


def test_each_run_that_waits_for_a_person_is_one_of_its_own():
    waiting = [run(number, RunState.RUNNING, waits_until=NOW + HOUR) for number in (7, 8)]
    found = find_incidents([place(unsettled=tuple(waiting))], NOW)
    assert [one.key for one in found] == ["waiting/shop/db/7", "waiting/shop/db/8"]


def test_what_is_only_a_little_late_is_none():
    assert kinds(place(overdue=NOW - timedelta(minutes=4))) == []
    assert kinds(place(overdue=NOW - timedelta(minutes=6))) == [IncidentKind.OVERDUE]


def test_protection_that_ended_is_one_be_it_that_of_a_policy():
    assert kinds(place(lapsed=NOW - HOUR, lapsed_policies=("daily",))) == [IncidentKind.UNPROTECTED]
    assert kinds(place(lapsed_policies=("daily",))) == [IncidentKind.UNPROTECTED]
    assert kinds(place(lapsed=NOW + HOUR)) == []


def test_damaged_and_missing_backups_are_one_each():
    facts = place(damaged={"b2": "hash differs", "b1": "gone bad"}, missing=("b3",))
    found = find_incidents([facts], NOW)
    assert [one.key for one in found] == [
        "damaged/shop/db/b1",
        "damaged/shop/db/b2",
        "missing/shop/db/b3",
    ]


def incident(kind: IncidentKind, config: str) -> Incident:
    return Incident(kind, "shop", config, "because", NOW)


incidents = st.builds(incident, st.sampled_from(IncidentKind), st.sampled_from(["a", "b", "c"]))
looks = st.frozensets(st.sampled_from(IncidentKind))


@given(known=st.lists(incidents), found=st.lists(incidents), looked=looks)
def test_what_was_not_looked_at_neither_begins_nor_ends(known, found, looked):
    open_now = {one.key: (one.kind, one.profile, one.config) for one in known}
    changes = compare(open_now, found, looked)
    assert all(one.kind in looked for one in changes.opened)
    assert all(open_now[key][0] in looked for key in changes.over)
    after = (open_now.keys() | {one.key for one in changes.opened}) - set(changes.over)
    assert {key for key in after if IncidentKind(key.split("/")[0]) in looked} == {
        one.key for one in found if one.kind in looked
    }
    # The same look again changes nothing.
    again = {
        key: open_now.get(key) or (IncidentKind(key.split("/")[0]), *key.split("/")[1:3]) for key in after
    }
    assert compare(again, found, looked).opened == ()
    assert compare(again, found, looked).over == ()


def test_what_is_unclear_of_one_configuration_stays_as_it_is():
    subject = (IncidentKind.UNPROTECTED, "shop", "a")
    known = {"unprotected/shop/a": subject, "unprotected/shop/b": (IncidentKind.UNPROTECTED, "shop", "b")}
    changes = compare(known, [], frozenset(IncidentKind), {subject})
    assert changes.over == ("unprotected/shop/b",)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, 600)), max_size=60))
def test_alert_and_recovery_take_turns_and_alerts_keep_their_distance(steps):
    told, now, said = Told(), NOW, []
    for lasts, minutes in steps:
        now += timedelta(minutes=minutes)
        turn = next_turn(told, lasts=lasts, now=now, remind_after=DAY)
        if turn is None:
            continue
        said.append((turn, now))
        told = Told(told.last, True) if turn is Turn.RECOVERY else Told(now, False)
    alerts = [moment for turn, moment in said if turn is Turn.ALERT]
    assert all(b - a >= QUIET_AFTER for a, b in itertools.pairwise(alerts))
    edges = [turn for turn, _ in said if turn is not Turn.REMINDER]
    assert edges == [Turn.ALERT, Turn.RECOVERY] * (len(edges) // 2) + [Turn.ALERT] * (len(edges) % 2)


def test_who_was_told_last_is_told_the_truth_in_the_end():
    told = Told(NOW, False)
    assert next_turn(told, lasts=False, now=NOW, remind_after=DAY) is Turn.RECOVERY
    flapping = Told(NOW, True)
    assert next_turn(flapping, lasts=True, now=NOW + QUIET_AFTER / 2, remind_after=DAY) is None
    assert next_turn(flapping, lasts=True, now=NOW + QUIET_AFTER, remind_after=DAY) is Turn.ALERT


def test_what_lasts_is_called_to_mind():
    told = Told(NOW, False)
    assert next_turn(told, lasts=True, now=NOW + DAY - timedelta(seconds=1), remind_after=DAY) is None
    assert next_turn(told, lasts=True, now=NOW + DAY, remind_after=DAY) is Turn.REMINDER
