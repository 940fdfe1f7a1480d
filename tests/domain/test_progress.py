"""Progress: what a page shows, folded from a run's events."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_config
from workflows_app.domain.plans.plans import backup_plan
from workflows_app.domain.runs.events import (
    CancelRequested,
    Event,
    PendingStep,
    RunClosed,
    RunStarted,
    StepEnded,
    StepReport,
    StepScheduled,
    StepStarted,
)
from workflows_app.domain.runs.progress import Progress, fold
from workflows_app.domain.states import RunState, StepState

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PLAN = backup_plan(make_config())


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def step(number: int, key: str, second: float, state: StepState = StepState.COMPLETE) -> list[Event]:
    """A step that is scheduled, taken a tenth of a second later, and ended after a second."""
    return [
        StepScheduled(at(second), number, PLAN.step(key), compensates=False),
        StepStarted(at(second + 0.1), number, 1),
        StepEnded(at(second + 1), number, state, "" if state is StepState.COMPLETE else "no", lines=3),
    ]


def undo(number: int, key: str, second: float, state: StepState = StepState.COMPLETE) -> list[Event]:
    return [
        StepScheduled(at(second), number, PLAN.step(key), compensates=True),
        StepEnded(at(second + 1), number, state),
    ]


STARTED: list[Event] = [RunStarted(START, PLAN)]


def test_a_started_run_shows_its_whole_plan_as_pending():
    progress = fold(STARTED)
    assert progress.state is RunState.RUNNING
    assert [s.key for s in progress.steps] == [s.key for s in PLAN.steps]
    assert {s.state for s in progress.steps} == {StepState.PENDING}


def test_a_step_waits_then_runs_then_is_complete():
    events = step(0, "discover-plugin", 1)
    states = [fold(STARTED + events[:n]).steps[0].state for n in range(4)]
    assert states == [StepState.PENDING, StepState.WAITING, StepState.RUNNING, StepState.COMPLETE]
    done = fold(STARTED + events).steps[0]
    assert done.seconds == pytest.approx(0.9)
    assert (done.step, done.attempt, done.lines) == (0, 1, 3)


def test_the_current_step_is_the_one_that_is_worked_on():
    progress = fold([*STARTED, *step(0, "pre-quiesce-command", 1), *step(1, "quiesce-command", 2)[:1]])
    assert progress.current is not None
    assert progress.current.key == "quiesce-command"


def test_the_application_is_frozen_from_the_first_freeze_to_the_last_thaw():
    events = [*STARTED, *step(0, "quiesce-command", 1), *step(1, "quiesce-plugin", 3)]
    frozen = fold(events)
    assert frozen.frozen
    assert frozen.frozen_since == at(1)
    half = fold([*events, *step(2, "unquiesce-command", 5)])
    assert half.frozen
    assert half.thawed_at is None
    thawed = fold([*events, *step(2, "unquiesce-command", 5), *step(3, "unquiesce-plugin", 7)])
    assert not thawed.frozen
    assert thawed.thawed_at == at(8)


def test_it_counts_as_frozen_as_soon_as_the_freeze_is_asked_for():
    assert fold(STARTED + step(0, "quiesce-plugin", 1)[:1]).frozen


def test_a_failed_run_shows_its_compensation_and_what_was_never_reached():
    progress = fold(
        [
            *STARTED,
            *step(0, "quiesce-plugin", 1),
            *step(1, "backup-plugin", 3, StepState.ERROR),
            *undo(2, "unquiesce-plugin", 5),
            RunClosed(at(7), RunState.ERROR, "Step 1 failed"),
        ]
    )
    assert progress.state is RunState.ERROR
    assert progress.finished == at(7)
    assert not progress.frozen
    last = progress.steps[-1]
    assert (last.key, last.compensates, last.state) == ("undo-unquiesce-plugin", True, StepState.COMPLETE)
    states = {s.key: s.state for s in progress.steps}
    assert states["backup-plugin"] is StepState.ERROR
    assert states["unquiesce-plugin"] is StepState.SKIPPED


def test_a_thaw_that_failed_leaves_the_application_frozen_and_says_so():
    progress = fold(
        [*STARTED, *step(0, "quiesce-plugin", 1), *undo(1, "unquiesce-plugin", 3, StepState.ERROR)]
    )
    assert progress.frozen
    assert progress.thaw_failed
    again = fold(
        [
            *STARTED,
            *step(0, "quiesce-plugin", 1),
            *step(1, "unquiesce-plugin", 3, StepState.ERROR),
            *undo(2, "unquiesce-plugin", 5),
        ]
    )
    assert not again.frozen
    assert not again.thaw_failed


def test_the_error_notice_is_shown_as_what_it_is_and_not_as_an_undoing():
    (notice,) = PLAN.on_error
    progress = fold(
        [
            *STARTED,
            *step(0, "discover-plugin", 1, StepState.ERROR),
            StepScheduled(at(3), 1, notice, compensates=True),
            StepEnded(at(4), 1, StepState.COMPLETE),
        ]
    )
    last = progress.steps[-1]
    assert (last.key, last.compensates, last.phase) == (
        "send-trap-error-command", False, "Sending Error Notifications",
    )  # fmt: skip


def test_a_mount_does_not_count_as_frozen():
    assert not fold(STARTED + step(0, "mount-plugin", 1)).frozen


def test_a_terminated_run_leaves_no_step_running():
    progress = fold(
        [*STARTED, *step(0, "quiesce-plugin", 1)[:2], RunClosed(at(5), RunState.TERMINATED, "gone")]
    )
    assert {s.state for s in progress.steps} == {StepState.CANCELLED, StepState.SKIPPED}
    assert progress.frozen, "nobody thawed it"


def test_the_backup_that_was_made_is_known():
    ended = StepEnded(at(3), 0, StepState.COMPLETE, backup_name="files-daily-1-2", backup_bytes=42)
    progress = fold([*STARTED, *step(0, "backup-plugin", 1)[:2], ended])
    assert (progress.backup_name, progress.backup_bytes) == ("files-daily-1-2", 42)


def test_a_cancel_that_was_asked_for_is_shown():
    assert fold([*STARTED, CancelRequested(at(1))]).cancel_requested


def test_a_description_tells_of_attempts_and_heartbeats():
    scheduled = fold(STARTED + step(0, "backup-plugin", 1)[:1])
    report = StepReport(done_bytes=5, total_bytes=10)
    running = scheduled.with_pending(
        [PendingStep(0, 2, taken=True, worker="w", failure="lost", started=at(2), report=report)]
    ).current
    assert running is not None
    assert (running.state, running.attempt, running.worker, running.reason, running.report) == (
        StepState.RUNNING, 2, "w", "lost", report,
    )  # fmt: skip
    waiting = scheduled.with_pending([PendingStep(0, 2, taken=False, retry_at=at(9))]).current
    assert waiting is not None
    assert (waiting.state, waiting.retry_at) == (StepState.WAITING, at(9))


def test_a_description_older_than_the_history_changes_nothing():
    ended = fold(STARTED + step(0, "backup-plugin", 1))
    assert ended.with_pending([PendingStep(0, 1, taken=True)]) == ended


def test_progress_survives_the_database():
    progress = fold([*STARTED, *step(0, "quiesce-plugin", 1), RunClosed(at(5), RunState.ERROR, "x")])
    assert Progress.model_validate(progress.model_dump(mode="json")) == progress


def test_a_run_that_freezes_again_adds_up_the_times_that_the_application_stood_still():
    twice = fold(
        [
            *STARTED,
            *step(0, "quiesce-plugin", 1),
            *undo(1, "unquiesce-plugin", 5),
            *step(2, "quiesce-plugin", 20),
        ]
    )
    assert twice.freezes(at(30)) == ((at(1), at(6)), (at(20), at(30)))
    assert twice.frozen_seconds(at(30)) == 15
    assert twice.frozen
