"""The picture of a run: worked out from progress, in thousandths; every wait is told apart from work."""

from datetime import datetime

import pytest
from django.template.loader import render_to_string

from tests.factories import make_config
from tests.web.test_run_views import BACKUP, PLAN, QUIESCE, START, UNQUIESCE, at, summary
from workflows_app.domain.plans.plans import OnFailure, StepSpec, backup_plan
from workflows_app.domain.runs.events import (
    Decided,
    Event,
    Paused,
    PauseEnded,
    PendingStep,
    RunClosed,
    RunStarted,
    StepEnded,
    StepScheduled,
    StepStarted,
    Thawed,
)
from workflows_app.domain.runs.progress import Progress, fold
from workflows_app.domain.states import RunState, StepState
from workflows_app.services.logs.attempts import Spoken
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.temporal.progress import Sight
from workflows_app.web.runs.run_views import run_view
from workflows_app.web.runs.timeline import LEAST, Doing, Timeline, TimelineRow, run_timeline

FROZEN = (
    StepScheduled(at(10), 0, QUIESCE, False),
    StepStarted(at(20), 0, 1),
    StepEnded(at(30), 0, StepState.COMPLETE),
)


def picture(*more: Event, now: float = 100, plan=PLAN) -> Timeline:
    return run_timeline(fold([RunStarted(START, plan), *more]), START, at(now), {})


def drawn(row: TimelineRow) -> list[tuple[Doing, int, int, bool]]:
    return [(part.doing, part.x, part.end, part.open) for part in row.stretches]


def test_a_run_that_has_no_step_yet_has_an_empty_picture() -> None:
    empty = picture()
    assert (empty.rows, empty.frozen, empty.open, empty.seconds) == ((), (), True, 100)
    assert picture(now=0).seconds == 0


def test_waiting_is_told_apart_from_working_and_what_goes_on_reaches_the_edge() -> None:
    line = picture(*FROZEN, StepScheduled(at(40), 1, BACKUP, False), StepStarted(at(50), 1, 1))
    done, running = line.rows
    assert drawn(done) == [(Doing.WAITING, 100, 200, False), (Doing.WORKING, 200, 300, False)]
    assert drawn(running) == [(Doing.WAITING, 400, 500, False), (Doing.WORKING, 500, 1000, True)]
    (frozen,) = line.frozen
    assert (frozen.x, frozen.end, frozen.open) == (100, 1000, True)
    assert line.doings == (Doing.WAITING, Doing.WORKING)
    assert "waited 10 s for a worker, worked 50 s" in running.words


def test_a_step_that_no_worker_has_taken_waits_until_now() -> None:
    (row,) = picture(StepScheduled(at(40), 0, QUIESCE, False)).rows
    assert drawn(row) == [(Doing.WAITING, 400, 1000, True)]
    assert "waited 1 m for a worker" in row.words


def test_a_closed_run_ends_where_it_ended_and_its_frozen_window_where_it_was_thawed() -> None:
    line = picture(
        *FROZEN,
        StepScheduled(at(30), 1, UNQUIESCE, False),
        StepStarted(at(30), 1, 1),
        StepEnded(at(40), 1, StepState.COMPLETE),
        RunClosed(at(50), RunState.COMPLETED),
        now=5000,
    )
    assert (line.seconds, line.open) == (50, False)
    (frozen,) = line.frozen
    assert (frozen.x, frozen.end, frozen.open) == (200, 800, False)
    assert not any(part.open for row in line.rows for part in row.stretches)


def test_earlier_attempts_and_the_waits_between_them_are_one_stretch() -> None:
    begun = fold([RunStarted(START, PLAN), *FROZEN, StepScheduled(at(40), 1, BACKUP, False)])
    waiting = begun.with_pending([PendingStep(1, 2, taken=False, started=at(45), retry_at=at(110))])
    row = run_timeline(waiting, START, at(100), {}).rows[1]
    assert drawn(row) == [(Doing.RETRYING, 400, 1000, True)]
    running = begun.with_pending([PendingStep(1, 3, taken=True, started=at(80))])
    row = run_timeline(running, START, at(100), {}).rows[1]
    assert drawn(row) == [(Doing.RETRYING, 400, 800, False), (Doing.WORKING, 800, 1000, True)]
    assert "40 s until attempt 3, worked 20 s" in row.words
    spoken = {(1, 1): Spoken(at(41), at(50)), (1, 2): Spoken(at(60), at(79)), (1, 3): Spoken(at(80), at(90))}
    row = run_timeline(running, START, at(100), spoken).rows[1]
    assert drawn(row) == [
        (Doing.RETRYING, 400, 800, False),
        (Doing.TRIED, 410, 500, False),
        (Doing.TRIED, 600, 790, False),
        (Doing.WORKING, 800, 1000, True),
    ]
    assert "an attempt failed after 9 s, an attempt failed after 19 s, worked 20 s" in row.words


