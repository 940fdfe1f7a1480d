"""What pages show of a run: worked out from progress, without a page."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import OPERATOR, VIEWER, make_config
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
from workflows_app.services.people.permissions import Actor
from workflows_app.services.runs.runs import RunSummary
from workflows_app.services.temporal.progress import Sight, Stall
from workflows_app.web.pages.config_views import plan_phases, setting_groups
from workflows_app.web.runs import step_views
from workflows_app.web.runs.run_views import RunView, run_view
from workflows_app.web.templatetags import fossul
from workflows_app.web.words.statuses import RUN_STATUS, STEP_STATUS

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PLAN = backup_plan(make_config(appQuiesceCmd="", preAppQuiesceCmd="", postAppQuiesceCmd=""))
QUIESCE, BACKUP, UNQUIESCE = (PLAN.step(f"{k}-plugin") for k in ("quiesce", "backup", "unquiesce"))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def events(*more: Event) -> Progress:
    """A run whose application was frozen after a second, and then ``more``."""
    return fold(
        [
            RunStarted(START, PLAN),
            StepScheduled(at(1), 0, QUIESCE, False),
            StepStarted(at(1), 0, 1),
            StepEnded(at(2), 0, StepState.COMPLETE, lines=0),
            *more,
        ]
    )


def summary(state: RunState = RunState.RUNNING) -> RunSummary:
    return RunSummary(12, "backup", "shop", "orders", "daily", state, "olga", START, None, None, "", "")


def view(sight: Sight | Progress, actor: Actor = OPERATOR, now: float = 10) -> RunView:
    seen = Sight(progress=sight) if isinstance(sight, Progress) else sight
    return run_view(summary(), seen, actor, at(now))


def test_every_state_has_a_shape_and_a_word_of_its_own() -> None:
    assert set(RUN_STATUS) == set(RunState)
    assert set(STEP_STATUS) == set(StepState)
    words = [status.word for status in RUN_STATUS.values()]
    assert len(set(words)) == len(words)
    icons = [status.icon for status in STEP_STATUS.values()]
    assert len(set(icons)) == len(icons)


def test_a_frozen_application_has_a_running_clock() -> None:
    freeze = view(events()).freeze
    assert freeze is not None
    assert (freeze.frozen, freeze.since, freeze.seconds, freeze.words) == (True, at(1), 9, "")


def test_a_thawed_application_tells_for_how_long_it_stood() -> None:
    thawed = events(
        StepScheduled(at(3), 1, UNQUIESCE, False),
        StepStarted(at(3), 1, 1),
        StepEnded(at(4.2), 1, StepState.COMPLETE),
    )
    freeze = view(thawed).freeze
    assert freeze is not None
    assert not freeze.frozen
    assert freeze.seconds == pytest.approx(3.2)


def test_a_run_that_ended_frozen_asks_for_a_person() -> None:
    freeze = view(events(RunClosed(at(5), RunState.TERMINATED, "terminated"))).freeze
    assert freeze is not None
    assert freeze.frozen
    assert "Thaw it now" in freeze.words


def test_only_those_who_may_operate_see_actions() -> None:
    running, closed = events(), events(RunClosed(at(5), RunState.ERROR, "no space"))
    assert (view(running).actions.cancel, view(running).actions.run_again) == (True, False)
    assert (view(closed).actions.cancel, view(closed).actions.run_again) == (False, True)
    for progress in (running, closed):
        assert not view(progress, VIEWER).actions.cancel
        assert not view(progress, VIEWER).actions.run_again


def test_a_cancel_is_offered_once() -> None:
    cancelling = view(events(CancelRequested(at(3))))
    assert not cancelling.actions.cancel
    assert [notice.title for notice in cancelling.notices] == ["Cancelling"]


def test_the_title_says_the_state() -> None:
    assert view(events()).title == "● running"
    assert view(events(RunClosed(at(5), RunState.ERROR, "no space"))).title == "✗ failed"
    assert view(events(RunClosed(at(5), RunState.COMPLETED))).title == "✓ complete"


def test_elapsed_stands_still_once_the_run_is_closed() -> None:
    assert view(events(), now=10).seconds == 10
    assert view(events(RunClosed(at(5), RunState.COMPLETED)), now=500).seconds == 5


def test_trouble_and_a_missing_worker_are_said() -> None:
    sight = Sight(
        progress=events(), stall=Stall("fossul", last_poll=at(-60)), trouble="Temporal does not answer."
    )
    trouble, stall = view(sight).notices
    assert trouble.text == "Temporal does not answer."
    assert stall.title == "No worker polls the queue fossul"
    assert (stall.since, stall.command) == (at(-60), "manage.py run_worker")
    (never,) = view(Sight(progress=events(), stall=Stall("fossul", last_poll=None))).notices
    assert never.since is None
    assert "None has been seen" in never.text


def test_a_step_that_waits_for_a_retry_says_why_and_when() -> None:
    progress = events(StepScheduled(at(3), 1, BACKUP, False)).with_pending(
        [PendingStep(1, attempt=3, taken=False, failure="Connection refused.", retry_at=at(40))]
    )
    (notice,) = view(progress).notices
    assert "attempt 3" in notice.title
    assert "Connection refused. The next" in notice.text
    assert notice.since == at(40)


def running_backup(report: StepReport) -> Progress:
    return events(StepScheduled(at(3), 1, BACKUP, False)).with_pending(
        [PendingStep(1, 1, taken=True, started=at(4), heartbeat=at(8), report=report)]
    )


def bar_of(report: StepReport, now: float = 10) -> step_views.Bar | None:
    step = view(running_backup(report), now=now).step_view(1)
    assert step is not None
    return step.bar


def test_a_bar_has_a_rate_and_a_time_left() -> None:
    bar = bar_of(StepReport(done_bytes=400, total_bytes=1000, done_files=1, total_files=2, note="copying"))
    assert bar is not None
    assert (bar.unit, bar.done, bar.total, bar.percent) == ("bytes", 400, 1000, 40)
    assert (bar.rate, bar.eta) == (100, 6)


def test_a_bar_without_a_total_makes_no_promise() -> None:
    bar = bar_of(StepReport(done_bytes=400))
    assert bar is not None
    assert (bar.total, bar.percent, bar.eta) == (None, None, None)


def test_a_bar_may_count_files_or_only_have_words() -> None:
    files, words = bar_of(StepReport(done_files=3, total_files=9)), bar_of(StepReport(note="verifying"))
    assert files is not None
    assert words is not None
    assert (files.unit, files.done, files.total) == ("files", 3, 9)
    assert (words.unit, words.total, words.note) == ("", None, "verifying")
    assert bar_of(StepReport()) is None


def test_more_done_than_announced_is_full_and_not_late() -> None:
    bar = bar_of(StepReport(done_bytes=1500, total_bytes=1000))
    assert bar is not None
    assert (bar.percent, bar.eta) == (100, 0)


def test_compensation_stands_in_a_phase_of_its_own() -> None:
    failed = events(
        StepScheduled(at(3), 1, BACKUP, False),
        StepStarted(at(3), 1, 1),
        StepEnded(at(4), 1, StepState.ERROR, "no space"),
        StepScheduled(at(4), 2, UNQUIESCE, True),
    )
    last = view(failed).phases[-1]
    assert last.name == "Undoing what was begun"
    assert [(step.compensates, step.status.word) for step in last.steps] == [(True, "waiting")]


def test_a_step_links_to_its_log_only_when_it_may_have_one() -> None:
    seen = view(running_backup(StepReport()))
    links = {step.name: step.log for phase in seen.phases for step in phase.steps}
    assert {QUIESCE.name: "", BACKUP.name: "log-1-1", UNQUIESCE.name: ""}.items() <= links.items()


def test_a_plan_is_shown_by_phase() -> None:
    phases = plan_phases(PLAN)
    assert [step for phase in phases for stage in phase.stages for step in stage] == list(PLAN.steps)
    assert len({phase.name for phase in phases}) == len(phases) == 11


def test_settings_show_no_secret() -> None:
    config = make_config(
        appPluginParameters={"DbPassword": "hunter2 and more", "Database": "orders"},
        storagePluginParameters={"Url": "https://user:sesame99@host/x"},
        backupCreateCmd="tool,--api-key=abcdef123456",
    )
    shown = repr(setting_groups(config))
    assert "'orders'" in shown
    for secret in ("hunter2", "and more", "sesame99", "abcdef123456"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""), (-3, "< 0.1 s"), (0.04, "< 0.1 s"), (3.21, "3.2 s"), (9.94, "9.9 s"), (9.96, "10 s"),
        (59.4, "59 s"), (59.6, "1 m 0 s"), (72, "1 m 12 s"), (7500, "2 h 5 m"), (86_399.9, "1 d 0 h"),
        (273_600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds: float | None, words: str) -> None:
    assert fossul.duration(seconds) == words


def test_a_size_that_nobody_knows_reads_as_nothing() -> None:
    assert (fossul.size(None), fossul.size(1024)) == ("", "1.0 KiB")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "just now"), (4, "just now"), (42, "42 s ago"), (150, "2 min ago"), (7300, "2 h ago"),
        (200_000, "2 d ago"), (40 * 86_400, "2026-10-15"),
    ],
)  # fmt: skip
def test_ago_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert fossul.ago_words(START - timedelta(seconds=seconds), START) == words


def test_times_carry_their_exact_moment() -> None:
    assert fossul.moment(START) == (
        '<time datetime="2026-11-24T03:00:00.000Z" data-time="exact">2026-11-24 03:00:00 UTC</time>'
    )
    assert 'title="2026-11-24 03:00:00 UTC"' in fossul.ago(START)
    assert (fossul.moment(None), fossul.ago(None)) == ("", "")


def test_a_clock_starts_where_the_server_is() -> None:
    assert fossul.clock(START, at(72)) == (
        '<span class="clock" data-since="2026-11-24T03:00:00.000Z">1 m 12 s</span>'
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, שלום, 👩‍💻", "plain text, שלום, 👩‍💻"),
        ("tab\tstays", "tab\tstays"),
        ("\x1b[31mred\x00\x7f", "⟨U+001B⟩[31mred⟨U+0000⟩⟨U+007F⟩"),
        ("a\u202egnp.exe", "a⟨U+202E⟩gnp.exe"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("two\nlines\u2028more", "two⟨U+000A⟩lines⟨U+2028⟩more"),
        ("lone \ud800 surrogate", "lone ⟨U+D800⟩ surrogate"),
    ],
)
def test_nothing_in_a_text_stays_hidden(text: str, shown: str) -> None:
    assert fossul.visible(text) == shown
