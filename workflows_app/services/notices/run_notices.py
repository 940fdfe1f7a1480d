"""What is told of every run, good or bad: pings of its start and end, and notices of success."""

from collections.abc import Collection, Iterable
from datetime import datetime

from workflows_app.domain.notices.channels import RUNS, SUCCEEDED
from workflows_app.domain.notices.notices import LAST_LINES, Notice, NoticeEvent, tidy
from workflows_app.domain.states import RunState
from workflows_app.models import NotifierTurn, Run, RunMessage
from workflows_app.services.notices.audiences import Audience, listeners
from workflows_app.services.notices.deliveries import enqueue
from workflows_app.services.setup.addresses import run_address

MOST_AT_ONCE = 500
MOST_GAPS = 100
_BADLY = {
    RunState.CANCELLED: "cancelled",
    RunState.TERMINATED: "terminated",
    RunState.TIMED_OUT: "timed out",
    RunState.UNKNOWN: "ended, and nobody saw how",
}


def settle_runs(turn: NotifierTurn, audiences: Collection[Audience], now: datetime) -> None:
    """Write down what is to be told of the runs that began or ended since the last look.

    Keeps in ``turn`` up to where it looked, so nothing is told twice. To be called in a transaction.
    """
    if turn.last_run is None:
        newest = Run.objects.order_by("-pk").values_list("pk", flat=True).first()
        turn.last_run = newest or 0
        return
    known: dict[str, str] = dict(turn.open_runs)
    new = Run.objects.filter(pk__gt=turn.last_run).order_by("pk").defer("progress", "result")[:MOST_AT_ONCE]
    old = Run.objects.filter(pk__in=[int(number) for number in known]).defer("progress", "result")
    seen = {run.pk for run in new}
    # A row with a smaller number may be written a moment later than one with a larger (PostgreSQL).
    gaps = [number for number in range(turn.last_run + 1, max(seen, default=0)) if number not in seen]
    left = {str(number): RunState.QUEUED.value for number in gaps[-MOST_GAPS:]}
    for run in (*old, *new):
        turn.last_run = max(turn.last_run, run.pk)
        state, before = RunState(run.status), known.get(str(run.pk), RunState.QUEUED.value)
        if run.type == "backup":
            _tell(run, state, before, audiences, now)
        if not state.closed:
            left[str(run.pk)] = state.value
    turn.open_runs = left


def _tell(run: Run, state: RunState, before: str, audiences: Collection[Audience], now: datetime) -> None:
    if state in (RunState.QUEUED, RunState.MISSED, RunState.SKIPPED):
        return  # It never began: a ping that does not come is what tells.
    pinged = listeners(audiences, RUNS, run.profile, run.config)
    stream = f"run-{run.pk}"
    if before == RunState.QUEUED.value:
        notice = _notice(run, NoticeEvent.RUN_STARTED, "started", run.started)
        enqueue(pinged, notice, f"run-{run.pk}-start", now, stream=stream)
    if not state.closed:
        return
    if state is RunState.COMPLETED:
        event, word = NoticeEvent.RUN_SUCCEEDED, "completed"
        pinged += listeners(audiences, SUCCEEDED, run.profile, run.config)
    else:
        event, word = NoticeEvent.RUN_FAILED, _BADLY.get(state, "failed")
    notice = _notice(run, event, word, run.finished or now, _last_lines(run) if pinged else ())
    enqueue(pinged, notice, f"run-{run.pk}-end", now, stream=stream)


def _notice(run: Run, event: NoticeEvent, word: str, moment: datetime, lines: Iterable[str] = ()) -> Notice:
    failure = "" if event is NoticeEvent.RUN_STARTED else run.failure
    return Notice(
        event=event,
        key=f"run/{run.pk}/{event}",
        title=f"{run.profile}/{run.config}: backup {word}",
        time=moment,
        profile=run.profile,
        config=run.config,
        policy=run.policy,
        run=run.pk,
        state=RunState.RUNNING.value if event is NoticeEvent.RUN_STARTED else run.status,
        reason=tidy(f"Run {run.pk}, policy {run.policy}, {word}. {failure}"),
        url=run_address(run.pk),
        lines=tuple(lines),
    )


def _last_lines(run: Run) -> tuple[str, ...]:
    rows = RunMessage.objects.filter(run=run).order_by("-pk").values_list("level", "text")[:LAST_LINES]
    return tuple(f"{level} {tidy(text)}" for level, text in reversed(rows))
