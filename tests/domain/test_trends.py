"""What is usual, what is marked, and what a day is called by."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.domain.runs.trends import (
    COMPARED,
    ENOUGH,
    SHOWN,
    STRIP_DAYS,
    Completed,
    ConfigTrend,
    Day,
    PolicyTrend,
    band,
    last_days,
)
from workflows_app.domain.states import RunState

START = datetime(2026, 11, 24, 3, tzinfo=UTC)


def trend(*values: tuple[float, int | None], policy: str = "daily", first: int = 1) -> PolicyTrend:
    """A policy's history of (seconds, bytes), whose runs count from ``first``."""
    return PolicyTrend(
        policy, tuple(Completed(at, START, seconds, size) for at, (seconds, size) in enumerate(values, first))
    )


def newest(*values: tuple[float, int | None]):
    point = trend(*values).newest
    assert point is not None
    return point


USUAL = [(100.0 + at, 1000 + at) for at in range(30)]


def test_the_band_is_p5_to_p95_between_the_values_around_them() -> None:
    found = band(list(range(1, 22)))
    assert (found.low, found.middle, found.high, found.count) == (2, 11, 20, 21)


@given(st.lists(st.floats(0, 1e15), min_size=ENOUGH, max_size=COMPARED))
def test_a_band_lies_within_its_values_and_in_order(values: list[float]) -> None:
    found = band(values)
    assert min(values) * (1 - 1e-9) <= found.low <= found.middle * (1 + 1e-9)
    assert found.middle <= found.high * (1 + 1e-9) <= max(values) * (1 + 2e-9)


def test_a_backup_far_out_of_the_band_is_marked() -> None:
    assert newest(*USUAL, (300.0, 1010)).slower
    assert not newest(*USUAL, (300.0, 1010)).smaller
    assert newest(*USUAL, (110.0, 500)).smaller
    assert not newest(*USUAL, (110.0, 500)).slower


def test_quicker_and_larger_are_no_marks() -> None:
    point = newest(*USUAL, (1.0, 10**6))
    assert not point.slower
    assert not point.smaller


def test_nothing_is_marked_with_fewer_than_ten_before() -> None:
    few, enough = USUAL[: ENOUGH - 1], USUAL[:ENOUGH]
    assert newest(*few, (900.0, 1)).usual_seconds is None
    assert not newest(*few, (900.0, 1)).slower
    assert not newest(*few, (900.0, 1)).smaller
    assert newest(*enough, (900.0, 1)).slower
    assert newest(*enough, (900.0, 1)).smaller


def test_ten_known_sizes_are_needed_for_a_verdict_on_the_size() -> None:
    untold = [(100.0, None)] * 5
    assert not newest(*untold, *USUAL[: ENOUGH - 1], (100.0, 1)).smaller
    assert newest(*untold, *USUAL[:ENOUGH], (100.0, 1)).smaller


def test_a_size_that_nobody_told_is_not_smaller() -> None:
    assert not newest(*USUAL, (100.0, None)).smaller


def test_an_empty_backup_is_smaller_than_usual() -> None:
    assert newest(*USUAL, (100.0, 0)).smaller


@pytest.mark.parametrize(
    ("usual", "last", "slower"),
    [
        (100.0, 119.0, False),  # beyond p95, but by less than a fifth
        (100.0, 120.0, True),
        (2.0, 11.9, False),  # six times as long, but of seconds
        (2.0, 12.0, True),
    ],
)
def test_a_little_slower_is_not_marked(usual: float, last: float, slower: bool) -> None:
    assert newest(*[(usual, None)] * ENOUGH, (last, None)).slower is slower


@pytest.mark.parametrize(("last", "smaller"), [(901, False), (900, True)])
def test_a_little_smaller_is_not_marked(last: int, smaller: bool) -> None:
    assert newest(*[(1.0, 1000)] * ENOUGH, (1.0, last)).smaller is smaller


def test_a_spread_that_is_usual_is_not_marked() -> None:
    uneven = [(10.0, 100), (500.0, 5000)] * 10
    assert not newest(*uneven, (500.0, 100)).slower
    assert not newest(*uneven, (500.0, 100)).smaller


def test_each_point_is_held_against_the_thirty_before_it() -> None:
    points = trend(*[(10.0, None)] * 30, *[(100.0, None)] * 31).points
    assert len(points) == SHOWN
    assert [point.backup.number for point in points] == list(range(32, 62))
    assert points[0].slower
    # What is usual has moved: the last one has thirty like it before.
    assert points[-1].usual_seconds.low == 100.0
    assert not points[-1].slower


def test_the_newest_needs_no_more_than_thirty_one() -> None:
    values = [(float(at % 7), at) for at in range(SHOWN + COMPARED)]
    assert trend(*values).newest == trend(*values[-COMPARED - 1 :], first=SHOWN).newest


def test_no_history_has_no_points() -> None:
    assert trend().points == ()
    assert trend().newest is None


def test_the_current_policy_is_that_of_the_last_completed_backup() -> None:
    daily, weekly = trend((1.0, 1), first=5), trend((1.0, 1), policy="weekly", first=4)
    assert ConfigTrend((), (trend(policy="never"), weekly, daily)).current == daily
    assert ConfigTrend((), (trend(policy="never"),)).current is None


def test_a_day_is_called_by_its_worst_backup() -> None:
    day = Day(date(2026, 11, 24), {RunState.COMPLETED: 5, RunState.UNKNOWN: 1, RunState.RUNNING: 1})
    assert day.worst is RunState.UNKNOWN
    assert [state for state, _ in day.by_severity] == [
        RunState.UNKNOWN,
        RunState.RUNNING,
        RunState.COMPLETED,
    ]
    assert Day(date(2026, 11, 24), {}).worst is None


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_its_place_among_the_worst(state: RunState) -> None:
    assert Day(date(2026, 11, 24), {state: 1}).worst is state


def test_a_strip_is_thirty_days_and_ends_today() -> None:
    days = last_days(date(2026, 3, 1))
    assert len(days) == STRIP_DAYS
    assert days[-2:] == (date(2026, 2, 28), date(2026, 3, 1))
    assert days == tuple(sorted(days))