def pausing() -> tuple[object, StepSpec]:
    options = BACKUP.options.model_copy(update={"on_failure": OnFailure.PAUSE, "may_skip": True})
    backup = BACKUP.model_copy(update={"options": options})
    stages = tuple(
        stage.model_copy(update={"steps": tuple(backup if s.key == backup.key else s for s in stage.steps)})
        for stage in PLAN.stages
    )
    return PLAN.model_copy(update={"stages": stages}), backup


def paused() -> tuple[object, StepSpec, list[Event]]:
    plan, backup = pausing()
    return plan, backup, [
        StepScheduled(at(10), 0, backup, False),
        StepStarted(at(10), 0, 1),
        StepEnded(at(20), 0, StepState.ERROR, "no space"),
        Paused(at(20), at(3620)),
    ]  # fmt: skip


def test_a_wait_for_a_person_goes_on_until_they_decide() -> None:
    plan, backup, waiting = paused()
    row = picture(*waiting, plan=plan).rows[0]
    assert drawn(row)[1:] == [(Doing.WORKING, 100, 200, False), (Doing.PERSON, 200, 1000, True)]
    again = picture(
        *waiting,
        Decided(at(60), 0, "retry", "olga"),
        PauseEnded(at(60)),
        StepScheduled(at(60), 1, backup, False),
        StepStarted(at(60), 1, 1),
        plan=plan,
    )
    first, second = again.rows
    assert drawn(first)[-1] == (Doing.PERSON, 200, 600, False)
    assert "waited 40 s for a person" in first.words
    assert drawn(second)[-1] == (Doing.WORKING, 600, 1000, True)


def test_what_thaws_while_a_person_is_asked_is_no_decision() -> None:
    plan, _, waiting = paused()
    line = picture(*waiting, StepScheduled(at(21), 1, UNQUIESCE, True), Decided(at(60), 0, "abort", "o"),
                   PauseEnded(at(60)), RunClosed(at(80), RunState.ERROR, "aborted"), plan=plan)  # fmt: skip
    assert drawn(line.rows[0])[-1] == (Doing.PERSON, 250, 1000, False)
    assert line.rows[1].compensates


def test_the_watchdogs_steps_come_last_and_go_on_after_the_end_of_the_run() -> None:
    line = picture(
        *FROZEN,
        RunClosed(at(40), RunState.TERMINATED, "terminated"),
        StepScheduled(at(60), 1000, UNQUIESCE, True),
        StepStarted(at(60), 1000, 1),
        now=80,
    )
    assert (line.open, line.rows[-1].watchdog, line.rows[-1].number) == (True, True, 1000)
    assert drawn(line.rows[-1])[-1] == (Doing.WORKING, 750, 1000, True)
    done = picture(*FROZEN, RunClosed(at(40), RunState.TERMINATED), Thawed(at(50), (QUIESCE.undo,), ()))
    assert (done.seconds, done.open, done.frozen[-1].end) == (50, False, 1000)


def test_what_is_short_is_still_seen_and_stays_in_the_picture() -> None:
    line = picture(
        StepScheduled(at(50), 0, QUIESCE, False),
        StepStarted(at(50.001), 0, 1),
        StepEnded(at(50.002), 0, StepState.COMPLETE),
        StepScheduled(at(99.9999), 1, BACKUP, False),
    )
    for row in line.rows:
        for part in row.stretches:
            assert 0 <= part.x <= part.end - LEAST <= 1000 - LEAST, part


@pytest.mark.parametrize("clock", [at(-50), at(0)])
def test_clocks_that_disagree_draw_nothing_outside(clock: datetime) -> None:
    line = run_timeline(fold([RunStarted(START, PLAN), *FROZEN]), START, clock, {})
    for part in line.rows[0].stretches:
        assert 0 <= part.x < part.end <= 1000


def test_the_fragment_is_small_has_no_style_and_names_every_bar() -> None:
    plan = backup_plan(make_config())
    begun: list[Event] = [RunStarted(START, plan)]
    for number, spec in enumerate(plan.steps):
        begun += [
            StepScheduled(at(number), number, spec, False),
            StepStarted(at(number + 0.3), number, 1),
            StepEnded(at(number + 1), number, StepState.COMPLETE),
        ]
    progress: Progress = fold(begun)
    run = run_view(summary(), Sight(progress=progress), NOBODY, at(60))
    html = render_to_string("workflows_app/_timeline.html", {"run": run, "oob": True})
    assert len(html) < 15_000
    assert "style=" not in html
    for number in range(len(run.timeline.rows)):
        assert html.count(f'id="row-{number}"') == html.count(f'id="tip-{number}"') == 1
        assert html.count(f'aria-labelledby="row-{number} tip-{number}"') == 1
